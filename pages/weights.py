"""Weights: which donors and which periods carry the counterfactual, and how they become it."""

import streamlit as st

from components.analysis.words import counterfactual_name
from components.ui import carriers, frame, tuned
from components.ui.text import md

spec = frame.enter("weights")
panel, words = frame.panel_in_frame(spec)
result = frame.result_in_frame(spec)

st.title(md(f"What makes up {counterfactual_name(result, words)}"))
st.markdown(md(spec.estimator.card.idea))
carriers.donors_section(result)
carriers.steps_section(result, words)
carriers.tables_section(result)
tuned.tuning_section(result)
frame.go_on("counterfactual", "What would have happened")
