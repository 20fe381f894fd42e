"""Stata files as text, after their own account of their size was checked."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import replace
from typing import Any, NoReturn

import pandas as pd

from components.data.columnar import table_from_frame
from components.data.encodings import encoding_of
from components.data.ledger import Entry, shown
from components.data.reading import AS_FOUND, ENCODINGS, Reading
from components.data.table import Table, check_size
from components.errors import DataError

MODERN = b"<stata_dta>"
HEADER = re.compile(
    rb"<stata_dta><header><release>(\d{3})</release><byteorder>(LSF|MSF)</byteorder>"
    rb"<K>(.{2}|.{4})</K><N>(.{4}|.{8})</N>",
    re.DOTALL,
)
OLD_RELEASES = range(104, 116)
ORDERS = {b"LSF": "little", b"MSF": "big", 1: "big", 2: "little"}
FORMAT_WIDTH = {117: 49, 118: 57, 119: 57}
OLD_HEADER, OLD_NAME = 109, 33
OLD_FORMATS = {113: 12, 114: 49, 115: 49}
PERIODS = {"tq": "Q", "tm": "M", "ty": "Y"}


def is_stata(data: bytes) -> bool:
    """Tell whether bytes begin like a Stata file of any release since 104."""
    if data.startswith(MODERN):
        return True
    return len(data) > 60 and data[0] in OLD_RELEASES and data[1] in (1, 2) and data[2:4] == b"\1\0"


def read_stata(data: bytes, *, name: str, digest: str, reading: Reading = AS_FOUND) -> Table:
    """Read a Stata file; labelled numbers become their labels, and dates are written out.

    Parameters
    ----------
    data : bytes
        The whole file.
    name, digest, reading
        See `Table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If it is damaged, or claims more cells than it has bytes.
    """
    n_rows, n_columns = _size(data)
    check_size(n_rows, n_columns)
    if n_rows * n_columns > len(data):
        _refuse()
    entries: list[Entry] = []
    frame = _frame(data, entries)
    if frame.empty:
        raise DataError(
            "The Stata file holds no rows.", hint="Save it again with the observations in it."
        )
    if not data.startswith(MODERN) or data[28:31] == b"117":
        _settle_letters(frame, reading, entries)
    kinds = _formats(data, n_columns)
    for position, label in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if isinstance(column.dtype, pd.CategoricalDtype):
            text = [None if pd.isna(v) else _written(v) for v in column.astype(object)]
            frame[label] = pd.Series(text, dtype="str", index=frame.index)
            sentence = f"Numbers in {shown(label)} were replaced by their labels."
            entries.append(Entry("converted", sentence, len(text)))
        elif kinds.get(str(label)) in PERIODS and column.notna().all():
            frame[label] = pd.PeriodIndex(column, freq=PERIODS[kinds[str(label)]]).astype(str)
    table = table_from_frame(frame, name=name)
    return replace(
        table,
        digest=digest,
        kind="dta",
        reading=reading,
        entries=(*table.entries, *entries),
    )


def _settle_letters(frame: pd.DataFrame, reading: Reading, entries: list[Entry]) -> None:
    """Read the letters of releases before 14 again: these files do not say in which encoding."""
    odd: dict[str, list[str]] = {}
    for label in frame.columns:
        column = frame[label]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        words = column.cat.categories if categorical else column.dropna().unique()
        odd[label] = [word for word in words if isinstance(word, str) and not word.isascii()]
    cells = dict.fromkeys(word.encode("latin-1") for words in odd.values() for word in words)
    if not cells:
        return
    encoding = reading.encoding or encoding_of(b"\n".join(cells), "text of this file", entries)
    if reading.encoding:
        sentence = f"Letters read as {ENCODINGS[reading.encoding]}, as chosen."
        entries.append(Entry("read", sentence, 1))
    for label, written in odd.items():
        if written:
            read = {word: word.encode("latin-1").decode(encoding, "replace") for word in written}
            column = frame[label]
            categorical = isinstance(column.dtype, pd.CategoricalDtype)
            frame[label] = (
                column.cat.rename_categories(read) if categorical else column.replace(read)
            )


def _size(data: bytes) -> tuple[int, int]:
    """Read the numbers of rows and columns from the header."""
    match = HEADER.match(data[:200])
    if match:
        order: Any = ORDERS[match[2]]
        return int.from_bytes(match[4], order), int.from_bytes(match[3], order)
    if data.startswith(MODERN):
        _refuse()
    order = ORDERS[data[1]]
    return int.from_bytes(data[6:10], order), int.from_bytes(data[4:6], order)


def _frame(data: bytes, entries: list[Entry]) -> pd.DataFrame:
    for labelled in (True, False):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                frame = pd.read_stata(
                    io.BytesIO(data), convert_categoricals=labelled, preserve_dtypes=False
                )
        except MemoryError:
            raise
        except Exception as error:
            # On damaged bytes the reader raises whatever it stumbles over.
            if not (labelled and "labels" in str(error).lower()):
                _refuse(error)
            sentence = "Labels that repeat were not used: numbers stay as they are."
            entries.append(Entry("read", sentence, 1))
        else:
            return frame
    raise AssertionError


def _formats(data: bytes, n_columns: int) -> dict[str, str]:
    """Read which columns are years, quarters or months; files before release 113 are not asked."""
    if data[0] in OLD_FORMATS:
        return _old_formats(data, n_columns)
    match = HEADER.match(data[:200])
    width = FORMAT_WIDTH.get(int(match[1]), 0) if match else 0
    names, formats = (_section(data, tag) for tag in (b"varnames", b"formats"))
    if not width or len(formats) != width * n_columns or len(names) % n_columns:
        return {}
    return _kinds(names, len(names) // n_columns, formats, width, n_columns)


def _old_formats(data: bytes, n_columns: int) -> dict[str, str]:
    width, names = OLD_FORMATS[data[0]], OLD_HEADER + n_columns
    formats = names + OLD_NAME * n_columns + 2 * (n_columns + 1)
    return _kinds(data[names:formats], OLD_NAME, data[formats:], width, n_columns)


def _kinds(names: bytes, step: int, formats: bytes, width: int, n_columns: int) -> dict[str, str]:
    kinds = {}
    for i in range(n_columns):
        written = _text(formats[i * width : (i + 1) * width])
        found = re.match(r"%-?(t[a-z])", written)
        if found:
            kinds[_text(names[i * step : (i + 1) * step])] = found[1]
    return kinds


def _section(data: bytes, tag: bytes) -> bytes:
    _, _, rest = data.partition(b"<" + tag + b">")
    return rest.partition(b"</" + tag + b">")[0]


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def _written(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole and isinstance(value, float) else str(value)


def _refuse(error: Exception | None = None) -> NoReturn:
    raise DataError(
        "This Stata file is damaged, or of a release that cannot be read.",
        hint="Save it again from Stata, or export the table as CSV.",
    ) from error
