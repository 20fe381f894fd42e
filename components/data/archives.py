"""Gzip and zip archives that hold a single table."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import NoReturn

from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.table import MAX_BYTES
from components.errors import DataError

MAX_MEMBERS = 2_000
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


def unpack_zip(data: bytes) -> tuple[bytes, Entry]:
    """Unpack the one file of a zip archive, after its own account of its size was checked.

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
        If it is damaged, locked or too large, or holds no file or several.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if _counts(member.filename)]
            names = [member.filename for member in members]
            if len(members) != 1:
                some = ", ".join(map(shown, names[:5]))
                raise DataError(
                    f"The zip archive holds {counted(len(names), 'file')}"
                    f"{': ' + some if names else ''}{' and more' if len(names) > 5 else ''}.",
                    hint="Choose one of them, or put a single table into the archive.",
                )
            if members[0].flag_bits & ENCRYPTED:
                raise DataError("The zip archive is locked with a password.", hint=HINT)
            if members[0].file_size > MAX_BYTES:
                _refuse_size()
            with archive.open(members[0]) as stream:
                content = stream.read(MAX_BYTES + 1)
    except (*DAMAGED, NotImplementedError) as error:
        raise DataError("This zip archive is damaged.", hint=HINT) from error
    if len(content) > MAX_BYTES:
        _refuse_size()
    sentence = f"{shown(names[0])} was unpacked from a zip archive."
    return content, Entry("read", sentence, 1, tuple(map(shown, names[:MAX_PLACES])))


def _counts(name: str) -> bool:
    """Whether a member is more than a folder or what a system has left behind."""
    last = name.rsplit("/", 1)[-1]
    return bool(last) and not last.startswith(".") and not name.startswith("__MACOSX/")


def _refuse_size() -> NoReturn:
    raise DataError(
        f"The archive unpacks to more than {MAX_BYTES // 2**20} MB.",
        hint="Keep only the columns that you need, or save it as Parquet.",
    )
