"""Every cell of units by periods: how many rows give it, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from components.arrays import Ints, frozen
from components.data.grid import build_grid
from components.data.longform import to_panel
from components.data.roles import Roles
from components.data.shape import unfold
from components.data.table import Table
from components.data.totals import without_totals
from components.panel import Panel

MOST_PLACED = 20_000


@dataclass(frozen=True, eq=False)
class Survey:
    """A panel before anything was done with its gaps and repeated rows.

    Attributes
    ----------
    panel : Panel
        With the first row of each cell where nothing else is chosen.
    counts : Ints, shape (N, T)
        Rows of the table that give each cell.
    odd : mapping of (int, int) to str
        What to say of cells that are given twice or not at all, with the lines of the file.
    """

    panel: Panel
    counts: Ints
    odd: dict[tuple[int, int], str]


def survey(table: Table, roles: Roles) -> Survey:
    """Look at every cell, with the gaps and repeats that the choices would remove.

    Parameters
    ----------
    table : Table
    roles : Roles

    Returns
    -------
    Survey

    Raises
    ------
    DataError
        As `to_panel`, except for repeated rows.
    """
    kept = replace(roles, duplicates=roles.duplicates or "first", gaps=None)
    panel, _ = to_panel(table, kept)
    if roles.shape is not None:
        table = unfold(table, roles.shape)
    table = without_totals(table, roles)
    grid, _ = build_grid(table, kept)
    several = grid.counts > 1
    wanted = several | ~panel.observed
    rows = np.flatnonzero(wanted[grid.rows, grid.columns])[:MOST_PLACED]
    places: dict[tuple[int, int], list[str]] = {}
    for row in rows.tolist():
        places.setdefault((int(grid.rows[row]), int(grid.columns[row])), []).append(
            table.place(row)
        )
    odd = {}
    for i, t in np.argwhere(wanted)[:MOST_PLACED].tolist():
        where = places.get((i, t), [])
        some = ", ".join(where[:4]) + (" and more" if len(where) > 4 else "")
        if several[i, t]:
            odd[i, t] = f"{int(grid.counts[i, t])} rows: {some}"
        else:
            odd[i, t] = f"no outcome on {some}" if where else "no row in the file"
    return Survey(panel, frozen(grid.counts), odd)
