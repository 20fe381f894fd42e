"""From a table of text to a panel, and the ledger of the way."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.arrays import Bools
from components.data.columnar import table_from_frame
from components.data.gaps import close_gaps
from components.data.grid import Grid, agreed, build_grid, settle_repeats
from components.data.ledger import Entry, Ledger, counted, shown
from components.data.numbers import read_numbers
from components.data.roles import Roles
from components.data.shape import unfold
from components.data.starts import read_starts
from components.data.table import Table
from components.data.totals import without_totals
from components.data.treatment import carry, read_flags
from components.errors import DataError
from components.panel import Panel, period_label


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
    _refuse_another_reading(table, roles)
    rows = len(table.text)
    if roles.shape is not None:
        table = unfold(table, roles.shape)
    outcome = _needed(roles)
    table = without_totals(table, roles)
    grid, entries = build_grid(table, roles)
    entries += settle_repeats(table, grid)
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
        covariates[name] = grid.floats(numbers, covariate=True)
    panel = Panel(
        Y=grid.floats(values),
        W=W,
        units=grid.units,
        periods=grid.periods,
        outcome=outcome,
        X=covariates,
    )
    summary = _summary(table.name, rows, panel)
    panel, closed = close_gaps(panel, roles.gaps)
    return panel, (summary, *table.entries, *entries, *closed)


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


def _refuse_another_reading(table: Table, roles: Roles) -> None:
    if table.reading != roles.reading:
        raise DataError(
            f"{shown(table.name)} was taken apart in another way than these roles say.",
            hint=f"Read it with {roles.reading!r}.",
        )


def _needed(roles: Roles) -> str:
    chosen = {"unit": roles.unit, "time": roles.time, "outcome": roles.outcome}
    for role, column in chosen.items():
        if column is None:
            raise DataError(
                f"No column is chosen for the {role}.",
                hint=f"Choose the column that holds the {role}.",
            )
    used: dict[str, str] = {}
    everything = {**chosen, "treatment": roles.treatment, "second treatment": roles.post}
    for role, column in [*everything.items(), *(("covariate", name) for name in roles.covariates)]:
        if column is not None and column in used:
            raise DataError(
                f"Column {shown(column)} is chosen twice: as {used[column]} and as {role}.",
                hint="Choose a column of its own for each role.",
            )
        if column is not None:
            used[column] = role
    return str(roles.outcome)


def _treatment(table: Table, roles: Roles, grid: Grid, given: Bools, entries: list[Entry]) -> Bools:
    if roles.treatment is None:
        entries.append(Entry("read", "No column says treatment: no cell is treated so far.", 0))
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
    flags, noticed = read_flags(table, roles.treatment, roles.treated_values)
    entries += noticed
    if roles.post is not None:
        both, noticed = read_flags(table, roles.post)
        flags = flags & both
        sentence = f"Treated where both {shown(roles.treatment)} and {shown(roles.post)} say so."
        count = int(np.count_nonzero(flags))
        entries += [*noticed, Entry("converted", sentence, count)]
    W = agreed(table, grid, flags, roles.treatment)
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


def _summary(name: str, rows: int, panel: Panel) -> Entry:
    n, t = panel.shape
    first, last = period_label(panel.periods[0]), period_label(panel.periods[-1])
    sentence = (
        f"{counted(rows, 'row')} of {shown(name)} read: {n:,} units, {t:,} periods from "
        f"{first} to {last}."
    )
    return Entry("read", sentence, rows)
