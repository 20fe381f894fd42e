"""The ways to write a period, and how to read each."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
YEAR = r"(?P<year>[0-9]{4})"
CLOCK = (
    r"[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6})0*)?)?"
)
ZONE = r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})"


@dataclass(frozen=True)
class Form:
    """One way to write a period."""

    what: str
    pattern: str
    make: Callable[[Sequence[re.Match[str]]], pd.Index[Any]]
    note: str = ""
    plausible: Callable[[Sequence[re.Match[str]]], bool] | None = None


def integers(matches: Sequence[re.Match[str]]) -> pd.Index[Any]:
    """Read whole numbers."""
    return pd.Index(np.array([int(match["number"]) for match in matches], dtype=np.int64))


def dates(
    matches: Sequence[re.Match[str]], day: str = "day", month: str = "month"
) -> pd.Index[Any]:
    """Read days, with a time of day if there is one."""
    return _stamps([_date(match, day, month) for match in matches])


def _date(match: re.Match[str], day: str = "day", month: str = "month") -> dt.datetime:
    groups = match.groupdict()
    stamp = dt.datetime(int(match["year"]), _month(match[month]), int(match[day]))
    if groups.get("hour") is None:
        return stamp
    fraction = (groups.get("fraction") or "").ljust(6, "0")
    second = groups.get("second") or 0
    stamp = stamp.replace(
        hour=int(match["hour"]),
        minute=int(match["minute"]),
        second=int(second),
        microsecond=int(fraction),
    )
    zone = groups.get("zone")
    if zone and zone.upper() != "Z":
        sign = -1 if zone[0] == "-" else 1
        stamp -= sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return stamp


def _month(written: str) -> int:
    return int(written) if written.isdecimal() else MONTHS.index(written[:3].lower()) + 1


def _stamps(values: Sequence[dt.datetime]) -> pd.Index[Any]:
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))


def _weeks(matches: Sequence[re.Match[str]]) -> pd.Index[Any]:
    mondays = [
        dt.date.fromisocalendar(int(match["year"]), int(match["week"]), 1) for match in matches
    ]
    return _stamps([dt.datetime.combine(monday, dt.time()) for monday in mondays])


def _months(matches: Sequence[re.Match[str]]) -> pd.Index[Any]:
    return _periods([(int(match["year"]), _month(match["month"]), 12) for match in matches], "M")


def _quarters(matches: Sequence[re.Match[str]]) -> pd.Index[Any]:
    return _periods([(int(match["year"]), int(match["quarter"]), 4) for match in matches], "Q")


def _periods(parts: Sequence[tuple[int, int, int]], freq: str) -> pd.Index[Any]:
    if any(not 1 <= part <= per_year for _, part, per_year in parts):
        raise ValueError(freq)
    ordinals = [(year - 1970) * per_year + part - 1 for year, part, per_year in parts]
    counted_from_1970 = pd.arrays.PeriodArray(
        np.array(ordinals, dtype=np.int64), dtype=pd.PeriodDtype(freq)
    )
    return pd.PeriodIndex(counted_from_1970)


def _compact_days(matches: Sequence[re.Match[str]]) -> bool:
    try:
        return all(1800 <= stamp.year < 2200 for stamp in map(_date, matches))
    except ValueError:
        return False


def _compact_months(matches: Sequence[re.Match[str]]) -> bool:
    return all(1800 <= int(m["year"]) < 2200 and 1 <= int(m["month"]) <= 12 for m in matches)


SLASHED = Form(
    "a date",
    rf"(?P<left>[0-9]{{1,2}})(?P<mark>[/.-])(?P<right>[0-9]{{1,2}})(?P=mark){YEAR}(?:{CLOCK})?",
    dates,
)
DAY = r"(?P<day>[0-9]{1,2})"
FORMS = (
    Form(
        "a date",
        rf"{YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})",
        dates,
        "20200131 read as a date",
        _compact_days,
    ),
    Form(
        "a month",
        rf"{YEAR}(?P<month>[0-9]{{2}})",
        _months,
        "202001 read as a month",
        _compact_months,
    ),
    Form("a whole number", r"(?P<number>[+-]?[0-9]{1,18})", integers),
    Form(
        "a whole number",
        r"(?P<number>[+-]?[0-9]{1,15})(?:\.0*)?",
        integers,
        "whole numbers written with decimals",
    ),
    Form("a date", rf"{YEAR}(?P<mark>[-/.])(?P<month>[0-9]{{1,2}})(?P=mark){DAY}", dates),
    Form("a time", rf"{YEAR}-(?P<month>[0-9]{{1,2}})-{DAY}{CLOCK}", dates),
    Form(
        "a time with its zone",
        rf"{YEAR}-(?P<month>[0-9]{{1,2}})-{DAY}{CLOCK} ?{ZONE}",
        dates,
        "times moved to UTC",
    ),
    Form("a quarter", rf"{YEAR}[-/ :]?Q(?P<quarter>[1-4])", _quarters),
    Form("a quarter", rf"Q(?P<quarter>[1-4])[-/ ]?{YEAR}", _quarters),
    Form("a month", rf"{YEAR}[-/.M](?P<month>[0-9]{{1,2}})", _months),
    Form("a month", rf"(?P<month>[0-9]{{1,2}})[-/.]{YEAR}", _months),
    Form("a month", rf"{MONTH}[-/ ,]*{YEAR}", _months),
    Form("a month", rf"{YEAR}[-/ ]?{MONTH}", _months),
    Form(
        "a week",
        rf"{YEAR}[- ]?W(?P<week>[0-9]{{1,2}})",
        _weeks,
        "each ISO week stands as the date of its Monday",
    ),
    SLASHED,
    Form("a date", rf"{DAY}[- ]?{MONTH}[-, ]*{YEAR}", dates),
    Form("a date", rf"{MONTH} ?{DAY}, ?{YEAR}", dates),
)
