"""What a file is, judged by its first bytes and not by its name."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Literal

from components.data.stata import is_stata
from components.errors import DataError

Content = Literal["text", "parquet", "xlsx", "xls", "dta", "gzip", "zip"]

FOREIGN = (
    (rb"%PDF-", "a PDF document"),
    (rb"\x89PNG", "a PNG picture"),
    (rb"\xff\xd8\xff", "a JPEG picture"),
    (rb"GIF8[79]a", "a GIF picture"),
    (rb"RIFF.{4}(?:WEBP|WAVE|AVI )", "a picture, a sound or a film"),
    (rb"BZh[1-9]1AY&SY", "a bzip2 archive"),
    (rb"\xfd7zXZ", "an xz archive"),
    (rb"7z\xbc\xaf", "a 7-Zip archive"),
    (rb"Rar!\x1a", "a RAR archive"),
    (rb"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"ARROW1\x00", "an Arrow or Feather file"),
    (rb"\$FL2@", "an SPSS file"),
    (rb"RD[XA][23]\n", "an R data file"),
    (rb"PARE", "an encrypted Parquet file"),
    (rb"\{\\rtf", "a rich text document"),
    (rb"\x7fELF|MZ\x90", "a program"),
    (rb"\x80[\x02-\x05]", "a file of Python objects"),
    (rb"ORC(?![ -~])", "an ORC file"),
    (rb"Obj\x01", "an Avro file"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"[^\x00]{1,100}\x00[\x00-\xff]{156,257}ustar", "a tar archive"),
)
MARKUP = (
    (rb"<!doctype html|<html|<head|<body|<table|<div", "a web page (HTML)"),
    (rb"<\?xml|<svg", "an XML document"),
    (rb"[\[{]\s*(?:[\"{\[]|\Z)", "a JSON document"),
    (rb"insert\s+into\s|create\s+table\s", "an SQL script"),
)
ARCHIVED = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint file"),
    ("content.xml", "an OpenDocument file"),
)
HINT = "Save the table as CSV, Excel (.xlsx), Stata (.dta) or Parquet, and choose that file."


def recognise(data: bytes) -> Content:
    """Tell which reader a file needs.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    {"text", "parquet", "xlsx", "xls", "dta", "gzip", "zip"}

    Raises
    ------
    DataError
        If it is empty, or something else than a table; the message names it.
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise DataError("The file is empty.", hint="Choose a file with a table in it.")
    if data[:4] == b"PAR1":
        return "parquet"
    if data[:4] == b"PK\x03\x04":
        return _zipped(data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "xls"
    if data[:2] == b"\x1f\x8b":
        return "gzip"
    if is_stata(data):
        return "dta"
    _refuse_foreign(data)
    return "text"


def _refuse_foreign(data: bytes) -> None:
    for start, what in FOREIGN:
        if re.match(start, data, re.DOTALL):
            _refuse(what)
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for pattern, what in MARKUP:
        if re.match(pattern, head):
            _refuse(what)


def _zipped(data: bytes) -> Content:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DataError("This is a damaged zip archive or Excel file.", hint=HINT) from error
    if any(name.lower() == "xl/workbook.xml" for name in names):
        return "xlsx"
    for start, what in ARCHIVED:
        if any(name.lower().startswith(start) for name in names):
            _refuse(what)
    return "zip"


def _refuse(what: str) -> None:
    raise DataError(f"This is {what}, not a table.", hint=HINT)
