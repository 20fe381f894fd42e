"""How the bytes of a file are taken apart: what the user said where the file does not tell."""

from __future__ import annotations

from dataclasses import dataclass

from components.data.sources_config import SourceQuery
from components.errors import DataError

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16, low byte first",
    "utf-16-be": "UTF-16, high byte first",
    "cp1252": "Western European (Windows-1252)",
    "latin-1": "Western European (Latin-1)",
    "iso8859-15": "Western European with the euro sign (Latin-9)",
    "mac-roman": "Western European (old Macintosh)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (Latin-2)",
    "cp852": "Central European (DOS)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "cp866": "Cyrillic (DOS)",
    "iso8859-5": "Cyrillic (ISO 8859-5)",
    "mac-cyrillic": "Cyrillic (old Macintosh)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp874": "Thai (Windows-874)",
    "cp932": "Japanese (Shift-JIS)",
    "euc-jp": "Japanese (EUC)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5": "Chinese, traditional (Big5)",
    "euc-kr": "Korean (EUC)",
}
MOST_HEADER_ROWS = 5


@dataclass(frozen=True)
class Reading:
    """How to take a file apart.

    Attributes
    ----------
    encoding : str, optional
        A key of ``ENCODINGS``; None finds it, or asks.
    sheet : str, optional
        Name of a workbook's sheet; None takes the first that holds a table. Of a zip archive of
        several files: the name of one of them, which None asks for.
    header : int, optional
        Line or row of the file, counted from 1, that holds the names of the columns; 0 where
        there are none, None finds it.
    header_rows : int, optional
        How many lines the names go over; None finds it.
    query : SourceQuery, optional
        What was asked of a source of the server, where the table is no file.

    Raises
    ------
    DataError
        Where a field holds what it cannot.
    """

    encoding: str | None = None
    sheet: str | None = None
    header: int | None = None
    header_rows: int | None = None
    query: SourceQuery | None = None

    def __post_init__(self) -> None:
        if self.encoding is not None and self.encoding not in ENCODINGS:
            raise DataError(
                f"There is no encoding {self.encoding!r} here.",
                hint=f"Choose one of {', '.join(ENCODINGS)}.",
            )
        if self.header is not None and self.header < 0:
            raise DataError(
                f"The names of the columns cannot be on line {self.header}.",
                hint="Count the lines from 1, or write 0 where there are no names.",
            )
        if self.header_rows is not None and not 1 <= self.header_rows <= MOST_HEADER_ROWS:
            raise DataError(
                f"The names of the columns cannot go over {self.header_rows} lines.",
                hint=f"Write 1 to {MOST_HEADER_ROWS}.",
            )


AS_FOUND = Reading()
