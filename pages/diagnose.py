"""Diagnose: what could be wrong with the result, failures first."""

import streamlit as st

from components.ui import finding_cards, findings, frame
from components.ui.downloads import save_button, to_csv

spec = frame.enter("diagnose")
panel, words = frame.panel_in_frame(spec)
result = frame.result_in_frame(spec)

st.title("Can I trust it?")
above = st.container()
apply, refuse = findings.asked(result)
found = findings.findings_of(result, apply)
with above:
    findings.verdict(found, len(apply))
finding_cards.cards(found, result, words)
finding_cards.refusals(refuse, result)

with st.container(horizontal=True):
    save_button(
        "All findings (CSV)",
        to_csv(findings.as_table(found)),
        "findings.csv",
        "text/csv",
        icon=":material/download:",
        key="all findings",
    )
    frame.script_button(result, words)
