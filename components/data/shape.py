"""Tables with periods or units in their columns: recognised, and turned into one row per cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import frozen
from components.data.guess import NOTHING, TIME, TIME_START, counts_rows
from components.data.ledger import Entry, counted, shown
from components.data.numbers import says_missing
from components.data.roles import Shape
from components.data.sketch import Column, is_total
from components.data.stubs import LIKE_YEAR, VALUE, Stub, are_dated, fill_most, find_stubs
from components.data.table import MAX_PANEL_CELLS, Table, as_arrow, as_text, keep_rows
from components.data.treatment_guess import TREATED
from components.errors import DataError

SAMPLE_ROWS = 2_000
MOST_HEADINGS = 0.5
PERIOD_COLUMN, UNIT_COLUMN = "period", "unit"
COUNTER = re.compile(r"(column|unnamed)_?[0-9]+|index|row_?(names?|id|number)?|no|nr|n|id|x")
POST = re.compile(r"post|after")


def recognise_shape(table: Table) -> Shape | None:
    """Tell how a table is laid out.

    Parameters
    ----------
    table : Table
        Only the first ``SAMPLE_ROWS`` rows are looked at.

    Returns
    -------
    {"periods in columns", "units in columns"} or None
        The first where columns are named after periods and each row is a unit of its own, the
        second where each row is a period of its own and all else are numbers; None for one row per
        unit and period, or where it is not clear.
    """
    head = table.text.head(SAMPLE_ROWS)
    stubs = find_stubs(table.columns)
    if stubs:
        spread = {name for stub in stubs for name in stub.columns}
        kept = [Column(name, head[name]) for name in table.columns if name not in spread]
        words = [column for column in kept if not column.is_number]
        first = next(iter(words or kept), None)
        some = any(Column(name, head[name]).is_number for name in spread)
        numbered = _time_of_rows(kept) is not None and not any(map(are_dated, stubs))
        alone = first is not None and _is_unique(first)
        if first is not None and some and not numbered and (alone or fill_most(stubs, kept)):
            return "periods in columns"
    columns = [Column(name, head[name]) for name in table.columns]
    time = _time_of_rows(columns)
    if time is None:
        return None
    others = [column for column in columns if column is not time]
    units = [column for column in others if _is_series(column)]
    if len(units) >= 2 and all(column.is_number or not column.words for column in others):
        return "units in columns"
    return None


def unfold(table: Table, shape: Shape) -> Table:
    """Turn a wide table into one with a row per unit and period.

    Parameters
    ----------
    table : Table
    shape : {"periods in columns", "units in columns"}

    Returns
    -------
    Table
        Columns that are neither a period nor a unit are repeated. Each row keeps the line that it
        stood on, and the column.

    Raises
    ------
    DataError
        Where the table has no such shape.
    """
    if shape == "periods in columns":
        return _periods_to_rows(table)
    return _units_to_rows(table)


def _periods_to_rows(table: Table) -> Table:
    stubs = find_stubs(table.columns)
    if not stubs:
        raise DataError(
            f"No two columns of {shown(table.name)} are named after periods.",
            hint="Name them 1970, 1971 or gdp_1970, gdp_1971, or choose another shape.",
        )
    periods = list(dict.fromkeys(period for stub in stubs for period in stub.periods))
    spread = {name for stub in stubs for name in stub.columns}
    kept = [name for name in table.columns if name not in spread]
    _refuse_left_over(stubs, kept)
    table = _without_headings(table, [name for name in table.columns if name in spread])
    blocks = {}
    for stub in stubs:
        at = dict(zip(stub.periods, stub.columns, strict=True))
        blocks[stub.name] = [at.get(period) for period in periods]
    entry = Entry(
        "read",
        f"One row per unit and one column per period: {counted(len(table.text), 'row')} and "
        f"{counted(len(spread), 'column')} turned into one row per unit and period.",
        len(spread),
    )
    return _long(table, kept, (PERIOD_COLUMN, periods), blocks, entry)


def _without_headings(table: Table, spread: Sequence[str]) -> Table:
    """Leave out rows that hold no number in any period, such as the headings of groups."""
    blank = np.ones(len(table.text), dtype=np.bool_)
    for name in spread:
        text = pc.utf8_lower(pc.utf8_trim_whitespace(as_arrow(table.text[name])))
        blank &= text.is_null().to_numpy(zero_copy_only=False) | says_missing(text)
    if not blank.any() or blank.mean() > MOST_HEADINGS:
        return table
    row = table.text.iloc[int(np.flatnonzero(blank)[0])].dropna()
    first = f", such as {shown(row.iloc[0])}" if len(row) else ""
    what = f"{counted(int(blank.sum()), 'row')} without a number in any period left out{first}."
    entry = Entry("dropped", what, int(blank.sum()), table.places(blank))
    return keep_rows(table, ~blank, [entry])


def _refuse_left_over(stubs: Sequence[Stub], kept: Sequence[str]) -> None:
    """Refuse a column such as 2017* beside 2015 and 2016: its period would be lost."""
    for stub in stubs:
        start = "" if stub.name == VALUE else re.escape(stub.name)
        marked = re.compile(rf"{start}[-_ .:]*{LIKE_YEAR}\W*[a-z]{{0,2}}\W*", re.IGNORECASE)
        for name in kept:
            if marked.fullmatch(name):
                raise DataError(
                    f"Column {shown(name)} seems to be a period too, but is not written like "
                    f"{shown(stub.columns[0])}.",
                    hint="Name all columns of periods alike, such as 2018, 2019, 2020.",
                )


def _units_to_rows(table: Table) -> Table:
    columns = [Column(name, table.text[name]) for name in table.columns]
    time = _time_of_rows(columns)
    if time is None:
        raise DataError(
            f"No column of {shown(table.name)} holds a period of its own in each row.",
            hint="Choose another shape, or write one row per period.",
        )
    units = [c.name for c in columns if c is not time and _is_series(c)]
    if len(units) < 2:
        raise DataError(
            f"Fewer than two columns of {shown(table.name)} hold the numbers of a unit.",
            hint="Choose another shape.",
        )
    totals = [c.name for c in columns if is_total(c.name)]
    kept = [name for name in table.columns if name not in units and name not in totals]
    entry = Entry(
        "read",
        f"One row per period and one column per unit: {counted(len(table.text), 'row')} and "
        f"{counted(len(units), 'column')} turned into one row per unit and period.",
        len(units),
    )
    long = _long(table, kept, (UNIT_COLUMN, units), {VALUE: [*units]}, entry)
    told = ", ".join(map(shown, [name for name in kept if name != time.name][:5]))
    if told:
        entry = Entry("read", f"Not taken for units: {told}.", len(kept) - 1)
        long = replace(long, entries=(*long.entries, entry))
    if not totals:
        return long
    sentence = f"{counted(len(totals), 'column')} of totals left out: {shown(totals[0])}."
    dropped = Entry("dropped", sentence, len(totals), tuple(map(shown, totals)))
    return replace(long, entries=(*long.entries, dropped))


def _long(
    table: Table,
    kept: Sequence[str],
    new: tuple[str, Sequence[str]],
    blocks: dict[str, list[str | None]],
    entry: Entry,
) -> Table:
    n, width = len(table.text), len(new[1])
    if n * width > MAX_PANEL_CELLS:
        raise DataError(
            f"{n:,} rows times {width:,} columns make more than {MAX_PANEL_CELLS:,} cells.",
            hint="Keep only the units and periods that you need.",
        )
    # Row after row, and in each row column after column.
    turned = np.arange(n * width).reshape(width, n).T.ravel()
    text: dict[str, pd.Series[str]] = {}
    for name in kept:
        text[name] = table.text[name].repeat(width).reset_index(drop=True)
    label = _free(new[0], {*kept, *blocks})
    text[label] = pd.Series(np.tile(np.array(new[1], dtype=object), n), dtype="str")
    nothing = pa.nulls(n, pa.large_string())
    for name, sources in blocks.items():
        parts = [nothing if s is None else _flat(table.text[s]) for s in sources]
        text[_free(name, set(text))] = as_text(
            pa.chunked_array([pa.concat_arrays(parts).take(pa.array(turned))])
        )
    lines = table.lines
    if lines is None:
        lines = np.arange(table.first_row, table.first_row + n, dtype=np.int64)
    return replace(
        table,
        columns=tuple(text),
        text=pd.DataFrame(text),
        lines=frozen(np.repeat(lines, width)),
        sources=tuple(new[1]),
        entries=(*table.entries, entry),
    )


def _flat(text: pd.Series[str]) -> pa.Array:
    array = as_arrow(text)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def _is_unique(column: Column) -> bool:
    known = column.codes >= 0
    return bool(known.any()) and len(column.words) == int(known.sum())


def _time_of_rows(columns: Sequence[Column]) -> Column | None:
    """Find the column that holds another period in each row."""
    able = [
        column
        for column in columns
        if column.periods is not None
        and _is_unique(column)
        and (column.is_dated or column.named(TIME, TIME_START) >= 2)
    ]
    named = [column for column in able if column.named(TIME, TIME_START)]
    return next(iter(named or able), None)


def _is_series(column: Column) -> bool:
    """Whether a column may hold the outcomes of one unit."""
    timed = column.named(TIME, NOTHING) >= 3 and column.periods is not None
    if is_total(column.name) or (timed and (column.is_dated or len(column.key) > 1)):
        return False
    if COUNTER.fullmatch(column.key) and counts_rows(column):
        return False
    flagged = column.key in TREATED or POST.fullmatch(column.key) is not None
    return column.is_number and not (flagged and column.is_flag)
