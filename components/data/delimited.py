"""CSV and its relatives: find the encoding and the delimiter, then read strictly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from components.arrays import Ints
from components.data.ledger import Entry, counted
from components.data.table import (
    CONTROL,
    MAX_COLUMNS,
    Table,
    assemble,
    check_size,
    raise_control,
)
from components.errors import DataError

DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "vertical bars"}
SAMPLE_RECORDS = 200
SAMPLE_CHARACTERS = 2**18
SAMPLE_BYTES = 4096
CHUNK = 50_000
MARKED = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class _Form:
    """How the text is laid out."""

    encoding: str
    delimiter: str
    skip_spaces: bool
    preamble: int

    def reader(self, data: bytes) -> Any:
        """Start a strict reader at the line of the column names."""
        stream = io.TextIOWrapper(io.BytesIO(data), encoding=self.encoding, newline="")
        for _ in range(self.preamble):
            stream.readline()
        return csv.reader(
            stream, delimiter=self.delimiter, skipinitialspace=self.skip_spaces, strict=True
        )


def read_delimited(data: bytes, *, name: str, digest: str) -> Table:
    """Read delimited text, cell by cell as it stands.

    Parameters
    ----------
    data : bytes
        The whole file: UTF-8 with or without a byte order mark, UTF-16 with one, or, if it is not
        UTF-8, Windows-1252, which is then said.
    name, digest : str
        See `Table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Naming the line that has too many or too few cells, an open quotation mark or a character
        that is no text.
    """
    entries: list[Entry] = []
    _refuse_binary(data)
    encoding, text = _decode(data, entries)
    form = _form(text, encoding, entries)
    del text
    header, first_row, columns, n_lines = _read(data, form)
    n_rows = len(columns[0])
    lines = None
    if n_lines != first_row - 1 + n_rows:
        lines = _line_numbers(data, form)[-n_rows:] if n_rows else None
    if lines is not None:
        first_row = int(lines[0])
    return assemble(
        header,
        columns,
        name=name,
        digest=digest,
        kind="csv",
        first_row=first_row,
        lines=lines,
        entries=entries,
    )


def _refuse_binary(data: bytes) -> None:
    head = data[:SAMPLE_BYTES]
    marked = any(data.startswith(mark) for mark, _ in MARKED)
    if not marked and len(re.findall(rb"[\x00-\x08\x0e-\x1f]", head)) > max(2, len(head) // 50):
        raise DataError(
            "This is binary data, not a table.",
            hint="Save the table as CSV in UTF-8, as Excel (.xlsx) or as Parquet.",
        )


def _decode(data: bytes, entries: list[Entry]) -> tuple[str, str]:
    marked = next((encoding for mark, encoding in MARKED if data.startswith(mark)), None)
    encoding = marked or "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if marked:
            line = data.count(b"\n", 0, error.start) + 1
            _refuse_encoding(f"Line {line} holds bytes that are not {marked[:6].upper()}.", error)
        text = _western(data, error)
        encoding = "cp1252"
        sentence = (
            "The file is not UTF-8 and was read as Windows-1252 (Western European): look at the "
            "letters with accents."
        )
        entries.append(Entry("converted", sentence, 1))
    control = re.search(f"[{CONTROL}]", text)
    if control:
        raise_control(f"Line {text.count(chr(10), 0, control.start()) + 1}")
    return encoding, text


def _western(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    else:
        _refuse_encoding(f"Line {line} holds half a character (a lone surrogate).", error)
    good = data.decode("utf-8", "replace")
    if sum(map(str.isalpha, re.findall(r"[^\x00-\x7f\ufffd]", good))) > good.count("\ufffd"):
        _refuse_encoding(f"Line {line} holds bytes that are not UTF-8; the rest is UTF-8.", error)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        _refuse_encoding(f"Line {line} is neither UTF-8 nor Windows-1252.", error)


def _refuse_encoding(message: str, error: UnicodeDecodeError) -> NoReturn:
    raise DataError(
        message, hint="Save the table again as CSV in UTF-8, or as an Excel workbook."
    ) from error


def _form(text: str, encoding: str, entries: list[Entry]) -> _Form:
    declared = re.match(r"\ufeff?sep=(.)\r?\n", text, re.IGNORECASE)
    if declared and declared[1] in DELIMITERS:
        entries.append(Entry("read", f"The file says so: {DELIMITERS[declared[1]]} part cells.", 1))
        return _Form(encoding, declared[1], skip_spaces=False, preamble=1)
    head = text[:SAMPLE_CHARACTERS]
    if len(text) > SAMPLE_CHARACTERS:
        head = head[: max(head.rfind("\n"), head.rfind("\r")) + 1] or head
    widths = {mark: _widths(head, mark) for mark in DELIMITERS}
    best = max(DELIMITERS, key=lambda mark: _score(widths[mark]))
    _refuse_shapeless(widths[best])
    if best != ",":
        entries.append(Entry("read", f"{DELIMITERS[best].capitalize()} part the cells.", 1))
    header = next((line for line in head.splitlines() if line.strip()), "")
    spaced = [cell[:1] == " " for cell in header.split(best)[1:]]
    if all(spaced):
        entries.append(Entry("read", "The space after each delimiter was taken off.", 1))
    return _Form(encoding, best, skip_spaces=all(spaced), preamble=0)


def _widths(head: str, delimiter: str) -> list[int]:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True)
    widths: list[int] = []
    with suppress(csv.Error):
        widths.extend(len(record) for record in islice(reader, SAMPLE_RECORDS) if record)
    return widths


def _score(widths: list[int]) -> tuple[float, int]:
    """Share of the records that are as wide as the first, and that width."""
    if not widths or widths[0] == 1:
        return 0.0, max(widths, default=1)
    return widths.count(widths[0]) / len(widths), widths[0]


def _refuse_shapeless(widths: list[int]) -> None:
    share, width = _score(widths)
    if share == 0.0 and width > 1:
        raise DataError(
            f"The first line holds a single cell, but others hold {width}.",
            hint="Take out the lines above the names of the columns.",
        )
    if share == 0.0:
        raise DataError(
            "The table has a single column.",
            hint="Part the cells with commas, semicolons or tabs: unit, period and outcome are "
            "needed at least.",
        )


def _read(data: bytes, form: _Form) -> tuple[list[str], int, list[pa.ChunkedArray], int]:
    reader = form.reader(data)
    try:
        header: list[str] = next((record for record in reader if record), [])
        if len(header) > MAX_COLUMNS:
            check_size(1, len(header))
        first_row = reader.line_num + 1 + form.preamble
        width, n_rows = len(header), 0
        chunks: list[list[pa.Array]] = [[] for _ in header]
        while records := list(islice(reader, CHUNK)):
            sizes = set(map(len, records))
            if 0 in sizes:
                records = [record for record in records if record]
                sizes.discard(0)
            if sizes - {width}:
                _explain(data, form, width)
            n_rows += len(records)
            check_size(n_rows, width)
            for chunk, cells in zip(chunks, zip(*records, strict=True), strict=False):
                chunk.append(pa.array(cells, pa.large_string()))
    except csv.Error:
        _explain(data, form, 0)
    columns = [pa.chunked_array(chunk, pa.large_string()) for chunk in chunks]
    return header, first_row, columns, reader.line_num + form.preamble


def _records(data: bytes, form: _Form) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it starts on."""
    reader = form.reader(data)
    start = 1 + form.preamble
    try:
        for record in reader:
            if record:
                yield start, record
            start = reader.line_num + 1 + form.preamble
    except csv.Error as error:
        raise DataError(
            f"A quotation mark on line {start} is not closed, is followed by more text, or "
            "holds a cell that is too long.",
            hint='Close every quotation mark, and write one inside a cell as "".',
        ) from error


def _line_numbers(data: bytes, form: _Form) -> Ints:
    return np.fromiter((line for line, _ in _records(data, form)), dtype=np.int64)


def _explain(data: bytes, form: _Form, width: int) -> NoReturn:
    """Read again, record by record, and name the first line that is wrong."""
    for line, record in _records(data, form):
        if width and len(record) != width:
            raise DataError(
                f"Line {line} holds {counted(len(record), 'cell')}, but there are {width} columns.",
                hint="Put quotation marks around cells that contain the delimiter "
                f"({DELIMITERS[form.delimiter]}), and fill up rows that are too short.",
            )
    raise AssertionError
