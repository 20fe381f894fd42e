"""All estimators side by side on screen: effects, counterfactuals, weights, and why they differ."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Words
from components.analysis.disagreement import disagreement, in_order
from components.analysis.entrants import Contest, Entrant, Judge
from components.analysis.words import number
from components.charts import forest as charts
from components.inference.base import level_text
from components.panel import Panel, period_label
from components.ui import frame, results, state
from components.ui.downloads import save_button, to_csv
from components.ui.text import md


def effects(found: Contest, judge: Judge | None, spec: AnalysisSpec, words: Words) -> None:
    """Show all effects with intervals, the best predictor on top, and let one be chosen."""
    order = in_order(found, judge)
    st.header("What each of them says about your panel")
    for sentence in disagreement(found, judge, words):
        st.markdown(f"- {md(sentence)}")
    st.plotly_chart(
        charts.forest(found, order, spec.estimator.card.key, words, frame.theme()),
        theme=None,
        key="forest",
        config=results.CONFIG,
        alt="; ".join(
            f"{found.entrants[key].title}: {number(found.entrants[key].att, signed=True)}"
            for key in order
        ),
    )
    by = "the size of their errors above" if judge is not None else "the catalogue"
    st.caption(
        md(
            f"In the order of {by}, never of the effect. Intervals: "
            f"{_method_words(found, order)}. Bold: the estimator of this analysis."
        )
    )
    table = effect_table(found, order)
    missing = [found.entrants[key] for key in order if found.entrants[key].refusal is not None]
    if missing:
        label = "1 estimator has" if len(missing) == 1 else f"{len(missing)} estimators have"
        with st.expander(f"Why {label} no interval", icon=":material/info:"):
            lines = [f"- **{md(one.title)}**: {md(one.refusal)}" for one in missing]
            st.markdown("\n".join(lines))
    _use(found, order, spec)
    save_button(
        "Effects of all estimators (CSV)",
        to_csv(table),
        "estimators.csv",
        "text/csv",
        icon=":material/download:",
        key="estimators file",
    )


def _method_words(found: Contest, order: list[str]) -> str:
    if found.inference is None:
        return "none, because this analysis has no inference method"
    text = f"{found.inference.lower()}, {level_text(found.level)}, the method of this analysis"
    entrants = [found.entrants[key] for key in order]
    open_ = sum(_pending(one) for one in entrants)
    if any(one.refusal is not None for one in entrants):
        text += "; open marks have none"
    if open_:
        still = "not worked out" if not found.stage else "still being worked out"
        text += f"; {still} for {open_} of {len(order)}, which are open marks too"
    return text


def _pending(one: Entrant) -> bool:
    return one.interval is None and one.refusal is None


def effect_table(found: Contest, order: list[str]) -> pd.DataFrame:
    """Tabulate effects and intervals.

    Parameters
    ----------
    found : Contest
    order : list of str

    Returns
    -------
    pandas.DataFrame
        estimator, average_effect, lower, upper, no_interval_because, seconds.
    """
    entrants = [found.entrants[key] for key in order]
    return pd.DataFrame(
        {
            "estimator": [one.title for one in entrants],
            "average_effect": [one.att for one in entrants],
            "lower": [one.interval[0] if one.interval else float("nan") for one in entrants],
            "upper": [one.interval[1] if one.interval else float("nan") for one in entrants],
            "no_interval_because": [
                "not worked out yet" if _pending(one) else one.refusal or "" for one in entrants
            ],
            "seconds": [one.seconds for one in entrants],
        }
    )


def _use(found: Contest, order: list[str], spec: AnalysisSpec) -> None:
    """Let one of the estimators become that of the analysis."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "For the analysis",
            order,
            format_func=lambda name: found.entrants[name].title,
            key=f"estimator to use, first {order[0]}",
            width=280,
        )
        current = key is None or found.entrants[key].estimator == spec.estimator
        st.button(
            "Use this estimator",
            type="primary",
            icon=":material/check:",
            key="use estimator",
            disabled=current,
            help="It is the estimator of the analysis already." if current else None,
            on_click=lambda: state.change(estimator=found.entrants[key].estimator),
        )


def paths(found: Contest, judge: Judge | None, panel: Panel, words: Words) -> None:
    """Show all counterfactuals in one figure."""
    order = in_order(found, judge)
    st.header("What would have happened, by each of them")
    st.plotly_chart(
        charts.overlay(found, order, panel, words, frame.theme()),
        theme=None,
        key="overlay",
        config=results.CONFIG,
        alt="Observed outcomes of the treated units and the counterfactual of every estimator",
    )
    st.caption("Averages over the treated units; a click on a name hides its line.")
    columns = {
        found.entrants[key].title: found.entrants[key].counterfactual
        for key in order
        if found.entrants[key].counterfactual is not None
    }
    if not columns:
        return
    table = pd.DataFrame({"observed": found.entrants[order[0]].observed, **columns})
    table.insert(0, "period", [period_label(period) for period in table.index])
    save_button(
        "Counterfactuals (CSV)",
        to_csv(table),
        "counterfactuals.csv",
        "text/csv",
        icon=":material/download:",
        key="counterfactuals file",
    )


def weights(found: Contest, judge: Judge | None) -> None:
    """Show donor and time weights side by side."""
    order = in_order(found, judge)
    tables = {
        "donors": charts.weight_table(found, order, "unit"),
        "periods": charts.weight_table(found, order, "time"),
    }
    if all(table.empty for table in tables.values()):
        return
    st.header("Whose weights they use")
    for what, table in tables.items():
        if table.empty:
            continue
        most = charts.MOST_DONORS
        drawn = (
            charts.donor_map(table, frame.theme(), most=most)
            if what == "donors"
            else charts.period_map(table, frame.theme())
        )
        st.plotly_chart(
            drawn,
            theme=None,
            key=f"{what} side by side",
            config={"displayModeBar": False},
            alt=f"Weights on {what}, side by side for all estimators",
        )
        rest = ""
        if what == "donors" and len(table) > most:
            rest = f" The {len(table) - most} others are in the file."
        written = what == "donors" or len(table) <= charts.MOST_WRITTEN
        cells = "cells below half a percent have no number" if written else "strong colour is much"
        st.caption(f"Weights on {what}; {cells}.{rest}")
        save_button(
            f"Weights on {what} (CSV)",
            to_csv(table.rename_axis(what).reset_index()),
            f"weights_on_{what}.csv",
            "text/csv",
            icon=":material/download:",
            key=f"{what} file",
        )
