"""Data: take a sample or a table of one's own, name its columns, see what is odd."""

from dataclasses import replace

import streamlit as st

from components.analysis import AnalysisSpec, prepare
from components.data import health
from components.estimators import ESTIMATORS
from components.ui import cache, columns, found, frame, state, uploads
from components.ui.choose import choose_table
from components.ui.guard import told
from components.ui.questions import settle
from components.ui.text import md

spec = frame.enter("data")
if cache.table_of(spec) is not None:
    with told(stop=False):
        frame.summary_line(spec, prepare(spec, cache.panel_of(spec)[0]))
st.title("Which table?")

uploaded = choose_table(spec)
in_use = uploaded is None or (f"sha256:{uploaded.digest}", uploaded.reading) == (
    spec.source,
    spec.columns.reading,
)
table = cache.table_of(spec) if uploaded is None else uploaded
if table is None:
    uploads.ask_for_file(spec, sources=False)
    st.stop()

if uploaded is None and st.session_state.get("own file") is not None:
    st.caption("Below is the table of your analysis so far; it is unchanged.")
st.header(md(table.name))
columns.notes_list(table)
before = spec.columns if in_use else None
mark = found.name_of(table)
fields, answers = st.container(), st.container()
corrections = st.expander("Not read right? Change it here", icon=":material/tune:")
with answers, told():
    first, long = columns.shape_field(table, before, corrections)
with fields:
    roles = columns.role_fields(table, long, first, corrections)
if uploaded is not None:
    uploads.reading_fields(table, corrections)
found.preview(table)
if roles is None:
    st.stop()

asked = replace(roles, duplicates=None, treated_values=(), gaps=None)
with answers, told():
    settled = settle(
        asked, lambda now: found.panel_once(table, now), f"answer {mark}", before=before
    )
    surveyed = found.survey_once(table, settled or asked)
    if settled is None and surveyed is not None:
        found.map_of_cells(surveyed)
if settled is None:
    st.stop()

st.header("What was read")
listed = st.container()
if surveyed is not None and not surveyed.panel.observed.all():
    gaps = before.gaps if before is not None else None
    settled = found.gaps_field(replace(settled, gaps=gaps), mark)
with told():
    panel, ledger = found.panel_once(table, settled)
with listed:
    found.checks_list(health(panel, ledger))
if surveyed is not None:
    found.map_of_cells(surveyed)
with st.expander("Everything that was read, converted, filled in or left out"):
    found.ledger_list(ledger)

if in_use and settled == spec.columns:
    frame.go_on("design", "Who was treated, and when")
    st.stop()
if not in_use:
    st.caption("Your analysis so far is unchanged until you press this button.")
if st.button("Use this table", type="primary", icon=":material/arrow_forward:"):
    able = (key for key in ("sc", "did") if ESTIMATORS[key]().why_not(panel) is None)
    estimator = ESTIMATORS[next(able, "sc")]()
    source = spec.source if in_use else f"sha256:{table.digest}"
    state.set_spec(AnalysisSpec(source=source, columns=settled, estimator=estimator))
    st.switch_page("pages/design.py", query_params=state.query())
