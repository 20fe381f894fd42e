"""Data: take a sample or a table of one's own, name its columns, see what is odd."""

import streamlit as st

from components.analysis import AnalysisSpec, prepare, sample_spec
from components.data import SAMPLES, health, to_panel
from components.estimators import ESTIMATORS
from components.ui import cache, frame, state, uploads
from components.ui.guard import told
from components.ui.text import md

BADGES = {"good": "green", "info": "blue", "caution": "orange", "bad": "red"}

spec = frame.enter("data")
if cache.table_of(spec) is not None:
    with told(stop=False):
        frame.summary_line(spec, prepare(spec, cache.panel_of(spec)[0]))
st.title("Which table?")

own, samples = st.columns([1, 1], gap="large")
with own:
    st.header("My own table")
    uploaded = uploads.upload_field("A file with one row per unit and period", "own file")
    st.caption(uploads.FORMATS)
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
    if spec.sample is not None:
        st.caption(md(f"{SAMPLES[spec.sample].story} Source: {SAMPLES[spec.sample].source}"))

in_use = uploaded is None or f"sha256:{uploaded.digest}" == spec.source
table = cache.table_of(spec) if uploaded is None else uploaded
if table is None:
    uploads.ask_for_file(spec)
    st.stop()

st.header(md(table.name))
for note in table.notes:
    st.info(md(note), icon=":material/info:")
roles = uploads.role_fields(table, spec.columns if in_use else None)
uploads.preview(table)
if roles is None:
    st.stop()
if not in_use:
    st.caption("Your analysis so far is unchanged until you press the button below.")

with told():
    panel, ledger = to_panel(table, roles)

st.header("What was read")
for check in health(panel, ledger):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(check.verdict, color=BADGES[check.verdict])
        st.markdown(md(check.sentence) + (f" *{md(check.cure)}*" if check.cure else ""))
with st.expander("Everything that was converted or found missing"):
    uploads.ledger_list(ledger)

if in_use and roles == spec.columns:
    frame.go_on("design", "Who was treated, and when")
elif st.button("Use this table", type="primary", icon=":material/arrow_forward:"):
    able = (key for key in ("sc", "did") if ESTIMATORS[key]().why_not(panel) is None)
    estimator = ESTIMATORS[next(able, "sc")]()
    source = spec.source if in_use else f"sha256:{table.digest}"
    state.set_spec(AnalysisSpec(source=source, columns=roles, estimator=estimator))
    st.switch_page("pages/design.py", query_params=state.query())
