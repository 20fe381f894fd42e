"""Counterfactual: the effect, what would have happened without it, and how sure we are."""

import streamlit as st

from components.charts import paths
from components.charts.weights import unit_weights
from components.ui import frame, methods, results, state
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

VIEWS = ("Trajectory and gap", "Cumulative", "By event time")

spec = frame.enter("counterfactual")
panel, words = frame.panel_in_frame(spec)
result = frame.result_in_frame(spec)

results.verdict(result, words)
results.figures(result, words)

chart, side = st.columns([7, 3], gap="medium")
with chart:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            "View", VIEWS, default=VIEWS[0], required=True, key="view", persist_state="session"
        )
        methods.level_field(spec, "level")
        placebos = st.toggle("Placebo gaps", value=True, key="placebos", persist_state="session")
    if view == VIEWS[0]:
        results.trajectory(result, words, placebos=placebos, key="trajectory")
    else:
        draw = paths.cumulative if view == VIEWS[1] else paths.event_time
        st.plotly_chart(
            draw(result, words, frame.theme()),
            theme=None,
            key=view,
            config=results.CONFIG,
            alt=f"{view} of the effect",
        )
    results.notes(result)
with side:
    if result.estimate.unit_weights is not None:
        st.header("Made up of")
        st.plotly_chart(
            unit_weights(result.estimate.unit_weights, frame.theme(), most=8),
            theme=None,
            key="largest weights",
            config={"displayModeBar": False},
            alt="The largest donor weights",
        )
        st.page_link("pages/weights.py", label="All weights", query_params=state.query())
    ranking = result.uncertainty.details.get("ranking") if result.uncertainty else None
    if ranking is not None:
        st.header("Rank among placebos")
        st.dataframe(
            ranking[["rank", "unit", "statistic", "pre_rmspe"]],
            hide_index=True,
            height=250,
            column_config={
                "rank": "Rank",
                "unit": "Unit",
                "statistic": st.column_config.NumberColumn("Size", format="%.3g"),
                "pre_rmspe": st.column_config.NumberColumn("Fit before", format="%.3g"),
            },
        )
        st.caption(md("Size: the gap after treatment, measured against the fit before it."))

table = results.table_behind(result)
with st.expander("The numbers behind the figure"):
    st.dataframe(table, hide_index=True)
with st.container(horizontal=True):
    save_button(
        "Numbers (CSV)",
        to_csv(table),
        "counterfactual.csv",
        "text/csv",
        icon=":material/download:",
        key="numbers",
    )
    frame.script_button(result, words)
