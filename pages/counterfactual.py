"""Counterfactual: the effect, what would have happened without it, and how sure we are."""

import streamlit as st

from components.analysis.words import headline
from components.charts import paths
from components.charts.weights import largest_in_words, rest_of_weights, uneven, unit_weights
from components.ui import conditional, findings, frame, honesty, methods, results, state
from components.ui.downloads import save_button, to_csv

FIRST = "Trajectory"
VIEWS = {
    "By period": paths.by_period,
    "By event time": paths.by_event_time,
    "Cumulative": paths.cumulative,
}
OPENS_WITH = {"staggered": "By event time", "reversing": "By period"}

spec = frame.enter("counterfactual")
panel, words = frame.panel_in_frame(spec)
computed = frame.result_in_frame(spec)
result = honesty.shown(computed)

results.verdict(result, words, results.margin_of(spec))
results.figures(result, words)
findings.strip(result, words)

weights = result.estimate.unit_weights
ranking = result.uncertainty.details.get("ranking") if result.uncertainty else None
with st.container(horizontal=True, vertical_alignment="center", key="view row"):
    view = st.segmented_control(
        "View",
        [
            name
            for name in (FIRST, *VIEWS)
            if name != "By event time" or panel.design.kind != "block"
        ],
        default=OPENS_WITH.get(panel.design.kind, FIRST),
        required=True,
        key=f"view {panel.design.kind}",
        persist_state="session",
        label_visibility="collapsed",
    )
    smallest_p = result.uncertainty.smallest_p if result.uncertainty is not None else None
    methods.level_field(spec, "level", labelled=False, smallest_p=smallest_p)
    methods.estimator_switch(spec)
    results.margin_field(spec, words)
    placebos = (
        result.uncertainty is not None
        and "placebo_gaps" in result.uncertainty.details
        and view == FIRST
        and st.toggle("Placebo gaps", value=True, key="placebos", persist_state="session")
    )

if weights is not None and not uneven(weights):
    weights = None  # nothing to see: all donors count the same
beside = weights is not None or ranking is not None
chart, side = st.columns([7, 3], gap="medium") if beside else (st.container(), st.container())
with chart:
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
            alt=largest_in_words(weights),
        )
        st.caption(rest_of_weights(weights, most=8))
        st.page_link(
            "pages/weights.py",
            label="All weights",
            icon=":material/balance:",
            query_params=state.query(),
        )
    if ranking is not None:
        results.ranking_table(ranking, result.uncertainty.method.statistic)

if conditional.has_conditional(result):
    conditional.conditional_section(result, words)

by_event = view == "By event time"
table = results.event_table(result) if by_event else results.table_behind(result)
with st.expander("The numbers behind the figure"):
    st.dataframe(table, hide_index=True)
results.detail_tables(result)
with st.container(horizontal=True):
    save_button(
        "Numbers (CSV)",
        to_csv(table),
        "event_time.csv" if by_event else "counterfactual.csv",
        "text/csv",
        icon=":material/download:",
        key="numbers",
    )
    frame.script_button(result, words)
frame.go_on("diagnose", "Can I trust it?")
