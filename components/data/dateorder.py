"""Which part of a date is the day, the month and the year, decided by the whole column or asked."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from components.data.ledger import shown
from components.data.questions import Option, QuestionError
from components.data.timeforms import SHORT_NOTE, Form
from components.data.timemakers import dates, short_dates
from components.errors import DataError

DateOrder = Literal["day first", "month first", "year first"]
PARTS: dict[DateOrder, tuple[str, str, str]] = {  # where day, month and a short year stand
    "day first": ("left", "right", "short"),
    "month first": ("right", "left", "short"),
    "year first": ("short", "right", "left"),
}
HINT = "Write all periods alike: 1989, 2020-01-31, 2020-01, 2020Q1, 2020-W05 or 2020-01-31 06:00."


@dataclass(frozen=True)
class Place:
    """Where the texts come from, for messages: the column, and the place of a position."""

    column: str
    of: Callable[[int], str]


@dataclass(frozen=True)
class Firsts:
    """Finds the first row that holds a given word."""

    codes: np.ndarray[Any, Any]
    place: Place

    def of(self, word: int) -> str:
        """Name the place of a word."""
        row = int(np.flatnonzero(self.codes == word)[0])
        return f"{self.place.of(row)}, column {shown(self.place.column)}"


def unreadable(word: str, where: str) -> DataError:
    """Say that a word is no period."""
    return DataError(f"{where[:1].upper()}{where[1:]}: {shown(word)} is no period.", hint=HINT)


def mixture(word: str, where: str, first: str, first_where: str, what: str) -> DataError:
    """Say that a word is not written like the first one."""
    return DataError(
        f"{where[:1].upper()}{where[1:]}: {shown(word)} is not written like {shown(first)} on "
        f"{first_where.partition(',')[0]}, which is {what}.",
        hint=HINT,
    )


def ordered(matches: list[re.Match[str]], firsts: Firsts, date_order: DateOrder | None) -> Form:
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
    date_order = None if date_order == "year first" else date_order
    if day_first or month_first:
        told = "day first" if day_first else "month first"
    elif points or all(int(match["left"]) == int(match["right"]) for match in matches):
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


def shortened(matches: list[re.Match[str]], firsts: Firsts, date_order: DateOrder | None) -> Form:
    """Decide what 01/02/03 means: the one order in which all are days, or what was answered."""
    able = [order for order in PARTS if _are_days(matches, order)]
    if not able:
        raise unreadable(matches[0][0], firsts.of(0))
    if date_order is not None and date_order not in able:
        raise DataError(
            f"Not all periods in {shown(firsts.place.column)} are days with the "
            f"{date_order.replace(' first', '')} first.",
            hint=f"Choose {' or '.join(map(repr, able))} for this column.",
        )
    order = date_order or (able[0] if len(able) == 1 else None)
    if order is None:
        raise QuestionError(
            f"{shown(matches[0][0])} ({firsts.of(0)}) gives the year in two digits, and no date "
            "in the column tells which part is the year, the month and the day.",
            hint="Say which part comes first, or write dates as 2020-01-31.",
            field="date_order",
            options=tuple(Option(one, _read_as(matches[0], one)) for one in able),
        )
    parts = PARTS[order]
    return Form(
        "a date",
        "",
        lambda found: short_dates(found, *parts),
        f"read with the {order}; {SHORT_NOTE}",
    )


def _are_days(matches: list[re.Match[str]], order: DateOrder) -> bool:
    try:
        short_dates(matches, *PARTS[order])
    except ValueError:
        return False
    return True


def _read_as(match: re.Match[str], order: DateOrder) -> str:
    day = short_dates([match], *PARTS[order])[0]
    return f"{match[0]} is {day.day} {calendar.month_name[day.month]} {day.year}"


def _day_or_month(match: re.Match[str]) -> tuple[Option, ...]:
    left, right = int(match["left"]), int(match["right"])
    readings = {"day first": (left, right), "month first": (right, left)}
    return tuple(
        Option(order, f"{match[0]} is {day} {calendar.month_name[month]} {match['year']}")
        for order, (day, month) in readings.items()
    )
