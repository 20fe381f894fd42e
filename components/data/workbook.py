"""Excel workbooks: one sheet with a table, as text."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import python_calamine as calamine

from components.data.compound import refuse_endless
from components.data.layout import MOST_BELOW, count_notes, filled, find_layout, note_entries
from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.reading import AS_FOUND, Reading
from components.data.table import MAX_CELLS, Table, assemble, check_size, refuse_control
from components.errors import DataError

MAX_UNPACKED = 256 * 2**20
MAX_MEMBERS = 2_000
BLOCK = 2**20
OVERLAP = 256
SAMPLE_ROWS = 200
REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Z]{0,3})(\d{1,7})[\"']")
SIZES = re.compile(rb"<(?:\w+:)?dimension[^>]*\bref\s*=\s*[\"'](?:\w+:)?([A-Z]{1,3})(\d{1,7})")
ERROR_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*\bt\s*=\s*[\"']e[\"']")
UNSOLVED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</|</(?:\w+:)?c>)")
SHARED = re.compile(rb"<(?:\w+:)?c\b[^>]*\bt\s*=\s*[\"']s[\"']")
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError)
HINT = "Keep a single plain table in the workbook, or save that sheet as CSV."


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
    if kind == "xlsx":
        _inspect(data, entries)
    else:
        refuse_endless(data)
    found = _open(data, reading, entries)
    n_rows = len(found.rows)
    if n_rows < 2:
        raise DataError(
            f"The sheet {shown(found.name)} has no rows below its first one.",
            hint="Put the names of the columns in the first row and the data below.",
        )
    text = [[_cell(value) or "" for value in row] for row in found.rows]
    numbered = [(found.first + i, row) for i, row in enumerate(text) if filled(row)]
    layout = find_layout(numbered[:SAMPLE_ROWS], reading, "row")
    entries += layout.entries
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


@dataclass(frozen=True)
class _Sheet:
    """The cells of one sheet: its name, the row that the first of them stands on."""

    name: str
    first: int
    rows: list[list[Any]]
    sheets: tuple[str, ...]


def _open(data: bytes, reading: Reading, entries: list[Entry]) -> _Sheet:
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        return _choose(book, reading, entries)
    except DataError:
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
    first = sheet.start[0] + 1 if sheet.start else 1
    return _Sheet(name, first, sheet.to_python(skip_empty_area=True), names)


def _inspect(data: bytes, entries: list[Entry]) -> None:
    """Measure a workbook before it is opened: a few bytes can claim a billion cells."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED:
                raise DataError(
                    f"The workbook unpacks to {unpacked / 2**20:,.0f} MB in {len(members):,} "
                    f"parts; at most {MAX_UNPACKED // 2**20} MB can be read.",
                    hint=HINT,
                )
            longest = _longest_text(archive)
            errors = unsolved = 0
            for member in members:
                if re.match(r"xl/worksheets/[^/]+\.xml$", member.filename, re.IGNORECASE):
                    found = _measure(archive, member, longest)
                    errors, unsolved = errors + found[0], unsolved + found[1]
    except UNREADABLE as error:
        raise DataError("The workbook is damaged or locked.", hint=HINT) from error
    if errors:
        sentence = f"{counted(errors, 'cell')} with an Excel error such as #N/A read as empty."
        entries.append(Entry("converted", sentence, errors))
    if unsolved:
        sentence = (
            f"{counted(unsolved, 'formula')} without a stored result read as empty: open the "
            "workbook in Excel and save it once."
        )
        entries.append(Entry("converted", sentence, unsolved))


def _measure(archive: zipfile.ZipFile, member: zipfile.ZipInfo, longest: int) -> tuple[int, int]:
    """Bound the rectangle of a sheet by the references in it; count errors and open formulas."""
    bottom = right = texts = errors = unsolved = 0
    tail = b""
    with archive.open(member) as stream:
        while block := stream.read(BLOCK):
            window = tail + block
            cut = window.rfind(b">") + 1
            window, tail = window[:cut], window[cut:]
            declared = [(*match,) for match in SIZES.findall(window[: OVERLAP * 16])]
            references = {*REFERENCE.findall(window), *declared}
            if references:
                bottom = max(bottom, *(int(row) for _, row in references))
                right = max(right, *(_column_number(column) for column, _ in references))
            if bottom * right > MAX_CELLS:
                raise DataError(
                    f"A sheet reaches to row {bottom:,} and column {right:,}: more than "
                    f"{MAX_CELLS:,} cells.",
                    hint="Delete the stray cells far away from the table, or save it as CSV.",
                )
            texts += len(SHARED.findall(window))
            errors += len(ERROR_CELL.findall(window))
            unsolved += len(UNSOLVED.findall(window))
            if len(tail) > BLOCK:
                raise DataError("A sheet of the workbook is damaged.", hint=HINT)
    if texts * longest > 2 * MAX_UNPACKED and texts > MAX_MEMBERS:
        raise DataError("The texts in the workbook are too long to be a table.", hint=HINT)
    return errors, unsolved


def _longest_text(archive: zipfile.ZipFile) -> int:
    name = next((n for n in archive.namelist() if n.lower() == "xl/sharedstrings.xml"), None)
    if name is None:
        return 0
    return max(map(len, archive.read(name).split(b"</si>")), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _cell(value: Any) -> str | None:
    """Write a cell as Excel shows it: whole numbers without ".0", dates in ISO form."""
    if value == "" or value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)
