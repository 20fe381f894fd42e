"""The container of old Excel workbooks: refuse sizes and chains that cannot be."""

from __future__ import annotations

from struct import unpack_from
from typing import Any, NoReturn

import numpy as np

from components.data.table import MAX_CELLS
from components.errors import DataError

HEADER = 512
LAST_REGULAR = 0xFFFFFFFA
DIRECT = 109
COUNTS = [10, 11, 16, 18]
SMALL = 64
SHEET, DIMENSIONS = 0x809, 0x200
CELLS = frozenset({0x06, 0xBD, 0xBE, 0xD6, 0xFD, 0x201, 0x203, 0x204, 0x205, 0x27E})
MAX_ROWS, MAX_RIGHT = 65_536, 256


def refuse_endless(data: bytes) -> None:
    """Refuse a compound file that claims to be larger than it is, or runs in a circle.

    A reader that believes it collects sectors until the memory is full, and takes the whole
    process down.

    Parameters
    ----------
    data : bytes
        A compound file ([MS-CFB] 2.2 to 2.5).

    Raises
    ------
    DataError
        If a chain of sectors is endless, or a count is larger than the file.
    """
    if len(data) < HEADER or data[30] not in (9, 12):
        _refuse()
    size = 1 << data[30]
    header = np.frombuffer(data, "<u4", HEADER // 4)
    if header[COUNTS].max() > len(data) // size:
        _refuse()
    chain = _chains(data, header, size)
    small = _follow(data, chain, int(header[15]), size)
    if _endless(chain) or _endless(small):
        _refuse()
    folder = _follow(data, chain, int(header[12]), size)
    folder = folder[: len(folder) // 32 * 32].reshape(-1, 32)
    if (folder[:, 30] > len(data)).any() or (size > HEADER and folder[:, 31].any()):
        _refuse()
    for entry in folder:
        name = entry[:16].tobytes().decode("utf-16-le", "replace").rstrip("\0").lower()
        if name in ("workbook", "book") and entry[30]:
            first, length = int(entry[29]), int(entry[30])
            if length < header[14]:
                inside = _follow(data, chain, int(folder[0][29]), size).tobytes()
                stream = _follow(inside, small, first, SMALL, before=0)
            else:
                stream = _follow(data, chain, first, size)
            _refuse_far(stream.tobytes()[:length])


def _refuse_far(stream: bytes) -> None:
    """Walk through the records of a workbook ([MS-XLS] 2.5) and bound each sheet's rectangle."""
    at = bottom = right = 0
    while at + 8 <= len(stream):
        kind, length, row, column = unpack_from("<HHHH", stream, at)
        if kind == SHEET:
            bottom = right = 0
        elif kind in CELLS:
            bottom, right = max(bottom, row + 1), max(right, column + 1)
            if bottom * right > MAX_CELLS:
                raise DataError(
                    f"A sheet reaches to row {bottom:,} and column {right:,}: more than "
                    f"{MAX_CELLS:,} cells.",
                    hint="Delete the stray cells far away from the table, or save it as CSV.",
                )
        elif kind == DIMENSIONS and length >= 14 and at + 18 <= len(stream):
            top, below, left, beyond = unpack_from("<IIHH", stream, at + 4)
            if below > MAX_ROWS or beyond > MAX_RIGHT or below < top or beyond < left:
                _refuse()
        at += 4 + length


def _chains(data: bytes, header: Any, size: int) -> Any:
    """Gather the allocation table: for each sector, the one that follows."""
    listed = [header[19 : 19 + DIRECT]]
    following, seen = int(header[17]), 0
    while following < LAST_REGULAR:
        block = _sector(data, following, size)
        seen += 1
        if len(block) < size // 4 or seen * size > len(data):
            _refuse()
        listed.append(block[:-1])
        following = int(block[-1])
    numbers = np.concatenate(listed)
    tables = [_sector(data, int(number), size) for number in numbers[numbers < LAST_REGULAR]]
    if not tables:
        _refuse()
    return np.concatenate(tables)


def _follow(data: bytes, chain: Any, start: int, size: int, before: int = 1) -> Any:
    """Join the sectors of one chain, the first of which stands behind ``before`` others."""
    sectors = [np.empty(0, "<u4")]
    while start < len(chain):
        sectors.append(_sector(data, start + before - 1, size))
        start = int(chain[start])
        if len(sectors) * size > len(data) + size:
            _refuse()
    return np.concatenate(sectors)


def _sector(data: bytes, number: int, size: int) -> Any:
    start = min((number + 1) * size, len(data))
    count = min(size, len(data) - start) // 4
    return np.frombuffer(data, "<u4", count, start)


def _endless(following: Any) -> bool:
    """Whether any chain runs in a circle: after n or more steps it has not come to its end."""
    end = len(following)
    step = np.append(np.where(following < end, following, end), end).astype(np.int64)
    for _ in range(end.bit_length() + 1):
        step = step[step]
    return bool((step != end).any())


def _refuse() -> NoReturn:
    raise DataError(
        "This is no workbook, or a damaged one.",
        hint="Open it in Excel and save it as .xlsx, or save the sheet as CSV.",
    )
