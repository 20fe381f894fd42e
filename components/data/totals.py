"""Rows that sum up the others: no observation of any unit and period."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from components.arrays import Bools
from components.data.ledger import Entry, counted, shown
from components.data.roles import Roles
from components.data.sketch import is_total
from components.data.table import Table, keep_rows

PART = re.compile(
    r"\s*(of which|thereof|incl(uding|\.)|davon|darunter|dont|di cui|w tym|z toho|world$|overall$|"
    r"all (units|regions|countries|states)$|grand total|sub-?total)",
    re.IGNORECASE,
)


def without_totals(table: Table, roles: Roles) -> Table:
    """Leave out rows of totals that belong to no period or no unit.

    Parameters
    ----------
    table : Table
    roles : Roles
        With the columns of unit and time.

    Returns
    -------
    Table
        Without rows where one of the two says total and the other is empty, and rows whose period
        is a total; what is left out is in its entries. A unit called "Total" that has periods
        stays: see `health`.
    """
    unit, time = table.column(str(roles.unit)), table.column(str(roles.time))
    heads = {
        name: column.isin([word for word in column.dropna().unique() if is_total(str(word))])
        for name, column in (("unit", unit), ("time", time))
    }
    total = np.asarray(heads["time"] | (heads["unit"] & time.isna()), dtype=np.bool_)
    table = _with_doubts(table, unit, ~total)
    if not total.any() or total.all():
        return table
    row = int(np.flatnonzero(total)[0])
    word = time.iloc[row] if heads["time"].iloc[row] else unit.iloc[row]
    sentence = (
        f"{counted(int(total.sum()), 'row')} of totals left out: {shown(word)} belongs to no unit "
        "and period."
    )
    entry = Entry("dropped", sentence, int(total.sum()), table.places(total))
    return keep_rows(table, ~total, [entry])


def _odd(unit: pd.Series[str]) -> list[str]:
    """List units that are named like a total or a part of others."""
    words = [str(word) for word in unit.dropna().unique()]
    return [word for word in words if is_total(word) or PART.match(word)]


def _with_doubts(table: Table, unit: pd.Series[str], kept: Bools) -> Table:
    odd = _odd(unit[kept])
    if not odd or len(odd) == unit.nunique():
        return table
    places = table.places(np.asarray(unit.isin(odd), dtype=np.bool_) & kept)
    named = f"{counted(len(odd), 'unit')} named like a total or a part of other units"
    sentence = f"{named}, such as {shown(odd[0])}, {'stays' if len(odd) == 1 else 'stay'} in."
    doubt = Entry("read", sentence, len(odd), places, doubtful=True)
    return replace(table, entries=(*table.entries, doubt))
