"""The ways to write a period, and how to read each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from components.data.monthnames import MONTH, ROMAN_MONTH, WEEKDAY
from components.data.timemakers import (
    SEVERAL,
    Matches,
    compact_days,
    compact_months,
    compact_weeks,
    consecutive,
    dates,
    days_in_row,
    days_of_year,
    doubtful_months,
    halves,
    integers,
    months,
    months_of_halves,
    quarters,
    regular,
    several_years,
    short_years,
    weeks,
    years,
)

YEAR = r"(?P<year>[0-9]{4})"
SHORT = r"'?(?P<short>[0-9]{2})"
CLOCK = (
    r"[T ](?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6})0*)?)?(?: ?(?P<half>[AP]M))?"
)
COMPACT_CLOCK = r"T(?P<hour>[0-9]{2})(?::?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2}))?)?"
ZONE = r"(?P<zone>Z|GMT|UTC|[+-][0-9]{2}:?[0-9]{2})"
WHOLE = "a whole number"
SHORT_NOTE = "years of two digits are 1969 to 2068"


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


SLASHED = Form(
    "a date",
    rf"(?P<left>[0-9]{{1,2}})(?P<mark>[/. -]) ?(?P<right>[0-9]{{1,2}})(?P=mark) ?{YEAR}\.?"
    rf"(?:{CLOCK})?",
    dates,
)
SHORTENED = Form(
    "a date",
    r"(?P<left>[0-9]{1,2})(?P<mark>[/.-])(?P<right>[0-9]{1,2})(?P=mark)(?P<short>[0-9]{2})"
    rf"(?:{CLOCK})?",
    dates,
)
MM, DAY, QUARTER = r"(?P<month>[0-9]{1,2})", r"(?P<day>[0-9]{1,2})", r"0?(?P<quarter>[1-4])"
ROMAN_QUARTER, PART = r"(?P<quarter>I{1,3}|IV)", r"(?P<part>[12])"
NTH = r"(?:\.|st|nd|rd|th|er|e|ème|º|ª|°)? ?"
QUARTERLY = r"(?:quarter|quartal|kvartal|kwartał|trimestre|trim|qtr|kw|kv|qu|q|t|k)[. -]?"
HALF_YEARLY = (
    r"(?:half[- ]year|half|halbjahr|hj|semester|semestre|sem|polrocze|půlrok|félév|hy|h|s)[. -]?"
)
WEEK, WEEK_WORD = r"(?P<week>[0-9]{1,2})", r"(?:KW|CW|WK|WEEK|W)[ .]?"
WEEK_NOTE = "each ISO week stands as the date of its Monday"
HALF_NOTE = "each half-year stands as the date of its first day"
HALF_SHORT = f"{HALF_NOTE}; {SHORT_NOTE}"
FISCAL_NOTE = "fiscal quarters stay as they are written"
ROMAN_NOTE = "I to IV read as quarters"
BEGIN_NOTE = "each stands as the year that it begins in"
FORMS = (
    Form(
        "a date",
        rf"{YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})",
        dates,
        "20200131 read as a date",
        compact_days,
    ),
    Form(
        "a month",
        rf"{YEAR}(?P<month>[0-9]{{2}})",
        months,
        "202001 read as a month",
        compact_months,
    ),
    Form(
        "a week",
        rf"{YEAR}(?P<week>[0-9]{{2}})",
        weeks,
        f"202053 read as an ISO week; {WEEK_NOTE}",
        compact_weeks,
    ),
    Form(
        "a day",
        rf"{YEAR}(?P<nth>[0-9]{{3}})",
        days_of_year,
        "2020032 read as the 32nd day of the year",
        days_in_row,
    ),
    Form(
        "a time",
        rf"{YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})(?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})?",
        dates,
        "2020013106 read as six o'clock on a day",
        compact_days,
    ),
    Form("a year", r"'?(?P<short>[0-9]{1,2})", years, SHORT_NOTE, short_years),
    Form(WHOLE, r"(?P<number>[+-]?[0-9]{1,18})", integers),
    Form(
        WHOLE,
        r"(?P<number>[+-]?[0-9]{1,15})(?:\.0*)?",
        integers,
        "whole numbers written with decimals",
    ),
    Form("a year", r"'(?P<short>[0-9]{2})", years, SHORT_NOTE),
    Form(
        "a year",
        rf"{YEAR} ?[-/] ?(?P<next>[0-9]{{4}}|[0-9]{{2}})",
        years,
        "2001/02 stands as 2001, the year that it begins in",
        consecutive,
    ),
    Form(
        "a year",
        rf"{YEAR} ?[-/] ?(?P<next>[0-9]{{4}})",
        years,
        f"periods of several years: {BEGIN_NOTE}",
        several_years,
    ),
    Form(
        "a year",
        rf"FY[ -]?{YEAR}[-/](?P<next>[0-9]{{4}}|[0-9]{{2}})",
        years,
        f"fiscal years: {BEGIN_NOTE}",
        consecutive,
    ),
    Form(
        "a year",
        r"(?P<short>[0-9]{2})/(?P<next>[0-9]{2})",
        years,
        f"98/99 read as two years, of which {BEGIN_NOTE}; {SHORT_NOTE}",
        consecutive,
    ),
    Form("a year", rf"FY[ -]?{YEAR}", years, "fiscal years stay as they are written"),
    Form("a year", rf"FY[ -]?{SHORT}", years, f"fiscal years; {SHORT_NOTE}"),
    Form("a date", rf"{YEAR}(?P<mark>[-/. ]) ?(?P<month>[0-9]{{1,2}})(?P=mark) ?{DAY}\.?", dates),
    Form("a time", rf"{YEAR}[-/](?P<month>[0-9]{{1,2}})[-/]{DAY}{CLOCK}", dates),
    Form("a time", rf"{YEAR}-(?P<month>[0-9]{{1,2}})-{DAY}[T ](?P<hour>[0-9]{{1,2}})h?", dates),
    Form("a time", rf"{YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}}){COMPACT_CLOCK}", dates),
    Form(
        "a time",
        rf"{YEAR}[-/](?P<month>[0-9]{{1,2}})[-/]{DAY}(?:{CLOCK})?",
        dates,
        "days without a time of day read as midnight",
    ),
    Form(
        "a time with its zone",
        rf"{YEAR}-(?P<month>[0-9]{{1,2}})-{DAY}{CLOCK} ?{ZONE}",
        dates,
        "times moved to UTC",
    ),
    Form("a day", rf"{YEAR}-(?P<nth>[0-9]{{3}})", days_of_year),
    Form("a quarter", rf"{YEAR}[-/ :._]? ?\(?{QUARTERLY}{QUARTER}\)?", quarters),
    Form("a quarter", rf"{QUARTERLY}{QUARTER}[-/ ,_]*{YEAR}", quarters),
    Form("a quarter", rf"{QUARTER}{NTH}{QUARTERLY}[-/ ]*{YEAR}", quarters),
    Form("a quarter", rf"FY ?{YEAR}[-/ ]?Q{QUARTER}", quarters, FISCAL_NOTE),
    Form("a quarter", rf"FY ?{SHORT}[-/ ]?Q{QUARTER}", quarters, f"{FISCAL_NOTE}; {SHORT_NOTE}"),
    Form("a quarter", rf"Q{QUARTER}[-/ ]?FY ?{YEAR}", quarters, FISCAL_NOTE),
    Form("a quarter", rf"Q{QUARTER}[-/ ]?{SHORT}", quarters, SHORT_NOTE, regular(quarters)),
    Form("a quarter", rf"{QUARTER}Q[-/ ]?{SHORT}", quarters, SHORT_NOTE, regular(quarters)),
    Form("a quarter", rf"{ROMAN_QUARTER}\.? ?{QUARTERLY}[-/ ]*{YEAR}", quarters),
    Form("a quarter", rf"{ROMAN_QUARTER}[-/ .]+{YEAR}", quarters, ROMAN_NOTE),
    Form("a quarter", rf"{YEAR}[-/ .:]+(?:{QUARTERLY})?{ROMAN_QUARTER}", quarters, ROMAN_NOTE),
    Form(
        "a quarter",
        rf"{YEAR}[-/.:_](?P<quarter>[1-4])",
        quarters,
        "2001:4 read as the fourth quarter, because 2002:1 follows it",
        regular(quarters, 1, SEVERAL),
    ),
    Form(
        "a quarter",
        rf"(?P<quarter>[1-4])[-/.:]{YEAR}",
        quarters,
        "4/2001 read as the fourth quarter, because 1/2002 follows it",
        regular(quarters, 1, SEVERAL),
    ),
    Form("a half-year", rf"{YEAR}[-/ :._]? ?\(?{HALF_YEARLY}{PART}\)?", halves, HALF_NOTE),
    Form("a half-year", rf"{HALF_YEARLY}{PART}[-/ ,_]*{YEAR}", halves, HALF_NOTE),
    Form("a half-year", rf"{PART}{NTH}{HALF_YEARLY}[-/ ]*{YEAR}", halves, HALF_NOTE),
    Form("a half-year", rf"H{PART}[-/ ]?{SHORT}", halves, HALF_SHORT, regular(months_of_halves)),
    Form("a half-year", rf"{PART}H[-/ ]?{SHORT}", halves, HALF_SHORT, regular(months_of_halves)),
    Form("a month", rf"{YEAR}[-/.:_]{MM}", months, doubt=doubtful_months),
    Form("a month", rf"{YEAR}[-/. ]?M{MM}", months),
    Form("a month", rf"M{MM}[-/. ]?{YEAR}", months),
    Form("a month", rf"{MM}[-/.]{YEAR}", months, doubt=doubtful_months),
    Form("a month", rf"{MONTH}[-/ ,]*{YEAR}", months),
    Form("a month", rf"{YEAR}[-/ ,.]*{MONTH}", months),
    Form("a month", rf"{ROMAN_MONTH}[-/ .]+{YEAR}", months),
    Form("a month", rf"{YEAR}[-/ .]+{ROMAN_MONTH}", months),
    Form("a month", rf"{YEAR}[年년] ?{MM}[月월]", months),
    Form("a month", rf"{MONTH}[-/ ]*{SHORT}", months, SHORT_NOTE, regular(months, 11)),
    Form("a year", r"(?P<number>[0-9]{4})[年년]", integers),
    Form("a week", rf"{YEAR}[-/ ]?{WEEK_WORD}{WEEK}", weeks, WEEK_NOTE),
    Form("a week", rf"{WEEK_WORD}{WEEK}[-/ ]+{YEAR}", weeks, WEEK_NOTE),
    Form("a date", rf"{YEAR}-?W{WEEK}-(?P<weekday>[1-7])", weeks),
    SLASHED,
    SHORTENED,
    Form(
        "a date",
        rf"{WEEKDAY}{DAY}\.?[- ]?(?:de )?{MONTH}[-, ]*(?:de )?{YEAR}(?:{CLOCK} ?{ZONE})?",
        dates,
    ),
    Form("a date", rf"{WEEKDAY}{MONTH} ?{DAY},? ?{YEAR}", dates),
    Form("a date", rf"{YEAR}[年년] ?{MM}[月월] ?{DAY}[日일]", dates),
    Form("a date", rf"{DAY}[. ]+{ROMAN_MONTH}[. ]+{YEAR}", dates),
    Form("a date", rf"{WEEKDAY}{DAY}[- ]{MONTH}[- ]{SHORT}", dates, SHORT_NOTE),
)


def may_be_period(word: str) -> bool:
    """Tell whether a word alone is written like a period."""
    return any(re.fullmatch(form.pattern, word, re.IGNORECASE) for form in FORMS)
