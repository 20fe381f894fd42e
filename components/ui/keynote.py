"""The keynote's figure: which estimator predicted best on the published panels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from components.charts.keynote import keynote_dots
from components.simulation.replication_verdicts import SIX, keynote
from components.ui import frame, results
from components.ui.downloads import save_button, to_csv
from components.ui.view_fields import view_choice

SERIES = {"replicated": "As in print", "as defined": "As defined"}
FORMS = {
    "replicated": (
        "**As in print** repeats the columns as they were computed. There *TROP* squares its "
        "weights and fits one effect to all treated cells inside the objective, *SDID* squares "
        "its weights, and *MC* takes TROP's penalty without tuning and fits treated cells too. "
        "DID, SC and DIFP (synthetic control with an intercept) are what their names say."
    ),
    "as defined": (
        "**As defined** is what the names stand for: *TROP* with treated cells masked, at the "
        "weights of the table; *SDID* with its own weights; *MC* with the penalty chosen by "
        "cross-validation, on fewer panels. DID, SC and DIFP are the same in both."
    ),
}
WITHIN = 0.01
STOPPED_EARLY = (
    "ours is the optimum of its problem, and the published solver presumably stopped early"
)
REASONS = {("log GDP, random", "MC"): STOPPED_EARLY}
"""Of numbers farther from the print than ``WITHIN``."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def keynote_section() -> None:
    """Show the figure, what it says in sentences, its numbers, and their download."""
    st.header("On the published panels")
    st.markdown(
        "The comparison of the keynote talk, as published by Athey, Imbens, Qu and Viviano "
        "(2025), and computed again here. Panels are drawn from a factor model fitted to real "
        "data: wages, hours and unemployment in 50 American states, GDP in 111 countries. Ten "
        "units or fewer count as treated in the last ten periods, and nothing is done to them. So "
        "whatever an estimator finds is its error."
    )
    table = keynote()
    if table.empty or "replicated" not in set(table["series"]):
        st.info("The results are not stored yet: run `make tables`.", icon=":material/info:")
        return
    series = view_choice("keynote", "Our estimators", SERIES, "replicated")
    st.caption(FORMS[series])
    st.plotly_chart(
        keynote_dots(table, series, frame.theme()),
        theme=None,
        key="keynote dots",
        config=results.CONFIG,
        alt="Error of six estimators on nine data sets, relative to the best of each row",
    )
    st.caption(
        "Hollow: in print. Filled: ours. Root mean squared error of the average effect on the "
        "treated, divided by the smallest of its row; the axis is logarithmic. Each row names the "
        "outcome and the rule that picks the treated units. The rows are the nine of the authors' "
        "program; which nine the talk showed is not known."
    )
    for sentence in sentences(table, series):
        st.markdown(f"- {sentence}")
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(wide(table, series), hide_index=True)
        st.caption(
            "Root mean squared error, in standard deviations of the outcome; in brackets the "
            "Monte Carlo standard error. `docs/replication.md` holds every table."
        )
    save_button(
        "Numbers (CSV)",
        to_csv(table),
        "keynote.csv",
        "text/csv",
        icon=":material/download:",
        key="keynote csv",
    )


def sentences(table: pd.DataFrame, series: str) -> list[str]:
    """Say what the numbers show.

    Parameters
    ----------
    table : pandas.DataFrame
        As from ``keynote``.
    series : str
        "replicated" or "as defined".

    Returns
    -------
    list of str
    """
    ours = _square(table, series)
    best = ours.idxmin(axis=1).value_counts()
    wins = ", ".join(f"{name} in {_number(count)}" for name, count in best.items())
    said = [
        f"{best.index[0]} has the smallest error in all {_number(len(ours))} rows."
        if len(best) == 1
        else f"Smallest error, of {_number(len(ours))} rows: {wins}."
    ]
    ties = _ties(ours, _square(table, series, "mc_error"))
    if ties:
        said.append(
            f"In {_number(len(ties))} of them the two smallest are closer than two Monte Carlo "
            f"errors, so that they are tied: {'; '.join(f'“{row}”' for row in ties)}."
        )
    if ours.isna().to_numpy().any():
        said.append(
            f"Not simulated yet, and so not compared: {_absent(ours)}. `make tables` goes on there."
        )
    rivals = ours.drop(columns="TROP").min(axis=1)
    gain = 1.0 - ours["TROP"] / rivals
    ahead = gain > 0.0
    if ahead.any():
        least, most = float(gain[ahead].min()), float(gain[ahead].max())
        span = f"{least:.0%} to {most:.0%}" if least >= WITHIN else f"up to {most:.0%}"
        said.append(f"Where TROP is ahead, its error is {span} smaller than that of the next best.")
    if series == "replicated":
        said += _against_print(ours, _square(table, "printed").loc[ours.index])
    else:
        form = _square(table, "replicated")
        for name in ("TROP", "SDID"):
            change = ours[name] / form[name] - 1.0
            said.append(
                f"{name} as defined against the form in print: error "
                f"{change.min():+.0%} to {change.max():+.0%}."
            )
    return said


def _against_print(ours: pd.DataFrame, printed: pd.DataFrame) -> list[str]:
    """Say how close the numbers are, and why where they are not."""
    gaps = {
        (str(row), str(name)): float(ours.loc[row, name] / printed.loc[row, name] - 1.0)
        for row in ours.index
        for name in ours.columns
        if np.isfinite(ours.loc[row, name])
    }
    far = {place: gap for place, gap in gaps.items() if abs(gap) > WITHIN}
    close = len(gaps) - len(far)
    said = [f"{close} of the {len(gaps)} numbers lie within {WITHIN:.0%} of the print."]
    for (row, name), gap in far.items():
        reason = REASONS.get((row, name), "the reason is not known")
        less = "below" if gap < 0.0 else "above"
        said.append(f"{name} in “{row}” is {abs(gap):.1%} {less} it on the same draws: {reason}.")
    return said


def wide(table: pd.DataFrame, series: str) -> pd.DataFrame:
    """Lay errors out, one row per data set, printed beside ours."""
    printed = table[table["series"] == "printed"].set_index(["row", "estimator"])["rmse"]
    part = table[table["series"] == series].set_index(["row", "estimator"])
    rows = []
    for row in dict.fromkeys(table.loc[table["series"] == series, "row"]):
        line = {"Data set": row}
        for name in SIX:
            line[f"{name}, in print"] = f"{printed.loc[(row, name)]:.4f}"
            if (row, name) in part.index:
                ours = part.loc[(row, name)]
                line[f"{name}, ours"] = f"{ours['rmse']:.4f} ({ours['mc_error']:.4f})"
        rows.append(line)
    return pd.DataFrame(rows)


def _square(table: pd.DataFrame, series: str, values: str = "rmse") -> pd.DataFrame:
    part = table[table["series"] == series]
    return part.pivot_table(index="row", columns="estimator", values=values, sort=False).reindex(
        columns=list(SIX)
    )


def _absent(values: pd.DataFrame) -> str:
    """Name the cells of a table that are empty."""
    empty = values.isna()
    return "; ".join(
        f"{name}, {row}" for row in values.index for name in values.columns if empty.loc[row, name]
    )


def _ties(values: pd.DataFrame, errors: pd.DataFrame) -> list[str]:
    """Name rows whose two smallest values are within two errors of their difference."""
    ties = []
    for row in values.index:
        first, second = values.loc[row].nsmallest(2).index
        gap = values.loc[row, second] - values.loc[row, first]
        if gap <= 2.0 * np.hypot(errors.loc[row, first], errors.loc[row, second]):
            ties.append(str(row))
    return ties


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
