"""Where a table begins and ends among the lines of a file: names, notes above and below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from components.data.ledger import Entry, shown
from components.data.notes import filled, is_comment, is_rule
from components.data.numbers import MISSING, is_number
from components.data.questions import Option, QuestionError
from components.data.reading import Reading
from components.data.sketch import as_periods
from components.errors import DataError

Record = tuple[int, Sequence[str]]
MOST_ABOVE = 50
YEARS = (1500, 2200)


@dataclass(frozen=True)
class Layout:
    """Where the names of the columns stand.

    Attributes
    ----------
    above : int
        Records before the names.
    rows : int
        Records that hold names; 0 where there are none.
    width : int
        Columns of the table.
    names : tuple of str
        Names of the columns, of several lines joined; blank where there is none.
    entries : tuple of Entry
        What was left out above, and how names were joined.
    """

    above: int
    rows: int
    width: int
    names: tuple[str, ...]
    entries: tuple[Entry, ...]


def find_layout(records: Sequence[Record], reading: Reading, word: str) -> Layout:
    """Find the names of the columns.

    Parameters
    ----------
    records : sequence of (int, sequence of str)
        The first records of the file, each with its line.
    reading : Reading
        What the user said.
    word : {"line", "row"}
        What a record is called.

    Returns
    -------
    Layout

    Raises
    ------
    QuestionError
        Where the first line looks like data.
    DataError
        Where the user named a line that holds nothing.
    """
    width = usual_width([cells for _, cells in records])
    above = _above(records, width, reading, word)
    if reading.header == 0:
        names = tuple(f"column {number + 1}" for number in range(width))
        sentence = f"The {width} columns have no names; they are called 'column 1' and so on."
        return Layout(0, 0, width, names, (Entry("read", sentence, width),))
    head = [cells for _, cells in records[above:]]
    ruled = len(head) > 1 and is_rule(head[1])
    if ruled:
        head = [head[0], *head[2:]]
    rows = reading.header_rows or (2 if _two_rows(head) else 1)
    if reading.header is None and reading.header_rows is None:
        _ask_for_names(records[above:], word)
    entries = []
    if above:
        first, last = records[0][0], records[above - 1][0]
        where = f"{word} {first}" if above == 1 else f"{word}s {first} to {last}"
        text = shown(" ".join(cell for cell in records[0][1] if cell.strip()))
        sentence = f"What stands above the names of the columns was left out ({where}): {text}."
        entries.append(Entry("dropped", sentence, above, (where,)))
    names = _joined(head[:rows], width)
    if rows > 1:
        longest = max(names, key=len)
        sentence = (
            f"{rows} {word}s hold the names of the columns; they were joined: {shown(longest)}."
        )
        entries.append(Entry("converted", sentence, rows))
    if ruled:
        where = f"{word} {records[above + 1][0]}"
        sentence = f"The {word} of dashes below the names was left out."
        entries.append(Entry("dropped", sentence, 1, (where,)))
    return Layout(above, rows + ruled, max(width, len(head[0])), names, tuple(entries))


def usual_width(records: Sequence[Sequence[str]]) -> int:
    """Give the most frequent number of cells, the larger one where two are equally frequent."""
    counts = Counter(len(cells) for cells in records if not is_comment(cells))
    return max(counts, key=lambda width: (counts[width], width), default=1)


def _above(records: Sequence[Record], width: int, reading: Reading, word: str) -> int:
    if reading.header:
        found = [i for i, (line, _) in enumerate(records) if line == reading.header]
        if not found:
            raise DataError(
                f"{word.capitalize()} {reading.header} holds no names of columns.",
                hint=f"Give the {word} on which the names of the columns stand.",
            )
        return found[0]
    for position, (_, cells) in enumerate(records[:MOST_ABOVE]):
        little = filled(cells) <= (1 if width < 4 else width // 2)
        comment = is_comment(cells) and len(cells) != width
        below = records[position + 1][1] if position + 1 < len(records) else ()
        lone = filled(cells) <= 1 or not any(map(is_number, below))
        if not (comment or (little and (len(cells) < width or (len(cells) == width > 2 and lone)))):
            return position
    return 0


def _two_rows(head: Sequence[Sequence[str]]) -> bool:
    """Tell whether the second record holds names too."""
    if len(head) < 4:
        return False
    top, bottom, *data = head[:MOST_ABOVE]
    width = len(top)
    data = [cells for cells in data if len(cells) == width]
    if len(bottom) != width or len(data) < 2 or width < 2:
        return False
    numeric = [j for j in range(width) if _is_numeric([cells[j] for cells in data])]
    if len(numeric) < 2 or any(is_number(top[j]) for j in numeric):
        return False
    below = [bottom[j].strip() for j in numeric]
    if not any(is_number(cell) for cell in below):
        telling = [cell for cell in below if cell and cell.lower() not in MISSING]
        return len(telling) >= len(below) / 2
    others = [bottom[j] for j in range(width) if j not in numeric]
    first = next((j for j in range(width) if top[j].strip()), width)
    names = [top[j].strip() for j in numeric if top[j].strip()]
    merged = any(j > first and not top[j].strip() for j in numeric)
    repeated = merged or len(set(names)) < len(names)
    return repeated and filled(others) == 0 and len(set(_joined([top, bottom], width))) == width


def _is_numeric(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if cell.strip() and cell.strip().lower() not in MISSING]
    return bool(known) and sum(map(is_number, known)) >= 0.8 * len(known)


def _joined(head: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """Join names that go over several lines; a blank one above takes over its left neighbour's."""
    if len(head) == 1:
        return tuple(head[0])
    rows = []
    for level, cells in enumerate(head):
        row = [*cells, *[""] * (width - len(cells))][:width]
        below = head[level + 1] if level + 1 < len(head) else ()
        spread = any(not cell.strip() for cell in row) and filled(below) > 0
        for j in range(1, width):
            under = below[j].strip() if j < len(below) else ""
            if spread and under and not row[j].strip() and is_number(under):
                row[j] = row[j - 1]
        rows.append(row)
    parts = [[row[j].strip() for row in rows if row[j].strip()] for j in range(width)]
    return tuple(" ".join(part) for part in parts)


def _ask_for_names(records: Sequence[Record], word: str) -> None:
    """Ask where the first record looks like data."""
    if len(records) < 2:
        return
    line, names = records[0]
    data = [cells for _, cells in records[1:] if len(cells) == len(names)]
    numbers = [name.strip() for name in names if is_number(name)]
    if not data or not numbers or filled(names) < len(names):
        return
    if _are_periods(numbers):
        return
    odd = any(not re.fullmatch(r"[0-9]+", number) for number in numbers)
    recurs = any(
        not is_number(name) and any(cells[j].strip() == name.strip() for cells in data)
        for j, name in enumerate(names)
    )
    if not (odd or recurs):
        return
    first = ", ".join(shown(name)[1:-1] for name in names[:5])
    raise QuestionError(
        f"{word.capitalize()} {line} looks like data, not like the names of the columns: {first}.",
        hint="Say whether it holds names, or write the names of the columns above the data.",
        field="reading.header",
        options=(
            Option(0, f"There are no names: {word} {line} is data"),
            Option(line, f"{word.capitalize()} {line} holds the names"),
        ),
    )


def _are_periods(numbers: list[str]) -> bool:
    """Whether numbers among the names may be periods: years, dates, or 1, 2, 3."""
    if len(numbers) < 2 or len(set(numbers)) < len(numbers):
        return False
    periods = as_periods(numbers)
    if periods is None or not pd.api.types.is_integer_dtype(periods.dtype):
        return periods is not None
    years = periods.min() >= YEARS[0] and periods.max() <= YEARS[1]
    return bool(years or set(np.diff(periods.to_numpy()).tolist()) <= {1})
