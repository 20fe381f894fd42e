"""Runs that are kept in the session, and two of them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words, from_query, to_query
from components.analysis import changes as engine
from components.analysis.job import Job
from components.analysis.settings import setting_changes
from components.analysis.words import number
from components.charts import changes as charts
from components.ui import cache, frame, state, waiting
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told
from components.ui.text import md

RUNS, NOTE, LINK, BEFORE, AFTER = "kept runs", "run note", "pasted link", "run before", "run after"
ASKED = "link to add"
ON_SCREEN = 0
MOST_KEPT = 12
CONFIG = {"displayModeBar": False}


@dataclass(frozen=True, eq=False)
class Run:
    """A run that is kept, or a spec from a link that is run when it is looked at."""

    place: int
    spec: AnalysisSpec
    note: str
    result: Result | None


def keep_section(result: Result) -> None:
    """Keep the run on screen, or add one by its link."""
    here, there = st.columns(2, gap="large")
    with here, st.form("keep run", border=True):
        st.text_input("Note", key=NOTE, placeholder="Why this run is kept", max_chars=200)
        st.form_submit_button(
            "Keep this run",
            type="primary",
            icon=":material/bookmark_add:",
            key="keep",
            on_click=lambda: keep(result.spec, st.session_state[NOTE], result),
        )
    with there, st.form("add link", border=True):
        st.text_input("Or a link to another analysis", key=LINK, placeholder="https://…?v=1&data=…")
        st.form_submit_button(
            "Add the link",
            icon=":material/add_link:",
            key="add",
            on_click=lambda: st.session_state.update({ASKED: st.session_state[LINK]}),
        )
        link = st.session_state.pop(ASKED, None)
        with told(stop=False):
            if link is not None:
                query = parse_qs(urlsplit(link.strip()).query, keep_blank_values=True)
                keep(from_query(query), "from a link", None)


def chosen_pair(result: Result) -> tuple[Result, Result] | None:
    """Ask for two runs, and give both results; None where nothing is kept yet."""
    runs: list[Run] = st.session_state.get(RUNS, [])
    if not runs:
        st.info(
            "Nothing is kept yet. Keep this run, then change something, such as the estimator, a "
            "donor or the window, and come back: the two runs will stand side by side here.",
            icon=":material/bookmark:",
        )
        with st.container(horizontal=True):
            for page, label in (("method", "Change the method"), ("design", "Change the design")):
                st.page_link(f"pages/{page}.py", label=label, query_params=state.query())
        return None
    by_place = {run.place: run for run in runs}
    names = {ON_SCREEN: "The run on screen"} | {place: _name(by_place[place]) for place in by_place}
    differing = [run.place for run in runs if run.spec != result.spec]
    for key, first in ((BEFORE, (differing or [runs[-1].place])[-1]), (AFTER, ON_SCREEN)):
        if st.session_state.get(key) not in names:
            st.session_state[key] = first
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label in ((BEFORE, "Before"), (AFTER, "After")):
            st.selectbox(label, list(names), format_func=lambda place: names[place], key=key)
        st.button(
            "Forget all", icon=":material/delete:", key="forget runs", on_click=_forget, width=150
        )
    pair = [
        result if place == ON_SCREEN else _result_of(by_place[place])
        for place in (st.session_state[BEFORE], st.session_state[AFTER])
    ]
    return pair[0], pair[1]


def verdict_section(before: Result, after: Result, words: Words) -> None:
    """Say first what one would now conclude differently."""
    found = engine.flips(before, after)
    st.markdown(f"**{md(engine.first_sentence(before, after, words.measure))}**")
    for flip in found:
        icon = ":material/error:" if flip.worse else ":material/info:"
        (st.error if flip.worse else st.info)(md(flip.sentence), icon=icon)
    if not found:
        st.success(
            "Same sign, same conclusion, and a fit that is not much worse.",
            icon=":material/check_circle:",
        )
    st.plotly_chart(
        charts.two_gaps(before, after, words, frame.theme()),
        theme=None,
        key="two gaps",
        config=CONFIG,
        alt="Observed minus counterfactual in both runs, period by period",
    )
    save_button(
        "Gaps (CSV)",
        to_csv(engine.gap_changes(before, after)),
        "changes_gaps.csv",
        "text/csv",
        icon=":material/download:",
        key="changes gaps",
    )


def conclusions_section(before: Result, after: Result, words: Words) -> pd.DataFrame | None:
    """Say how many conclusions flipped over all quick estimators."""
    st.header("With every estimator that is quick")
    if engine.differ_in_method_only(before, after):
        st.markdown(
            "Both runs use the same panel and the same inference: only the estimator differs, so "
            "that no other estimator's conclusion can have flipped."
        )
        return None
    key = f"conclusions {_id(before)} | {_id(after)}"
    kept: cache.Store = st.session_state.setdefault("conclusions", cache.Store(8))
    table: pd.DataFrame | None = kept.get(key)
    if table is None:
        if waiting.was_stopped(key):
            return None
        job: Job[Any] = cache.jobs().submit_call(
            key, cache.owner(), engine.conclusions, before, after
        )
        if not job.wait(cache.PATIENCE):
            waiting.wait_for(cast("Job[Result]", job))
            return None
        table = cast("pd.DataFrame", cache.jobs().take(key, cache.owner()))
        kept.put(key, table)
    waiting.arrived()
    st.markdown(f"**{md(engine.share_sentence(table))}**")
    if len(table):
        st.plotly_chart(
            charts.estimator_effects(table, words, frame.theme()),
            theme=None,
            key="estimator effects",
            config=CONFIG,
            alt=engine.share_sentence(table),
        )
        _table(table, "", "conclusions")
        st.caption(
            "Each estimator has its default options. The conclusion is read off its interval at "
            "the level of the run: lower, higher, or cannot tell where zero lies inside."
        )
    return table


def difference_sections(before: Result, after: Result) -> None:
    """Show what differs in settings, numbers, data and weights, with files."""
    st.header("Settings")
    settings = setting_changes(before.spec, after.spec)
    _table(settings, "No setting differs.", "settings")
    st.header("Numbers")
    _table(engine.number_changes(before, after), "", "numbers")
    st.header("Data")
    sentences, cells = engine.data_changes(before.estimate.panel, after.estimate.panel)
    st.markdown(
        "\n".join(f"- {md(sentence)}" for sentence in sentences)
        or "Both runs use the same units, periods, outcomes and treatment."
    )
    if len(cells):
        _table(cells, "", "cells")
    weights = engine.weight_changes(before, after)
    if len(weights):
        st.header("Donor weights")
        _table(weights, "", "weights")


def report_text(before: Result, after: Result, table: pd.DataFrame | None) -> str:
    """Write the whole comparison as plain text.

    Parameters
    ----------
    before, after : Result
    table : pandas.DataFrame, optional
        Conclusions by estimator.

    Returns
    -------
    str
    """
    sentences, cells = engine.data_changes(before.estimate.panel, after.estimate.panel)
    found = [
        ("What one would now say differently", [f.sentence for f in engine.flips(before, after)]),
        ("Conclusions", [] if table is None else [engine.share_sentence(table)]),
        ("Data", sentences),
    ]
    parts = [
        f"{head}\n" + ("\n".join(f"- {line}" for line in lines) or "- nothing")
        for head, lines in found
    ]
    for head, rows in (
        ("Settings", setting_changes(before.spec, after.spec)),
        ("Numbers", engine.number_changes(before, after)),
        ("Cells", cells),
        ("Donor weights", engine.weight_changes(before, after)),
    ):
        parts.append(f"{head}\n{rows.to_string(index=False) if len(rows) else '- nothing'}")
    links = [
        f"{name}: {to_query(run.spec)}" for name, run in (("Before", before), ("After", after))
    ]
    return "\n\n".join(["What changed", *links, *parts]) + "\n"


def _table(table: pd.DataFrame, empty: str, name: str) -> None:
    if not len(table):
        st.caption(empty)
        return
    numbers: dict[str, Any] = {
        column: st.column_config.NumberColumn(column.replace("_", " ").capitalize(), format="%.4g")
        for column in table.columns
        if pd.api.types.is_float_dtype(table[column])
    }
    words = {
        column: column.replace("_", " ").capitalize()
        for column in table.columns
        if column not in numbers
    }
    st.dataframe(table, hide_index=True, column_config=numbers | words)
    save_button(
        f"{name.capitalize()} (CSV)",
        to_csv(table),
        f"changes_{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"changes {name}",
    )


def keep(spec: AnalysisSpec, note: str, result: Result | None) -> None:
    """Keep a run, to be compared with the one on screen.

    Parameters
    ----------
    spec : AnalysisSpec
    note : str
    result : Result, optional
        None runs it when it is looked at.
    """
    runs: list[Run] = st.session_state.setdefault(RUNS, [])
    place = max((run.place for run in runs), default=ON_SCREEN) + 1
    st.session_state[RUNS] = [*runs, Run(place, spec, note, result)][-MOST_KEPT:]
    st.session_state[BEFORE] = place


def _forget() -> None:
    for key in (RUNS, BEFORE, AFTER):
        st.session_state.pop(key, None)


def _result_of(run: Run) -> Result:
    """Give the result of a kept run; one from a link is run now, and kept."""
    if run.result is not None:
        return run.result
    with told():
        if cache.table_of(run.spec) is None:
            st.info(
                "The file of this link is not in this session: open the link itself and give the "
                "file there, then come back.",
                icon=":material/upload_file:",
            )
            st.stop()
        if waiting.was_stopped(cache.job_key(run.spec)):
            st.stop()
        result = cache.result_of(run.spec)
    if not isinstance(result, Result):
        waiting.wait_for(result)
        st.stop()
    waiting.arrived()
    return result


def _name(run: Run) -> str:
    effect = "" if run.result is None else f", {number(run.result.estimate.att)}"
    note = f": {run.note}" if run.note else ""
    return f"Run {run.place}, {run.spec.estimator.card.title}{effect}{note}"


def _id(result: Result) -> str:
    return f"{result.estimate.panel.fingerprint} {result.spec!r}"
