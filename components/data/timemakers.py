"""From the parts of a written period to periods, and whether a whole column may be meant so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from components.data.monthnames import month_number

CENTURY = 69  # from here on two digits are of the last century, as in POSIX
MOST_QUARTER = 4
SEVERAL = 5  # quarters in a row: more than one year has
FIRST_YEAR, LAST_YEAR = 1800, 2200
GREENWICH = ("Z", "GMT", "UTC")

Matches = Sequence[re.Match[str]]


def integers(matches: Matches) -> pd.Index[Any]:
    """Read whole numbers."""
    return pd.Index(np.array([int(match["number"]) for match in matches], dtype=np.int64))


def years(matches: Matches) -> pd.Index[Any]:
    """Read years, of four digits or of two."""
    return pd.Index(np.array([_year(match) for match in matches], dtype=np.int64))


def dates(matches: Matches, day: str = "day", month: str = "month") -> pd.Index[Any]:
    """Read days, with a time of day if there is one."""
    return _stamps([_date(match, day, month) for match in matches])


def short_dates(matches: Matches, day: str, month: str, year: str) -> pd.Index[Any]:
    """Read days whose year has two digits."""
    found = [
        dt.datetime(_full(int(m[year])), int(m[month]), int(m[day]), *_clock(m)) for m in matches
    ]
    return _stamps(found)


def days_of_year(matches: Matches) -> pd.Index[Any]:
    """Read a year and the number of a day in it."""
    found = [dt.datetime(_year(m), 1, 1) + dt.timedelta(int(m["nth"]) - 1) for m in matches]
    if any(stamp.year != _year(m) for stamp, m in zip(found, matches, strict=True)):
        raise ValueError("nth")
    return _stamps(found)


def weeks(matches: Matches) -> pd.Index[Any]:
    """Read ISO weeks as the dates of their Mondays, or of the weekday that is given."""
    days = [
        dt.date.fromisocalendar(_year(m), int(m["week"]), int(m.groupdict().get("weekday") or 1))
        for m in matches
    ]
    return _stamps([dt.datetime.combine(day, dt.time()) for day in days])


def months(matches: Matches) -> pd.Index[Any]:
    """Read months."""
    return _periods([(_year(match), month_number(match["month"]), 12) for match in matches], "M")


def quarters(matches: Matches) -> pd.Index[Any]:
    """Read quarters, in Arabic or Roman numerals."""
    return _periods([(_year(m), month_number(m["quarter"]), 4) for m in matches], "Q")


def halves(matches: Matches) -> pd.Index[Any]:
    """Read half-years as the dates of their first days."""
    return _stamps([dt.datetime(_year(m), 6 * int(m["part"]) - 5, 1) for m in matches])


def months_of_halves(matches: Matches) -> pd.Index[Any]:
    """Give the first month of each half-year: these are equally far apart, the days are not."""
    return _periods([(_year(m), 6 * int(m["part"]) - 5, 12) for m in matches], "M")


def compact_days(matches: Matches) -> bool:
    """Whether 20010131 may be a day in every row, or 2001013106 a time."""
    try:
        return all(FIRST_YEAR <= stamp.year < LAST_YEAR for stamp in map(_date, matches))
    except ValueError:
        return False


def compact_months(matches: Matches) -> bool:
    """Whether 200101 may be a month in every row."""
    return _all_years(matches) and all(1 <= int(m["month"]) <= 12 for m in matches)


def compact_weeks(matches: Matches) -> bool:
    """Whether 200153 may be a week in every row."""
    return _all_years(matches) and regular(weeks)(matches)


def days_in_row(matches: Matches) -> bool:
    """Whether 2001032 may be the 32nd day of a year in every row."""
    return _all_years(matches) and regular(days_of_year, 366 * 86_400_000_000)(matches)


def consecutive(matches: Matches) -> bool:
    """Whether every 2001/02 is a year and the next one."""
    return {_span(match) for match in matches} == {1} and len(set(map(_year, matches))) > 1


def several_years(matches: Matches) -> bool:
    """Whether every 2001-2005 is as long as the others, and none of them overlap."""
    spans = {_span(match) for match in matches}
    starts = sorted(set(map(_year, matches)))
    return len(spans) == 1 and len(starts) > 1 and 0 < min(spans) <= int(np.diff(starts).min())


def short_years(matches: Matches) -> bool:
    """Whether 98, 99, 00, 01 are years: in equal steps so, but not as plain numbers."""
    raw = sorted({int(match["short"]) for match in matches})
    meant = np.diff(sorted(map(_full, raw)))
    plain = np.diff(raw)
    return len(raw) > 2 and len(set(meant.tolist())) == 1 and len(set(plain.tolist())) > 1


def regular(
    make: Callable[[Matches], pd.Index[Any]], most: float = np.inf, least: int = 3
) -> Callable[[Matches], bool]:
    """Tell whether periods follow each other in equal steps, at least three of them."""

    def plausible(matches: Matches) -> bool:
        try:
            made: Any = make(matches)
            steps = np.diff(np.sort(np.asarray(getattr(made, "asi8", made))))
        except ValueError:
            return False
        enough = len(steps) >= least - 1
        return enough and bool((steps == steps[0]).all() and 0 < steps[0] <= most)

    return plausible


def doubtful_months(matches: Matches) -> tuple[int, str] | None:
    """Find months that may be quarters, or January that may have been October in a number."""
    written = [match["month"] for match in matches]
    single = [i for i, month in enumerate(written) if len(month) == 1]
    if not single or len({match["year"] for match in matches}) < 2:
        return None
    if all(int(month) <= MOST_QUARTER for month in written):
        return single[0], "may be a month or a quarter"
    pointed = "." in matches[single[0]][0]
    lost = any(month[0] == "0" or month in ("11", "12") for month in written)
    if pointed and "1" in written and "10" not in written and lost:
        return written.index("1"), "may be January, or October that has lost its zero"
    return None


def _all_years(matches: Matches) -> bool:
    return all(FIRST_YEAR <= _year(match) < LAST_YEAR for match in matches)


def _span(match: re.Match[str]) -> int:
    """Years from the first to the last of 2001/02 or 2001-2005."""
    following = match["next"]
    return int((int(following) - _year(match)) % 10 ** len(following))


def _date(match: re.Match[str], day: str = "day", month: str = "month") -> dt.datetime:
    stamp = dt.datetime(_year(match), month_number(match[month]), int(match[day]), *_clock(match))
    zone = match.groupdict().get("zone")
    if zone and zone.upper() not in GREENWICH:
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
    return hour, int(groups.get("minute") or 0), int(groups.get("second") or 0), int(fraction)


def _year(match: re.Match[str]) -> int:
    year = match.groupdict().get("year")
    return int(year) if year is not None else _full(int(match["short"]))


def _full(short: int) -> int:
    return short + (1900 if short >= CENTURY else 2000)


def _stamps(values: Sequence[dt.datetime]) -> pd.Index[Any]:
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))


def _periods(parts: Sequence[tuple[int, int, int]], freq: str) -> pd.Index[Any]:
    if any(not 1 <= part <= per_year for _, part, per_year in parts):
        raise ValueError(freq)
    ordinals = [(year - 1970) * per_year + part - 1 for year, part, per_year in parts]
    counted_from_1970 = pd.arrays.PeriodArray(
        np.array(ordinals, dtype=np.int64), dtype=pd.PeriodDtype(freq)
    )
    return pd.PeriodIndex(counted_from_1970)
