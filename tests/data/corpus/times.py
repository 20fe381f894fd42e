"""Ways to write periods."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from .cases import YEARS, Case, asks, csv, exact, refuses, rows, said, truth

MONTHS = pd.PeriodIndex([pd.Period("2019-10", "M") + k for k in range(6)])
QUARTERS = pd.PeriodIndex([pd.Period("2019Q3", "Q") + k for k in range(6)])
FIRST = dt.date(2021, 3, 29)
DAYS = [FIRST + dt.timedelta(days=k) for k in range(6)]
EARLY = [dt.date(2021, 1 + k, 2) for k in range(6)]
WEEKS = [FIRST + dt.timedelta(weeks=k) for k in range(6)]


def stamps(days):
    return pd.DatetimeIndex(pd.to_datetime(days).astype("datetime64[us]"))


def written(words) -> bytes:
    at = dict(zip(YEARS, words, strict=True))
    return csv(rows(time=lambda year: at[year]), ";")


def of(index, how):
    return written([how(period) for period in index])


def days(form: str, on=None):
    return written([day.strftime(form) for day in on or DAYS])


WIDE = truth(periods=stamps(DAYS))
TIMES: dict[str, Case] = {
    "years": exact(csv()),
    "years with decimals": said(csv(rows(time=lambda y: f"{y}.0")), "written with decimals"),
    "numbers from 1": exact(
        csv(rows(time=lambda y: str(y - 2000))), truth(periods=range(1, 7)), time="year"
    ),
    "week 8 to week 13": said(
        csv(rows(time=lambda y: f"week {y - 1993}")), "numbers after", truth(periods=range(8, 14))
    ),
    "fiscal years": said(csv(rows(time=lambda y: f"FY{y}")), "fiscal years stay as they are"),
    "2020Q1": said(of(QUARTERS, str), "", truth(periods=QUARTERS)),
    "2020-Q1": said(of(QUARTERS, lambda q: f"{q.year}-Q{q.quarter}"), "", truth(periods=QUARTERS)),
    "Q1 2020": said(of(QUARTERS, lambda q: f"Q{q.quarter} {q.year}"), "", truth(periods=QUARTERS)),
    "2020-01": said(of(MONTHS, str), "", truth(periods=MONTHS)),
    "2020M01": said(of(MONTHS, lambda m: f"{m.year}M{m.month:02}"), "", truth(periods=MONTHS)),
    "202001": said(of(MONTHS, lambda m: f"{m.year}{m.month:02}"), "", truth(periods=MONTHS)),
    "01/2020": said(of(MONTHS, lambda m: f"{m.month:02}/{m.year}"), "", truth(periods=MONTHS)),
    "Jan 2020": said(of(MONTHS, lambda m: m.strftime("%b %Y")), "", truth(periods=MONTHS)),
    "January 2020": said(of(MONTHS, lambda m: m.strftime("%B %Y")), "", truth(periods=MONTHS)),
    "jan-2020": said(of(MONTHS, lambda m: m.strftime("%b-%Y").lower()), "", truth(periods=MONTHS)),
    "2020-W05": said(
        written([f"{d.isocalendar().year}-W{d.isocalendar().week:02}" for d in WEEKS]),
        "Monday",
        truth(periods=stamps(WEEKS)),
    ),
    "2020-01-31": said(days("%Y-%m-%d"), "", WIDE),
    "2020/01/31": said(days("%Y/%m/%d"), "", WIDE),
    "20200131": said(days("%Y%m%d"), "read as a date", WIDE),
    "31.01.2020": said(days("%d.%m.%Y"), "day first", WIDE),
    "31/01/2020": said(days("%d/%m/%Y"), "day first", WIDE),
    "01/31/2020": said(days("%m/%d/%Y"), "month first", WIDE),
    "31 January 2020": said(days("%d %B %Y"), "", WIDE),
    "January 31, 2020": said(days("%B %d, %Y"), "", WIDE),
    "time of day": said(
        written([f"{d} 06:30" for d in DAYS]),
        "",
        truth(periods=stamps([dt.datetime(d.year, d.month, d.day, 6, 30) for d in DAYS])),
    ),
    "time of day in UTC": said(
        written([f"{d}T06:30:00Z" for d in DAYS]),
        "moved to UTC",
        truth(periods=stamps([dt.datetime(d.year, d.month, d.day, 6, 30) for d in DAYS])),
    ),
    "day or month first: the day": asks(
        days("%d/%m/%Y", EARLY), "date_order", "day first", truth(periods=stamps(EARLY))
    ),
    "day or month first: the month": asks(
        days("%m/%d/%Y", EARLY), "date_order", "month first", truth(periods=stamps(EARLY))
    ),
    "years in wrong order of text": exact(
        csv(rows(time=lambda y: str(y - 1993))), truth(periods=range(8, 14)), time="year"
    ),
    "both orders in one column": refuses(
        written(["31/01/2020", "02/28/2020", "31/03/2020", "30/04/2020", "31/05/2020", "1/6/2020"]),
        "names the day first, but",
        time="year",
    ),
    "years and dates mixed": refuses(
        written(["2001", "2002", "2003", "2004-01-01", "2005", "2006"]),
        "is not written like",
        time="year",
    ),
    "a day that is none": refuses(
        written(
            ["2021-02-27", "2021-02-28", "2021-02-29", "2021-03-01", "2021-03-02", "2021-03-03"]
        ),
        "'2021-02-29' is no period",
        time="year",
    ),
    "a week that is none": refuses(
        written(["2021-W50", "2021-W51", "2021-W52", "2021-W53", "2022-W01", "2022-W02"]),
        "'2021-W53' is no period",
        time="year",
    ),
    "two digits for the year": asks(days("%d/%m/%y"), "date_order", "day first", WIDE, time="year"),
    "one empty period": refuses(
        csv([row if i != 9 else [row[0], "", *row[2:]] for i, row in enumerate(rows())]),
        "1 row without a period .* line 10",
    ),
}
