"""Merged cells of a sheet: Excel keeps the value in the first cell alone."""

from __future__ import annotations

from collections.abc import Sequence

from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.numbers import is_number
from components.errors import DataError

Range = tuple[tuple[int, int], tuple[int, int]]
Text = list[list[str]]
MOST_HEAD = 50
BLOCK_SHARE = 0.5


def spread_heads(rows: Text, merged: Sequence[Range]) -> int | None:
    """Write names that are merged over several columns into all of them.

    Parameters
    ----------
    rows : list of list of str
        The cells of a sheet; changed in place.
    merged : sequence of ((int, int), (int, int))
        First and last row and column of each merged range, counted from 0 within ``rows``.

    Returns
    -------
    int or None
        The row of such names, below which the names go on; None where there is none.
    """
    heads = []
    for (top, left), (bottom, right) in merged:
        alone = sum(1 for cell in rows[top] if cell) <= 1
        if top == bottom and left < right and top < MOST_HEAD and not alone:
            rows[top][left : right + 1] = [rows[top][left]] * (right + 1 - left)
            heads.append(top)
    return min(heads, default=None)


def fill_down(
    rows: Text, merged: Sequence[Range], below: int, names: Sequence[str], first: int
) -> list[Entry]:
    """Give each row of a merged range its value, where it is plain that all rows share it.

    Parameters
    ----------
    rows : list of list of str
        The cells of a sheet; changed in place.
    merged : sequence of ((int, int), (int, int))
    below : int
        The first row of data.
    names : sequence of str
        Names of the columns.
    first : int
        Number of the sheet's row that ``rows`` begins with.

    Returns
    -------
    list of Entry

    Raises
    ------
    DataError
        Naming a range over several columns, or one of few numbers, which may be shared or not.
    """
    places: dict[int, list[str]] = {}
    counts: dict[int, int] = {}
    wanted = [one for one in merged if one[1][0] >= below and one[0] != one[1]]
    for (top, left), (bottom, right) in wanted:
        where = f"{_letters(left)}{first + top}:{_letters(right)}{first + bottom}"
        value = rows[top][left]
        if not any(any(row[left : right + 1]) for row in rows[top : bottom + 1]):
            continue
        if top == bottom:
            continue  # a line across the table: a note, or refused as a row
        of_column = [one for one in wanted if one[0][1] == left == one[1][1]]
        covered = sum(one[1][0] - one[0][0] + 1 for one in of_column)
        sure = not is_number(value) or covered >= BLOCK_SHARE * (len(rows) - below)
        if left != right or not sure:
            raise DataError(
                f"The cells {where} are merged: it cannot be told whether {shown(value)} counts "
                "for all of them.",
                hint="Unmerge them in the workbook, and write the value into each cell it is for.",
            )
        for row in rows[max(top, below) : bottom + 1]:
            row[left] = value
        places.setdefault(left, []).append(where)
        counts[left] = counts.get(left, 0) + bottom - max(top, below)
    return [
        Entry(
            "filled",
            f"{counted(counts[column], 'cell')} of {shown(names[column])} filled with the value "
            f"of the merged range that they belong to.",
            counts[column],
            tuple(ranges[:MAX_PLACES]),
        )
        for column, ranges in places.items()
    ]


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
