"""What changed: two runs side by side, with flipped signs and conclusions on top."""

import streamlit as st

from components.ui import changes, frame, methods
from components.ui.downloads import save_button

spec = frame.enter("changes")
panel, words = frame.panel_in_frame(spec)

st.title("What changed?")
methods.estimator_switch(spec)
result = frame.result_in_frame(spec)
changes.keep_section(result)
pair = changes.chosen_pair(result)
if pair is None:
    st.stop()

before, after = pair
changes.verdict_section(before, after, words)
table = changes.conclusions_section(before, after, words)
changes.difference_sections(before, after)
save_button(
    "The whole comparison (text)",
    changes.report_text(before, after, table),
    "what_changed.txt",
    "text/plain",
    icon=":material/download:",
    key="changes report",
)
