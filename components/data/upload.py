"""From the bytes of a file to a table of text."""

from __future__ import annotations

import re
from hashlib import sha256

from components.data.columnar import read_parquet
from components.data.content import recognise
from components.data.delimited import read_delimited
from components.data.table import MAX_BYTES, Table
from components.data.workbook import read_workbook
from components.errors import DataError

NAME_CHARACTERS = 120


def read_table(data: bytes, name: str) -> Table:
    """Read CSV, TSV, Parquet or Excel; the content decides, not the name.

    Parameters
    ----------
    data : bytes
        The whole file, at most ``MAX_BYTES``.
    name : str
        What the user calls it; for display only, never opened as a path.

    Returns
    -------
    Table
        Every cell as the text of the file. Nothing is guessed or converted here.

    Raises
    ------
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
    content = recognise(data)
    digest = sha256(data).hexdigest()
    if content == "parquet":
        return read_parquet(data, name=label, digest=digest)
    if content in ("xlsx", "xls"):
        return read_workbook(data, name=label, digest=digest, kind=content)
    return read_delimited(data, name=label, digest=digest)


def display_name(name: str) -> str:
    """Keep the last part of a file's name, without anything invisible."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(letter for letter in last if letter.isprintable()).strip()
    return visible[:NAME_CHARACTERS] or "table"
