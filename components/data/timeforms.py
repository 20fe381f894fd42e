"""The ways to write a period, and how to read each."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.data.monthnames import MONTH, WEEKDAY, month_number

YEAR = r"(?P<year>[0-9]{4})"
SHORT = r"'?(?P<short>[0-9]{2})"
CENTURY = 69  # from here on two digits are of the last century, as in POSIX
CLOCK = (
    r"[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6})0*)?)?(?: ?(?P<half>[AP]M))?"
)
ZONE = r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})"
SHORT_NOTE = "years of two digits are 1969 to 2068"
MOST_QUARTER = 4

Matches = Sequence[re.Match[str]]


@dataclass(frozen=True)
class Form:
    """One way to write a period.

    Attributes
    ----------
    what : str
    pattern : str
    make : callable
        From matches to periods.
    note : str
        What is to be said of the reading.
    plausible : callable, optional
        Whether a whole column may be meant this way.
    doubt : callable, optional
        What else a column may mean, of which match; None where it is clear.
    """

    what: str
    pattern: str
    make: Callable[[Matches], pd.Index[Any]]
    note: str = ""
    plausible: Callable[[Matches], bool] | None = None
    doubt: Callable[[Matches], tuple[int, str] | None] | None = None


def integers(matches: Matches) -> pd.Index[Any]:
    """Read whole numbers."""
    return pd.Index(np.array([int(match["number"]) for match in matches], dtype=np.int64))


def dates(matches: Matches, day: str = "day", month: str = "month") -> pd.Index[Any]:
    """Read days, with a time of day if there is one."""
    return _stamps([_date(match, day, month) for match in matches])


def short_dates(matches: Matches, day: str, month: str, year: str) -> pd.Index[Any]:
    """Read days whose year has two digits."""
    found = [
        dt.datetime(_full(int(m[year])), int(m[month]), int(m[day]), *_clock(m)) for m in matches
    ]
    return _stamps(found)


def _date(match: re.Match[str], day: str = "day", month: str = "month") -> dt.datetime:
    stamp = dt.datetime(_year(match), month_number(match[month]), int(match[day]), *_clock(match))
    zone = match.groupdict().get("zone")
    if zone and zone.upper() != "Z":
        sign = -1 if zone[0] == "-" else 1
        stamp -= sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return stamp


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    groups = match.groupdict()
    if groups.get("hour") is None:
        return 0, 0, 0, 0
    hour = int(match["hour"])
    if groups.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (match["half"].upper() == "PM")
    fraction = (groups.get("fraction") or "").ljust(6, "0")
    return hour, int(match["minute"]), int(groups.get("second") or 0), int(fraction)


def _year(match: re.Match[str]) -> int:
    return int(match["year"]) if "year" in match.groupdict() else _full(int(match["short"]))


def _full(short: int) -> int:
    return short + (1900 if short >= CENTURY else 2000)


def _stamps(values: Sequence[dt.datetime]) -> pd.Index[Any]:
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))


def _weeks(matches: Matches) -> pd.Index[Any]:
    days = [
        dt.date.fromisocalendar(_year(m), int(m["week"]), int(m.groupdict().get("weekday") or 1))
        for m in matches
    ]
    return _stamps([dt.datetime.combine(day, dt.time()) for day in days])


def _months(matches: Matches) -> pd.Index[Any]:
    return _periods([(_year(match), month_number(match["month"]), 12) for match in matches], "M")


def _quarters(matches: Matches) -> pd.Index[Any]:
    return _periods([(_year(match), int(match["quarter"]), 4) for match in matches], "Q")


def _school_years(matches: Matches) -> pd.Index[Any]:
    return pd.Index(np.array([int(match["year"]) for match in matches], dtype=np.int64))


def _periods(parts: Sequence[tuple[int, int, int]], freq: str) -> pd.Index[Any]:
    if any(not 1 <= part <= per_year for _, part, per_year in parts):
        raise ValueError(freq)
    ordinals = [(year - 1970) * per_year + part - 1 for year, part, per_year in parts]
    counted_from_1970 = pd.arrays.PeriodArray(
        np.array(ordinals, dtype=np.int64), dtype=pd.PeriodDtype(freq)
    )
    return pd.PeriodIndex(counted_from_1970)


def _compact_days(matches: Matches) -> bool:
    try:
        return all(1800 <= stamp.year < 2200 for stamp in map(_date, matches))
    except ValueError:
        return False


def _compact_months(matches: Matches) -> bool:
    return all(1800 <= int(m["year"]) < 2200 and 1 <= int(m["month"]) <= 12 for m in matches)


def _compact_weeks(matches: Matches) -> bool:
    return all(1800 <= int(m["year"]) < 2200 for m in matches) and _regular(_weeks)(matches)


def _consecutive(matches: Matches) -> bool:
    """Whether every 2001/02 is a year and the next one."""
    pairs = [(int(match["year"]), match["next"]) for match in matches]
    return len(pairs) > 1 and all(str(year + 1).endswith(after) for year, after in pairs)


def _regular(
    make: Callable[[Matches], pd.Index[Any]], most: float = np.inf
) -> Callable[[Matches], bool]:
    """Tell whether periods follow each other in equal steps, at least three of them."""

    def plausible(matches: Matches) -> bool:
        try:
            numbers: Any = make(matches)
            steps = np.diff(np.sort(np.asarray(numbers.asi8)))
        except ValueError:
            return False
        return len(steps) > 1 and bool((steps == steps[0]).all() and 0 < steps[0] <= most)

    return plausible


def _doubtful_months(matches: Matches) -> tuple[int, str] | None:
    """Find months that may be quarters, or January that may have been October in a number."""
    months = [match["month"] for match in matches]
    single = [i for i, month in enumerate(months) if len(month) == 1]
    if not single or len({match["year"] for match in matches}) < 2:
        return None
    if all(int(month) <= MOST_QUARTER for month in months):
        return single[0], "may be a month or a quarter"
    pointed = matches[single[0]][0][4] == "."
    if pointed and "1" in months and "10" not in months and any(m[0] == "0" for m in months):
        return months.index("1"), "may be January, or October that has lost its zero"
    return None


SLASHED = Form(
    "a date",
    rf"(?P<left>[0-9]{{1,2}})(?P<mark>[/.-]) ?(?P<right>[0-9]{{1,2}})(?P=mark) ?{YEAR}"
    rf"(?:{CLOCK})?",
    dates,
)
SHORTENED = Form(
    "a date",
    r"(?P<left>[0-9]{1,2})(?P<mark>[/.-])(?P<right>[0-9]{1,2})(?P=mark)(?P<short>[0-9]{2})"
    rf"(?:{CLOCK})?",
    dates,
)
MM, DAY, QUARTER = r"(?P<month>[0-9]{1,2})", r"(?P<day>[0-9]{1,2})", r"(?P<quarter>[1-4])"
WEEK, WEEK_WORD = r"(?P<week>[0-9]{1,2})", r"(?:KW|CW|WK|WEEK|W)[ .]?"
WEEK_NOTE = "each ISO week stands as the date of its Monday"
FISCAL_NOTE = "fiscal quarters stay as they are written"
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
    Form(
        "a week",
        rf"{YEAR}(?P<week>[0-9]{{2}})",
        _weeks,
        f"202053 read as an ISO week; {WEEK_NOTE}",
        _compact_weeks,
    ),
    Form("a whole number", r"(?P<number>[+-]?[0-9]{1,18})", integers),
    Form(
        "a whole number",
        r"(?P<number>[+-]?[0-9]{1,15})(?:\.0*)?",
        integers,
        "whole numbers written with decimals",
    ),
    Form(
        "a year",
        rf"{YEAR}[-/](?P<next>[0-9]{{4}}|[0-9]{{2}})",
        _school_years,
        "2001/02 stands as 2001, the year that it begins in",
        _consecutive,
    ),
    Form("a date", rf"{YEAR}(?P<mark>[-/.])(?P<month>[0-9]{{1,2}})(?P=mark){DAY}", dates),
    Form("a time", rf"{YEAR}[-/](?P<month>[0-9]{{1,2}})[-/]{DAY}{CLOCK}", dates),
    Form(
        "a time with its zone",
        rf"{YEAR}-(?P<month>[0-9]{{1,2}})-{DAY}{CLOCK} ?{ZONE}",
        dates,
        "times moved to UTC",
    ),
    Form("a quarter", rf"{YEAR}[-/ :.]?[QT]{QUARTER}", _quarters),
    Form("a quarter", rf"[QT]{QUARTER}[-/ ]?{YEAR}", _quarters),
    Form("a quarter", rf"{QUARTER}\.? ?(?:Q|T|quarter|quartal|trimestre)[-/ ]?{YEAR}", _quarters),
    Form("a quarter", rf"FY ?{YEAR}[-/ ]?Q{QUARTER}", _quarters, FISCAL_NOTE),
    Form("a quarter", rf"FY ?{SHORT}[-/ ]?Q{QUARTER}", _quarters, f"{FISCAL_NOTE}; {SHORT_NOTE}"),
    Form("a quarter", rf"Q{QUARTER}[-/ ]?FY ?{YEAR}", _quarters, FISCAL_NOTE),
    Form("a quarter", rf"Q{QUARTER}[-/ ]?{SHORT}", _quarters, SHORT_NOTE, _regular(_quarters)),
    Form("a quarter", rf"{QUARTER}Q[-/ ]?{SHORT}", _quarters, SHORT_NOTE, _regular(_quarters)),
    Form("a month", rf"{YEAR}[-/.]{MM}", _months, doubt=_doubtful_months),
    Form("a month", rf"{YEAR}[-/. ]?M{MM}", _months),
    Form("a month", rf"M{MM}[-/. ]?{YEAR}", _months),
    Form("a month", rf"{MM}[-/.]{YEAR}", _months),
    Form("a month", rf"{MONTH}[-/ ,]*{YEAR}", _months),
    Form("a month", rf"{YEAR}[-/ ,]*{MONTH}", _months),
    Form("a month", rf"{YEAR}年 ?{MM}月", _months),
    Form("a month", rf"{MONTH}[-/ ]*{SHORT}", _months, SHORT_NOTE, _regular(_months, 11)),
    Form("a year", r"(?P<number>[0-9]{4})年", integers),
    Form("a week", rf"{YEAR}[-/ ]?{WEEK_WORD}{WEEK}", _weeks, WEEK_NOTE),
    Form("a week", rf"{WEEK_WORD}{WEEK}[-/ ]+{YEAR}", _weeks, WEEK_NOTE),
    Form("a date", rf"{YEAR}-?W{WEEK}-(?P<weekday>[1-7])", _weeks),
    SLASHED,
    SHORTENED,
    Form("a date", rf"{WEEKDAY}{DAY}\.?[- ]?(?:de )?{MONTH}[-, ]*(?:de )?{YEAR}", dates),
    Form("a date", rf"{WEEKDAY}{MONTH} ?{DAY},? ?{YEAR}", dates),
    Form("a date", rf"{YEAR}年 ?{MM}月 ?{DAY}日", dates),
    Form("a date", rf"{WEEKDAY}{DAY}[- ]{MONTH}[- ]{SHORT}", dates, SHORT_NOTE),
)


def may_be_period(word: str) -> bool:
    """Tell whether a word alone is written like a period."""
    return any(re.fullmatch(form.pattern, word, re.IGNORECASE) for form in FORMS)
