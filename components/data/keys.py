"""Columns that hold several keys, and keys that stand in several columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from components.data.ledger import Entry, shown
from components.data.sketch import Column
from components.data.table import Table

SAMPLE_ROWS = 20_000
# The first column of Eurostat's files: "freq,unit,geo\TIME_PERIOD".
EUROSTAT = re.compile(r"(?P<keys>\w+(?:,\w+)+)\\(?P<time>\w+)")
INNER = re.compile(
    r"county|city|district|municipality|town|village|site|branch|store|shop|firm|plant|school|"
    r"hospital|clinic|product|sku|item|industry|sector|naics|nace|sic|sex|gender|age|age_?group|"
    r"kreis|gemeinde|commune|departement|comune|okres|obec|powiat|gmina"
)


def with_keys_apart(table: Table) -> Table:
    """Give each key a column of its own, and offer two columns that name a unit as one.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Table
        As it was, where there is nothing of the kind; what was done is in its entries.
    """
    return _with_unit_together(_eurostat(table))


def _eurostat(table: Table) -> Table:
    first = table.columns[0]
    match = EUROSTAT.fullmatch(first)
    if match is None:
        return table
    names = match["keys"].split(",")
    parts = table.text[first].str.split(",", expand=True)
    taken = set(names) & set(table.columns[1:])
    if parts.shape[1] != len(names) or parts.isna().to_numpy().any() or taken:
        return table
    parts.columns = pd.Index(names)
    parts = parts[names[::-1]]  # the region is the last key, and stands first from now on
    sentence = f"Column {shown(first)} parted at its commas: {', '.join(map(shown, names))}."
    return replace(
        table,
        columns=(*parts.columns, *table.columns[1:]),
        text=pd.concat([parts.astype("str"), table.text.drop(columns=first)], axis=1),
        entries=(*table.entries, Entry("converted", sentence, len(parts))),
    )


def _with_unit_together(table: Table) -> Table:
    """Offer state and county together where a county's name alone comes back in other states."""
    head = table.text.head(SAMPLE_ROWS)
    columns = [Column(name, head[name]) for name in table.columns]
    inner = [column for column in columns if INNER.fullmatch(column.key)]
    if len(inner) != 1 or not inner[0].words or inner[0].is_number:
        return table
    outer = [column for column in columns if column is not inner[0] and _is_wording(column)]
    times = [column for column in columns if column.is_dated]
    if len(outer) != 1 or len(times) != 1:
        return table
    one, other = outer[0].name, inner[0].name
    if _repeats(head, [one, other, times[0].name]) or not (
        _repeats(head, [one, times[0].name]) and _repeats(head, [other, times[0].name])
    ):
        return table
    name = f"{one}, {other}"
    if name in table.columns:
        return table
    text = table.text[one].str.strip() + ", " + table.text[other].str.strip()
    sentence = (
        f"{shown(one)} and {shown(other)} name a unit together: they are also offered as "
        f"{shown(name)}."
    )
    return replace(
        table,
        columns=(*table.columns, name),
        text=table.text.assign(**{name: text.astype("str")}),
        entries=(*table.entries, Entry("read", sentence, len(text))),
    )


def _is_wording(column: Column) -> bool:
    """Whether a column of words may name what the inner units belong to."""
    if column.is_number or column.is_flag or column.is_dated:
        return False
    return 2 <= len(column.words) < len(column.text)


def _repeats(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    return bool(frame.duplicated(subset=[*names]).any())
