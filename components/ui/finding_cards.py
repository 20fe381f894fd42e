"""One card for each finding: what was found, what to do, and its figure behind a click."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache as once
from typing import Any, Literal

import pandas as pd
import streamlit as st

from components.analysis import Result, Words
from components.charts.findings import figure
from components.diagnostics import DIAGNOSTICS, Diagnostic, Finding, Verdict
from components.diagnostics.track_record import in_words, stored
from components.ui import finding_options, frame, results, state
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

BADGES: dict[Verdict, tuple[str, str, Any]] = {
    "bad": ("Problem", ":material/error:", "red"),
    "caution": ("Caution", ":material/warning:", "orange"),
    "unknown": ("Cannot tell", ":material/help:", "gray"),
    "good": ("Good", ":material/check_circle:", "green"),
}
DATED = ("backdating", "anticipation")


def cards(findings: Sequence[Finding], result: Result, words: Words) -> None:
    """Lay the cards out in two columns, row by row.

    Parameters
    ----------
    findings : sequence of Finding
    result : Result
    words : Words
    """
    for first in range(0, len(findings), 2):
        row = findings[first : first + 2]
        opened = any(st.session_state.get(f"behind {finding.key}") for finding in row)
        for column, finding in zip(st.columns(2), row, strict=False):
            with column:
                _card(finding, result, words, level=not opened)


def refusals(refuse: Sequence[tuple[Diagnostic, str]], result: Result) -> None:
    """List the diagnostics that say nothing here, each with its reason."""
    if not refuse:
        return
    with st.expander(f"Not looked at here ({len(refuse)})", icon=":material/do_not_disturb_on:"):
        lines = [f"- **{md(one.card.title)}.** {md(reason)}" for one, reason in refuse]
        st.markdown("\n".join(lines))
        for one, _ in refuse:
            if one.card.key == "multiplicity":
                finding_options.options("multiplicity", result)
            elif one.card.key in DATED:
                finding_options.usual_button(one)


def record(finding: Finding, result: Result) -> str:
    """Say how often a warning of this kind is right, as Markdown."""
    return md(in_words(_records(), finding.key, result.spec.estimator.card.key))


@once
def _records() -> pd.DataFrame:
    return stored()


def _card(finding: Finding, result: Result, words: Words, *, level: bool) -> None:
    height: Literal["stretch", "content"] = "stretch" if level else "content"
    with st.container(border=True, key=f"card {finding.key}", height=height):
        label, icon, colour = BADGES[finding.verdict]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(label, icon=icon, color=colour, help=record(finding, result))
            st.markdown(f"**{md(finding.title)}**", width="stretch")
        st.markdown(md(finding.sentence))
        if finding.advice:
            st.markdown(f"**What to do:** {md(finding.advice)}")
        finding_options.options(finding.key, result)
        if finding.table is None and not _frames(finding):
            return
        behind = st.expander("Figure and numbers", key=f"behind {finding.key}", on_change="rerun")
        if behind.open:
            with behind:
                _behind(finding, result, words)


def _behind(finding: Finding, result: Result, words: Words) -> None:
    card = DIAGNOSTICS[finding.key].card
    st.caption(f"{md(card.idea)} {md(card.reference)}")
    drawn = figure(finding, result, words, frame.theme())
    if drawn is not None:
        st.plotly_chart(
            drawn,
            theme=None,
            key=f"figure {finding.key}",
            config=results.CONFIG,
            alt=f"{finding.title}: {finding.sentence}",
        )
    if finding.table is not None:
        height = min(300, 38 + 35 * max(len(finding.table), 1))
        st.dataframe(finding.table, hide_index=True, height=height)
    st.caption(f"Track record: {record(finding, result)}")
    tables = {"numbers": finding.table, **_frames(finding)}
    with st.container(horizontal=True):
        for name, table in tables.items():
            if table is not None and len(table):
                save_button(
                    f"{name.replace('_', ' ').capitalize()} (CSV)",
                    to_csv(table),
                    f"{finding.key}_{name}.csv",
                    "text/csv",
                    icon=":material/download:",
                    key=f"file {finding.key} {name}",
                )
    if finding.key == "influence":
        st.page_link(
            frame.PAGES / "influence.py",
            label="All cells, with a click to leave one out",
            icon=":material/ads_click:",
            query_params=state.query(),
        )


def _frames(finding: Finding) -> dict[str, pd.DataFrame]:
    """Give the further tables that a figure draws."""
    return {
        name: value for name, value in finding.details.items() if isinstance(value, pd.DataFrame)
    }
