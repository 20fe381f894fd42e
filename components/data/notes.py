"""What stands in a file beside its rows: comments, lines of dashes, and notes below the table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from components.data.ledger import MAX_PLACES, Entry, counted, shown

MOST_BELOW = 20
COMMENT = re.compile(r"\s*(#|//|%%?\s)")
FOOT = re.compile(
    r"\s*((sources?|quelle|notes?|anmerkung|remarks?|data (from|source|provided)|last updated|"
    r"downloaded|copyright)\b|[©*†]|\(?[1a]\))",
    re.IGNORECASE,
)
LONG_NOTE = 60
RULE = re.compile(r"[-=+:|]{3,}")


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
    if FOOT.match(text) and (len(cells) != width or filled(cells) <= max(1, width - 2)):
        return True
    return filled(cells) == 1 and (short or len(text) > LONG_NOTE)


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
