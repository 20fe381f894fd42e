"""Where a table begins and ends among the lines of a file: names, notes above and below."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.numbers import MISSING, is_number
from components.data.questions import Option, QuestionError
from components.data.reading import Reading
from components.data.sketch import as_periods
from components.errors import DataError

Record = tuple[int, Sequence[str]]
MOST_ABOVE = 50
MOST_BELOW = 20
COMMENT = re.compile(r"\s*(#|//|%%?\s)")
FOOT = re.compile(
    r"\s*((sources?|quelle|notes?|anmerkung|remarks?|data (from|source|provided)|last updated|"
    r"downloaded|copyright)\b|[©*†]|\(?[1a]\))",
    re.IGNORECASE,
)
LONG_NOTE = 60
RULE = re.compile(r"[-=+:|]{3,}")


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


def is_comment(cells: Sequence[str]) -> bool:
    """Tell whether a record is a line of comment, or of dashes."""
    return bool(cells) and (COMMENT.match(cells[0]) is not None or is_rule(cells))


def is_rule(cells: Sequence[str]) -> bool:
    """Tell whether a record is a line of dashes, such as stands below names."""
    told = [cell.strip() for cell in cells if cell.strip()]
    drawn = any("--" in cell or "==" in cell for cell in told)
    return drawn and all(map(RULE.fullmatch, told))


def filled(cells: Sequence[str]) -> int:
    """Count the cells that are not blank."""
    return sum(1 for cell in cells if cell.strip())


def count_notes(tail: Sequence[Sequence[str | None]], width: int) -> int:
    """Count the records at the end that are notes below the table.

    Parameters
    ----------
    tail : sequence of sequence of str or None
        The last records.
    width : int
        Columns of the table.

    Returns
    -------
    int
        At most ``MOST_BELOW``.
    """
    count = 0
    for position, cells in enumerate(reversed(tail[-MOST_BELOW:]), start=1):
        text = [cell or "" for cell in cells]
        if filled(text) and not is_note(text, width):
            break
        if filled(text):
            count = position
    return count


def is_note(cells: Sequence[str], width: int) -> bool:
    """Tell whether a record at the end of a table is a note and no data."""
    text = next((cell for cell in cells if cell.strip()), "")
    short = len(cells) < width
    if FOOT.match(text) and filled(cells) <= max(1, width - 2):
        return True
    return filled(cells) == 1 and (short or len(text) > LONG_NOTE)


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
    merged = [top[j].strip() for j in numeric]
    others = [bottom[j] for j in range(width) if j not in numeric]
    repeated = len({name for name in merged if name}) < len(merged)
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
    if len(numbers) > 1 and len(set(numbers)) == len(numbers) and as_periods(numbers) is not None:
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


def note_entries(
    notes: Sequence[tuple[str, str]], comments: Sequence[str], word: str
) -> list[Entry]:
    """Say which notes below the table, and which comments in it, were left out.

    Parameters
    ----------
    notes : sequence of (str, str)
        Place and text of each note.
    comments : sequence of str
        Places of the lines of comment.
    word : {"line", "row"}

    Returns
    -------
    list of Entry
    """
    entries = []
    if notes:
        places = tuple(place for place, _ in notes[:MAX_PLACES])
        what = counted(len(notes), word)
        sentence = f"{what} below the table left out: {shown(notes[0][1])}."
        entries.append(Entry("dropped", sentence, len(notes), places))
    if comments:
        sentence = f"{counted(len(comments), word)} of comment left out."
        entries.append(Entry("dropped", sentence, len(comments), tuple(comments[:MAX_PLACES])))
    return entries
