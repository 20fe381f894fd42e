"""Specifications: the same question under every combination of choices."""

import streamlit as st

from components.ui import frame, methods, specification
from components.ui.guard import told

spec = frame.enter("specifications")
panel, words = frame.panel_in_frame(spec)

st.title("Does it depend on the choices?")
with st.container(horizontal=True, vertical_alignment="bottom"):
    methods.estimator_switch(spec)
    extra = specification.slower_field(panel)
result = frame.result_in_frame(spec)

with told():
    table = specification.curve_of(result, words, extra)
specification.curve_section(table, words)
with told():
    specification.placebo_section(result, words)
