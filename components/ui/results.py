"""A result on screen: verdict, figures, and the numbers behind them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words
from components.analysis.sureness import badge, reading
from components.analysis.words import (
    dates,
    headline,
    number,
    percent,
    quantity,
    relative,
    treated_span,
)
from components.charts import paths, tuning
from components.inference.base import level_text
from components.panel import period_label
from components.ui import frame
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

ALREADY_SHOWN = (
    "ranking",
    "placebo_gaps",
    "cohort_time_weights",
    "conditional_intervals",
    "placebo_errors",
    "spread_tests",
)
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["lasso2d", "select2d"],
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "panelscope"},
}


BADGES: dict[str, tuple[Literal["blue", "green", "gray"], str]] = {
    "effect": ("blue", ":material/target:"),
    "nothing larger": ("green", ":material/vertical_align_center:"),
    "cannot tell": ("gray", ":material/help:"),
}


def verdict(result: Result, words: Words, margin: float | None = None) -> None:
    """Say the effect in one sentence, the verdict in a few words, then how sure.

    Parameters
    ----------
    result : Result
    words : Words
    margin : float, optional
        The smallest average effect that would matter to the user.
    """
    st.title(md(headline(result, words)))
    answer = badge(result, words, margin)
    if answer is not None:
        text, kind = answer
        colour, icon = BADGES[kind]
        st.badge(md(text), icon=icon, color=colour)
    st.markdown(md(reading(result, words, margin)))


def margin_of(spec: AnalysisSpec) -> float | None:
    """Give the smallest effect that matters, where the user has said one for this outcome."""
    value: float | None = st.session_state.get(_margin_key(spec))
    return value or None


def margin_field(spec: AnalysisSpec, words: Words) -> None:
    """Ask for the smallest average effect that matters; it stays with this session."""
    measure = f", {words.measure}" if words.measure else ""
    st.number_input(
        md(f"Smallest effect that matters{measure}"),
        min_value=0.0,
        value=None,
        format="%g",
        placeholder="not set",
        key=_margin_key(spec),
        persist_state="session",
        width=230,
        help="Where the interval holds zero and lies within this on both sides, the verdict is "
        "that there is nothing larger. Without it, the smallest effect is taken that this design "
        "would have found in four of five cases. It is not part of the link.",
    )


def _margin_key(spec: AnalysisSpec) -> str:
    return f"margin {spec.source} {spec.columns.outcome}"


def figures(result: Result, words: Words) -> None:
    """Show a few numbers, each with what it is measured against."""
    estimate, uncertainty = result.estimate, result.uncertainty
    interval = uncertainty.interval if uncertainty is not None else None
    under = "no interval"
    if interval is not None:
        span = f"{number(interval.lower)} to {number(interval.upper)}"
        under = f"{level_text(interval.level)} interval, two-sided: {span}"
    design = estimate.panel.design
    first = period_label(estimate.panel.periods[design.n_pre])
    cells = f"{estimate.n_cells} treated cells" if estimate.n_cells != 1 else "1 treated cell"
    numbers = [
        ("Average effect", quantity(estimate.att, words, signed=True), under),
        ("Total", quantity(estimate.total, words, signed=True), f"sum over {cells}"),
        (f"Fit before {first}", number(estimate.pre_rmspe), "RMSPE: the typical gap"),
    ]
    share_of = relative(result, words)
    if share_of is not None:
        numbers.insert(1, ("Relative", percent(share_of), "of the counterfactual"))
    if estimate.unit_weights is not None:
        share = f"effective, of {len(estimate.unit_weights)}"
        numbers.append(("Donors", number(estimate.effective_donors, 2), share))
    with st.container(horizontal=True):
        for label, value, note in numbers:
            st.metric(
                md(label),
                value,
                delta=note,
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
            )


def trajectory(result: Result, words: Words, *, placebos: bool, key: str) -> None:
    """Draw observed against counterfactual with the gap below, and say what the band is."""
    st.plotly_chart(
        paths.trajectory(result, words, frame.theme(), placebos=placebos),
        theme=None,
        key=key,
        config=CONFIG,
        alt=headline(result, words),
    )
    if result.estimate.panel.design.kind == "block":
        band_caption(result)
    else:
        st.caption(
            "Averages over all treated units, before and after each one's treatment begins. The "
            "band is drawn in the views by period and by event time."
        )


def band_caption(result: Result) -> None:
    """Say what the band is, or that there is none."""
    uncertainty = result.uncertainty
    sentence = uncertainty.sentence if uncertainty is not None else ""
    if sentence and uncertainty is not None and uncertainty.n_random:
        sentence += f" Random draws: {uncertainty.n_random:,}, seed {result.spec.seed}."
    st.caption(md(sentence or "No band: the text above says why."))


def notes(result: Result) -> None:
    """Show the caveats of the fit and of the inference."""
    caveats = list(result.estimate.notes)
    if result.uncertainty is not None:
        caveats += result.uncertainty.notes
    if caveats:
        lines = "\n".join(f"- {md(note)}" for note in caveats)
        st.info(lines, icon=":material/info:")


def detail_tables(result: Result) -> None:
    """Show every table that the method itself keeps, such as effects by cohort and period."""
    tables = dict(result.estimate.details)
    if result.uncertainty is not None:
        tables |= result.uncertainty.details
    shown = {
        name: table
        for name, table in tables.items()
        if isinstance(table, pd.DataFrame) and name not in ALREADY_SHOWN
    }
    for name, table in shown.items():
        label = name.replace("_", " ").capitalize()
        with st.expander(label):
            flat = table.reset_index() if table.index.name or table.index.nlevels > 1 else table
            flat = flat.rename(columns=str)
            st.dataframe(flat, hide_index=True)
            save_button(
                f"{label} (CSV)",
                to_csv(flat),
                f"{name}.csv",
                "text/csv",
                icon=":material/download:",
                key=f"file {name}",
            )


def tuning_section(result: Result) -> None:
    """Show how tuning that came from the data was chosen, with the numbers behind it."""
    curves = tuning_curves_of(result)
    if not curves:
        return
    st.header("How the tuning was chosen")
    chosen = {name: float(result.estimate.details[name]) for name in curves}
    st.markdown(
        ", ".join(
            f"**{md(name)} = {'∞' if np.isinf(v) else f'{v:.4g}'}**" for name, v in chosen.items()
        )
        + ": the smallest error on cells that were held out, marked in the pictures. Open "
        "triangles are lower bounds, where the search saw that a value could not win."
    )
    st.plotly_chart(
        tuning.tuning_curves(curves, chosen, frame.theme()),
        theme=None,
        key="tuning curves",
        config={"displayModeBar": False},
        alt="Error on held-out cells along each penalty",
    )
    table = pd.concat(curves, names=["penalty", "place"]).reset_index().drop(columns="place")
    with st.expander("The curves as a table"):
        st.dataframe(table, hide_index=True)


def tuning_curves_of(result: Result) -> dict[str, pd.DataFrame]:
    """Give the error along each penalty that was chosen from the data.

    Parameters
    ----------
    result : Result

    Returns
    -------
    dict of str to pandas.DataFrame
        value, error, exact; empty where nothing was chosen from the data.
    """
    details = result.estimate.details
    if "cv_penalties" in details:
        curve = pd.DataFrame({"value": details["cv_penalties"], "error": details["cv_errors"]})
        return {"penalty": curve.assign(exact=True)}
    return {
        name: pd.DataFrame({"value": curve.values, "error": curve.rmse, "exact": curve.exact})
        for name, curve in details.get("curves", {}).items()
    }


def table_behind(result: Result) -> pd.DataFrame:
    """Give the numbers behind the trajectory, one row per period.

    Parameters
    ----------
    result : Result

    Returns
    -------
    pandas.DataFrame
        period, observed, counterfactual, gap, band_lower and band_upper (of the gap), att_t,
        cumulative_effect.
    """
    estimate = result.estimate
    table = estimate.paths.copy()
    if result.uncertainty is not None and result.uncertainty.band is not None:
        band = result.uncertainty.band
        table["band_lower"] = band.lower.reindex(table.index)
        table["band_upper"] = band.upper.reindex(table.index)
    table["att_t"] = estimate.by_period()
    table["cumulative_effect"] = estimate.cumulative()
    table.insert(0, "period", [period_label(period) for period in table.index])
    return table.reset_index(drop=True)


def span(result: Result) -> str:
    """Say which periods are treated, and both dates."""
    panel = result.estimate.panel
    return f"Treated: {treated_span(panel)} ({dates(panel)})."
