"""How delimited text is laid out: its delimiter, its names, and what stands above them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from components.data.delimiters import NAMES, find_delimiter, sample_records
from components.data.layout import Layout, Record, find_layout, usual_width
from components.data.ledger import Entry
from components.data.notes import filled, is_comment
from components.data.reading import Reading
from components.data.table import MAX_COLUMNS, check_size
from components.errors import DataError

SAMPLE_CHARACTERS = 2**18
ROW_NAMES = "rownames"


@dataclass(frozen=True)
class CsvForm:
    """How the text is laid out."""

    encoding: str
    delimiter: str
    skip_spaces: bool
    preamble: int
    layout: Layout

    def reader(self, data: bytes) -> Any:
        """Start a strict reader below the line that names the delimiter."""
        stream = io.TextIOWrapper(io.BytesIO(data), encoding=self.encoding, newline="")
        for _ in range(self.preamble):
            stream.readline()
        return csv.reader(
            stream, delimiter=self.delimiter, skipinitialspace=self.skip_spaces, strict=True
        )

    def fitted(self, record: list[str]) -> list[str] | None:
        """Cut blank cells beyond the last column off; None where a record does not fit."""
        width = self.layout.width
        if len(record) == width:
            return record
        return record[:width] if len(record) > width and not filled(record[width:]) else None

    def is_row(self, record: list[str]) -> bool:
        """Tell whether a record is a row of the table."""
        if len(record) == self.layout.width:
            return True
        return not is_comment(record) and self.fitted(record) is not None


def find_form(text: str, encoding: str, reading: Reading, entries: list[Entry]) -> CsvForm:
    """Find how a text is laid out.

    Parameters
    ----------
    text : str
        The whole file.
    encoding : str
        That its bytes are in.
    reading : Reading
        What the user said.
    entries : list of Entry
        What was found is added where it is not plain.

    Returns
    -------
    CsvForm

    Raises
    ------
    QuestionError
        Where it cannot be told whether there are names.
    DataError
        Where no mark parts the cells, or a quotation mark is open.
    """
    text = text.removeprefix("\ufeff")
    declared = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    body = text[declared.end() :] if declared else text
    head = body[:SAMPLE_CHARACTERS]
    if len(body) > SAMPLE_CHARACTERS:
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    start = 2 if declared else 1
    if declared and declared[1] in NAMES:
        best = declared[1]
        entries.append(Entry("read", f"The file says so: {NAMES[best]} part cells.", 1))
    else:
        best = find_delimiter(head)
        if best != ",":
            entries.append(Entry("read", f"{NAMES[best].capitalize()} part the cells.", 1))
    records = sample_records(head, best, start)
    if not records:
        _refuse_quote(start)
    layout = find_layout(records, reading, "line")
    skip_spaces = best == " " or _spaced(head, best, layout)
    if skip_spaces and best != " ":
        entries.append(Entry("read", "The space after each delimiter was taken off.", 1))
    if skip_spaces:
        records = sample_records(head, best, start, skip_spaces=True)
        if not records:
            _refuse_quote(start)
        layout = find_layout(records, reading, "line")
    layout = _settled_width(records, _with_row_names(records, layout))
    entries += layout.entries
    if layout.width > MAX_COLUMNS:
        check_size(1, layout.width)
    return CsvForm(encoding, best, skip_spaces, start - 1, layout)


def _with_row_names(records: Sequence[Record], layout: Layout) -> Layout:
    """Give a name to the numbers of rows that R writes before the first column."""
    rows = [cells for _, cells in records[layout.above + layout.rows :]]
    counted_up = [cells[0] for cells in rows] == [str(i + 1) for i in range(len(rows))]
    width = len(layout.names) + 1
    if not layout.rows or not rows or not counted_up or any(len(row) != width for row in rows):
        return layout
    sentence = (
        "The rows have one cell more than there are names: the first is the number of the row, as "
        f"R writes it, and is called {ROW_NAMES!r} here."
    )
    entry = Entry("read", sentence, 1)
    names = (ROW_NAMES, *layout.names)
    return Layout(layout.above, layout.rows, width, names, (*layout.entries, entry))


def _settled_width(records: Sequence[Record], layout: Layout) -> Layout:
    """Take the width of the names, unless only blanks make them wider than the rows."""
    names = layout.names
    usual = usual_width([cells for _, cells in records[layout.above + layout.rows :]] or [names])
    if len(names) > usual and not filled(names[usual:]):
        names = names[:usual]
    return Layout(layout.above, layout.rows, len(names), tuple(names), layout.entries)


def _spaced(head: str, delimiter: str, layout: Layout) -> bool:
    names = layout.names[1:] if layout.rows else ()
    return bool(names) and all(name[:1] == " " for name in names) and delimiter in head


def _refuse_quote(line: int) -> NoReturn:
    raise DataError(
        f"A quotation mark on line {line} is not closed, or is followed by more text.",
        hint='Close every quotation mark, and write one inside a cell as "".',
    )
