"""The contest of estimators on screen: its work in the background, and who predicts best."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Words
from components.analysis.compare import contest
from components.analysis.disagreement import JUDGES, board_of, judges_of, verdict, why_ranked
from components.analysis.entrants import Contest, Judge, contest_spec, weight_shares
from components.analysis.job import Job
from components.analysis.words import number, percent
from components.charts import leaderboard as charts
from components.inference.base import level_text
from components.panel import Panel
from components.simulation.leaderboard import cheap_interval
from components.ui import cache, frame, results, waiting
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told
from components.ui.text import md

KEPT, LATEST, STOPPED, JUDGE = "contests", "latest contest", "stopped contest", "judge"
MOST_KEPT = 6
LOOK_EVERY = 0.5  # seconds
NOTHING = 1e-9  # of the typical error: rounding
ASIDES = {"placebos": "placebo assignments", "worlds": "worlds like the data"}


def forget_background() -> None:
    """Let this page show the work on a contest itself, not the line on other pages."""
    if str(st.session_state.get(waiting.AT_WORK, "")).startswith("contest "):
        del st.session_state[waiting.AT_WORK]


def contest_of(spec: AnalysisSpec) -> tuple[Contest | None, Job[Contest] | None]:
    """Give what is known of the contest so far, and the job that goes on with it.

    Parameters
    ----------
    spec : AnalysisSpec

    Returns
    -------
    contest : Contest or None
        None while nothing is known yet.
    job : Job or None
        None where the work is done or was stopped.

    Raises
    ------
    PanelscopeError
        Where the contest cannot begin.
    """
    plain = contest_spec(spec)
    panel, _ = cache.panel_of(spec)
    key = f"contest {panel.fingerprint} {plain!r}"
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    whole: Contest | None = kept.get(key)
    if whole is not None:
        return whole, None
    latest: cache.Store = st.session_state.setdefault(LATEST, cache.Store(MOST_KEPT))
    if st.session_state.get(STOPPED) == key:
        return latest.get(key), None
    job: Job[Contest] = cache.jobs().submit_call(
        key, cache.owner(), contest, plain, panel, background=True
    )
    if job.partial is not None:
        latest.put(key, job.partial)
    if not job.ended:
        return latest.get(key), job
    if job.state == "done":
        whole = cache.jobs().take(key, cache.owner())
        kept.put(key, whole)
        return whole, None
    if job.partial is None:
        job.result()
    st.session_state[STOPPED] = key
    return job.partial, job


def progress_line(found: Contest | None, job: Job[Contest] | None) -> None:
    """Show how far the contest is, with a way to stop it; the page follows what comes in."""
    if job is not None and job.state == "failed":
        cache.jobs().forget(job.key)
        with told(stop=False):
            job.result()
    if job is not None and not job.ended:
        _follow(found, job)
    elif found is None or found.stage:
        st.info(
            "The contest was stopped before it was done; what is shown is what had come in.",
            icon=":material/cancel:",
        )
        st.button(
            "Go on",
            type="primary",
            key="resume contest",
            on_click=lambda: st.session_state.pop(STOPPED, None),
        )


def _follow(found: Contest | None, job: Job[Contest]) -> None:
    st.session_state[waiting.AT_WORK] = job.key
    shown = job.partial

    @st.fragment(run_every=LOOK_EVERY)
    def look() -> None:
        cache.jobs().seen(cache.owner())
        if job.ended or job.partial is not shown:
            st.rerun()
        if job.state == "queued":
            text = f"Waiting for other work on this machine: place {job.position} in the queue"
        else:
            stage = found.stage if found is not None else "fitting all estimators"
            text = f"{stage[:1].upper()}{stage[1:]}, {job.seconds:.0f} s so far"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(job.progress, 1.0), md(text))
            st.button(
                "Cancel",
                icon=":material/close:",
                key="cancel contest",
                on_click=_stop,
                args=(job,),
            )

    look()


def _stop(job: Job[Contest]) -> None:
    st.session_state[STOPPED] = job.key
    cache.jobs().cancel(job.key, cache.owner())


def judge_of(found: Contest | None) -> Judge | None:
    """Give what the ranking is taken from now; None while nothing has been ranked."""
    ready = [] if found is None else judges_of(found)
    asked: Judge | None = st.session_state.get(JUDGE)
    return asked if asked in ready else next(iter(ready), None)


def judge_field(found: Contest, judge: Judge) -> None:
    """Ask what the ranking is taken from, where there is a choice."""
    ready = judges_of(found)
    if len(ready) < 2:
        return
    st.session_state[JUDGE] = judge
    st.segmented_control(
        "Judged by",
        ready,
        format_func=lambda name: JUDGES[name],
        required=True,
        key=JUDGE,
        persist_state="session",
    )


def headline(found: Contest | None, judge: Judge | None, words: Words) -> None:
    """Say who predicts best, in the title."""
    if found is None or judge is None:
        st.title("Which estimator predicts best here?")
    else:
        first, _, rest = verdict(found, judge, words).partition(". ")
        st.title(md(first if first.endswith(".") else f"{first}."))
        if rest:
            st.markdown(md(rest))


def explanation(found: Contest, panel: Panel) -> None:
    """Say what was tried, and that no treated outcome was looked at."""
    design = panel.design
    lines = []
    if "placebos" in found.draws:
        size = found.placebo_size
        what = "1 unit" if size == 1 else f"{size} units"
        scaled = (
            f" (fewer than the {design.n_treated} treated ones, so that donors are left)"
            if size < design.n_treated
            else ""
        )
        lines.append(
            f"**Placebo assignments**: {what}{scaled} of the {design.n_controls} never treated "
            "get the treated periods of the real ones, and every estimator predicts them."
        )
    if "worlds" in found.draws:
        lines.append(
            "**Worlds like the data**: outcomes drawn from a factor model of the untreated cells, "
            "with the same number of treated units and periods, at random."
        )
    lines += [f"**No {ASIDES[name]}**: {md(reason)}" for name, reason in found.reasons.items()]
    lines.append(
        "The true effect is zero in all of them, so every estimated effect is an error. Outcomes "
        "of treated cells are never looked at, so choosing the winner does not peek at the "
        "result. Tuning that comes from the data is chosen once, on the untreated cells, and held; "
        "TROP's is chosen on the same kind of placebos, which favours it a little there but not "
        "in the worlds."
    )
    with st.expander("What was tried", icon=":material/info:"):
        st.markdown("\n".join(f"- {line}" for line in lines))


def board(found: Contest, judge: Judge, words: Words) -> None:
    """Show the ranking as dots and as a table."""
    table = _table(found, judge)
    chart, listing = st.columns([4, 5], gap="medium")
    with chart:
        st.plotly_chart(
            charts.error_dots(found, judge, words, frame.theme()),
            theme=None,
            key="leaderboard",
            config=results.CONFIG,
            alt=verdict(found, judge, words),
        )
        st.caption(
            "Bars: two Monte Carlo standard errors. Filled marks are within noise of the best; "
            "open marks are behind it by more than two standard errors of the paired difference."
        )
    with listing:
        st.dataframe(table, hide_index=True, column_config=_columns(found, words))
        st.caption(md(_coverage_words(found, judge)))
        absent = [
            f"**{md(one.title)}** is absent. {md(one.reason)}"
            for one in found.entrants.values()
            if one.reason is not None
        ]
        waits = [
            f"**{md(one.title)}** is still being tuned."
            for one in found.entrants.values()
            if one.reason is None and one.tuned is None
        ]
        if absent or waits:
            st.markdown("\n".join(f"- {line}" for line in absent + waits))
        save_button(
            "Leaderboard (CSV)",
            to_csv(both_boards(found)),
            "leaderboard.csv",
            "text/csv",
            icon=":material/download:",
            key="leaderboard file",
        )


def both_boards(found: Contest) -> pd.DataFrame:
    """Give the rankings by both judges in one table, for the file."""
    boards = []
    for judge in judges_of(found):
        one = board_of(found, judge)
        one.insert(0, "judged_by", JUDGES[judge])
        boards.append(one)
    return pd.concat(boards, ignore_index=True)


def drives(found: Contest, judge: Judge | None, words: Words) -> None:
    """Show what the ranking hangs on."""
    if not found.shares:
        return
    st.header("What drives the ranking")
    names = {
        "additive": ("Unit and period effects", "sd, of outcomes with sd 1"),
        "interactive": ("Common factors", "sd of what they add"),
        "noise": ("Noise", "sd"),
        "ar1": ("Autocorrelation", "of noise with the period before"),
    }
    with st.container(horizontal=True):
        for name, (label, note) in names.items():
            _metric(label, number(found.shares[name], 2), note)
        for label, share in weight_shares(found).items():
            _metric(f"TROP: {label}", percent(share), "of its weight")
    for sentence in why_ranked(found):
        st.markdown(md(sentence))
    if found.variants:
        st.plotly_chart(
            charts.variant_dots(found, judge, words, frame.theme()),
            theme=None,
            key="variants",
            config=results.CONFIG,
            alt="Typical error of each estimator in worlds with parts left out",
        )
        save_button(
            "Worlds taken apart (CSV)",
            to_csv(charts.variant_table(found)),
            "worlds_taken_apart.csv",
            "text/csv",
            icon=":material/download:",
            key="variants file",
        )


def _metric(label: str, value: str, note: str) -> None:
    st.metric(
        label,
        value,
        delta=note,
        delta_color="off",
        delta_arrow="off",
        border=True,
        width="stretch",
    )


def _table(found: Contest, judge: Judge) -> pd.DataFrame:
    ranked = board_of(found, judge)
    place = [
        "1 (tie)" if tied and ranked["tied"].sum() > 1 else str(int(place))
        for place, tied in zip(ranked["place"], ranked["tied"], strict=True)
    ]
    return pd.DataFrame(
        {
            "Place": place,
            "Estimator": ranked["estimator"],
            "RMSE": ranked["rmse"],
            "±": ranked["rmse_error"],
            "Bias": ranked["bias"].where(ranked["bias"].abs() > NOTHING * ranked["rmse"], 0.0),
            "Coverage": [_share(share) for share in ranked["coverage"]],
            "Behind": ranked["behind"],
            "Seconds": ranked["seconds"],
        }
    )


def _share(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else "–"


def _columns(found: Contest, words: Words) -> dict[str, Any]:
    measure = f", in {words.measure}" if words.measure else ""
    numbers = {
        "RMSE": f"Root mean squared error of the average effect{measure}",
        "±": "Monte Carlo standard error of the RMSE",
        "Bias": f"Mean error{measure}",
        "Behind": "RMSE less that of the best, on the panels that both have seen",
    }
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(name, format="%.3g", help=md(text))
        for name, text in numbers.items()
    }
    columns["Coverage"] = st.column_config.TextColumn(
        "Coverage", help=f"How often the {level_text(found.level)} interval holds the true zero"
    )
    columns["Seconds"] = st.column_config.NumberColumn(
        "Seconds", format="%.2g", help="Processor time of one fit of this panel, with its tuning"
    )
    return columns


def _coverage_words(found: Contest, judge: Judge) -> str:
    """Name the interval behind each number in the column."""
    named: dict[str, list[str]] = {}
    ranked = board_of(found, judge)
    for key, coverage in zip(ranked["key"], ranked["coverage"], strict=True):
        one = found.entrants[str(key)]
        method = cheap_interval(one.estimator) if math.isfinite(coverage) else None
        name = "no interval that is cheap enough" if method is None else method.card.title.lower()
        named.setdefault(name, []).append(one.title)
    parts = [f"{name} for {', '.join(titles)}" for name, titles in named.items()]
    return f"Coverage: {'; '.join(parts)}."
