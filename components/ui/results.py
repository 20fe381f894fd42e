"""A result on screen: verdict, figures, and the numbers behind them."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words
from components.analysis.sureness import badge, reading
from components.analysis.words import (
    MINUS,
    headline,
    number,
    percent,
    quantity,
    relative,
    spoken,
)
from components.charts import paths
from components.inference.base import Band, level_text
from components.panel import period_label
from components.ui import cache, frame
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
CUSTOMARY = 0.9
"""A verdict at a lower level names it."""
SIZES = {
    "scaled_gap": "Size: the average gap after treatment, divided by the typical gap before.",
    "rmspe_ratio": "Size: the typical gap after treatment, divided by the typical gap before.",
    "gap": "Size: the average gap after treatment.",
}
"""What a placebo test ranks by."""
HYPHEN = re.compile(r"(?<![\w.-])-(?=\d)")
"""A minus sign as a program writes it."""
HELP = {
    "Average": "Observed minus counterfactual, averaged over the treated cells (the ATT). A cell "
    "is one unit in one period.",
    "Relative": "The average effect as a share of the average counterfactual of the same cells; "
    "for an outcome in logs, what the effect is in per cent.",
    "Total": "The average effect times the number of treated cells.",
    "Fit": "Root of the mean squared gap before treatment (RMSPE). Zero would be a perfect fit; a "
    "close one is needed, but proves nothing.",
    "Donors": "How many donors of equal weight would be as spread out: one over the sum of the "
    "squared weights. Few means that much hangs on each.",
}
"""What the numbers mean, by the first word of their label."""
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
    lead = ""
    if answer is not None:
        text, kind = answer
        colour, icon = BADGES[kind]
        level = result.uncertainty.level if result.uncertainty is not None else 1.0
        if level < CUSTOMARY:
            text += f" at {level_text(level)}"
        lead = f":{colour}-badge[{icon} {md(text)}] "
    st.markdown(lead + md(reading(result, words, margin)))


def margin_of(spec: AnalysisSpec) -> float | None:
    """Give the smallest effect that matters, where the user has said one for this outcome."""
    value: float | None = st.session_state.get(_margin_key(spec))
    return value or None


def margin_field(spec: AnalysisSpec, words: Words) -> None:
    """Ask for the smallest average effect that matters; it stays with this session."""
    measure = f", {words.measure}" if words.measure else ""
    set_to = margin_of(spec)
    label = "What matters" if set_to is None else f"Matters from {quantity(set_to, words)}"
    with st.popover(md(label), icon=":material/straighten:", key="margin popover"):
        st.number_input(
            md(f"Smallest effect that matters{measure}"),
            min_value=0.0,
            value=None,
            format="%g",
            placeholder="not set",
            key=_margin_key(spec),
            persist_state="session",
        )
        st.caption(
            "Where the interval holds zero and lies within this on both sides, the verdict is that "
            "there is nothing larger. Without it, the smallest effect is taken that this design "
            "would have found in four of five cases. It is not part of the link."
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
    when = spoken(estimate.panel.periods[design.n_pre])
    exact = estimate.pre_rmspe < 1e-9 * float(np.nanstd(estimate.panel.Y))
    fit = quantity(0.0 if exact else estimate.pre_rmspe, words)
    cells = f"{estimate.n_cells:,} treated cells" if estimate.n_cells != 1 else "1 treated cell"
    numbers = [
        ("Average effect", quantity(estimate.att, words, signed=True), under),
        (f"Fit before {when}", fit, "RMSPE: the typical gap"),
    ]
    if words.adds_up and estimate.n_cells > 1:
        total = quantity(estimate.total, words, signed=True)
        numbers.insert(1, ("Total", total, f"sum over {cells}"))
    share_of = relative(result, words)
    if share_of is not None:
        numbers.insert(1, ("Relative", percent(share_of, signed=True), "of the counterfactual"))
    if estimate.unit_weights is not None:
        share = f"effective, of {len(estimate.unit_weights)}"
        numbers.append(("Donors", number(estimate.effective_donors, 2), share))
    with st.container(horizontal=True, key="figures"):
        for label, value, note in numbers:
            st.metric(
                md(label),
                value,
                delta=note,
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
                help=HELP[label.split()[0]],
            )


def trajectory(result: Result, words: Words, *, placebos: bool, key: str) -> None:
    """Draw observed against counterfactual with the gap below, and say what the band is."""
    theme = frame.theme()
    st.plotly_chart(
        cache.drawn(
            result,
            f"trajectory {result.spec!r} {words!r} {theme!r} {placebos}",
            lambda: paths.trajectory(result, words, theme, placebos=placebos),
        ),
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


def ranking_table(ranking: pd.DataFrame, statistic: str) -> None:
    """Show the treated unit's place among its placebos, the treated in bold.

    Parameters
    ----------
    ranking : pandas.DataFrame
        rank, unit, treated, statistic, pre_rmspe.
    statistic : str
        A key of ``SIZES``.
    """
    st.header("Rank among placebos")
    bold = ["font-weight: 700" if treated else "" for treated in ranking["treated"]]
    shown = ranking[["rank", "unit", "statistic", "pre_rmspe"]]
    st.dataframe(
        shown.style.apply(lambda _: bold),
        hide_index=True,
        height=250,
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "unit": st.column_config.TextColumn("Unit", width="small"),
            "statistic": st.column_config.NumberColumn("Size", format="%.3g"),
            "pre_rmspe": st.column_config.NumberColumn("Fit before", format="%.3g"),
        },
    )
    st.caption(SIZES[statistic])


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
        lines = "\n".join(f"- {md(HYPHEN.sub(MINUS, note))}" for note in caveats)
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


def table_behind(result: Result) -> pd.DataFrame:
    """Give the numbers behind the trajectory, one row per period.

    Parameters
    ----------
    result : Result

    Returns
    -------
    pandas.DataFrame
        period, observed, counterfactual, gap, att_t, band_lower and band_upper (of att_t, which is
        the gap where all treated units start together), cumulative_effect.
    """
    estimate = result.estimate
    table = estimate.paths.assign(att_t=estimate.by_period())
    _with_band(table, None if result.uncertainty is None else result.uncertainty.band)
    table["cumulative_effect"] = estimate.cumulative()
    table.insert(0, "period", [period_label(period) for period in table.index])
    return table.reset_index(drop=True)


def event_table(result: Result) -> pd.DataFrame:
    """Give the numbers behind the view by event time, one row for each.

    Parameters
    ----------
    result : Result

    Returns
    -------
    pandas.DataFrame
        event_time (0 is the first treated period), effect, band_lower, band_upper.
    """
    table = paths.event_effects(result).to_frame("effect")
    _with_band(table, None if result.uncertainty is None else result.uncertainty.event_band)
    return table.rename_axis("event_time").reset_index()


def _with_band(table: pd.DataFrame, band: Band | None) -> None:
    if band is not None:
        table["band_lower"] = band.lower.reindex(table.index)
        table["band_upper"] = band.upper.reindex(table.index)
