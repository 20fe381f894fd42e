"""Weights: which donors and which periods carry the counterfactual."""

import pandas as pd
import streamlit as st

from components.analysis.words import counterfactual_name, number
from components.charts import weights as charts
from components.panel import period_label, unit_label
from components.ui import frame, results
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

spec = frame.enter("weights")
panel, words = frame.panel_in_frame(spec)
result = frame.result_in_frame(spec)
units, periods = result.estimate.unit_weights, result.estimate.time_weights

name = counterfactual_name(result, words)
st.title(md(f"What makes up {name}"))
st.markdown(md(spec.estimator.card.idea))

if units is None:
    st.info(
        f"{md(spec.estimator.card.title)} has no single set of donor weights in this design: it "
        "imputes each treated cell from all untreated cells.",
        icon=":material/info:",
    )
else:
    table = pd.DataFrame(
        {"unit": [unit_label(unit) for unit in units.index], "weight": units.to_numpy()}
    ).sort_values("weight", ascending=False, kind="stable", ignore_index=True)
    positive = int((units.abs() > charts.SMALL).sum())
    st.markdown(
        f"**{positive} of {len(units)} donors carry weight**, worth "
        f"{number(result.estimate.effective_donors, 2)} donors of equal weight. "
        f"The weights sum to {number(float(units.sum()))}."
    )
    bars, listing = st.columns([3, 2], gap="large")
    with bars:
        st.plotly_chart(
            charts.unit_weights(units, frame.theme()),
            theme=None,
            key="unit weights",
            config={"displayModeBar": False},
            alt=f"{positive} donors carry weight; the largest is {table['unit'].iloc[0]}",
        )
        st.caption(charts.rest_of_weights(units))
    with listing:
        st.dataframe(
            table,
            hide_index=True,
            height=420,
            column_config={
                "unit": "Donor",
                "weight": st.column_config.NumberColumn("Weight", format="%.4f"),
            },
        )
        save_button(
            "Unit weights (CSV)",
            to_csv(table),
            "unit_weights.csv",
            "text/csv",
            icon=":material/download:",
            key="unit weights file",
        )

if periods is not None:
    st.header("Which periods before treatment count")
    st.plotly_chart(
        charts.time_weights(result, words, frame.theme()),
        theme=None,
        key="time weights",
        config={"displayModeBar": False},
        alt="Time weights drawn under the trajectory",
    )
    times = pd.DataFrame(
        {"period": [period_label(period) for period in periods.index], "weight": periods.to_numpy()}
    )
    st.caption(
        f"{int((periods.abs() > charts.SMALL).sum())} of {len(periods)} periods carry weight; the "
        f"weights sum to {number(float(periods.sum()))}."
    )
    with st.expander("Time weights as a table"):
        st.dataframe(times, hide_index=True)
        save_button(
            "Time weights (CSV)",
            to_csv(times),
            "time_weights.csv",
            "text/csv",
            icon=":material/download:",
            key="time weights file",
        )

results.tuning_section(result)
frame.go_on("counterfactual", "What would have happened")
