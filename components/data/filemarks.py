"""Marks in delimited text that belong to no cell: of orders, of ends, and for Excel."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from components.data.encodings import is_marked
from components.data.ledger import Entry, counted

SAMPLE_BYTES = 4096
INNER_MARK = b"\n\xef\xbb\xbf"
END_MARKS = b"\x00\x1a\r\n "
FORMULA_MARK = '^="([^"]*)"$'


def without_inner_marks(data: bytes, entries: list[Entry]) -> bytes:
    """Take out byte order marks at the start of lines, where files were put one below another."""
    count = data.count(INNER_MARK)
    if not count:
        return data
    sentence = f"{counted(count, 'byte order mark')} within the file left out."
    entries.append(Entry("converted", sentence, count))
    return data.replace(INNER_MARK, b"\n")


def without_end_mark(data: bytes, entries: list[Entry]) -> bytes:
    """Cut off the mark with which old systems end a file, or zeros that fill a block."""
    ended = data.rstrip(END_MARKS)
    marks = data[len(ended) :].strip()
    if not marks or is_marked(data) or re.search(rb"[\x00-\x08]", ended[-SAMPLE_BYTES:]):
        return data
    sentence = "A mark for the end of the file, which is no text, was left out below the table."
    entries.append(Entry("dropped", sentence, len(marks)))
    return ended


def without_formula_marks(
    columns: list[pa.ChunkedArray], entries: list[Entry]
) -> list[pa.ChunkedArray]:
    """Write ="001" as 001: so some programs keep Excel from reading text as a number."""
    count, plain = 0, []
    for column in columns:
        marked = pc.match_substring_regex(column, FORMULA_MARK)
        found = int(pc.sum(marked).as_py() or 0)
        count += found
        plain.append(pc.replace_substring_regex(column, FORMULA_MARK, r"\1") if found else column)
    if count:
        sentence = f'The marks ="..." for Excel were taken off {counted(count, "cell")}.'
        entries.append(Entry("converted", sentence, count))
    return plain
