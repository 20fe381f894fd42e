"""What carries a counterfactual on screen: donors, periods, and the steps from them to it."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from components.analysis import Result, Words
from components.analysis.buildup import NAMES, build_up, step_sentence
from components.analysis.lessons import ESTIMATOR_LESSONS, FOUND
from components.analysis.words import number
from components.charts import buildup
from components.charts import weights as charts
from components.panel import period_label, unit_label
from components.ui import frame
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

Height = int | Literal["content"]
BARE = {"displayModeBar": False}


def donors_section(result: Result) -> None:
    """Show how much each donor counts and, where periods count differently too, each cell."""
    estimate = result.estimate
    units, periods = estimate.unit_weights, estimate.time_weights
    if units is None:
        card = result.spec.estimator.card
        text = f"{md(card.title)} has no single set of weights in this design."
        if (lesson := ESTIMATOR_LESSONS.get(card.key)) is not None:
            text += f" Donors: {lesson.donors}. Periods before treatment: {lesson.periods}."
            if lesson.factors == FOUND:
                text += " Common factors of all untreated cells fill in the treated ones."
        st.info(text, icon=":material/info:")
        return
    st.markdown(_weights_in_words(result))
    if not charts.uneven(units):
        return
    if is_double(result) and periods is not None:
        st.plotly_chart(
            charts.double_weights(units, periods, frame.theme()),
            theme=None,
            key="double weights",
            config=BARE,
            alt=f"What each cell counts: {charts.largest_in_words(units)}",
        )
        rest = charts.rest_of_weights(units, most=charts.MOST_ROWS)
        st.caption(
            f"The stronger its colour, the more a cell counts: its unit's weight times its "
            f"period's. {rest}"
        )
        return
    bars, listing = st.columns([3, 2], gap="large")
    with bars:
        st.plotly_chart(
            charts.unit_weights(units, frame.theme()),
            theme=None,
            key="unit weights",
            config=BARE,
            alt=charts.largest_in_words(units),
        )
        st.caption(charts.rest_of_weights(units))
    with listing:
        _unit_table(units, height="content" if len(units) <= 8 else 300)


def is_double(result: Result) -> bool:
    """Tell whether both donors and periods have weights that differ, and none is negative."""
    units, periods = result.estimate.unit_weights, result.estimate.time_weights
    if units is None or periods is None:
        return False
    return charts.uneven(units) and charts.uneven(periods) and bool((units >= 0.0).all())


def steps_section(result: Result, words: Words) -> None:
    """Show the way from the donors to the counterfactual, with the effect at each step."""
    steps = build_up(result.estimate)
    if not steps and result.estimate.time_weights is None:
        return
    st.header("From the donors to the counterfactual" if steps else "Which periods count")
    chart, said = st.columns([7, 3], gap="medium") if steps else (st.container(), st.container())
    with chart:
        st.plotly_chart(
            buildup.build_up(result, words, steps, frame.theme()),
            theme=None,
            key="build up",
            config=BARE,
            alt="; ".join(f"{NAMES[step.kind]}: effect {number(step.att)}" for step in steps)
            or "Time weights under the trajectory",
        )
    with said:
        lines = [
            f"{place}. **{NAMES[step.kind]}.** "
            + md(step_sentence(step, result, words, is_last=place == len(steps)))
            for place, step in enumerate(steps, start=1)
        ]
        st.markdown("\n".join(lines))


def tables_section(result: Result) -> None:
    """Offer all that the pictures on the page show as tables and files."""
    units, periods = result.estimate.unit_weights, result.estimate.time_weights
    steps = build_up(result.estimate)
    if units is None and periods is None and not steps:
        return
    with st.expander("The numbers behind the figures"):
        places = st.columns(3, gap="medium")
        if units is not None and (is_double(result) or not charts.uneven(units)):
            with places[0]:
                _unit_table(units, height=300, key="all unit weights")
        if periods is not None:
            labels = [period_label(period) for period in periods.index]
            table = pd.DataFrame({"period": labels, "weight": periods.to_numpy()})
            with places[1]:
                _table(table, "Time weights (CSV)", "time_weights.csv", "time weights file", 300)
        if steps:
            paths = {NAMES[step.kind]: step.path.to_numpy() for step in steps}
            index = [period_label(period) for period in result.estimate.panel.periods]
            table = pd.DataFrame({"period": index, **paths})
            with places[2]:
                _table(table, "Steps (CSV)", "steps.csv", "steps file", 300)


def _weights_in_words(result: Result) -> str:
    estimate = result.estimate
    panel, units, periods = estimate.panel, estimate.unit_weights, estimate.time_weights
    assert units is not None
    own = units.index.isin(panel.units[panel.design.treated]).any()
    many, total = "units" if own else "donors", number(round(float(units.sum()), 6))
    if not charts.uneven(units):
        text = f"**All {len(units)} {many} count the same.** The weights sum to {total}."
    else:
        carry = int((units.abs() > charts.SMALL).sum())
        text = (
            f"**{carry} of {len(units)} {many} carry weight**, worth "
            f"{number(estimate.effective_donors, 2)} {many} of equal weight. The weights sum to "
            f"{total}."
        )
    if periods is None:
        return text
    before = " before treatment" if len(periods) == panel.design.n_pre else ""
    if not charts.uneven(periods):
        return f"{text} All {len(periods)} periods{before} count the same."
    some = int((periods.abs() > charts.SMALL).sum())
    return f"{text} **{some} of {len(periods)} periods{before} carry weight.**"


def _unit_table(units: pd.Series[float], height: Height, key: str = "unit weights") -> None:
    table = pd.DataFrame(
        {"unit": [unit_label(unit) for unit in units.index], "weight": units.to_numpy()}
    ).sort_values("weight", ascending=False, kind="stable", ignore_index=True)
    _table(table, "Unit weights (CSV)", "unit_weights.csv", f"{key} file", height)


def _table(table: pd.DataFrame, label: str, name: str, key: str, height: Height) -> None:
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        column_config={
            "unit": st.column_config.TextColumn("Unit", width="medium"),
            "period": "Period",
            "weight": st.column_config.NumberColumn("Weight", format="%.4f"),
        },
    )
    save_button(label, to_csv(table), name, "text/csv", icon=":material/download:", key=key)
