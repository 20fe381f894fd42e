"""A visitor's own table: a file or pasted cells, read once and kept in the session."""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import sha256
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.analysis import AnalysisSpec
from components.analysis.source import checked
from components.data import ENCODINGS, Reading, Table, examples
from components.data.reading import AS_FOUND
from components.data.sandbox import read_table_safely
from components.ui import cache
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told
from components.ui.questions import settle
from components.ui.sources import reopen, source_section
from components.ui.text import md

LARGEST_MB = 50
LONGEST_PASTE = 2_000_000
PATIENCE = 0.7  # seconds before it is said that the file is being read
FORMATS = (
    "CSV, TSV or other delimited text, Excel, Stata or Parquet, also zipped; 50 MB at most. "
    "It stays in this session."
)
TEMPLATE = "long"


def upload_field(label: str, key: str, reading: Reading = AS_FOUND) -> Table | None:
    """Ask for a file and read it; a file that is no table is refused with the reason.

    Parameters
    ----------
    label, key : str
    reading : Reading
        How to take it apart, before anything is answered.

    Returns
    -------
    Table or None
    """
    file = st.file_uploader(label, key=key, help=FORMATS, max_upload_size=LARGEST_MB)
    if file is None:
        return None
    return _read(file.getvalue(), file.name, f"{key} {file.file_id}", reading)


def paste_field(key: str) -> Table | None:
    """Offer to paste cells copied from a spreadsheet.

    Parameters
    ----------
    key : str

    Returns
    -------
    Table or None
    """
    with st.expander("Paste from a spreadsheet", icon=":material/content_paste:"):
        text = st.text_area(
            "Cells with the names of the columns on top",
            key=key,
            height=140,
            max_chars=LONGEST_PASTE,
            placeholder="region\tyear\tsales\ttreated\nNorth\t2018\t20.1\t0",
        )
        st.caption("Copy the cells in Excel, Sheets or Numbers, paste them here, press Ctrl+Enter.")
        if not text.strip():
            return None
        data = text.encode("utf-8", "replace")
        table = _read(data, "pasted.tsv", key, AS_FOUND)
        if table is not None:
            save_button(
                "Keep these cells as a file",
                data,
                "pasted.tsv",
                "text/tab-separated-values",
                icon=":material/save:",
                key=f"{key} file",
            )
            st.caption("A link to your analysis asks for this very file again.")
        return table


def example_tables() -> None:
    """Show what a table may look like, with files to download."""
    with st.expander("What a table may look like, and a template", icon=":material/table_view:"):
        for name, example in examples().items():
            st.markdown(f"**{md(example.title)}.** {md(example.text)}")
            st.dataframe(example.table.head(3), hide_index=True)
            save_button(
                "Template (CSV)" if name == TEMPLATE else "Example (CSV)",
                to_csv(example.table),
                f"{name}.csv",
                "text/csv",
                icon=":material/download:",
                key=f"example {name}",
            )


def ask_for_file(spec: AnalysisSpec, *, sources: bool = True) -> None:
    """Ask for the table that a link is about, and go on once it is the right one.

    Parameters
    ----------
    spec : AnalysisSpec
        About a table that this session does not have.
    sources : bool
        False where the page offers the server's tables already.
    """
    digest, reading = spec.source.partition(":")[2], spec.columns.reading
    st.header("This link needs its table")
    if reading.query is not None:
        st.markdown("The link holds the settings of an analysis, not its data.")
        table = reopen(reading.query)
    else:
        st.markdown(
            "The link holds the settings of an analysis, not its data: an uploaded table never "
            f"leaves its session. Give the same file again (its SHA-256 starts with "
            f"`{digest[:12]}`) and the analysis opens with the same numbers."
        )
        table = upload_field("The table of this analysis", "asked file", reading)
        if table is None and sources:
            table = source_section()
    if table is None:
        return
    if table.reading.query is None and (table.digest, table.reading) != (digest, reading):
        what = "another file" if table.digest != digest else "the file, but read in another way"
        st.error(
            f"{md(table.name)} is {what}: its SHA-256 starts with {table.digest[:12]}.  \n"
            "**What to do:** upload the very file that was analysed, or start anew on the data "
            "page.",
            icon=":material/error:",
        )
        return
    with told(stop=False):
        cache.keep_table(replace(checked(table, digest), reading=reading))
        st.rerun()


def reading_fields(table: Table, corrections: DeltaGenerator) -> None:
    """Let the user choose sheet, line of the names, and encoding; seldom needed."""
    key = f"reading of {table.digest[:16]}"
    kept: Reading = st.session_state.get(key, table.reading)
    with corrections:
        places = iter(st.columns(4))
        if len(table.sheets) > 1:
            label = "File in the archive" if table.kind in ("csv", "dta", "parquet") else "Sheet"
            _part(next(places), "sheet", label, ["", *table.sheets], kept, key)
        word = "line" if table.kind == "csv" else "row"
        if table.kind in ("csv", "xlsx", "xls"):
            lines = ["", 0, *range(1, 31)]
            _part(next(places), "header", f"Names of columns on {word}", lines, kept, key)
            _part(next(places), "header_rows", f"They go over {word}s", ["", 1, 2, 3], kept, key)
        unsure = any("letters" in note.lower() for note in table.notes)
        if table.kind == "csv" or (table.kind == "dta" and unsure):
            _part(next(places), "encoding", "Letters (encoding)", ["", *ENCODINGS], kept, key)
        if table.kind in ("parquet", "dta"):
            st.caption("A file of this kind says itself how it is to be read.")


def _part(place: Any, part: str, label: str, options: list[Any], kept: Reading, key: str) -> None:
    widget = f"{key} {part}"

    def words(value: Any) -> str:
        if value == "":
            return "as found"
        return "no names" if value == 0 else ENCODINGS.get(str(value), str(value))

    def store() -> None:
        value = st.session_state[widget]
        now: Reading = st.session_state.get(key, kept)
        st.session_state[key] = replace(now, **{part: None if value == "" else value})

    current = getattr(kept, part)
    place.selectbox(
        label,
        options,
        index=options.index(current) if current in options else 0,
        format_func=words,
        key=widget,
        on_change=store,
    )


def _read(data: bytes, name: str, key: str, reading: Reading) -> Table | None:
    digest = sha256(data).hexdigest()
    first: Reading = st.session_state.get(f"reading of {digest[:16]}", reading)
    marker = f"{key} read"
    kept: tuple[str, Reading, Table] | None = st.session_state.get(marker)
    if kept is not None and kept[:2] == (digest, first):
        cache.keep_table(kept[2])
        return kept[2]
    tables: list[Table] = []
    with told(stop=False):
        settled = settle(
            first,
            lambda now: tables.append(_read_in_sight(data, name, now)),
            f"question {digest[:16]}",
        )
        if settled is None:
            return None
        st.session_state[marker] = (digest, first, tables[-1])
        cache.keep_table(tables[-1])
        return tables[-1]
    return None


def _read_in_sight(data: bytes, name: str, reading: Reading) -> Table:
    place = st.empty()
    begun = time.monotonic()

    def progress(share: float) -> None:
        if time.monotonic() - begun > PATIENCE:
            place.progress(min(share, 1.0), "Reading the file")

    try:
        return read_table_safely(data, name, progress=progress, reading=reading)
    finally:
        place.empty()
