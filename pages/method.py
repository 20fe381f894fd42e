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
    st.header("How sure")
    reasons = methods.inference_preflight(spec, panel)
    methods.inference_cards(spec, reasons)
with options:
    st.header(f"Tuning: {spec.estimator.card.title}")
    methods.estimator_options(spec)
    st.caption(f"Defined in: {spec.estimator.card.reference}")

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
with st.expander("Which ways to say how sure apply to this estimate"):
    if reasons is None:
        st.info(
            "This estimator takes more than a moment. Open the counterfactual first; once the "
            "estimate is there, every method says here whether it applies.",
            icon=":material/hourglass_top:",
        )
    else:
        st.dataframe(
            methods.inference_table(reasons),
            hide_index=True,
            column_config={
                "method": "How sure",
                "applies": st.column_config.CheckboxColumn("Applies"),
                "why_not": st.column_config.TextColumn("Why not", width="large"),
            },
        )
with st.expander("Not offered, and why"):
    st.markdown("\n".join(f"- **{what}.** {why}" for what, why in methods.NOT_OFFERED))
    st.caption("The shares are from simulations; what is right would be 95%.")
frame.go_on("weights", "What carries the counterfactual")
