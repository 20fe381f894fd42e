"""CSV and its relatives: find the encoding, the delimiter and the names, then read strictly."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

import numpy as np
import pyarrow as pa

from components.arrays import Ints
from components.data.assemble import assemble
from components.data.csvform import CsvForm, find_form
from components.data.delimiters import NAMES
from components.data.encodings import decode, is_marked
from components.data.filemarks import (
    without_end_mark,
    without_formula_marks,
    without_inner_marks,
)
from components.data.ledger import Entry, counted
from components.data.notes import MOST_BELOW, count_notes, filled, is_comment, is_note, note_entries
from components.data.reading import AS_FOUND, Reading
from components.data.table import Table, check_size
from components.errors import DataError

SAMPLE_BYTES = 4096
CHUNK = 50_000
FORMULA = b'="'
MOST_ODD = 10_000


@dataclass
class _Odd:
    """Records that are no rows of the table: how many rows stood before each."""

    comments: int = 0
    trimmed: int = 0
    after: list[int] = field(default_factory=list)


def read_delimited(data: bytes, *, name: str, digest: str, reading: Reading = AS_FOUND) -> Table:
    """Read delimited text, cell by cell as it stands.

    Parameters
    ----------
    data : bytes
        The whole file: UTF-8, UTF-16 or UTF-32 with or without a byte order mark, Windows-1252
        where the letters look Western European, or in the encoding that the reading says.
    name, digest : str
        See `Table`.
    reading : Reading
        What the user said about encoding and names.

    Returns
    -------
    Table

    Raises
    ------
    QuestionError
        Where the encoding, or whether there are names, cannot be told.
    DataError
        Naming the line that has too many or too few cells, an open quotation mark or a character
        that is no text.
    """
    entries: list[Entry] = []
    data = without_inner_marks(data, entries)
    if reading.encoding is None:
        data = without_end_mark(data, entries)
        _refuse_binary(data)
    encoding, text = decode(data, reading.encoding, entries)
    form = find_form(text, encoding, reading, entries)
    del text
    columns, odd, first_row, n_lines = _read(data, form)
    n_rows = len(columns[0])
    lines = None
    if odd.after or odd.comments or n_lines != first_row - 1 + n_rows:
        lines = _line_numbers(data, form, n_rows)
        first_row = int(lines[0]) if n_rows else first_row
    below = _count_below(columns, form.layout.width)
    kept = n_rows - below
    notes = [
        (f"line {first_row + row if lines is None else lines[row]}", _text(columns, row))
        for row in range(kept, n_rows)
    ]
    odd_notes, comments = _left_out(data, form, odd)
    entries += note_entries([*notes, *odd_notes], comments, "line")
    if odd.trimmed:
        sentence = f"Blank cells beyond the last column cut off in {counted(odd.trimmed, 'line')}."
        entries.append(Entry("converted", sentence, odd.trimmed))
    if FORMULA in data or is_marked(data):
        columns = without_formula_marks(columns, entries)
    if below:
        columns = [column.slice(0, kept) for column in columns]
        lines = None if lines is None else lines[:kept]
    return assemble(
        form.layout.names,
        columns,
        name=name,
        digest=digest,
        kind="csv",
        first_row=first_row,
        lines=lines,
        entries=entries,
        reading=reading,
    )


def _refuse_binary(data: bytes) -> None:
    head = data[:SAMPLE_BYTES]
    odd = len(re.findall(rb"[\x01-\x08\x0e-\x1f]", head)) > max(2, len(head) // 50)
    zeros = head.count(b"\x00") > max(2, len(head) // 50)
    if not is_marked(data) and (odd or zeros) and not _evenly_spread(head):
        raise DataError(
            "This is binary data, not a table.",
            hint="Save the table as CSV in UTF-8, as Excel (.xlsx) or as Parquet.",
        )


def _evenly_spread(head: bytes) -> bool:
    """Whether zeros stand beside every letter, as in UTF-16 and UTF-32."""
    return len(head) // 4 <= head.count(b"\x00") <= len(head) * 4 // 5


def _read(data: bytes, form: CsvForm) -> tuple[list[pa.ChunkedArray], _Odd, int, int]:
    layout, odd, n_rows = form.layout, _Odd(), 0
    reader = form.reader(data)
    chunks: list[list[pa.Array]] = [[] for _ in range(layout.width)]
    try:
        body = (record for record in reader if record)
        for _ in range(layout.above + layout.rows):
            next(body, None)
        first_row = reader.line_num + form.preamble + 1
        while records := list(islice(reader, CHUNK)):
            sizes = set(map(len, records))
            if sizes - {layout.width}:
                records = _sorted_out(records, form, odd, n_rows)
            n_rows += len(records)
            check_size(n_rows, layout.width)
            for chunk, cells in zip(chunks, zip(*records, strict=True), strict=False):
                chunk.append(pa.array(cells, pa.large_string()))
    except csv.Error:
        _explain(data, form)
    if any(after < n_rows for after in odd.after):
        _explain(data, form)
    columns = [pa.chunked_array(chunk, pa.large_string()) for chunk in chunks]
    return columns, odd, first_row, reader.line_num + form.preamble


def _sorted_out(records: list[list[str]], form: CsvForm, odd: _Odd, before: int) -> list[list[str]]:
    """Keep the records that are rows, and count the others."""
    rows: list[list[str]] = []
    for record in records:
        if len(record) == form.layout.width:
            rows.append(record)
            continue
        if not record:
            continue
        fitted = form.fitted(record)
        if is_comment(record):
            odd.comments += 1
        elif fitted is not None:
            odd.trimmed += 1
            rows.append(fitted)
        elif filled(record):
            odd.after.append(before + len(rows))
            if len(odd.after) > MOST_ODD:
                break
    return rows


def _records(data: bytes, form: CsvForm) -> Iterator[tuple[int, list[str]]]:
    """Yield each record below the names with the line it starts on."""
    reader = form.reader(data)
    start = 1 + form.preamble
    skip = form.layout.above + form.layout.rows
    try:
        for record in reader:
            if record and skip:
                skip -= 1
            elif record:
                yield start, record
            start = reader.line_num + 1 + form.preamble
    except csv.Error as error:
        raise DataError(
            f"A quotation mark on line {start} is not closed, is followed by more text, or "
            "holds a cell that is too long.",
            hint='Close every quotation mark, and write one inside a cell as "".',
        ) from error


def _line_numbers(data: bytes, form: CsvForm, n_rows: int) -> Ints:
    found = (line for line, record in _records(data, form) if form.is_row(record))
    return np.fromiter(found, dtype=np.int64, count=n_rows)


def _count_below(columns: list[pa.ChunkedArray], width: int) -> int:
    """Count the notes among the last rows; a table of notes alone is left as it is."""
    n_rows = len(columns[0])
    tail = [column.slice(max(0, n_rows - MOST_BELOW)).to_pylist() for column in columns]
    count = count_notes(list(zip(*tail, strict=True)), width)
    return count if count < n_rows else 0


def _text(columns: list[pa.ChunkedArray], row: int) -> str:
    return " ".join(filter(None, (column[row].as_py() for column in columns)))


def _left_out(data: bytes, form: CsvForm, odd: _Odd) -> tuple[list[tuple[str, str]], list[str]]:
    """Give place and text of short notes below the table, and the places of comments."""
    notes: list[tuple[str, str]] = []
    comments: list[str] = []
    if odd.after or odd.comments:
        for line, record in _records(data, form):
            if form.is_row(record) or not filled(record):
                continue
            if is_comment(record):
                comments.append(f"line {line}")
            elif is_note(record, form.layout.width):
                notes.append((f"line {line}", " ".join(filter(None, record))))
            else:
                _refuse_width(line, record, form)
    return notes, comments


def _explain(data: bytes, form: CsvForm) -> NoReturn:
    """Read again, record by record, and name the first line that is wrong."""
    for line, record in _records(data, form):
        if not form.is_row(record) and not is_comment(record) and filled(record):
            _refuse_width(line, record, form)
    raise AssertionError


def _refuse_width(line: int, record: list[str], form: CsvForm) -> NoReturn:
    raise DataError(
        f"Line {line} holds {counted(len(record), 'cell')}, but there are "
        f"{form.layout.width} columns.",
        hint="Put quotation marks around cells that contain the delimiter "
        f"({NAMES[form.delimiter]}), and fill up rows that are too short.",
    )
