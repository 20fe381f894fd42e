"""What the ranking of estimators hangs on, on screen."""

from __future__ import annotations

import streamlit as st

from components.analysis import Words
from components.analysis.disagreement import why_ranked
from components.analysis.entrants import Contest, Judge, weight_shares
from components.analysis.words import number, percent
from components.charts import leaderboard as charts
from components.ui import frame, results
from components.ui.downloads import save_button, to_csv
from components.ui.text import md


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
    if shares := weight_shares(found):
        with st.container(horizontal=True):
            for label, share in shares.items():
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
