"""Build a table of text: check the names of the columns, leave out what is wholly empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import Bools, Ints, frozen
from components.data.ledger import Entry, counted, shown
from components.data.reading import AS_FOUND, Reading
from components.data.table import FileKind, Table, as_text, blanks_to_null
from components.errors import DataError


def assemble(
    header: Sequence[str],
    cells: Sequence[pa.ChunkedArray],
    *,
    name: str,
    digest: str,
    kind: FileKind,
    first_row: int,
    lines: Ints | None = None,
    entries: Sequence[Entry] = (),
    reading: Reading | None = None,
    sheets: tuple[str, ...] = (),
) -> Table:
    """Check the names of the columns, leave out what is wholly empty, and build the table.

    Parameters
    ----------
    header : sequence of str
        Names as they stand in the file; blank where there is none.
    cells : sequence of pyarrow.ChunkedArray
        One column of text each; null or blank where empty.
    name, digest, kind, first_row, lines, entries, reading, sheets
        See `Table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Where names repeat, nothing is left, or the table is too large.
    """
    notes = list(entries)
    columns = [blanks_to_null(column) for column in cells]
    names, kept = _names([*header], columns, notes)
    columns = [columns[position] for position in kept]
    empty = np.ones(len(columns[0]) if columns else 0, dtype=np.bool_)
    for column in columns:
        empty &= column.is_null().to_numpy()
    if empty.all():
        refuse_no_rows()
    frame = pd.DataFrame(dict(enumerate(map(as_text, columns))))
    frame.columns = pd.Index(names)
    table = Table(
        name,
        digest,
        tuple(names),
        frame,
        first_row,
        kind,
        lines=lines,
        reading=reading or AS_FOUND,
        sheets=sheets,
    )
    again = _names_again(names, columns)
    for gone, what in (
        (empty, "without any value left out"),
        (again, "that repeats the names of the columns left out"),
    ):
        if gone.any():
            count = int(gone.sum())
            sentence = f"{counted(count, 'row')} {what}."
            notes.append(Entry("dropped", sentence, count, table.places(gone)))
    gone = empty | again
    if gone.all():
        refuse_no_rows()
    if gone.any():
        numbers = np.arange(first_row, first_row + len(gone)) if lines is None else lines
        frame = frame.loc[~gone].reset_index(drop=True)
        lines = frozen(numbers[~gone].astype(np.int64))
        first_row = int(lines[0])
    return replace(table, text=frame, first_row=first_row, entries=tuple(notes), lines=lines)


def refuse_no_rows() -> NoReturn:
    """Say that there are names of columns and nothing else."""
    raise DataError(
        "There are names of columns, but no rows below them.",
        hint="Add one row per unit and period.",
    )


def _names_again(names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> Bools:
    """Find rows that repeat all names, as where several files were put one below the other."""
    again = np.ones(len(columns[0]), dtype=np.bool_)
    for name, column in zip(names, columns, strict=True):
        rows = np.flatnonzero(again)
        cells = column if again.all() else column.take(pa.array(rows))
        same = pc.equal(pc.utf8_trim_whitespace(cells), name).fill_null(False)
        again[rows] = same.to_numpy()
        if not again.any():
            break
    return again


def _names(
    header: list[str], columns: list[pa.ChunkedArray], notes: list[Entry]
) -> tuple[list[str], list[int]]:
    stripped = [name.strip() for name in header]
    if stripped != header:
        notes.append(
            Entry("converted", "Spaces around the names of columns were taken off.", len(header))
        )
    kept = [i for i, name in enumerate(stripped) if name or columns[i].null_count < len(columns[i])]
    if len(kept) < len(stripped):
        gone = len(stripped) - len(kept)
        sentence = f"{counted(gone, 'column')} with neither a name nor a value left out."
        notes.append(Entry("dropped", sentence, gone))
    for position in kept:
        if not stripped[position]:
            stripped[position] = f"column {position + 1}"
            notes.append(
                Entry(
                    "read",
                    f"Column {position + 1} has no name; it is called {stripped[position]!r} here.",
                    1,
                )
            )
    names = [stripped[position] for position in kept]
    seen: dict[str, int] = {}
    for position, name in zip(kept, names, strict=True):
        if name in seen:
            raise DataError(
                f"Columns {seen[name] + 1} and {position + 1} have the same name, {shown(name)}.",
                hint="Give each column a name of its own.",
            )
        seen[name] = position
    return names, kept
