"""Which column is what: the fields of the data page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.data import (
    MEANINGS,
    Roles,
    Table,
    classify_covariates,
    guess_roles,
    recognise_shape,
    unfold,
)
from components.data.roles import Shape
from components.ui.found import name_of, once
from components.ui.text import md

SHAPES: dict[Shape | None, str] = {
    None: "one row per unit and period",
    "periods in columns": "one row per unit, one column per period",
    "units in columns": "one row per period, one column per unit",
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
            "year first": "2 February 2001 where it is 01/02/02 (year first)",
        },
    ),
}


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
