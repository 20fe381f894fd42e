"""The column that holds each unit's first treated period, as a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Bools, Ints
from components.data.dateorder import DateOrder, Place
from components.data.ledger import Entry, counted, shown
from components.data.table import Table
from components.data.timeparse import read_periods
from components.errors import DataError

NEVER = frozenset(
    {"", "0", "0.0", "00", "0000", "na", "n/a", "n.a.", "#n/a", "nan", "nat", "none", "null"}
    | {".", "..", "-", "--", "\u2013", "\u2014", "x", "*", "never", "control", "false"}
    | {"inf", "+inf", "-inf", "infinity", "+infinity", "\u221e", "1e9", "1e10", "2147483647"}
    | {"99", "999", "9999", "99999", "999999", "9999999", "10000"}
    | {"-1", "-9", "-99", "-999", "-9999", "-99999", "-1000"}
    | {"never treated", "never-treated", "never_treated", "not treated", "untreated"}
    | {"not yet", "not yet treated", "not-yet-treated", "nie", "jamais", "nunca", "mai", "nooit"}
)


def read_starts(
    table: Table,
    column: str,
    *,
    time: str,
    units: Ints,
    periods: pd.Index[Any],
    date_order: DateOrder | None = None,
) -> tuple[Bools, tuple[Entry, ...]]:
    """Convert a column that holds each unit's first treated period.

    Parameters
    ----------
    table : Table
        Where the columns are.
    column, time : str
        The column of first treated periods, and the column of periods, which is written alike.
    units : Ints, shape (n,)
        Row of the panel that each row of the table belongs to.
    periods : pandas.Index, length T
        The periods of the panel.
    date_order : {"day first", "month first"}, optional
        As for `read_periods`.

    Returns
    -------
    W : Bools, shape (N, T)
        True from the first treated period to the end.
    entries : tuple of Entry
        How many units start, and how many never do.

    Raises
    ------
    DataError
        Where a unit has two starts, or a start is no period of the same kind.
    """
    text = table.column(column).fillna("")
    codes, found = pd.factorize(text)
    words = [str(word) for word in found]
    _refuse_two_starts(table, column, units, codes, words)
    never = np.array([word.strip().lower() in NEVER for word in words])
    if pd.api.types.is_integer_dtype(periods.dtype):
        for word in words:
            number = word.strip().removesuffix(".0")
            coded = word.strip().lower() in NEVER and number.removeprefix("-").isdecimal()
            if coded and periods[0] <= int(number) <= periods[-1]:
                raise DataError(
                    f"{number} in column {shown(column)} may be the period {number} or mean never "
                    "treated.",
                    hint="Write 'never' for units that are never treated, or leave the cell empty.",
                )
    starts: pd.Series[Any] = pd.Series([None] * len(words), dtype=object)
    if not never.all():
        rows = [int(np.flatnonzero(codes == code)[0]) for code in np.flatnonzero(~never)]
        times = table.column(time).drop_duplicates()
        both = pd.concat([times, text.iloc[rows]], ignore_index=True)
        at = [*times.index, *rows]
        place = Place(column, lambda position: table.place(int(at[position])))
        read = read_periods(both, place=place, date_order=date_order)[0][len(times) :]
        if read.dtype != periods.dtype:
            raise DataError(
                f"Columns {shown(column)} and {shown(time)} hold different kinds of periods.",
                hint="Write the first treated periods as the periods are written.",
            )
        starts[~never] = list(read)
    of_unit = np.zeros(int(units.max()) + 1, dtype=np.int64)
    of_unit[units] = codes
    W = np.zeros((len(of_unit), len(periods)), dtype=np.bool_)
    for code in np.flatnonzero(~never):
        W[of_unit == code] = np.asarray(periods >= starts[code])
    n_never = int(never[of_unit].sum())
    codes_of_never = sorted({words[code] for code in np.flatnonzero(never)} - {""})
    written = f" ({', '.join(map(shown, codes_of_never[:5]))})" if codes_of_never else ""
    late = int((~never[of_unit] & ~W.any(axis=1)).sum())
    after = (
        f" {counted(late, 'start')} after the last period: untreated throughout." if late else ""
    )
    before = [code for code in np.flatnonzero(~never) if starts[code] < periods[0]]
    if before:
        early = int(np.isin(of_unit, before).sum())
        after += (
            f" {counted(early, 'start')} before the first period ({shown(words[before[0]])}): "
            "treated throughout."
        )
    sentence = (
        f"First treated periods in {shown(column)}: {counted(len(W) - n_never, 'unit')} with a "
        f"start, {n_never:,} never treated{written}.{after}"
    )
    return W, (Entry("converted", sentence, len(W), doubtful=bool(before)),)


def _refuse_two_starts(
    table: Table, column: str, units: Ints, codes: Ints, words: list[str]
) -> None:
    first = np.zeros(int(units.max()) + 1, dtype=np.int64)
    first[units[::-1]] = np.arange(len(units))[::-1]
    wrong = np.flatnonzero(codes != codes[first[units]])
    if len(wrong):
        row = int(wrong[0])
        other = int(first[units[row]])
        raise DataError(
            f"Column {shown(column)} gives one unit two first treated periods: "
            f"{shown(words[codes[other]])} on {table.place(other)} and "
            f"{shown(words[codes[row]])} on {table.place(row)}.",
            hint="Write the same first treated period in all rows of a unit.",
        )
