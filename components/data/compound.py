"""The container of old Excel workbooks: refuse chains of sectors that never end."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from components.errors import DataError

HEADER = 512
LAST_REGULAR = 0xFFFFFFFA
DIRECT = 109


def refuse_endless(data: bytes) -> None:
    """Refuse a compound file whose sectors follow each other in a circle.

    A reader that follows such a chain collects sectors until the memory is full.

    Parameters
    ----------
    data : bytes
        A compound file ([MS-CFB] 2.2 to 2.5).

    Raises
    ------
    DataError
        If a chain of sectors is endless or the header makes no sense.
    """
    if len(data) < HEADER or data[30] not in (9, 12):
        _refuse()
    size = 1 << data[30]
    header = np.frombuffer(data, "<u4", HEADER // 4)
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
    tables = [_sector(data, int(n), size) for n in numbers[numbers < LAST_REGULAR]]
    if not tables or _endless(chain := np.concatenate(tables)):
        _refuse()
    small: list[Any] = []
    following = int(header[15])
    while following < min(len(chain), LAST_REGULAR):
        small.append(_sector(data, following, size))
        following = int(chain[following])
    if small and _endless(np.concatenate(small)):
        _refuse()


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
