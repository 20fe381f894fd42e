"""Which column is what: the fields of the data page, and what was found in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.charts.cells import cell_map, shown_rows
from components.data import (
    MEANINGS,
    Check,
    Ledger,
    Roles,
    Survey,
    Table,
    classify_covariates,
    guess_roles,
    open_question,
    recognise_shape,
    survey,
    to_panel,
    unfold,
)
from components.data.roles import Gaps, Shape
from components.panel import Panel
from components.ui import cache
from components.ui.frame import theme
from components.ui.text import md

PREVIEW_ROWS = 20
SHAPES: dict[Shape | None, str] = {
    None: "one row per unit and period",
    "periods in columns": "one row per unit, one column per period",
    "units in columns": "one row per period, one column per unit",
}
GAPS: dict[Gaps | None, str] = {
    None: "Keep them, for methods that allow gaps",
    "drop_units": "Leave out units with a gap",
    "drop_periods": "Leave out periods with a gap",
    "interpolate": "Interpolate between known outcomes",
}
BADGES: dict[str, Literal["green", "orange", "red"]] = {
    "good": "green",
    "caution": "orange",
    "bad": "red",
}
FIELDS = {
    "unit": ("Unit", "Who: the column with the states, shops or cities."),
    "time": ("Time", "When: years, quarters, months or dates."),
    "outcome": ("Outcome", "The number that may have changed."),
    "treatment": (
        "Treatment",
        "Who is treated when: 0/1, yes/no, words, or each unit's first treated period. Leave empty "
        "to choose by hand.",
    ),
}
READINGS: dict[str, tuple[str, dict[Any, str]]] = {
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


def once(key: str, make: Callable[[], Any]) -> Any:
    """Give what was made before in this session, or make it."""
    store: cache.Store = st.session_state.setdefault("data page", cache.Store(10))
    value = store.get(key)
    if value is None:
        value = make()
        store.put(key, value)
    return value


def panel_once(table: Table, roles: Roles) -> tuple[Panel, Ledger]:
    """Build the panel of a table, or give the one that was built a moment ago."""
    pair: tuple[Panel, Ledger] = once(
        f"panel {name_of(table)} {roles!r}", lambda: to_panel(table, roles)
    )
    return pair


def survey_once(table: Table, roles: Roles) -> Survey | None:
    """Look at every cell; None where a question is still open."""
    found: list[Survey] = []
    key = f"survey {name_of(table)} {roles!r}"
    open_question(lambda: found.append(once(key, lambda: survey(table, roles))))
    return found[0] if found else None


def name_of(table: Table) -> str:
    """Name a table for keys."""
    return f"{table.digest[:16]} {hash(table.reading):x}"


def notes_list(table: Table) -> None:
    """Say what was noticed while the file was read."""
    if table.notes:
        st.info("  \n".join(md(note) for note in table.notes), icon=":material/info:")


def shape_field(
    table: Table, start: Roles | None, corrections: DeltaGenerator
) -> tuple[Roles, Table]:
    """Say how the table is laid out where it is wide, and let the user correct it.

    Parameters
    ----------
    table : Table
    start : Roles, optional
        What the fields show first; None guesses.
    corrections : DeltaGenerator
        Where fields stand that are seldom needed.

    Returns
    -------
    first : Roles
        Guesses for the columns.
    long : Table
        With one row per unit and period.
    """
    name = name_of(table)
    guess = once(f"shape {name}", lambda: (recognise_shape(table),))[0]
    first = guess if start is None else start.shape
    options: list[Shape | None] = [*SHAPES]
    shape: Shape | None = corrections.selectbox(
        "The table has",
        options,
        index=options.index(first),
        format_func=SHAPES.__getitem__,
        key=f"shape {name}",
    )
    long = table
    if shape is not None:
        long = once(f"long {name} {shape}", lambda: unfold(table, shape))
        sentence = long.entries[len(table.entries)].sentence
        st.info(f"{md(sentence)} Not so? Change it below.", icon=":material/view_quilt:")
    guessed = start
    if guessed is None or guessed.shape != shape:
        guessed = once(f"roles {name} {shape}", lambda: guess_roles(long))
    return replace(guessed, shape=shape, reading=table.reading), long


def role_fields(
    table: Table, long: Table, first: Roles, corrections: DeltaGenerator
) -> Roles | None:
    """Let the user say which column is what; guesses stand first.

    Parameters
    ----------
    table : Table
        As it is in the file.
    long : Table
        With one row per unit and period.
    first : Roles
    corrections : DeltaGenerator
        Where fields stand that are seldom needed.

    Returns
    -------
    Roles or None
        None while a needed column is not chosen.
    """
    columns = list(long.columns)
    mark = f"{name_of(table)} {first.shape or ''}"
    chosen: dict[str, Any] = {}
    for place, (role, (label, text)) in zip(st.columns(4), FIELDS.items(), strict=True):
        guess = getattr(first, role)
        chosen[role] = place.selectbox(
            label,
            columns,
            index=columns.index(guess) if guess in columns else None,
            help=text,
            key=f"role {role} {mark}",
            placeholder="Choose by hand later" if role == "treatment" else "Choose a column",
        )
    needed = [FIELDS[role][0].lower() for role in ("unit", "time", "outcome") if not chosen[role]]
    if needed:
        st.info(f"Choose the column for: {', '.join(needed)}.", icon=":material/arrow_upward:")
        return None
    roles = replace(first, **chosen, other=())
    with corrections:
        roles = replace(roles, **_reading_fields(columns, roles, mark))
    if roles.treatment is None:
        roles = replace(roles, post=None)
    return replace(roles, covariates=_covariates(long, roles, mark))


def _reading_fields(columns: list[str], first: Roles, mark: str) -> dict[str, Any]:
    """Ask what the columns do not tell by themselves; seldom needed."""
    chosen: dict[str, Any] = {}
    places = st.columns(4)
    for place, (name, (label, words)) in zip(places, READINGS.items(), strict=False):
        options = list(words)
        chosen[name] = place.selectbox(
            label,
            options,
            index=options.index(getattr(first, name)),
            format_func=words.__getitem__,
            key=f"reading {name} {mark}",
        )
    chosen["post"] = places[3].selectbox(
        "Treated only where also",
        columns,
        index=columns.index(first.post) if first.post in columns else None,
        placeholder="no second column",
        help="For a column of the treated group and another of the periods after: a cell is "
        "treated where both say so.",
        key=f"reading post {mark}",
    )
    return chosen


def _covariates(long: Table, roles: Roles, mark: str) -> tuple[str, ...]:
    four = (roles.unit, roles.time, roles.outcome, roles.treatment, roles.post)
    kinds = once(f"covariates {mark} {four!r}", lambda: classify_covariates(long, roles))
    if not kinds:
        return ()
    chosen: list[str] = st.multiselect(
        "Covariates (optional)",
        list(kinds),
        default=[name for name in roles.covariates if name in kinds],
        format_func=lambda name: f"{name} ({MEANINGS[kinds[name]]})",
        placeholder="None",
        help="Other columns of numbers, for methods that match or adjust on them.",
        key=f"covariates {mark} {four!r}",
    )
    return tuple(chosen)


def gaps_field(roles: Roles, mark: str) -> Roles:
    """Choose what becomes of cells without an outcome; nothing is done unless it is chosen."""
    options: list[Gaps | None] = [*GAPS]
    chosen = st.radio(
        "Cells without an outcome",
        options,
        index=options.index(roles.gaps),
        format_func=GAPS.__getitem__,
        horizontal=True,
        key=f"gaps {mark}",
        help="Interpolation draws a straight line in time between the outcomes before and after a "
        "gap, and never across the start of treatment.",
    )
    return replace(roles, gaps=chosen)


def checks_list(checks: tuple[Check, ...]) -> None:
    """Show what was looked at, the worst first."""
    for check in checks:
        with st.container(horizontal=True, wrap=False):
            st.badge(check.verdict, color=BADGES[check.verdict])
            cure = f" *{md(check.cure)}*" if check.cure else ""
            st.markdown(md(check.sentence) + cure, width="stretch")


def map_of_cells(found: Survey) -> None:
    """Draw every cell of the table; odd ones name their lines when pointed at."""
    panel: Panel = found.panel
    st.plotly_chart(
        cell_map(panel, found.counts, found.odd, theme()),
        theme=None,
        key="map of cells",
        config={"displayModeBar": False},
        alt="Units by periods: treated, untreated, missing and repeated cells",
    )
    shown = len(shown_rows(panel, found.counts))
    some = f"{shown} of {panel.shape[0]} units. " if shown < panel.shape[0] else ""
    if found.odd:
        st.caption(f"{some}Point at a cell to see its lines in the file.")
        with st.expander(f"List of missing and repeated cells ({len(found.odd):,})"):
            rows = [
                (*panel.cell_name(*cell).rsplit(", ", 1), text)
                for cell, text in list(found.odd.items())[:500]
            ]
            st.dataframe(
                pd.DataFrame(rows, columns=["Unit", "Period", "What"]), hide_index=True, height=240
            )
    elif some:
        st.caption(some)


def preview(table: Table) -> None:
    """Show the first rows as they were read: as text, before anything is converted."""
    rows = table.text.head(PREVIEW_ROWS)
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=280)
    st.caption(f"The first {len(rows)} of {len(table.text):,} rows, as they stand in the file.")


def ledger_list(ledger: Ledger) -> None:
    """List all that was read, converted, filled in, left out or found missing."""
    for entry in ledger:
        places = f" ({md(', '.join(entry.places[:3]))})" if entry.places else ""
        st.markdown(f"- {md(entry.sentence)}{places}")
