"""Names of units: what stands around them, and their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.arrays import Ints
from components.data.ledger import Entry, counted, shown


def without_spaces(names: list[str], column: str) -> tuple[list[str], list[Entry]]:
    """Take spaces around names off, unless that would make two units one."""
    stripped = [name.strip() for name in names]
    count = sum(old != new for old, new in zip(names, stripped, strict=True))
    if not count or len(set(stripped)) < len(names):
        return names, []
    sentence = f"Spaces around {counted(count, 'name')} of {shown(column)} were taken off."
    return stripped, [Entry("converted", sentence, count)]


def without_quotes(
    names: list[str], entries: list[Entry], column: str
) -> tuple[list[str], list[Entry]]:
    """Take quotation marks off that stand around all names."""
    if not all(len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" for name in names):
        return names, entries
    inner = [name[1:-1].strip() for name in names]
    if len(set(inner)) < len(names) or not all(inner):
        return names, entries
    sentence = f"Quotation marks around the names of {shown(column)} were taken off."
    return inner, [*entries, Entry("converted", sentence, len(names))]


def order_of(names: Sequence[str]) -> Ints:
    """Order names as numbers if all of them are whole numbers, else as text."""
    numeric = all(name.isascii() and name.removeprefix("-").isdecimal() for name in names)
    if numeric and all(len(name) <= 18 for name in names):
        ordered = sorted(range(len(names)), key=lambda i: (int(names[i]), names[i]))
    else:
        ordered = sorted(range(len(names)), key=names.__getitem__)
    return np.array(ordered, dtype=np.int64)
