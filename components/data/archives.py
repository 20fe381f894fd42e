"""Gzip and zip archives: the one table in them, or the one that was chosen."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from typing import NoReturn

from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.questions import Option, QuestionError
from components.data.table import MAX_BYTES
from components.errors import DataError

MOST_OPTIONS = 20
TABLES = re.compile(r"\.(csv|tsv|tab|xlsx?|dta|parquet)$", re.IGNORECASE)
DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError)
ENCRYPTED = 0x1
HINT = "Unpack it, and choose the table itself."


def unpack_gzip(data: bytes) -> tuple[bytes, Entry]:
    """Unpack a gzip file, and stop where it grows beyond ``MAX_BYTES``.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    content : bytes
    entry : Entry
        That it was unpacked.

    Raises
    ------
    DataError
        If it is damaged or too large.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(MAX_BYTES + 1)
    except DAMAGED as error:
        raise DataError("This gzip file is damaged.", hint=HINT) from error
    if len(content) > MAX_BYTES:
        _refuse_size()
    return content, Entry("read", "The file was unpacked from gzip.", 1)


def unpack_zip(data: bytes, wanted: str | None = None) -> tuple[bytes, Entry, tuple[str, ...]]:
    """Unpack one file of a zip archive, after its own account of its size was checked.

    Parameters
    ----------
    data : bytes
    wanted : str, optional
        Name of the file, where there are several.

    Returns
    -------
    content : bytes
    entry : Entry
        That it was unpacked.
    names : tuple of str
        The files that can be chosen from; empty where there is only one.

    Raises
    ------
    QuestionError
        Where there are several files and none is named.
    DataError
        If it is damaged, locked or too large, or holds no file, or very many.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if _counts(member.filename)]
            member = _chosen(members, wanted)
            if member.flag_bits & ENCRYPTED:
                raise DataError("The zip archive is locked with a password.", hint=HINT)
            if member.file_size > MAX_BYTES:
                _refuse_size()
            with archive.open(member) as stream:
                content = stream.read(MAX_BYTES + 1)
    except (*DAMAGED, NotImplementedError) as error:
        raise DataError("This zip archive is damaged.", hint=HINT) from error
    if len(content) > MAX_BYTES:
        _refuse_size()
    names = tuple(member.filename for member in members) if len(members) > 1 else ()
    of = f", one of {len(names)} files in it" if names else ""
    sentence = f"{shown(member.filename)} was unpacked from a zip archive{of}."
    return content, Entry("read", sentence, 1, tuple(map(shown, names[:MAX_PLACES]))), names


def _chosen(members: list[zipfile.ZipInfo], wanted: str | None) -> zipfile.ZipInfo:
    """Give the only file, or the one that is wanted; ask where there are several."""
    if len(members) == 1:
        return members[0]
    found = [member for member in members if member.filename == wanted]
    if found and wanted is not None:
        return found[-1]
    some = ", ".join(shown(member.filename) for member in members[:5])
    message = (
        f"The zip archive holds {counted(len(members), 'file')}"
        f"{': ' + some if members else ''}{' and more' if len(members) > 5 else ''}."
    )
    hint = "Choose one of them, or put a single table into the archive."
    if not 2 <= len(members) <= MOST_OPTIONS:
        raise DataError(message, hint=hint)
    names = dict.fromkeys(member.filename for member in members)
    tables = sorted(names, key=lambda name: not TABLES.search(name))
    options = tuple(Option(name, shown(name)[1:-1]) for name in tables)
    raise QuestionError(message, hint=hint, field="reading.sheet", options=options)


def _counts(name: str) -> bool:
    """Whether a member is more than a folder or what a system has left behind."""
    last = name.rsplit("/", 1)[-1]
    return bool(last) and not last.startswith(".") and not name.startswith("__MACOSX/")


def _refuse_size() -> NoReturn:
    raise DataError(
        f"The archive unpacks to more than {MAX_BYTES // 2**20} MB.",
        hint="Keep only the columns that you need, or save it as Parquet.",
    )
