"""Counterfactual: the effect, what would have happened without it, and how sure we are."""

import streamlit as st

from components.analysis.words import headline
from components.charts import paths
from components.charts.weights import rest_of_weights, unit_weights
from components.ui import conditional, findings, frame, honesty, methods, results, state
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

FIRST = "Trajectory and gap"
VIEWS = {
    "Effect by period": paths.by_period,
    "By event time": paths.by_event_time,
    "Cumulative": paths.cumulative,
}
OPENS_WITH = {"staggered": "By event time", "reversing": "Effect by period"}

spec = frame.enter("counterfactual")
panel, words = frame.panel_in_frame(spec)
computed = frame.result_in_frame(spec)
result = honesty.shown(computed)

results.verdict(result, words, results.margin_of(spec))
results.figures(result, words)
findings.strip(result, words)

weights = result.estimate.unit_weights
ranking = result.uncertainty.details.get("ranking") if result.uncertainty else None
beside = weights is not None or ranking is not None
chart, side = st.columns([7, 3], gap="medium") if beside else (st.container(), st.container())
with chart:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            "View",
            [FIRST, *VIEWS],
            default=OPENS_WITH.get(panel.design.kind, FIRST),
            required=True,
            key=f"view {panel.design.kind}",
            persist_state="session",
        )
        methods.level_field(spec, "level")
        methods.estimator_switch(spec)
        results.margin_field(spec, words)
        placebos = (
            result.uncertainty is not None
            and "placebo_gaps" in result.uncertainty.details
            and view == FIRST
            and st.toggle("Placebo gaps", value=True, key="placebos", persist_state="session")
        )
    if view == FIRST:
        results.trajectory(result, words, placebos=placebos, key="trajectory")
    else:
        st.plotly_chart(
            VIEWS[view](result, words, frame.theme()),
            theme=None,
            key=view,
            config=results.CONFIG,
            alt=f"{view}: {headline(result, words)}",
        )
        results.band_caption(result)
    results.notes(result)
    honesty.meter(computed, words)
with side:
    if weights is not None:
        st.header("Made up of")
        st.plotly_chart(
            unit_weights(weights, frame.theme(), most=8),
            theme=None,
            key="largest weights",
            config={"displayModeBar": False},
            alt="The largest donor weights",
        )
        st.caption(rest_of_weights(weights, most=8))
        st.page_link("pages/weights.py", label="All weights", query_params=state.query())
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

if conditional.has_conditional(result):
    conditional.conditional_section(result, words)

table = results.table_behind(result)
with st.expander("The numbers behind the figure"):
    st.dataframe(table, hide_index=True)
results.detail_tables(result)
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
