"""Conditional variance on screen: the placebo errors, and the four intervals that they give."""

from __future__ import annotations

import streamlit as st

from components.analysis import Result, Words
from components.analysis.words import number
from components.charts import placebo_errors as charts
from components.inference.base import level_text
from components.ui import frame
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

TABLES = ("conditional_intervals", "placebo_errors", "spread_tests")
"""Names in the details that this section shows."""


def has_conditional(result: Result) -> bool:
    """Tell whether a result has what :func:`conditional_section` shows."""
    return result.uncertainty is not None and set(TABLES) <= set(result.uncertainty.details)


def conditional_section(result: Result, words: Words) -> None:
    """Show the four intervals side by side, and the placebo errors behind them.

    Parameters
    ----------
    result : Result
        For which :func:`has_conditional` is True.
    words : Words
    """
    assert result.uncertainty is not None
    details, level = result.uncertainty.details, level_text(result.uncertainty.level)
    table = details["conditional_intervals"]
    st.header("Four answers to one question: how large is a usual error?")
    st.markdown(md(_argument(result)))
    st.plotly_chart(
        charts.four_intervals(result, words, frame.theme()),
        theme=None,
        key="four intervals",
        config={"displayModeBar": False},
        alt=f"Four {level} intervals for the average effect",
    )
    lines = [
        f"- **{charts.GIVEN_WORDS[given]}.** {sentence}"
        for given, sentence in zip(table["given"], table["conditions_on"], strict=True)
    ]
    st.markdown("\n".join(lines))
    shown = table.assign(given=[charts.GIVEN_WORDS[given] for given in table["given"]])
    st.dataframe(
        shown.drop(columns=["argued_for", "conditions_on"]),
        hide_index=True,
        column_config={
            "given": "Variance",
            "variance": st.column_config.NumberColumn("V", format="%.4g"),
            "df": st.column_config.NumberColumn("Degrees of freedom", format="%.3g"),
            "standard_error": st.column_config.NumberColumn("Standard error", format="%.4g"),
            "lower": st.column_config.NumberColumn("Lower", format="%.4g"),
            "upper": st.column_config.NumberColumn("Upper", format="%.4g"),
            "p_value": st.column_config.NumberColumn("p", format="%.3g"),
        },
    )
    st.caption(
        f"All four are {level} intervals for the same estimate, two-sided, with a t reference. "
        "Choose one before you look at the effect: the smallest of four p-values is no p-value."
    )
    _picture(result, words)


def _argument(result: Result) -> str:
    """Say which variance the errors argue for, with the tests behind it."""
    assert result.uncertainty is not None
    details = result.uncertainty.details
    table, tests = details["conditional_intervals"], details["spread_tests"].set_index("factor")
    argued = charts.GIVEN_WORDS[table.loc[table["argued_for"], "given"].iloc[0]].lower()
    parts = []
    for factor, what in (("unit", "units"), ("time", "periods")):
        p, f = tests.loc[factor, "p_value"], tests.loc[factor, "f_statistic"]
        differs = "differs" if p < 0.05 else "does not clearly differ"
        parts.append(f"{differs} between {what} (F = {number(f)}, {_p(p)})")
    return (
        f"The size of the placebo errors {parts[0]} and {parts[1]}: that argues for the variance "
        f"{argued}."
    )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _picture(result: Result, words: Words) -> None:
    assert result.uncertainty is not None
    table = result.uncertainty.details["placebo_errors"]
    rows = charts.rows_shown(result)
    st.subheader("Placebo errors")
    st.plotly_chart(
        charts.placebo_errors(result, words, frame.theme()),
        theme=None,
        key="placebo errors",
        config={"displayModeBar": False},
        alt="Placebo errors of all units and periods",
    )
    some = ""
    if len(rows) < len(table):
        some = (
            f" The {len(rows)} {words.unit[1]} with the largest errors of {len(table)} are shown."
        )
    st.caption(
        md(
            "Observed minus predicted where nothing happened, each cell predicted without itself. "
            f"Treated {words.unit[1]} come first, then those with the largest errors; periods "
            f"without any placebo are left out.{some}"
        )
    )
    flat = table.rename(columns=str).reset_index(names=words.unit[0])
    save_button(
        "Placebo errors (CSV)",
        to_csv(flat),
        "placebo_errors.csv",
        "text/csv",
        icon=":material/download:",
        key="placebo errors file",
    )
