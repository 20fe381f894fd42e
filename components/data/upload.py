"""From the bytes of a file to a table of text."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256

from components.data.archives import unpack_gzip, unpack_zip
from components.data.columnar import read_parquet
from components.data.content import Content, recognise
from components.data.delimited import read_delimited
from components.data.keys import with_keys_apart
from components.data.ledger import Entry
from components.data.reading import AS_FOUND, Reading
from components.data.stata import read_stata
from components.data.table import MAX_BYTES, Table
from components.data.timeparts import with_time_together
from components.data.workbook import read_workbook
from components.errors import DataError

NAME_CHARACTERS = 120


def read_table(data: bytes, name: str, reading: Reading = AS_FOUND) -> Table:
    """Read CSV, TSV, Parquet, Excel or Stata, also packed; the content decides, not the name.

    Parameters
    ----------
    data : bytes
        The whole file, at most ``MAX_BYTES``.
    name : str
        What the user calls it; for display only, never opened as a path.
    reading : Reading
        What the user said about encoding, sheet and names of columns.

    Returns
    -------
    Table
        Every cell as the text of the file. Nothing is guessed or converted here; where year and
        month stand in two columns, a third with both is added.

    Raises
    ------
    QuestionError
        Where it can be read in more than one way; the answer goes into the reading.
    DataError
        If the file is empty, too large, something else than a table, or not well formed; the
        message names the place, the hint the cure.
    """
    if len(data) > MAX_BYTES:
        raise DataError(
            f"The file has {len(data) / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20} can be read.",
            hint="Keep only the columns that you need, or save it as Parquet.",
        )
    label = display_name(name)
    digest = sha256(data).hexdigest()
    content = recognise(data)
    unpacked: tuple[Entry, ...] = ()
    members: tuple[str, ...] = ()
    if content == "gzip":
        data, entry = unpack_gzip(data)
        unpacked = (entry,)
    elif content == "zip":
        data, entry, members = unpack_zip(data, reading.sheet)
        unpacked = (entry,)
    content = recognise(data) if unpacked else content
    if content in ("gzip", "zip"):
        raise DataError(
            "The archive holds another archive.", hint="Unpack it, and choose the table itself."
        )
    inner = replace(reading, sheet=None) if members else reading
    table = with_time_together(with_keys_apart(_read(content, data, label, digest, inner)))
    if members:
        table = replace(table, reading=reading, sheets=members)
    return replace(table, entries=(*unpacked, *table.entries)) if unpacked else table


def _read(content: Content, data: bytes, name: str, digest: str, reading: Reading) -> Table:
    if content == "parquet":
        return replace(read_parquet(data, name=name, digest=digest), reading=reading)
    if content == "dta":
        return read_stata(data, name=name, digest=digest, reading=reading)
    if content in ("xlsx", "xls"):
        return read_workbook(data, name=name, digest=digest, kind=content, reading=reading)
    return read_delimited(data, name=name, digest=digest, reading=reading)


def display_name(name: str) -> str:
    """Keep the last part of a file's name, without anything invisible."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(letter for letter in last if letter.isprintable()).strip()
    return visible[:NAME_CHARACTERS] or "table"
