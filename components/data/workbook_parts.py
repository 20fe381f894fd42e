"""What an Excel workbook claims to hold, measured before it is opened."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from components.data.table import MAX_CELLS
from components.errors import DataError

MAX_UNPACKED = 256 * 2**20
MAX_MEMBERS = 2_000
MOST_TOLD = 3
BLOCK = 2**20
REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Z]{0,3})(\d{1,7})[\"']")
SIZES = re.compile(rb"<(?:\w+:)?dimension[^<>]*\bref\s*=\s*[\"'](?:\w+:)?([A-Z]{1,3})(\d{1,7})")
FORMULA = rb"<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
NOTHING = rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</|</(?:\w+:)?c>)"
UNSOLVED = re.compile(rb"<(?:\w+:)?c\b([^<>]*)>\s*" + FORMULA + rb"\s*" + NOTHING)
ERROR_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]*\bt\s*=\s*[\"']e[\"']")
TEXT_CELL = re.compile(rb"\bt\s*=\s*[\"']str[\"']")
PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3}\d{1,7})[\"']")
HIDDEN = re.compile(rb"<(?:\w+:)?row\b[^<>]*\bhidden\s*=\s*[\"'](?:1|true)[\"']")
SHARED = re.compile(rb"<(?:\w+:)?c\b[^<>]*\bt\s*=\s*[\"']s[\"']")
SHEET = re.compile(r"<(?:\w+:)?sheet\b([^<>]*)>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\b([^<>]*)>")
ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError)
HINT = "Keep a single plain table in the workbook, or save that sheet as CSV."


@dataclass
class SheetParts:
    """What stands in the file of one sheet.

    Attributes
    ----------
    errors, hidden : int
        Cells with an error such as #N/A, and rows that Excel hides.
    unsolved : int
        Formulas without a stored result.
    places : list of str
        Cells of the first of them.
    """

    errors: int = 0
    hidden: int = 0
    unsolved: int = 0
    places: list[str] = field(default_factory=list)


def inspect(data: bytes) -> dict[str, SheetParts]:
    """Measure a workbook: a few bytes can claim a billion cells.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    dict of str to SheetParts
        By the name of the sheet.

    Raises
    ------
    DataError
        If it is damaged, or would unpack to too much.
    """
    found = {}
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
            for member in members:
                name = member.filename.lower()
                if re.match(r"xl/worksheets/[^/]+\.xml$", name):
                    found[name] = _measure(archive, member, longest)
            names = _names(archive)
    except UNREADABLE as error:
        raise DataError("The workbook is damaged or locked.", hint=HINT) from error
    return {names[name]: parts for name, parts in found.items() if name in names}


def _names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Tell which sheet each file holds."""
    text = {}
    for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        member = next((n for n in archive.namelist() if n.lower() == name), None)
        text[name] = archive.read(member).decode("utf-8", "replace") if member else ""
    files = {}
    for match in RELATION.finditer(text["xl/_rels/workbook.xml.rels"]):
        attributes = _attributes(match[1])
        target = attributes.get("Target", "").lower()
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        files[attributes.get("Id", "")] = path
    names = {}
    for match in SHEET.finditer(text["xl/workbook.xml"]):
        attributes = _attributes(match[1])
        key = next((v for a, v in attributes.items() if a.endswith(":id")), "")
        if key in files:
            names[files[key]] = attributes.get("name", "")
    return names


def _attributes(text: str) -> dict[str, str]:
    return {name: unescape(one or other) for name, one, other in ATTRIBUTE.findall(text)}


def _measure(archive: zipfile.ZipFile, member: zipfile.ZipInfo, longest: int) -> SheetParts:
    """Bound the rectangle of a sheet by the references in it, and count what is odd."""
    parts = SheetParts()
    bottom = right = texts = 0
    for window in _windows(archive, member):
        references = {*REFERENCE.findall(window), *SIZES.findall(window)}
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
        parts.errors += len(ERROR_CELL.findall(window))
        parts.hidden += len(HIDDEN.findall(window))
        for attributes in UNSOLVED.findall(window):
            if not TEXT_CELL.search(attributes):  # an empty text is a result
                parts.unsolved += 1
                place = PLACE.search(attributes)
                if place and len(parts.places) < MOST_TOLD:
                    parts.places.append(place[1].decode())
    if texts * longest > 2 * MAX_UNPACKED and texts > MAX_MEMBERS:
        raise DataError("The texts in the workbook are too long to be a table.", hint=HINT)
    return parts


def _windows(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a sheet in blocks that end where a cell begins, so that none is cut in two."""
    tail = b""
    with archive.open(member) as stream:
        while block := stream.read(BLOCK):
            window = tail + block
            cut = max(window.rfind(b"<c "), window.rfind(b"<row"))
            cut = cut if cut > 0 else window.rfind(b">") + 1
            window, tail = window[:cut], window[cut:]
            if len(tail) > BLOCK:
                raise DataError("A sheet of the workbook is damaged.", hint=HINT)
            yield window
    yield tail


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
