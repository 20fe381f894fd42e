"""Data: take a sample or a table of one's own, name its columns, see what is odd."""

from dataclasses import replace

import streamlit as st

from components.analysis import AnalysisSpec, prepare, sample_spec
from components.data import SAMPLES, health
from components.estimators import ESTIMATORS
from components.ui import cache, columns, frame, state, uploads
from components.ui.guard import told
from components.ui.questions import settle
from components.ui.sources import source_section
from components.ui.text import md

spec = frame.enter("data")
if cache.table_of(spec) is not None:
    with told(stop=False):
        frame.summary_line(spec, prepare(spec, cache.panel_of(spec)[0]))
st.title("Which table?")

own, samples = st.columns([1, 1], gap="large")
with own:
    st.header("My own table")
    uploaded = uploads.upload_field("A file with units and periods", "own file")
    st.caption(uploads.FORMATS)
    uploaded = uploads.paste_field("pasted cells") or uploaded
    uploaded = source_section() or uploaded
    uploads.example_tables()
with samples:
    st.header("A sample")
    st.session_state["sample field"] = spec.sample if uploaded is None else None
    st.selectbox(
        "Sample",
        list(SAMPLES),
        format_func=lambda key: SAMPLES[key].title,
        key="sample field",
        index=None,
        placeholder="Choose a sample",
        on_change=lambda: state.set_spec(sample_spec(st.session_state["sample field"])),
    )
    if spec.sample is not None and uploaded is None:
        st.caption(md(f"{SAMPLES[spec.sample].story} Source: {SAMPLES[spec.sample].source}"))

in_use = uploaded is None or (f"sha256:{uploaded.digest}", uploaded.reading) == (
    spec.source,
    spec.columns.reading,
)
table = cache.table_of(spec) if uploaded is None else uploaded
if table is None:
    uploads.ask_for_file(spec)
    st.stop()

if uploaded is None and st.session_state.get("own file") is not None:
    st.caption("Below is the table of your analysis so far; it is unchanged.")
st.header(md(table.name))
columns.notes_list(table)
before = spec.columns if in_use else None
mark = columns.name_of(table)
fields, answers = st.container(), st.container()
corrections = st.expander("Not read right? Change it here", icon=":material/tune:")
with answers, told():
    first, long = columns.shape_field(table, before, corrections)
with fields:
    roles = columns.role_fields(table, long, first, corrections)
if uploaded is not None:
    uploads.reading_fields(table, corrections)
columns.preview(table)
if roles is None:
    st.stop()

asked = replace(roles, duplicates=None, treated_values=(), gaps=None)
with answers, told():
    settled = settle(
        asked, lambda now: columns.panel_once(table, now), f"answer {mark}", before=before
    )
    found = columns.survey_once(table, settled or asked)
    if settled is None and found is not None:
        columns.map_of_cells(found)
if settled is None:
    st.stop()

st.header("What was read")
listed = st.container()
if found is not None and not found.panel.observed.all():
    gaps = before.gaps if before is not None else None
    settled = columns.gaps_field(replace(settled, gaps=gaps), mark)
with told():
    panel, ledger = columns.panel_once(table, settled)
with listed:
    columns.checks_list(health(panel, ledger))
if found is not None:
    columns.map_of_cells(found)
with st.expander("Everything that was read, converted, filled in or left out"):
    columns.ledger_list(ledger)

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
