"""Excel workbooks: one sheet with a table, as text."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
import python_calamine as calamine

from components.data.assemble import assemble
from components.data.compound import refuse_endless
from components.data.layout import Layout, Record, find_layout
from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.merges import Range, fill_down, spread_heads
from components.data.notes import MOST_BELOW, count_notes, filled, note_entries
from components.data.reading import AS_FOUND, Reading
from components.data.table import Table, check_size, refuse_control
from components.data.workbook_parts import HINT, SheetParts, inspect
from components.errors import DataError

SAMPLE_ROWS = 200
EXACT, LONGEST = 1e15, 1e21  # Excel keeps 15 digits


def read_workbook(
    data: bytes,
    *,
    name: str,
    digest: str,
    kind: Literal["xlsx", "xls"],
    reading: Reading = AS_FOUND,
) -> Table:
    """Read the sheet that was chosen, or the first visible one that holds a table.

    Parameters
    ----------
    data : bytes
        The whole file.
    name, digest : str
        See `Table`.
    kind : {"xlsx", "xls"}
        What the content is.
    reading : Reading
        What the user said about sheet and names.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the workbook is damaged, locked, empty, or would unpack to too much.
    """
    entries: list[Entry] = []
    parts: dict[str, SheetParts] = {}
    if kind == "xlsx":
        parts = inspect(data)
    else:
        refuse_endless(data)
    found = _open(data, reading, entries)
    entries += _oddities(found.name, parts.get(found.name, SheetParts()))
    n_rows = len(found.rows)
    if n_rows < 2:
        raise DataError(
            f"The sheet {shown(found.name)} has no rows below its first one.",
            hint="Put the names of the columns in the first row and the data below.",
        )
    text = [[_cell(value) or "" for value in row] for row in found.rows]
    long = sum(
        isinstance(v, float) and EXACT <= abs(v) < LONGEST for row in found.rows for v in row
    )
    if long:
        sentence = f"{counted(long, 'number')} of more than 15 digits: Excel keeps no more than 15."
        entries.append(Entry("read", sentence, long, doubtful=True))
    head = spread_heads(text, found.merged)
    numbered = [(found.first + i, row) for i, row in enumerate(text) if filled(row)]
    layout = _layout(numbered[:SAMPLE_ROWS], reading, None if head is None else found.first + head)
    entries += layout.entries
    if len(numbered) > layout.above + layout.rows:
        below = numbered[layout.above + layout.rows][0] - found.first
        entries += fill_down(text, found.merged, below, layout.names, found.first)
    body = numbered[layout.above + layout.rows :]
    below = min(count_notes([row for _, row in body[-MOST_BELOW:]], layout.width), len(body) - 1)
    notes = body[len(body) - below :] if below > 0 else []
    body = body[: len(body) - len(notes)]
    written = [(f"row {row}", " ".join(filter(None, cells))) for row, cells in notes]
    entries += note_entries(written, [], "row")
    begin = body[0][0] if body else found.first + 1
    rows = text[begin - found.first : body[-1][0] - found.first + 1] if body else []
    columns = [
        pa.chunked_array([pa.array(column, pa.large_string())])
        for column in (zip(*rows, strict=True) if rows else [()] * layout.width)
    ]
    for label, column in zip(layout.names, columns, strict=True):
        refuse_control(column, label, begin, "row")
    return assemble(
        layout.names,
        columns,
        name=name,
        digest=digest,
        kind=kind,
        first_row=begin,
        entries=entries,
        reading=reading,
        sheets=found.sheets,
    )


def _long_numbers(rows: list[list[Any]]) -> list[Entry]:
    """Say where a number is longer than a workbook keeps it."""
    numbers = (value for row in rows for value in row if isinstance(value, float))
    long = sum(1 for value in numbers if EXACT <= abs(value) < LONGEST)
    if not long:
        return []
    sentence = f"{counted(long, 'number')} of more than 15 digits: Excel keeps no more than 15."
    return [Entry("read", sentence, long, doubtful=True)]


def _layout(records: Sequence[Record], reading: Reading, head: int | None) -> Layout:
    """Find the names; merged ones go over two rows."""
    layout = find_layout(records, reading, "row")
    unsaid = reading.header_rows is None and layout.rows == 1
    if unsaid and len(records) > layout.above + 2 and records[layout.above][0] == head:
        return find_layout(records, replace(reading, header_rows=2), "row")
    return layout


def _oddities(name: str, parts: SheetParts) -> list[Entry]:
    """Refuse formulas without a result; say what else is not as it seems in Excel."""
    if parts.unsolved:
        cell = parts.places[0] if parts.places else "A cell"
        more = f" ({counted(parts.unsolved, 'such cell')})" if parts.unsolved > 1 else ""
        raise DataError(
            f"{cell} of the sheet {shown(name)} holds a formula without a stored result{more}.",
            hint="Open the workbook in Excel or LibreOffice, save it, and choose it again.",
        )
    entries = []
    if parts.errors:
        count = counted(parts.errors, "cell")
        sentence = f"{count} with an Excel error such as #N/A read as empty."
        entries.append(Entry("converted", sentence, parts.errors))
    if parts.hidden:
        sentence = f"{counted(parts.hidden, 'row')} that Excel hides or filters out read as well."
        entries.append(Entry("read", sentence, parts.hidden, doubtful=True))
    return entries


@dataclass(frozen=True)
class _Sheet:
    """The cells of one sheet: its name, the row that the first of them stands on."""

    name: str
    first: int
    rows: list[list[Any]]
    sheets: tuple[str, ...]
    merged: tuple[Range, ...] = ()


def _open(data: bytes, reading: Reading, entries: list[Entry]) -> _Sheet:
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        return _choose(book, reading, entries)
    except (DataError, MemoryError):
        raise
    except calamine.PasswordError as error:
        raise DataError("The workbook is locked with a password.", hint=HINT) from error
    except BaseException as error:
        # A damaged workbook can make the parser panic, which is no Exception in Python.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DataError("This is no workbook, or a damaged one.", hint=HINT) from error


def _choose(book: calamine.CalamineWorkbook, reading: Reading, entries: list[Entry]) -> _Sheet:
    metas = [
        meta
        for meta in book.sheets_metadata
        if meta.visible == calamine.SheetVisibleEnum.Visible
        and meta.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    names = tuple(meta.name for meta in metas)
    if reading.sheet is not None and reading.sheet not in names:
        raise DataError(
            f"The workbook has no sheet {shown(reading.sheet)}.",
            hint=f"Its sheets are: {', '.join(map(shown, names[:20]))}.",
        )
    wanted = [reading.sheet] if reading.sheet is not None else names
    best = None
    for name in wanted:
        sheet = book.get_sheet_by_name(name)
        if sheet.start is None or sheet.height == 0:
            continue
        check_size(sheet.height, sheet.width)
        best = best or (name, sheet)
        if min(sheet.height - sheet.start[0], sheet.width - sheet.start[1]) > 1:
            best = name, sheet
            break
    if best is None:
        raise DataError("No visible sheet of the workbook holds a table.", hint=HINT)
    name, sheet = best
    if len(book.sheet_names) > 1:
        count = len(book.sheet_names)
        sentence = f"Of {count} sheets, {shown(name)} was read."
        entries.append(Entry("read", sentence, count, tuple(book.sheet_names[:MAX_PLACES])))
    top, left = sheet.start or (0, 0)
    rows = sheet.to_python(skip_empty_area=True)
    return _Sheet(name, top + 1, rows, names, _inside(sheet, top, left, len(rows)))


def _inside(sheet: Any, top: int, left: int, height: int) -> tuple[Range, ...]:
    """Give the merged ranges, counted from the first cell and cut where the cells end."""
    found = []
    for (first, start), (last, end) in sheet.merged_cell_ranges or ():
        box = (
            (max(first - top, 0), max(start - left, 0)),
            (min(last - top, height - 1), min(end - left, sheet.width - 1)),
        )
        if box[0][0] <= box[1][0] and box[0][1] <= box[1][1]:
            found.append(box)
    return tuple(found)


def _cell(value: Any) -> str | None:
    """Write a cell as Excel shows it: whole numbers without ".0", dates in ISO form."""
    if value == "" or value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < LONGEST:
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)
