"""Tables that the server offers: choose one, its columns and how to sum them up, and read it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from components.data import Table
from components.data.sources import (
    AGGREGATES,
    KINDS,
    TRUNCATIONS,
    SourceColumn,
    SourceQuery,
    list_sources,
    read_source,
    source_columns,
)
from components.ui import cache
from components.ui.guard import told
from components.ui.text import md

KEPT = "source read"
REFRESH = 0.25  # seconds between two pictures of the progress


def source_section() -> Table | None:
    """Let the user read one of the server's tables.

    Returns
    -------
    Table or None
        None where the server offers none, or nothing was read with these choices yet.
    """
    with told(stop=False):
        offered = list_sources()
        if not offered:
            return None
        st.subheader("A table of this server")
        key = st.selectbox(
            "Source",
            list(offered),
            index=None,
            format_func=lambda one: f"{offered[one].title} ({KINDS[offered[one].kind].lower()})",
            placeholder="Choose a source",
            key="source",
        )
        if key is None:
            return None
        query = _query_fields(key, _columns(key))
        return None if query is None else _read(query)
    return None


def reopen(query: SourceQuery) -> Table | None:
    """Offer to read again what a link asks of one of the server's tables.

    Parameters
    ----------
    query : SourceQuery

    Returns
    -------
    Table or None
        None until the button is pressed, or where this server does not offer the source.
    """
    with told(stop=False):
        offered = list_sources()
        if query.source not in offered:
            st.warning(
                f"The table of this link is the source {md(repr(query.source))} of the server that "
                "made it; this server does not offer it.",
                icon=":material/database_off:",
            )
            return None
        st.markdown(
            f"The table is **{md(offered[query.source].title)}**, a table of this server, with the "
            f"columns {md(', '.join(query.columns))}."
        )
        if not st.button("Read it", type="primary", key="reopen source"):
            return None
        return _read_in_sight(query)
    return None


def _columns(key: str) -> Sequence[SourceColumn]:
    """Look a source's columns up once in a session."""
    marker = f"columns of source {key}"
    if marker not in st.session_state:
        with st.spinner("Looking at its columns"):
            st.session_state[marker] = source_columns(key)
    columns: Sequence[SourceColumn] = st.session_state[marker]
    return columns


def _query_fields(key: str, columns: Sequence[SourceColumn]) -> SourceQuery | None:
    kinds = {column.name: column.kind for column in columns}
    how, truncation = st.columns(2)
    aggregate = _choice(how, "Rows of a unit and period become", AGGREGATES, f"how {key}")
    roles = {
        "unit": ("Unit", ("text", "number")),
        "time": ("Time", ("time", "number", "text")),
        "outcome": ("Outcome", ("number", "flag", "text")),
        "treatment": ("Treatment, if the table has it", ("flag", "number", "text", "time")),
    }
    chosen: dict[str, Any] = {}
    for place, (role, (label, wanted)) in zip(st.columns(4), roles.items(), strict=True):
        able = sorted(
            (name for name in kinds if kinds[name] in wanted),
            key=lambda name: wanted.index(kinds[name]),
        )
        free = [name for name in able if name not in chosen.values()]
        guess = able.index(free[0]) if free and role != "treatment" else None
        chosen[role] = place.selectbox(
            label, able, index=guess, placeholder="None", key=f"source {role} {key}"
        )
    dated = kinds.get(chosen["time"] or "") == "time"
    start = list(TRUNCATIONS).index("day" if dated else None)
    by = _choice(truncation, "Periods are", TRUNCATIONS, f"by {key}", start)
    if chosen["unit"] is None or chosen["time"] is None:
        st.info("Choose the columns for unit and time.", icon=":material/arrow_upward:")
        return None
    return SourceQuery(key, **chosen, aggregate=aggregate, truncation=by)


def _choice(place: Any, label: str, words: dict[Any, str], key: str, start: int = 0) -> Any:
    return place.selectbox(
        label, list(words), index=start, format_func=words.__getitem__, key=f"source {key}"
    )


def _read(query: SourceQuery) -> Table | None:
    kept: tuple[SourceQuery, Table] | None = st.session_state.get(KEPT)
    again = kept is not None and kept[0] == query
    label = "Read it again" if again else "Read"
    pressed = st.button(label, type="secondary" if again else "primary", key="read source")
    if pressed:
        table = _read_in_sight(query)
        kept = st.session_state[KEPT] = (query, table)
    if kept is None or kept[0] != query:
        return None
    cache.keep_table(kept[1])
    st.caption(
        f"{len(kept[1].text):,} rows were read; the SHA-256 of question and answer starts with "
        f"{md(kept[1].digest[:12])}. The same choices give it again as long as the source does not "
        "change."
    )
    return kept[1]


def _read_in_sight(query: SourceQuery) -> Table:
    """Read with a picture of the progress; any click begins the page anew and ends the reading."""
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Reading the source")
        st.button("Cancel", icon=":material/close:", key="cancel source")
    try:
        return read_source(query, _pictured(bar))
    finally:
        place.empty()


def _pictured(bar: Any) -> Callable[[float], None]:
    begun = shown = time.monotonic()

    def progress(share: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < REFRESH:
            return
        shown, passed = now, now - begun
        left = f", about {passed / share * (1 - share):.0f} s left" if share > 0.02 else ""
        done = f"{share:.0%} of the source read" if share > 0 else "Reading the source"
        bar.progress(min(share, 1.0), f"{done} after {passed:.0f} s{left}")

    return progress
