"""One row per unit and period: from a table of text to a panel, and the ledger of the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats, Ints
from components.data.columnar import table_from_frame
from components.data.ledger import MAX_PLACES, Entry, Ledger, counted, shown
from components.data.numbers import read_numbers
from components.data.roles import Roles
from components.data.table import MAX_PANEL_CELLS, Table
from components.data.timeparse import Place, read_periods
from components.data.treatment import carry, read_flags, read_starts
from components.errors import DataError
from components.panel import Panel, period_label, unit_label


@dataclass(frozen=True)
class _Grid:
    """Where each row of the table stands in the panel."""

    units: pd.Index[Any]
    periods: pd.Index[Any]
    rows: Ints
    columns: Ints

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.units), len(self.periods)

    def floats(self, values: Floats) -> Floats:
        matrix = np.full(self.shape, np.nan)
        matrix[self.rows, self.columns] = values
        return matrix

    def bools(self, values: Bools | bool) -> Bools:
        matrix = np.zeros(self.shape, dtype=np.bool_)
        matrix[self.rows, self.columns] = values
        return matrix

    def cell(self, row: int, column: int) -> str:
        return f"{unit_label(self.units[row])}, {period_label(self.periods[column])}"

    def cells(self, mask: Bools) -> tuple[str, ...]:
        flat = np.flatnonzero(mask.ravel())[:MAX_PLACES]
        return tuple(self.cell(*divmod(int(place), self.shape[1])) for place in flat)


def to_panel(table: Table, roles: Roles) -> tuple[Panel, Ledger]:
    """Build the panel that the roles describe.

    Parameters
    ----------
    table : Table
        One row per unit and period, in any order.
    roles : Roles
        Which column is what. Without a treatment column no cell is treated.

    Returns
    -------
    panel : Panel
        Units are text, as written, in numerical order if all are whole numbers and in alphabetical
        order otherwise. A unit and period without a row has outcome NaN.
    ledger : Ledger
        All that was read, converted or found missing, with counts and places.

    Raises
    ------
    DataError
        Naming the first line that repeats a unit and period, has no unit or period, or holds
        something that its role does not allow.
    """
    unit, time, outcome = _needed(roles)
    grid, entries = _grid(table, unit, time, roles)
    values, noticed = read_numbers(table, outcome, decimal=roles.decimal)
    entries += noticed
    if np.isnan(values).all():
        raise DataError(
            f"Column {shown(outcome)} holds no number at all.",
            hint="Choose the column with the outcome.",
        )
    given = grid.bools(values=True)
    if not given.all():
        count = int((~given).sum())
        sentence = (
            f"{counted(count, 'pair')} of unit and period without a row: the outcome is not known "
            "there."
        )
        entries.append(Entry("missing", sentence, count, grid.cells(~given)))
    W = _treatment(table, roles, grid, given, entries)
    covariates = {}
    for name in roles.covariates:
        numbers, noticed = read_numbers(table, name, decimal=roles.decimal)
        entries += noticed
        covariates[name] = grid.floats(numbers)
    panel = Panel(
        Y=grid.floats(values),
        W=W,
        units=grid.units,
        periods=grid.periods,
        outcome=outcome,
        X=covariates,
    )
    return panel, (_summary(table, panel), *table.entries, *entries)


def panel_from_frame(
    frame: pd.DataFrame, roles: Roles, *, name: str = "table"
) -> tuple[Panel, Ledger]:
    """Build a panel from a data frame that is already loaded, text or typed.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per unit and period; the index is ignored.
    roles : Roles
        Which column is what.
    name : str
        For display.

    Returns
    -------
    panel : Panel
    ledger : Ledger

    Raises
    ------
    DataError
        As `to_panel`.
    """
    return to_panel(table_from_frame(frame, name=name), roles)


def _needed(roles: Roles) -> tuple[str, str, str]:
    chosen = {"unit": roles.unit, "time": roles.time, "outcome": roles.outcome}
    for role, column in chosen.items():
        if column is None:
            raise DataError(
                f"No column is chosen for the {role}.",
                hint=f"Choose the column that holds the {role}.",
            )
    used: dict[str, str] = {}
    everything = {**chosen, "treatment": roles.treatment}
    for role, column in [*everything.items(), *(("covariate", name) for name in roles.covariates)]:
        if column is not None and column in used:
            raise DataError(
                f"Column {shown(column)} is chosen twice: as {used[column]} and as {role}.",
                hint="Choose a column of its own for each role.",
            )
        if column is not None:
            used[column] = role
    return str(roles.unit), str(roles.time), str(roles.outcome)


def _grid(table: Table, unit: str, time: str, roles: Roles) -> tuple[_Grid, list[Entry]]:
    codes, names = pd.factorize(table.column(unit))
    if (codes < 0).any():
        blank = np.asarray(codes < 0)
        raise DataError(
            f"{counted(int(blank.sum()), 'row')} without a unit in column {shown(unit)}; the first "
            f"is {table.places(blank)[0]}.",
            hint="Fill in the units, or take those rows out.",
        )
    place = Place(time, table.place)
    stamps, entries = read_periods(table.column(time), place=place, date_order=roles.date_order)
    columns, periods = pd.factorize(stamps, sort=True)
    order = _order([str(name) for name in names])
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    grid = _Grid(
        units=pd.Index(np.asarray(names)[order].tolist(), dtype="str"),
        periods=pd.Index(periods),
        rows=position[codes],
        columns=np.asarray(columns, dtype=np.int64),
    )
    for labels, role, column in ((grid.units, "unit", unit), (grid.periods, "period", time)):
        if len(labels) < 2:
            raise DataError(
                f"Column {shown(column)} holds a single {role}, {shown(labels[0])}.",
                hint=f"A panel needs at least two {role}s: choose another column, or add rows.",
            )
    n, t = grid.shape
    if n * t > MAX_PANEL_CELLS:
        raise DataError(
            f"{n:,} units times {t:,} periods make more than {MAX_PANEL_CELLS:,} cells.",
            hint=f"Check that {shown(unit)} is the unit and {shown(time)} the period, or sum up to "
            "longer periods.",
        )
    _refuse_repeats(table, grid)
    return grid, list(entries)


def _order(names: Sequence[str]) -> Ints:
    """Order names as numbers if all of them are whole numbers, else as text."""
    numeric = all(name.isascii() and name.removeprefix("-").isdecimal() for name in names)
    if numeric and all(len(name) <= 18 for name in names):
        ordered = sorted(range(len(names)), key=lambda i: (int(names[i]), names[i]))
    else:
        ordered = sorted(range(len(names)), key=names.__getitem__)
    return np.array(ordered, dtype=np.int64)


def _refuse_repeats(table: Table, grid: _Grid) -> None:
    key = grid.rows * grid.shape[1] + grid.columns
    again = pd.Series(key).duplicated().to_numpy()
    if again.any():
        second = int(np.flatnonzero(again)[0])
        first = int(np.flatnonzero(key == key[second])[0])
        cell = grid.cell(int(grid.rows[second]), int(grid.columns[second]))
        count = int(again.sum())
        raise DataError(
            f"{counted(count, 'row')} {'repeats' if count == 1 else 'repeat'} a unit and period; "
            f"the first is {cell}, {table.place(second)}, already given on {table.place(first)}.",
            hint="Keep one row per unit and period, or sum or average them first.",
        )


def _treatment(
    table: Table, roles: Roles, grid: _Grid, given: Bools, entries: list[Entry]
) -> Bools:
    if roles.treatment is None:
        entries.append(Entry("read", "No column of treatment: no cell is treated so far.", 0))
        return np.zeros(grid.shape, dtype=np.bool_)
    if roles.treatment_kind == "start":
        W, noticed = read_starts(
            table,
            roles.treatment,
            time=str(roles.time),
            units=grid.rows,
            periods=grid.periods,
            date_order=roles.date_order,
        )
        entries += noticed
        return W
    flags, noticed = read_flags(table, roles.treatment)
    entries += noticed
    W = grid.bools(flags)
    if given.all():
        return W
    W, torn = carry(W, given)
    if torn.any():
        row, column = (int(place) for place in np.argwhere(torn)[0])
        raise DataError(
            f"{grid.cell(row, column)} has no row, and treatment changes around it: it cannot be "
            f"told whether it is treated ({counted(int(torn.sum()), 'such cell')}).",
            hint=f"Add the row with its {shown(roles.treatment)}; its outcome may stay empty.",
        )
    absent = int((~given).sum())
    treated = int(W[~given].sum())
    sentence = (
        f"Treatment of {counted(absent, 'cell')} without a row taken over from the unit's rows "
        f"before and after: {treated:,} treated, {absent - treated:,} untreated."
    )
    entries.append(Entry("converted", sentence, absent, grid.cells(~given)))
    return W


def _summary(table: Table, panel: Panel) -> Entry:
    n, t = panel.shape
    first, last = period_label(panel.periods[0]), period_label(panel.periods[-1])
    rows = len(table.text)
    sentence = (
        f"{counted(rows, 'row')} of {shown(table.name)} read: {n:,} units, {t:,} periods from "
        f"{first} to {last}."
    )
    return Entry("read", sentence, rows)
