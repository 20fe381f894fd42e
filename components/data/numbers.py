"""Text to numbers, strictly: nothing is guessed that two readers could read differently."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import Bools, Floats
from components.data.dress import bare, undress
from components.data.ledger import Entry, counted, shown
from components.data.numberdoubts import codes, doubts, fits
from components.data.numberstyles import STYLES, Style, cast
from components.data.questions import Option, QuestionError
from components.data.table import Table, as_arrow
from components.errors import DataError

LETTERS = "abcdefghijklmnopqrstuvwxyz"  # .a to .z say why a number is missing in Stata
MISSING = frozenset(
    {"na", "n/a", "n.a.", "n.a", "nan", "<na>", "null", "(null)", "none", "nil", "missing", "\\n"}
    | {".", "..", "...", "\u2026", "-", "--", "---", "\u2013", "\u2014", ":", "not available"}
    | {"#n/a", "#n/a n/a", "#div/0!", "#value!", "#ref!", "#name?", "#null!", "#num!"}
    | {"n.d.", "k.a.", "k. a.", "keine angabe", "nd", "nat", "1.#qnan", "nan(ind)"}
    | {"s.d.", "no data", "not applicable", "unknown", "confidential", "suppressed", "x", "*"}
    | {"(na)", "(n/a)", "(d)", "(s)", "(x)", "(c)", "?", *(f".{letter}" for letter in LETTERS)}
)
FLAGGED_MISSING = "^: ?[a-z]{1,3}$"
PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
NUMBER = re.compile(
    r"\(?[+\u2212-]?(?:[A-Z]{0,3}[$€£¥] ?)?[+-]?[0-9][0-9.,'\u2019 \u00a0\u2009\u202f]*"
    r"(?:[eE][+-]?[0-9]+)?\)?(?: ?(?:%|[$€£¥]|[A-Z]{3}))?|[+-]?[.,][0-9]+"
)
GROUPED = r"^[+-]?(?:0|[1-9][0-9]{0,2}(?:\.[0-9]{3})*)$"  # 1.234 may be in thousands
SPACES = "[\u00a0\u2007\u2009\u202f]"
MARK_NAMES = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes", "": ""}


def read_numbers(
    table: Table, column: str, *, decimal: str | None = None
) -> tuple[Floats, tuple[Entry, ...]]:
    """Convert a column to floats.

    Parameters
    ----------
    table : Table
        Where the column is.
    column : str
        Its name.
    decimal : {".", ","}, optional
        The decimal mark, where the column alone does not tell.

    Returns
    -------
    values : Floats, shape (n,)
        NaN where the cell is empty or says that the value is not known.
    entries : tuple of Entry
        What was converted, and what is missing.

    Raises
    ------
    QuestionError
        Where "1,234" could be 1234 or 1.234.
    DataError
        At the first cell that is no number.
    """
    text = pc.utf8_trim_whitespace(as_arrow(table.column(column)))
    empty: Bools = text.is_null().to_numpy(zero_copy_only=False)
    entries: list[Entry] = []
    if empty.any():
        count = int(empty.sum())
        sentence = f"{counted(count, 'cell')} of {shown(column)} empty: not known."
        entries.append(Entry("missing", sentence, count, table.places(empty)))
    plain = fits(text, PLAIN)
    markers = np.zeros(len(empty), dtype=np.bool_)
    if not plain.all():
        markers = _markers(table, column, text, ~plain, entries)
    known = ~(empty | markers)
    given = text.filter(pa.array(known))
    if not plain[known].all():
        given, noticed = undress(table, column, given, np.flatnonzero(known))
        entries += noticed
        plain[known] = fits(given, PLAIN)
    style = None
    pointed = fits(given, r"\.").any()
    unsaid = table.kind == "csv" and decimal is None  # elsewhere numbers are no text
    grouped = unsaid and pointed and fits(given, GROUPED).all()
    if not plain[known].all() or grouped or (decimal == "," and pointed):
        rows = np.flatnonzero(known)
        style = _style(table, column, given, rows, decimal)
        entries.append(_style_entry(column, style, len(rows)))
    values = np.full(len(empty), np.nan)
    values[known] = cast(given) if style is None else style.read(_plain_marks(given))
    _refuse_infinite(table, column, values, known)
    entries += doubts(table, column, given, known, plain=style is None)
    entries += codes(table, column, values)
    return values, tuple(entries)


def looks_numeric(text: pd.Series[str]) -> bool:
    """Tell whether all known cells are numbers, in any style, and there is at least one."""
    words = pc.utf8_trim_whitespace(as_arrow(text.dropna()))
    words = bare(words.filter(pa.array(~says_missing(pc.utf8_lower(words)))))
    if len(words) == 0:
        return False
    if fits(words, PLAIN).all():
        return True
    plain = _plain_marks(words)
    return any(fits(plain, style.pattern(strict=False)).all() for style in STYLES)


def is_number(cell: str) -> bool:
    """Tell whether a cell may be a number, in whatever style."""
    return NUMBER.fullmatch(cell.strip()) is not None


def says_missing(lower: Any) -> Bools:
    """Whether each text, in small letters, says that a number is not known."""
    found: Bools = pc.is_in(lower, pa.array(sorted(MISSING), pa.large_string())).to_numpy(
        zero_copy_only=False
    )
    return found | fits(lower, FLAGGED_MISSING)


def _markers(
    table: Table, column: str, text: Any, candidates: Bools, entries: list[Entry]
) -> Bools:
    lower = pc.utf8_lower(text)
    markers = candidates & says_missing(lower)
    if markers.any():
        written = pc.unique(text.filter(pa.array(markers))).to_pylist()
        count = int(markers.sum())
        sentence = (
            f"{counted(count, 'cell')} of {shown(column)} read as not known because of "
            f"{', '.join(map(shown, sorted(written)))}."
        )
        entries.append(Entry("missing", sentence, count, table.places(markers)))
    return markers


def _style(
    table: Table, column: str, given: Any, rows: np.ndarray[Any, Any], decimal: str | None
) -> Style:
    """Find the one way to read all numbers of a column."""
    text = _plain_marks(given)
    styles = [style for style in STYLES if decimal in (None, style.decimal)]
    possible = [style for style in styles if fits(text, style.pattern(strict=False)).all()]
    if not possible:
        _refuse_text(table, column, text, rows, styles)
    readings = [style.read(text) for style in possible]
    for style, reading in zip(possible[1:], readings[1:], strict=True):
        differ = reading != readings[0]
        if differ.any():
            first = int(np.flatnonzero(differ)[0])
            raise QuestionError(
                f"Column {shown(column)} can be read in two ways: {shown(given[first].as_py())} "
                f"on {table.place(int(rows[first]))} is {readings[0][first]:,.10g} with a decimal "
                f"{_one(possible[0].decimal)}, or {reading[first]:,.10g} with a decimal "
                f"{_one(style.decimal)}.",
                hint="Say which mark the decimals have, or write the numbers without marks "
                "between thousands.",
                field="decimal",
                options=(
                    Option(possible[0].decimal, _reads(given[first], readings[0][first])),
                    Option(style.decimal, _reads(given[first], reading[first])),
                ),
            )
    strict = [style for style in possible if fits(text, style.pattern(strict=True)).all()]
    if not strict:
        loose = ~fits(text, possible[0].pattern(strict=True))
        first = int(np.flatnonzero(loose)[0])
        raise DataError(
            f"Column {shown(column)} marks thousands in some numbers only: "
            f"{shown(given[first].as_py())} on {table.place(int(rows[first]))} has no mark.",
            hint="Write all numbers alike, best without marks between thousands.",
        )
    return strict[0]


def _reads(written: Any, value: float) -> str:
    return f"{shown(written.as_py())[1:-1]} is {value:,.10g}"


def _plain_marks(text: Any) -> Any:
    return pc.replace_substring(pc.replace_substring_regex(text, SPACES, " "), "\u2019", "'")


def _style_entry(column: str, style: Style, count: int) -> Entry:
    between = f" and {MARK_NAMES[style.thousands]} between thousands" if style.thousands else ""
    sentence = f"Numbers in {shown(column)} read with a decimal {_one(style.decimal)}{between}."
    return Entry("converted", sentence, count)


def _one(mark: str) -> str:
    return "comma" if mark == "," else "point"


def _refuse_text(
    table: Table, column: str, text: Any, rows: np.ndarray[Any, Any], styles: list[Style]
) -> NoReturn:
    """Name the first cell that keeps the column from being read in its most common style."""
    misfits = [~fits(text, style.pattern(strict=False)) for style in styles]
    misfit = min(misfits, key=np.count_nonzero)
    first = int(np.flatnonzero(misfit)[0])
    value = str(text[first].as_py())
    also = f" ({int(misfit.sum()):,} such cells)" if misfit.sum() > 1 else ""
    raise DataError(
        f"{table.place(int(rows[first])).capitalize()}, column {shown(column)}: {shown(value)} "
        f"is no number{also}.",
        hint=_cure(value),
    )


def _cure(value: str) -> str:
    if "%" in value:
        return "Write percentages without the sign: 4.5 or 0.045, the same in every row."
    if any(sign in value for sign in "$\u20ac\u00a3\u00a5"):
        return "Write amounts without the sign of the currency."
    if value.strip("+-").lower() in {"inf", "infinity"}:
        return "Correct the value, or leave the cell empty if it is not known."
    return "Write a plain number such as 1234.5, or leave the cell empty if it is not known."


def _refuse_infinite(table: Table, column: str, values: Floats, known: Bools) -> None:
    infinite = known & ~np.isfinite(values)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0])
        raise DataError(
            f"{table.place(row).capitalize()}, column {shown(column)}: "
            f"{shown(table.column(column).iloc[row])} is too large for a number.",
            hint="Correct the value, or measure in larger units.",
        )
