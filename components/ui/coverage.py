"""The coverage study on screen: its rows in words, and those that speak for the current choice."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec
from components.analysis.views import EVERY_DESIGN as EVERY
from components.charts.coverage import coverage_dots, warning_dots
from components.diagnostics.catalog import DIAGNOSTICS
from components.estimators import ESTIMATORS
from components.inference import METHODS
from components.inference.base import level_text
from components.simulation.coverage import LEVEL
from components.simulation.coverage_designs import DESIGNS
from components.simulation.coverage_table import design_title, failures, promised
from components.ui import frame, results
from components.ui.downloads import save_button, to_csv
from components.ui.text import md
from components.ui.view_fields import view_choice

WHAT = {"interval": "The average effect", "band": "Each period"}
VERDICTS = {
    "kept": "within 93 to 97%",
    "above": "above: wider than needed",
    "unsure": "below, but within Monte Carlo error",
    "missed": "below: too short",
    "broken": "known to break",
    "none": "no interval",
}


def row_name(row: pd.Series[str], *, brief: bool = False) -> str:
    """Name a row: method and estimator, each with its setting where that is not as usual.

    Parameters
    ----------
    row : pandas.Series
    brief : bool
        Without the tuning of the estimator, for figures.
    """
    method, estimator = METHODS[row["method"]].card.title, ESTIMATORS[row["estimator"]].card.title
    if brief:
        return f"{_tuned(method, row['setting'])} · {estimator}"
    return f"{_tuned(method, row['setting'])} · {_tuned(estimator, row['tuning'])}"


def _tuned(title: str, setting: str) -> str:
    return f"{title} ({_in_words(setting)})" if setting else title


def _in_words(setting: str) -> str:
    return setting.replace("'", "").replace("=", " ").replace("_", " ").replace("1e999", "∞")


def current(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows whose estimator and method the app has."""
    here = table["method"].isin(list(METHODS)) & table["estimator"].isin(list(ESTIMATORS))
    return table[here].reset_index(drop=True)


def your_choice(table: pd.DataFrame, spec: AnalysisSpec) -> None:
    """Say what the study found for the estimator and the method in use."""
    if spec.inference is None:
        st.info(
            "No inference method is chosen in the current analysis. Choose one on the page "
            "*Method*, and this page begins with its rows.",
            icon=":material/info:",
        )
        return
    estimator, method = spec.estimator.card, spec.inference.card
    st.header(f"Your choice: {md(method.title)} with {md(estimator.title)}")
    rows = table[(table["method"] == method.key) & (table["estimator"] == estimator.key)]
    if rows.empty:
        others = table.loc[table["method"] == method.key, "estimator"].unique()
        titles = ", ".join(ESTIMATORS[key].card.title for key in others)
        st.markdown(
            "The study has no row for this pair"
            + (f"; it has the method with {md(titles)}." if titles else ".")
        )
        return
    for _, row in promised(rows).iterrows():
        st.markdown(f"- {md(_promise_sentence(row))}")
    for _, row in failures(table).iterrows():
        if (row["method"], row["estimator"]) == (method.key, estimator.key):
            st.markdown(f"- {md(failure_sentence(row))}")


def _promise_sentence(row: pd.Series[float]) -> str:
    design = design_title(str(row["design"]))
    settings = [str(row[name]) for name in ("setting", "tuning") if row[name]]
    tuned = f", with {_in_words(', '.join(settings))}" if settings else ""
    periods = (
        "of bands for all event times"
        if str(row["method"]) == "event_study"
        else ("of intervals for single periods")
    )
    parts = [
        f"{_percent(row[share], row[error])} {what} ({VERDICTS[str(row[verdict])]})"
        for share, error, verdict, what in (
            ("coverage", "coverage_error", "verdict", "of intervals for the average"),
            ("band_coverage", "band_error", "band_verdict", periods),
        )
        if str(row[verdict]) != "none"
    ]
    held = " and ".join(parts)
    return f"{design}{tuned}: {held} hold the effect, in {int(row['draws']):,} panels."


def failure_sentence(row: pd.Series[float]) -> str:
    """Say in one sentence how a failure looks, and whether it is announced."""
    warning = DIAGNOSTICS[str(row["warning"])].card.title
    return (
        f"{design_title(str(row['design']))}: {_percent(row['coverage'], row['coverage_error'])} "
        f"of {level_text(LEVEL)} intervals hold the effect. The warning “{warning}” shows in "
        f"{_percent(row['warned'], row['warned_error'])} of panels, and without the fault in "
        f"{_percent(row['false_alarms'], row['false_alarms_error'])}."
    )


def _percent(share: float, error: float) -> str:
    return f"{100 * share:.1f} ± {100 * error:.1f}%"


def design_field(table: pd.DataFrame, spec: AnalysisSpec) -> str:
    """Ask for the design, beginning with one that has the current choice."""
    names = [name for name in DESIGNS if name in set(table["design"])]
    own = []
    if spec.inference is not None:
        own = list(table.loc[table["method"] == spec.inference.card.key, "design"])
    options = {name: design_title(name) for name in names} | {EVERY: "Every design"}
    chosen = view_choice(
        "coverage_design", "Design", options, own[0] if own else names[0], listed=True
    )
    if chosen != EVERY:
        st.caption(md(DESIGNS[chosen].text))
    return chosen


def promises(table: pd.DataFrame, spec: AnalysisSpec) -> None:
    """Show the coverage of every method where theory promises it."""
    judged = promised(table)
    counts = judged["verdict"].value_counts()
    seen = int(counts.drop("none", errors="ignore").sum())
    parts = [
        f"{counts[key]} {words}"
        for key, words in (
            ("above", "above (intervals wider than needed)"),
            ("unsure", "below by no more than three Monte Carlo errors"),
            ("missed", "farther below"),
        )
        if key in counts.index
    ]
    st.markdown(
        f"Of **{seen} combinations** of design, estimator and method for which theory promises "
        f"{level_text(LEVEL)} for the average effect, **{counts.get('kept', 0)} lie within 93 to "
        f"97%**{''.join(f', {part}' for part in parts[:-1])}"
        f"{' and ' + parts[-1] if parts else ''}."
    )
    design = design_field(judged, spec)
    what = view_choice("coverage_of", "Interval for", WHAT, "interval")
    shown = judged if design == EVERY else judged[judged["design"] == design]
    prefix = "band_" if what == "band" else ""
    dots = pd.DataFrame(
        {
            "name": [
                row_name(row, brief=True)
                + (f" · {design_title(str(row['design']))}" if design == EVERY else "")
                for _, row in shown.iterrows()
            ],
            "share": shown[f"{prefix}coverage"],
            "error": shown["band_error" if what == "band" else "coverage_error"],
            "verdict": shown[f"{prefix}verdict"],
        }
    )
    if dots["share"].notna().any():
        _chart(coverage_dots(dots, frame.theme()), "coverage", "Coverage by method, as dots")
    else:
        st.info("No method on this design has a band for single periods.", icon=":material/info:")
    _table(shown, "coverage")


def broken(table: pd.DataFrame) -> None:
    """Show where methods are known to break, and whether the app says so."""
    found = failures(table)
    dots = found.assign(
        name=[f"{design_title(row['design'])} · {row_name(row)}" for _, row in found.iterrows()]
    )
    _chart(
        warning_dots(dots, frame.theme()), "warnings", "Share of panels with the warning, as dots"
    )
    with st.expander("In words", icon=":material/notes:"):
        for _, row in found.iterrows():
            st.markdown(f"- **{md(row_name(row))}**, {md(failure_sentence(row))}")
    _table(found, "failures")


def _chart(figure: object, key: str, alt: str) -> None:
    st.plotly_chart(
        figure,
        theme=None,
        key=f"{key} dots",
        config=results.CONFIG,
        alt=alt,
    )


def _table(table: pd.DataFrame, name: str) -> None:
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(table.drop(columns="fingerprint"), hide_index=True)
    save_button(
        f"{name.capitalize()} (CSV)",
        to_csv(table.drop(columns="fingerprint")),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"{name} file",
    )
