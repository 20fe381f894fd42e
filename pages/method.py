"""Method: how the untreated outcomes are imputed, and how sure we want to be."""

import streamlit as st

from components.ui import frame, methods

spec = frame.enter("method")
panel, words = frame.panel_in_frame(spec)

st.title("How should the counterfactual be built?")
cards, about = st.columns([3, 2], gap="large")
with cards:
    st.header("Estimator")
    methods.estimator_cards(spec, panel)
with about:
    st.header(spec.estimator.card.title)
    methods.about_estimator(spec)
    methods.estimator_options(spec)
with st.expander("All estimators side by side"):
    st.dataframe(
        methods.preflight_table(panel),
        hide_index=True,
        column_config={
            "estimator": "Estimator",
            "can_run": st.column_config.CheckboxColumn("Can run", width="small"),
            "why_not": st.column_config.TextColumn("Needs, and has"),
            **methods.GLANCE,
        },
    )

cards, about = st.columns([3, 2], gap="large")
with cards:
    st.header("How sure")
    reasons = methods.inference_preflight(spec, panel)
    methods.inference_cards(spec, reasons)
with about:
    st.header(spec.inference.card.title if spec.inference is not None else "Choose a method")
    methods.about_inference(spec)
    methods.level_field(spec, "method level")
    methods.inference_options(spec)
if reasons is None:
    st.info(
        "This estimator takes more than a moment. Open the counterfactual first; once the "
        "estimate is there, every method says here whether it applies.",
        icon=":material/hourglass_top:",
    )
else:
    with st.expander("Which ways to say how sure apply to this estimate"):
        st.dataframe(
            methods.inference_table(reasons),
            hide_index=True,
            column_config={
                "method": "How sure",
                "applies": st.column_config.CheckboxColumn("Applies", width="small"),
                "why_not": st.column_config.TextColumn("Why not", width="large"),
            },
        )
with st.expander("Not offered, and why"):
    st.markdown("\n".join(f"- **{what}.** {why}" for what, why in methods.NOT_OFFERED))
    st.caption("The shares are from simulations; what is right would be 95%.")
with st.container(horizontal=True):
    frame.go_on("weights", "What carries the counterfactual")
    methods.glossary()
