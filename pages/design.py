"""Design: who was treated, from when, and who may serve as a donor."""

import streamlit as st

from components.analysis import prepare, refuse_unidentified
from components.analysis.words import dates, treated_names
from components.charts.adoption import MOST_ROWS, treatment_map
from components.ui import cache, designs, frame
from components.ui.guard import told
from components.ui.text import md

spec = frame.enter("design")
panel, words = frame.panel_in_frame(spec)
whole, _ = cache.panel_of(spec)
with told():
    with_all_units = prepare(spec.with_(dropped=()), whole)

st.title("Who was treated, and from when?")
designs.treatment_fields(spec, whole, with_all_units)
ready = False
if not panel.design.n_treated:
    st.info(
        f"No cell is treated yet. Choose one or more {words.unit[1]}, and the first period in "
        "which the treatment could have had an effect.",
        icon=":material/touch_app:",
    )
else:
    with told(stop=False):
        refuse_unidentified(panel)
        ready = True
if ready:
    sentence = f"{treated_names(panel, words)}: {dates(panel)}."
    pre, post = panel.design.n_pre, panel.design.n_post
    st.markdown(f"**{md(sentence)}** {pre} periods before, {post} from then on.")
designs.clickable_outcomes(panel, words)
designs.window_fields(spec, whole)

donors, cells = st.columns([1, 1], gap="large")
with donors:
    st.header("Donors")
    designs.donor_table(spec, with_all_units)
with cells:
    st.header("Treatment map")
    st.plotly_chart(
        treatment_map(panel, frame.theme()),
        theme=None,
        key="treatment map",
        config={"displayModeBar": False},
        alt="Units by periods: which cells are treated, untreated or without an outcome",
    )
    if panel.shape[0] > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {panel.shape[0]} units, the treated ones on top.")
if ready:
    frame.go_on("method", "How to build the counterfactual")
