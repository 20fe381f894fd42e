"""Text to periods: one kind for a whole column, and never sorted as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from components.data.ledger import Entry, counted, shown
from components.data.questions import Option, QuestionError
from components.data.timeforms import FORMS, MONTHS, SLASHED, Form, dates, integers
from components.errors import DataError

DateOrder = Literal["day first", "month first"]
HINT = "Write all periods alike: 1989, 2020-01-31, 2020-01, 2020Q1, 2020-W05 or 2020-01-31 06:00."


@dataclass(frozen=True)
class Place:
    """Where the texts come from, for messages: the column, and the place of a position."""

    column: str
    of: Callable[[int], str]


def parse_periods(
    text: pd.Series[str],
    *,
    place: Place | None = None,
    date_order: DateOrder | None = None,
) -> pd.Index[Any]:
    """Convert a column of text to periods of one kind.

    Parameters
    ----------
    text : pandas.Series of str, length n
        The column, in the order of the file.
    place : Place, optional
        How to name the column and its rows in messages.
    date_order : {"day first", "month first"}, optional
        How to read 01/02/2020, where the column alone does not tell.

    Returns
    -------
    pandas.Index, length n
        Integers; timestamps (a week is the timestamp of its Monday); or monthly or quarterly
        Periods.

    Raises
    ------
    DataError
        At the first empty or unreadable cell, where kinds are mixed, or where days and months
        cannot be told apart.
    """
    return read_periods(text, place=place, date_order=date_order)[0]


def read_periods(
    text: pd.Series[str],
    *,
    place: Place | None = None,
    date_order: DateOrder | None = None,
) -> tuple[pd.Index[Any], tuple[Entry, ...]]:
    """Convert as `parse_periods` does, and say what was converted."""
    place = place or Place("time", lambda row: f"row {row + 1}")
    codes, words = pd.factorize(text)
    if (codes < 0).any():
        first = int(np.flatnonzero(codes < 0)[0])
        raise DataError(
            f"{counted(int((codes < 0).sum()), 'row')} without a period in column "
            f"{shown(place.column)}; the first is {place.of(first)}.",
            hint="Fill in the periods, or take those rows out.",
        )
    stripped = [str(word).strip() for word in words]
    firsts = _Firsts(codes, place)
    form, matches = _form(stripped, firsts, date_order)
    periods = _made(form, matches, stripped, firsts)
    entries: tuple[Entry, ...] = ()
    if form.note:
        sentence = f"Periods in {shown(place.column)}: {form.note}."
        entries = (Entry("converted", sentence, len(text)),)
    return periods.take(codes), entries


@dataclass(frozen=True)
class _Firsts:
    """Finds the first row that holds a given word."""

    codes: np.ndarray[Any, Any]
    place: Place

    def of(self, word: int) -> str:
        row = int(np.flatnonzero(self.codes == word)[0])
        return f"{self.place.of(row)}, column {shown(self.place.column)}"


def _form(
    words: list[str], firsts: _Firsts, date_order: DateOrder | None
) -> tuple[Form, list[re.Match[str]]]:
    """Find the form that all words have."""
    best: tuple[int, Form] | None = None
    for form in FORMS:
        compiled = re.compile(form.pattern, re.IGNORECASE | re.ASCII)
        matches = []
        for word in words:
            match = compiled.fullmatch(word)
            if match is None:
                break
            matches.append(match)
        else:
            if form.plausible is None or form.plausible(matches):
                if form is SLASHED:
                    return _ordered(matches, firsts, date_order), matches
                return form, matches
        if matches and (best is None or len(matches) > best[0]):
            best = len(matches), form
    numbered = _numbered(words)
    if numbered is not None:
        return numbered
    if best is None:
        raise _unreadable(words[0], firsts.of(0))
    count, form = best
    raise _mixture(words[count], firsts.of(count), words[0], firsts.of(0), form.what)


def _made(
    form: Form, matches: list[re.Match[str]], words: list[str], firsts: _Firsts
) -> pd.Index[Any]:
    try:
        return form.make(matches)
    except (ValueError, OverflowError):
        for position, match in enumerate(matches):
            try:
                form.make([match])
            except (ValueError, OverflowError):
                raise _unreadable(words[position], firsts.of(position)) from None
        raise


def _unreadable(word: str, where: str) -> DataError:
    return DataError(f"{where[:1].upper()}{where[1:]}: {shown(word)} is no period.", hint=HINT)


def _mixture(word: str, where: str, first: str, first_where: str, what: str) -> DataError:
    return DataError(
        f"{where[:1].upper()}{where[1:]}: {shown(word)} is not written like {shown(first)} on "
        f"{first_where.partition(',')[0]}, which is {what}.",
        hint=HINT,
    )


def _numbered(words: list[str]) -> tuple[Form, list[re.Match[str]]] | None:
    """Read "week 9", "week 10": one word before every number."""
    compiled = re.compile(r"(?P<word>[A-Za-z]{1,12}[ _.-]?)(?P<number>[0-9]{1,9})")
    matches = [compiled.fullmatch(word) for word in words]
    found = [match for match in matches if match is not None]
    if len(found) < len(words) or len({match["word"].lower() for match in found}) > 1:
        return None
    return Form("a number", "", integers, f"numbers after {shown(found[0]['word'])}"), found


def _ordered(matches: list[re.Match[str]], firsts: _Firsts, date_order: DateOrder | None) -> Form:
    """Decide from the whole column whether 01/02/2020 names the day or the month first."""
    day_first = [i for i, match in enumerate(matches) if int(match["left"]) > 12]
    month_first = [i for i, match in enumerate(matches) if int(match["right"]) > 12]
    if day_first and month_first:
        one, other = day_first[0], month_first[0]
        raise DataError(
            f"{shown(matches[one][0])} ({firsts.of(one)}) names the day first, but "
            f"{shown(matches[other][0])} ({firsts.of(other)}) the month.",
            hint="Write all dates alike, best as 2020-01-31.",
        )
    points = all(match["mark"] == "." for match in matches)
    told: DateOrder | None = None
    if day_first or month_first:
        told = "day first" if day_first else "month first"
    elif points:
        told = "day first"
    evidence = day_first or month_first
    if evidence and date_order and told != date_order:
        one = evidence[0]
        raise DataError(
            f"{shown(matches[one][0])} ({firsts.of(one)}) cannot be read with the "
            f"{date_order.replace(' first', '')} first.",
            hint=f"Choose {told!r} for this column.",
        )
    order = date_order or told
    if order is None:
        raise QuestionError(
            f"{shown(matches[0][0])} ({firsts.of(0)}) may name the day or the month first, and "
            "no other date in the column tells.",
            hint="Say whether the day or the month comes first, or write dates as 2020-01-31.",
            field="date_order",
            options=_day_or_month(matches[0]),
        )
    day, month = ("left", "right") if order == "day first" else ("right", "left")
    return Form("a date", "", lambda found: dates(found, day, month), f"read with the {order}")


def _day_or_month(match: re.Match[str]) -> tuple[Option, ...]:
    left, right = int(match["left"]), int(match["right"])
    readings = {"day first": (left, right), "month first": (right, left)}
    return tuple(
        Option(order, f"{match[0]} is {day} {MONTHS[month - 1].capitalize()} {match['year']}")
        for order, (day, month) in readings.items()
    )
