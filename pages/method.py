"""Method: how the untreated outcomes are imputed, and how sure we want to be."""

import streamlit as st

from components.ui import frame, methods

spec = frame.enter("method")
panel, words = frame.panel_in_frame(spec)

st.title("How should the counterfactual be built?")
cards, options = st.columns([3, 2], gap="large")
with cards:
    st.header("Estimator")
    methods.estimator_cards(spec, panel)
with options:
    st.header(f"Tuning: {spec.estimator.card.title}")
    methods.estimator_options(spec)
    st.caption(f"Defined in: {spec.estimator.card.reference}")
    st.header("How sure")
    methods.inference_cards(spec)

with st.expander("Which estimators can run on this design"):
    st.dataframe(
        methods.preflight_table(panel),
        hide_index=True,
        column_config={
            "estimator": "Estimator",
            "can_run": st.column_config.CheckboxColumn("Can run"),
            "why_not": st.column_config.TextColumn("Needs, and has", width="large"),
        },
    )
frame.go_on("weights", "What carries the counterfactual")
