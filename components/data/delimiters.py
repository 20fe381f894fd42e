"""Which mark parts the cells of a line."""

from __future__ import annotations

import csv
import io
from contextlib import suppress

from components.data.layout import Record, usual_width
from components.data.notes import is_comment
from components.errors import DataError

DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "vertical bars"}
SELDOM = {"^": "carets", "~": "tildes", ":": "colons", "!": "exclamation marks", " ": "spaces"}
NAMES = {**DELIMITERS, **SELDOM}
SAMPLE_RECORDS = 200


def find_delimiter(head: str) -> str:
    """Find the delimiter of a text.

    Parameters
    ----------
    head : str
        Its first lines.

    Returns
    -------
    str
        A key of ``NAMES``.

    Raises
    ------
    DataError
        Where no mark parts the lines.
    """
    best = _best(head, DELIMITERS)
    if best is None:
        best = _best(head, SELDOM)
    if best is None:
        raise DataError(
            "The table has a single column.",
            hint="Part the cells with commas, semicolons or tabs: unit, period and outcome are "
            "needed at least.",
        )
    return best


def _best(head: str, marks: dict[str, str]) -> str | None:
    """Choose the mark that parts most records, and the first, into equally many cells."""
    scores = {}
    for mark in marks:
        records = [cells for _, cells in sample_records(head, mark, 1, skip_spaces=mark == " ")]
        records = [cells for cells in records if not is_comment(cells)]
        width = usual_width(records)
        if width > 1:
            share = sum(len(cells) == width for cells in records) / len(records)
            first = len(records[0]) == width and share >= 0.5
            scores[mark] = (first, share, width)
        elif any(len(cells) > 1 for cells in records):
            scores[mark] = (False, 0.0, 1)
    return max(scores, key=scores.__getitem__, default=None)


def sample_records(
    head: str, delimiter: str, start: int, *, skip_spaces: bool = False
) -> list[Record]:
    """Read the first records that are not empty, each with the line it starts on."""
    reader = csv.reader(
        io.StringIO(head, newline=""),
        delimiter=delimiter,
        skipinitialspace=skip_spaces,
        strict=True,
    )
    records: list[Record] = []
    line = start
    with suppress(csv.Error):
        for record in reader:
            if record:
                records.append((line, record))
            line = reader.line_num + start
            if len(records) >= SAMPLE_RECORDS:
                break
    return records
