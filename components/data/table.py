"""A table as text: what every kind of file is read into before anything is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import Bools, Ints, frozen
from components.data.ledger import MAX_PLACES, Entry, shown
from components.data.reading import AS_FOUND, Reading
from components.errors import DataError

MAX_BYTES = 50 * 2**20
MAX_CELLS = 10_000_000
MAX_COLUMNS = 2_000
MAX_PANEL_CELLS = 5_000_000
CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f"

FileKind = Literal["csv", "parquet", "xlsx", "xls", "dta", "frame"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table in which every cell is still the text of the file.

    Attributes
    ----------
    name : str
        What the file was called; for display only.
    digest : str
        SHA-256 of the file's bytes, in hexadecimal.
    columns : tuple of str
        Names of the columns, all different.
    text : pandas.DataFrame
        Cells as ``str``; missing where empty. Names such as "NA", "001" and "1e5" are as written.
    first_row : int
        Line (of a CSV) or row (of a sheet) in the file that holds the first row of data.
    kind : {"csv", "parquet", "xlsx", "xls", "dta", "frame"}
        What the content turned out to be.
    entries : tuple of Entry
        What was noticed while reading.
    lines : Ints, shape (n,), optional
        Line of each row where they do not simply count up from ``first_row``.
    reading : Reading
        How the file was taken apart.
    sheets : tuple of str
        Names of the sheets of a workbook that may be read.
    sources : tuple of str
        Where rows were columns in the file: the names of those columns, row after row in turn.
    """

    name: str
    digest: str
    columns: tuple[str, ...]
    text: pd.DataFrame
    first_row: int
    kind: FileKind
    entries: tuple[Entry, ...] = ()
    lines: Ints | None = None
    reading: Reading = AS_FOUND
    sheets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while reading, in sentences."""
        return tuple(entry.sentence for entry in self.entries)

    def place(self, row: int) -> str:
        """Name a row of ``text`` (from 0) by where it stands in the file: "line 12", "row 12"."""
        number = self.first_row + row if self.lines is None else int(self.lines[row])
        under = f" under {shown(self.sources[row % len(self.sources)])}" if self.sources else ""
        return f"{'line' if self.kind == 'csv' else 'row'} {number}{under}"

    def places(self, mask: Bools) -> tuple[str, ...]:
        """Name the first rows where a mask is true."""
        return tuple(self.place(int(row)) for row in np.flatnonzero(mask)[:MAX_PLACES])

    def column(self, name: str) -> pd.Series[str]:
        """Return one column as text.

        Raises
        ------
        DataError
            If there is no such column.
        """
        if name not in self.columns:
            raise DataError(
                f"There is no column {shown(name)} in {shown(self.name)}.",
                hint=f"Its columns are: {', '.join(self.columns[:20])}.",
            )
        return self.text[name]


def keep_rows(table: Table, keep: Bools, entries: Sequence[Entry] = ()) -> Table:
    """Leave rows out of a table; each keeps its line."""
    numbers = table.lines
    if numbers is None:
        numbers = np.arange(table.first_row, table.first_row + len(table.text), dtype=np.int64)
    return replace(
        table,
        text=table.text.loc[keep].reset_index(drop=True),
        lines=frozen(numbers[keep]),
        entries=(*table.entries, *entries),
    )


def as_text(column: pa.ChunkedArray) -> pd.Series[str]:
    """Turn an Arrow column of text into a pandas one without copying."""
    return pd.Series(column.cast(pa.large_string()), dtype="str")


def as_arrow(text: pd.Series[str]) -> Any:
    """Turn a pandas column of text into an Arrow array without copying."""
    return pa.array(text.array, type=pa.large_string(), from_pandas=True)


def blanks_to_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make cells null that are empty or hold only spaces."""
    column = column.cast(pa.large_string())
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(column)), 0)
    if not pc.any(blank).as_py():
        return column
    return pc.if_else(blank, pa.scalar(None, pa.large_string()), column)


def check_size(n_rows: int, n_columns: int) -> None:
    """Refuse more columns or cells than can be handled, before they are read.

    Raises
    ------
    DataError
    """
    if n_columns > MAX_COLUMNS:
        raise DataError(
            f"The table has {n_columns:,} columns; at most {MAX_COLUMNS:,} can be read.",
            hint="Keep the unit, the period, the outcome, the treatment and a few covariates.",
        )
    if n_rows * n_columns > MAX_CELLS:
        raise DataError(
            f"The table has more than {MAX_CELLS:,} cells.",
            hint="Keep only the columns that you need, or sum up to longer periods.",
        )


def refuse_control(column: pa.ChunkedArray, name: str, first_row: int, word: str) -> None:
    """Refuse cells with control characters, which are no part of any text.

    Raises
    ------
    DataError
        Naming the first such cell.
    """
    found = pc.match_substring_regex(column, f"[{CONTROL}]")
    if pc.any(found).as_py():
        row = int(np.flatnonzero(found.fill_null(False).to_numpy())[0])
        raise_control(f"The cell in column {shown(name)}, {word} {first_row + row},")


def raise_control(place: str) -> NoReturn:
    """Say that a place holds a control character."""
    raise DataError(
        f"{place} holds a control character, which is no text.",
        hint="Save the table again from the program that made it, as CSV in UTF-8.",
    )
