"""Start: a finished result, the samples, and the way to a table of one's own."""

import streamlit as st

from components.analysis import sample_spec, words_of
from components.data import SAMPLES
from components.ui import frame, results, state
from components.ui.text import md

frame.enter()

finished = sample_spec(state.FIRST)
result, words = frame.result_in_frame(finished), words_of(finished)
st.caption(
    "Panelscope shows what a treatment did to a panel of units over time, how sure we are, and how "
    "far to trust it. Here is a finished analysis."
)
results.verdict(result, words)

chart, side = st.columns([3, 1], gap="medium")
with chart:
    results.trajectory(result, words, placebos=False, key="start trajectory")
with side:
    st.header("The question")
    st.markdown(md(SAMPLES[state.FIRST].story))
    if st.button(
        "Open this analysis", type="primary", icon=":material/show_chart:", width="stretch"
    ):
        state.set_spec(finished)
        st.switch_page("pages/counterfactual.py", query_params=state.query())
    if st.button("Use my own table", icon=":material/upload:", width="stretch"):
        st.switch_page("pages/data.py", query_params=state.query() if state.chosen() else None)
    st.caption("Your table stays in this session. A link holds settings, never data.")

st.header("Or take a sample")
others = [key for key in SAMPLES if key != state.FIRST]
for row in [others[i : i + 3] for i in range(0, len(others), 3)]:
    for place, key in zip(st.columns(3), row, strict=False):
        sample = SAMPLES[key]
        with place.container(border=True, height="stretch"):
            st.markdown(f"**{md(sample.title)}**  \n{md(sample.story)}")
            if st.button("Open", key=f"open {key}", icon=":material/arrow_forward:"):
                state.set_spec(sample_spec(key))
                st.switch_page("pages/counterfactual.py", query_params=state.query())
