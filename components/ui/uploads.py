"""A visitor's own file: read it once, keep it in the session, name its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec
from components.data import Ledger, Roles, Table, guess_roles, read_table
from components.ui import cache
from components.ui.guard import told
from components.ui.text import md

PREVIEW_ROWS = 20
LARGEST_MB = 50
FORMATS = "CSV, TSV, Parquet or Excel; one row per unit and period; 50 MB at most."


def upload_field(label: str, key: str) -> Table | None:
    """Ask for a file and read it; a file that is no table is refused with the reason.

    Parameters
    ----------
    label, key : str

    Returns
    -------
    Table or None
    """
    file = st.file_uploader(label, key=key, help=FORMATS, max_upload_size=LARGEST_MB)
    if file is None:
        return None
    marker = f"{key} read"
    kept: tuple[str, Table] | None = st.session_state.get(marker)
    if kept is not None and kept[0] == file.file_id:
        return kept[1]
    with told(stop=False), st.spinner("Reading the file"):
        table = read_table(file.getvalue(), file.name)
        st.session_state[marker] = (file.file_id, table)
        cache.keep_table(table)
        return table
    return None


def ask_for_file(spec: AnalysisSpec) -> None:
    """Ask for the file that a link is about, and go on once it is the right one.

    Parameters
    ----------
    spec : AnalysisSpec
        About an uploaded table that this session does not have.
    """
    digest = spec.source.partition(":")[2]
    st.header("This link needs its table")
    st.markdown(
        "The link holds the settings of an analysis, not its data: an uploaded table never leaves "
        f"its session. Give the same file again (its SHA-256 starts with `{digest[:12]}`) and the "
        "analysis opens with the same numbers."
    )
    table = upload_field("The table of this analysis", "asked file")
    if table is None:
        return
    if table.digest == digest:
        st.rerun()
    st.error(
        f"{md(table.name)} is another file: its SHA-256 starts with {table.digest[:12]}.  \n"
        "**What to do:** upload the very file that was analysed, or start anew on the data page.",
        icon=":material/error:",
    )


def role_fields(table: Table, start: Roles | None) -> Roles | None:
    """Let the user say which column is what; guesses stand first.

    Parameters
    ----------
    table : Table
    start : Roles, optional
        What the fields show first; None guesses.

    Returns
    -------
    Roles or None
        None while a needed column is not chosen.
    """
    first = start if start is not None else guess_roles(table)
    columns = list(table.columns)
    chosen: dict[str, Any] = {}
    labels = {
        "unit": ("Unit", "Who: the column with the states, shops or cities."),
        "time": ("Time", "When: years, quarters, months or dates."),
        "outcome": ("Outcome", "The number that may have changed."),
        "treatment": ("Treatment", "0/1: treated in that period. Leave empty to choose by hand."),
    }
    for place, (role, (label, text)) in zip(st.columns(4), labels.items(), strict=True):
        guess = getattr(first, role)
        chosen[role] = place.selectbox(
            label,
            columns,
            index=columns.index(guess) if guess in columns else None,
            help=text,
            key=f"role {role} {table.digest[:16]}",
            placeholder="Choose by hand later" if role == "treatment" else "Choose a column",
        )
    needed = [labels[role][0].lower() for role in ("unit", "time", "outcome") if not chosen[role]]
    if needed:
        st.info(f"Choose the column for: {', '.join(needed)}.", icon=":material/arrow_upward:")
        return None
    return replace(first, **chosen, other=(), **_reading_fields(table, first))


def _reading_fields(table: Table, first: Roles) -> dict[str, Any]:
    """Ask what the columns do not tell by themselves; a closed expander, seldom needed."""
    fields: dict[str, tuple[str, dict[Any, str]]] = {
        "treatment_kind": (
            "The treatment column holds",
            {"flag": "treated or not, in each row", "start": "each unit's first treated period"},
        ),
        "decimal": (
            "Decimal mark",
            {None: "as the column tells", ".": "point: 1.5", ",": "comma: 1,5"},
        ),
        "date_order": (
            "01/02/2020 is",
            {
                None: "as the column tells",
                "day first": "1 February (day first)",
                "month first": "2 January (month first)",
            },
        ),
    }
    chosen = {}
    with st.expander("How to read the columns"):
        for place, (name, (label, words)) in zip(st.columns(3), fields.items(), strict=True):
            options = list(words)
            chosen[name] = place.selectbox(
                label,
                options,
                index=options.index(getattr(first, name)),
                format_func=words.__getitem__,
                key=f"reading {name} {table.digest[:16]}",
            )
    return chosen


def preview(table: Table) -> None:
    """Show the first rows as they were read: as text, before anything is converted."""
    rows = table.text.head(PREVIEW_ROWS)
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=280)
    st.caption(f"The first {len(rows)} of {len(table.text):,} rows, as they stand in the file.")


def ledger_list(ledger: Ledger) -> None:
    """List all that was read, converted or found missing."""
    for entry in ledger:
        places = f" ({md(', '.join(entry.places[:3]))})" if entry.places else ""
        st.markdown(f"- {md(entry.sentence)}{places}")
