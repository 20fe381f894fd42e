"""What stands around numbers: signs of currency and percent, brackets, printed minus signs."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import Bools, Ints
from components.data.ledger import Entry, counted, shown
from components.data.table import Table
from components.errors import DataError

CODES = (
    "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|ISK|CNY|RMB|HKD|SGD|INR|BRL|MXN|KRW|ZAR|PLN|CZK|"
    "HUF|RON|RUB|TRY|ILS|THB|IDR"
)
CURRENCY = rf"(?:US|A|C|NZ|HK|R)?\$|[€£¥₹₩₽₺₫฿₪₴₦₱]|{CODES}|kr\.?|zł|Kč|Fr\.|Rs\.?"
BEFORE = rf"^([+-]?)(?P<sign>{CURRENCY})[ \x{{a0}}\x{{202f}}]*([+-]?[0-9.,])"
AFTER = rf"([0-9.,])[ \x{{a0}}\x{{202f}}]*(?P<sign>{CURRENCY})$"
PERCENT = r"([0-9.,])[ \x{a0}\x{202f}]*%$"
BRACKETS = r"^\(([^()+-]*[0-9][^()]*)\)$"
MINUS = "[\u2010-\u2013\u2212\ufe63\uff0d]|^- +"
BEHIND = r"^([0-9][0-9.,' ]*)-$"
# What agencies print behind a number: a mark of a footnote, or a flag such as "p" (provisional).
MARKED = r"([0-9.,])[ \x{a0}]*(?:[*†‡§]{1,3}|[⁰¹²³⁴-⁹]{1,2}|\[[a-z0-9]{1,2}\])$"
FLAGGED = r"([0-9.,]) +[bcdefinprsuz]?[cdefinprsuz][bcdefinprsuz]?$"
BREAKS = r"([0-9.,]) +[bcdefinprsuz]{1,3}$"  # with "b" alone, which may mean billions
TEXT_SIGN = r"^'([+-]?[0-9.,])"


CLEANED = (
    (TEXT_SIGN, r"\1", "The apostrophe of a spreadsheet was taken off"),
    (MARKED, r"\1", "Marks of footnotes were left out behind"),
    (BEHIND, r"-\1", "The minus sign stood behind"),
)


def undress(table: Table, column: str, text: Any, rows: Ints) -> tuple[Any, list[Entry]]:
    """Take off what stands around all numbers of a column alike.

    Parameters
    ----------
    table : Table
    column : str
    text : pyarrow.Array
        The cells that are known, without spaces around them.
    rows : Ints
        Their rows in the table.

    Returns
    -------
    text : pyarrow.Array
    entries : list of Entry
        What was taken off.

    Raises
    ------
    DataError
        Naming the first cell that differs: another currency, or a sign in some cells only.
    """
    name = shown(column)
    entries: list[Entry] = []
    for pattern, inside, what in _cleaned(text):
        found = _has(text, pattern)
        if found.any():
            text = pc.replace_substring_regex(text, pattern, inside)
            sentence = f"{what} {counted(int(found.sum()), 'number')} in {name}."
            places = _places(table, rows, found)
            entries.append(Entry("converted", sentence, int(found.sum()), places))
    minus = _has(text, MINUS)
    if minus.any():
        text = pc.replace_substring_regex(text, MINUS, "-")
        sentence = f"{counted(int(minus.sum()), 'minus sign')} of print in {name} read as minus."
        entries.append(Entry("converted", sentence, int(minus.sum())))
    brackets = _has(text, BRACKETS)
    if brackets.any():
        text = pc.replace_substring_regex(text, BRACKETS, r"-\1")
        count = int(brackets.sum())
        sentence = f"{counted(count, 'number')} in brackets in {name} read as negative."
        entries.append(Entry("converted", sentence, count, _places(table, rows, brackets)))
    signs = _signs(text)
    if signs:
        missing = ~(_has(text, BEFORE) | _has(text, AFTER))
        if missing.any() or len(signs) > 1:
            _refuse_signs(table, column, text, rows, signs)
        text = _bare(text)
        sentence = (
            f"The sign of currency {shown(signs[0])} was taken off {name}; amounts stay as they "
            "are written."
        )
        entries.append(Entry("converted", sentence, len(rows)))
    percent = _has(text, PERCENT)
    if percent.any():
        if not percent.all():
            first = int(np.flatnonzero(percent)[0])
            raise DataError(
                f"{table.place(int(rows[first])).capitalize()}, column {name}: "
                f"{shown(text[first].as_py())} has a percent sign, but not all numbers of the "
                "column have one.",
                hint="Write percentages without the sign: 4.5 or 0.045, the same in every row.",
            )
        text = pc.replace_substring_regex(text, PERCENT, r"\1")
        sentence = f"The percent sign was taken off {name}: 4.5% is 4.5, not 0.045."
        entries.append(Entry("converted", sentence, len(rows)))
    return text, entries


def bare(text: Any) -> Any:
    """Take off all that may stand around numbers, without asking whether it is alike."""
    for pattern, inside, _ in _cleaned(text):
        text = pc.replace_substring_regex(text, pattern, inside)
    text = pc.replace_substring_regex(text, MINUS, "-")
    text = pc.replace_substring_regex(text, BRACKETS, r"-\1")
    return pc.replace_substring_regex(_bare(text), PERCENT, r"\1")


def _cleaned(text: Any) -> list[tuple[str, str, str]]:
    """List what may be taken off these numbers: pattern, what stays, and what to say."""
    if not _has(text, FLAGGED).any():
        return [*CLEANED]
    return [*CLEANED, (BREAKS, r"\1", "Flags such as 'p' were left out behind")]


def _bare(text: Any) -> Any:
    text = pc.replace_substring_regex(text, BEFORE, r"\1\3")
    return pc.replace_substring_regex(text, AFTER, r"\1")


def _has(text: Any, pattern: str) -> Bools:
    found = pc.match_substring_regex(text, pattern).fill_null(False)
    flags: Bools = found.to_numpy(zero_copy_only=False)
    return flags


def _signs(text: Any) -> list[str]:
    """List the signs of currency in a column."""
    found = set()
    for pattern in (BEFORE, AFTER):
        some = text.filter(pa.array(_has(text, pattern)))
        if len(some):
            parts = pc.extract_regex(some, pattern.replace("([", "(?:[").replace("([+", "(?:[+"))
            found |= set(pc.unique(pc.struct_field(parts, "sign")).to_pylist())
    return sorted(found)


def _refuse_signs(table: Table, column: str, text: Any, rows: Ints, signs: list[str]) -> NoReturn:
    dressed = _has(text, BEFORE) | _has(text, AFTER)
    row = int(np.flatnonzero(dressed)[0])
    where = f"{table.place(int(rows[row])).capitalize()}, column {shown(column)}: "
    value = shown(text[row].as_py())
    if len(signs) > 1:
        message = f"{where}{value}, but elsewhere amounts are in {shown(signs[-1])}."
        raise DataError(message, hint="Convert all amounts to the same currency.")
    raise DataError(
        f"{where}{value} has a sign of currency, but not all numbers of the column have one.",
        hint="Write amounts without the sign of the currency.",
    )


def _places(table: Table, rows: Ints, mask: Bools) -> tuple[str, ...]:
    return tuple(table.place(int(row)) for row in rows[mask][:20])
