"""The top of the data page: a table of one's own, one of the server's, or a sample."""

from __future__ import annotations

import streamlit as st

from components.analysis import AnalysisSpec, sample_spec
from components.data import SAMPLES, Table
from components.ui import state, uploads
from components.ui.sources import source_section
from components.ui.text import md

FIELD = "sample field"


def choose_table(spec: AnalysisSpec) -> Table | None:
    """Let the user choose a table.

    Parameters
    ----------
    spec : AnalysisSpec
        The analysis so far.

    Returns
    -------
    Table or None
        What was just uploaded, pasted or read from a source; None where the analysis so far stays.
    """
    own, samples = st.columns([1, 1], gap="large")
    with own:
        st.header("My own table")
        table = uploads.upload_field("A file with units and periods", "own file")
        st.caption(uploads.FORMATS)
        table = uploads.paste_field("pasted cells") or table
        table = source_section() or table
        uploads.example_tables()
    with samples:
        st.header("A sample")
        st.session_state[FIELD] = spec.sample if table is None else None
        st.selectbox(
            "Sample",
            list(SAMPLES),
            format_func=lambda key: SAMPLES[key].title,
            key=FIELD,
            index=None,
            placeholder="Choose a sample",
            on_change=lambda: state.set_spec(sample_spec(st.session_state[FIELD])),
        )
        if spec.sample is not None and table is None:
            st.caption(md(f"{SAMPLES[spec.sample].story} Source: {SAMPLES[spec.sample].source}"))
    return table
