"""Where each row of a table stands in the panel, and what becomes of rows that repeat a cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats, Ints
from components.data.dateorder import Place
from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.numbers import is_number
from components.data.questions import Option, QuestionError
from components.data.roles import Duplicates, Roles
from components.data.table import MAX_PANEL_CELLS, Table
from components.data.timeparse import read_periods
from components.data.unitnames import order_of, without_quotes, without_spaces
from components.errors import DataError
from components.panel import period_label, unit_label

MOST_KINDS = 1_000  # values of a column that may tell repeated rows apart
ANSWERS: tuple[Option, ...] = (
    Option("first", "Keep the first row of each"),
    Option("mean", "Take their mean"),
    Option("sum", "Add them up"),
)


@dataclass(frozen=True)
class Grid:
    """The rows of a table as cells of a panel.

    Attributes
    ----------
    units, periods : pandas.Index, length N and T
        In the order of the panel.
    rows, columns : Ints, shape (n,)
        Where each row of the table stands.
    repeats : {"first", "mean", "sum"}, optional
        What becomes of rows that repeat a cell.
    """

    units: pd.Index[Any]
    periods: pd.Index[Any]
    rows: Ints
    columns: Ints
    repeats: Duplicates | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of units and of periods."""
        return len(self.units), len(self.periods)

    @cached_property
    def key(self) -> Ints:
        """Number of each row's cell."""
        return self.rows * self.shape[1] + self.columns

    @cached_property
    def again(self) -> Bools:
        """True for rows whose cell an earlier row has given."""
        return pd.Series(self.key).duplicated().to_numpy(dtype=np.bool_)

    @cached_property
    def counts(self) -> Ints:
        """Rows of each cell, shape (N, T)."""
        n, t = self.shape
        return np.bincount(self.key, minlength=n * t).reshape(n, t).astype(np.int64)

    def floats(self, values: Floats, *, covariate: bool = False) -> Floats:
        """Put values into their cells; NaN where there is no row.

        Rows that repeat a cell are merged: their mean leaves unknown values out, their sum is
        unknown where one of them is. Covariates are averaged where outcomes are added up.
        """
        matrix = np.full(self.shape, np.nan)
        first = ~self.again
        matrix[self.rows[first], self.columns[first]] = values[first]
        if self.repeats in ("mean", "sum") and self.again.any():
            averaged = self.repeats == "mean" or covariate
            several = self.counts.ravel()[self.key] > 1
            # Sorted, so that the order of the rows changes not even the last digit.
            order = np.lexsort((values[several], self.key[several]))
            keys, starts = np.unique(self.key[several][order], return_index=True)
            groups = np.split(values[several][order], starts[1:])
            for key, merged in zip(keys.tolist(), groups, strict=True):
                known = merged[~np.isnan(merged)]
                if averaged:
                    value = known.mean() if len(known) else np.nan
                else:
                    value = known.sum() if len(known) == len(merged) else np.nan
                matrix[divmod(key, self.shape[1])] = value
        return matrix

    def bools(self, values: Bools | bool) -> Bools:
        """Put flags into their cells, the first row's where several give one."""
        matrix = np.zeros(self.shape, dtype=np.bool_)
        first = ~self.again
        flags = values[first] if isinstance(values, np.ndarray) else values
        matrix[self.rows[first], self.columns[first]] = flags
        return matrix

    def cell(self, row: int, column: int) -> str:
        """Name a cell: "Texas, 1994"."""
        return f"{unit_label(self.units[row])}, {period_label(self.periods[column])}"

    def cells(self, mask: Bools) -> tuple[str, ...]:
        """Name the first cells where a mask is true."""
        flat = np.flatnonzero(mask.ravel())[:MAX_PLACES]
        return tuple(self.cell(*divmod(int(place), self.shape[1])) for place in flat)


def build_grid(table: Table, roles: Roles) -> tuple[Grid, list[Entry]]:
    """Find units, periods and each row's cell.

    Parameters
    ----------
    table : Table
        One row per unit and period, in any order.
    roles : Roles
        With the columns of unit and time.

    Returns
    -------
    grid : Grid
    entries : list of Entry
        How periods were read.

    Raises
    ------
    DataError
        Where a row has no unit or period, or there are too few or too many of them.
    """
    unit, time = str(roles.unit), str(roles.time)
    codes, found = pd.factorize(table.column(unit))
    if (codes < 0).any():
        blank = np.asarray(codes < 0)
        raise DataError(
            f"{counted(int(blank.sum()), 'row')} without a unit in column {shown(unit)}; the first "
            f"is {table.places(blank)[0]}.",
            hint="Fill in the units, or take those rows out.",
        )
    names, spaced = without_quotes(*without_spaces([str(name) for name in found], unit), unit)
    place = Place(time, table.place)
    stamps, entries = read_periods(table.column(time), place=place, date_order=roles.date_order)
    columns, periods = pd.factorize(stamps, sort=True)
    order = order_of(names)
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    grid = Grid(
        units=pd.Index(np.asarray(names)[order].tolist(), dtype="str"),
        periods=pd.Index(periods),
        rows=position[codes],
        columns=np.asarray(columns, dtype=np.int64),
        repeats=roles.duplicates,
    )
    _refuse_size(grid, unit, time)
    return grid, [*spaced, *entries]


def settle_repeats(table: Table, grid: Grid) -> list[Entry]:
    """Say what became of rows that repeat a unit and period, or ask.

    Raises
    ------
    QuestionError
        Where there are such rows and nothing is chosen; it names the first.
    """
    if not grid.again.any():
        return []
    count = int(grid.again.sum())
    if grid.repeats is None:
        second = int(np.flatnonzero(grid.again)[0])
        first = int(np.flatnonzero(grid.key == grid.key[second])[0])
        cell = grid.cell(int(grid.rows[second]), int(grid.columns[second]))
        raise QuestionError(
            f"{counted(count, 'row')} {'repeats' if count == 1 else 'repeat'} a unit and period; "
            f"the first is {cell}, {table.place(second)}, already given on {table.place(first)}.",
            hint=f"{_difference(table, grid)}Choose what becomes of them, or correct the file: "
            "one row per unit and period.",
            field="duplicates",
            options=ANSWERS,
        )
    cells = counted(int((grid.counts > 1).sum()), "cell")
    if grid.repeats == "first":
        sentence = f"{counted(count, 'row')} that repeat a unit and period left out, as chosen."
        return [Entry("dropped", sentence, count, table.places(grid.again))]
    done = {
        "mean": "the mean of the outcomes that are known was taken",
        "sum": "the outcomes were added up, and are not known where one of them is not",
    }[grid.repeats]
    sentence = (
        f"{cells} with more than one row: {done}, as chosen; covariates were averaged "
        f"({counted(count, 'row')} merged)."
    )
    return [Entry("converted", sentence, count, table.places(grid.again))]


def _difference(table: Table, grid: Grid) -> str:
    """Name the column of words, if any, that tells all rows of one unit and period apart."""
    for name in table.columns:
        codes, words = pd.factorize(table.text[name])
        if not 2 <= len(words) <= MOST_KINDS or (codes < 0).any() or all(map(is_number, words)):
            continue
        if not pd.Series(grid.key * len(words) + codes).duplicated().any():
            some = ", ".join(map(shown, words[:3])) + (", ..." if len(words) > 3 else "")
            return (
                f"They differ in {shown(name)} ({some}): if that is what was measured, keep one of "
                "them in the file; if it is part of the unit's name, join the two columns. "
            )
    return ""


def agreed(table: Table, grid: Grid, flags: Bools, column: str) -> Bools:
    """Put flags into their cells.

    Raises
    ------
    DataError
        Where rows that are merged into one cell disagree.
    """
    matrix = grid.bools(flags)
    if grid.repeats in ("mean", "sum"):
        torn = flags != matrix[grid.rows, grid.columns]
        if torn.any():
            row = int(np.flatnonzero(torn)[0])
            cell = grid.cell(int(grid.rows[row]), int(grid.columns[row]))
            raise DataError(
                f"{table.place(row).capitalize()}, column {shown(column)}: the rows of {cell} "
                "disagree whether it is treated.",
                hint="Write the same treatment in all rows of a unit and period, or keep the first "
                "row of each.",
            )
    return matrix


def _refuse_size(grid: Grid, unit: str, time: str) -> None:
    for labels, role, column in ((grid.units, "unit", unit), (grid.periods, "period", time)):
        if len(labels) < 2:
            only = unit_label(labels[0]) if role == "unit" else period_label(labels[0])
            raise DataError(
                f"Column {shown(column)} holds a single {role}, {shown(only)}.",
                hint=f"A panel needs at least two {role}s: choose another column, or add rows.",
            )
    n, t = grid.shape
    if n * t > MAX_PANEL_CELLS:
        raise DataError(
            f"{n:,} units times {t:,} periods make more than {MAX_PANEL_CELLS:,} cells.",
            hint=f"Check that {shown(unit)} is the unit and {shown(time)} the period, or sum up to "
            "longer periods.",
        )
