"""More ways to write periods: short years, other languages, weeks, parts in several columns."""

from __future__ import annotations

import datetime as dt

from .cases import UNITS, YEARS, Case, W, Y, asks, csv, exact, refuses, rows, said, truth, untreated
from .times import DAYS, MONTHS, QUARTERS, WEEKS, WIDE, of, stamps, written

GERMAN = ("Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sept", "Okt", "Nov", "Dez")
FRENCH = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
MONTHLY, QUARTERLY = truth(periods=MONTHS), truth(periods=QUARTERS)
WEEKLY = truth(periods=stamps(WEEKS))


def wide(names) -> bytes:
    body = [[unit, *map(repr, Y[i].tolist())] for i, unit in enumerate(UNITS)]
    return csv([["tree", *names], *body], ";")


def months(how) -> bytes:
    return of(MONTHS, how)


def quarters(how) -> bytes:
    return of(QUARTERS, how)


def iso(form: str) -> list[str]:
    return [form.format(d.isocalendar().year, d.isocalendar().week) for d in WEEKS]


def parts(*columns) -> bytes:
    """Write time in several columns: a name and six words each."""
    at = {str(year): k for k, year in enumerate(YEARS)}
    top = ["tree", *(name for name, _ in columns), "height", "treated"]
    body = [[r[0], *(words[at[r[1]]] for _, words in columns), *r[2:]] for r in rows()[1:]]
    return csv([top, *body])


def of_months(how):
    return [how(month) for month in MONTHS]


MONTH_FORMS = {
    "Okt 2019": lambda m: f"{GERMAN[m.month - 1]} {m.year}",
    "octobre 2019": lambda m: f"{FRENCH[m.month - 1]} {m.year}",
    "2019年10月": lambda m: f"{m.year}年{m.month}月",
    "M10 2019": lambda m: f"M{m.month} {m.year}",
    "2019-M10": lambda m: f"{m.year}-M{m.month:02}",
    "2019 Oct": lambda m: m.strftime("%Y %b"),
    "2019, October": lambda m: m.strftime("%Y, %B"),
    "Oct-19": lambda m: m.strftime("%b-%y"),
}
QUARTER_FORMS = {
    "3Q2019": lambda q: f"{q.quarter}Q{q.year}",
    "3Q19": lambda q: f"{q.quarter}Q{q.year % 100}",
    "Q3-19": lambda q: f"Q{q.quarter}-{q.year % 100}",
    "2019 T3": lambda q: f"{q.year} T{q.quarter}",
    "3. Quartal 2019": lambda q: f"{q.quarter}. Quartal {q.year}",
    "FY2019Q3": lambda q: f"FY{q.year}Q{q.quarter}",
}
DAY_FORMS = {
    "29-Mar-21": "%d-%b-%y",
    "Mon, 29 Mar 2021": "%a, %d %b %Y",
    "Mar 29 2021": "%b %d %Y",
    "2021年03月29日": "%Y年%m月%d日",
    "3/29/2021 12:00:00 AM": "%m/%d/%Y 12:00:00 AM",
    "29. 03. 2021": "%d. %m. %Y",
    "2021-03-29T00:00:00Z": "%Y-%m-%dT00:00:00Z",
}
WEEK_FORMS = {
    "202113": "{}{:02}",
    "KW 13 2021": "KW {1} {0}",
    "W13/2021": "W{1}/{0}",
    "2021-W13-1": "{}-W{:02}-1",
}
SCHOOL = truth(periods=YEARS)
SERIALS = tuple(range(44_284, 44_290))
UNIX = tuple(1_616_976_000 + 86_400 * k for k in range(6))
EARLY = [d.replace(month=1, day=2 + k) for k, d in enumerate(DAYS)]
AWKWARD_TIMES: dict[str, Case] = {
    **{word: said(months(how), "", MONTHLY) for word, how in MONTH_FORMS.items()},
    **{
        f"{word} in columns": said(
            wide(map(how, MONTHS)),
            "one column per period",
            untreated(periods=MONTHS, outcome="value"),
        )
        for word, how in MONTH_FORMS.items()
    },
    **{word: said(quarters(how), "", QUARTERLY) for word, how in QUARTER_FORMS.items()},
    **{
        f"{word} in columns": said(
            wide(map(how, QUARTERS)),
            "one column per period",
            untreated(periods=QUARTERS, outcome="value"),
        )
        for word, how in QUARTER_FORMS.items()
    },
    **{
        word: said(written([d.strftime(form) for d in DAYS]), "", WIDE)
        for word, form in DAY_FORMS.items()
    },
    **{
        f"{word} in columns": said(
            wide([d.strftime(form) for d in DAYS]),
            "one column per period",
            untreated(periods=stamps(DAYS), outcome="value"),
        )
        for word, form in DAY_FORMS.items()
    },
    **{word: said(written(iso(form)), "", WEEKLY) for word, form in WEEK_FORMS.items()},
    "29/03/21, and the year first": asks(
        written([d.strftime("%y/%m/%d") for d in EARLY]),
        "date_order",
        "year first",
        truth(periods=stamps(EARLY)),
        time="year",
    ),
    "3/29/21, where no other order fits": said(
        written(["3/29/21", "3/30/21", "3/31/21", "4/1/00", "4/2/00", "4/3/00"]),
        "month first; years of two digits",
        truth(
            Y[:, [3, 4, 5, 0, 1, 2]],
            W[:, [3, 4, 5, 0, 1, 2]],
            periods=stamps([*(dt.date(2000, 4, k) for k in (1, 2, 3)), *DAYS[:3]]),
        ),
        time="year",
    ),
    "2001/02": said(
        csv(rows(time=lambda y: f"{y}/{(y + 1) % 100:02}")), "the year that it begins in", SCHOOL
    ),
    "2001-2002": said(
        csv(rows(time=lambda y: f"{y}-{y + 1}")), "the year that it begins in", SCHOOL
    ),
    "2019-1 for a quarter": said(
        written([f"{q.year}-{q.quarter}" for q in QUARTERS]),
        "read as the fourth quarter",
        truth(periods=QUARTERS),
        time="year",
    ),
    "2019-1 for a month or a quarter": refuses(
        written(["2019-1", "2019-2", "2019-3", "2020-1", "2020-2", "2020-3"]),
        "may be a month or a quarter",
        time="year",
    ),
    "2020.1 for October": refuses(
        written(["2020.08", "2020.09", "2020.1", "2020.11", "2020.12", "2021.01"]),
        "may be January, or October",
        time="year",
    ),
    "days of a spreadsheet": said(
        written(map(str, SERIALS)),
        "number of a day in a spreadsheet, 2021-03-29",
        truth(periods=SERIALS),
        time="year",
    ),
    "seconds since 1970": said(
        written(map(str, UNIX)), "counted from 1970, 2021-03-29", truth(periods=UNIX), time="year"
    ),
    "minus and plus in columns": said(
        wide(["-2", "-1", "0", "+1", "+2", "+3"]),
        "one column per period",
        untreated(periods=range(-2, 4), outcome="value"),
    ),
    "a year with a star in columns": refuses(
        wide([*map(str, YEARS[:-1]), f"{YEARS[-1]}*"]),
        "'2006\\*' seems to be a period too",
        shape="periods in columns",
    ),
    "a preliminary year in columns": refuses(
        wide([*(f"gdp_{y}" for y in YEARS[:-1]), f"gdp_{YEARS[-1]}p"]),
        "'gdp_2006p' seems to be a period too",
        shape="periods in columns",
    ),
    "the year before the name in columns": said(
        wide([f"{y} height" for y in YEARS]), "one column per period", untreated()
    ),
    "year and month": said(
        parts(
            ("year", of_months(lambda m: str(m.year))), ("month", of_months(lambda m: str(m.month)))
        ),
        "'year' and 'month' are also offered together",
        MONTHLY,
    ),
    "month by name, and year": said(
        parts(
            ("Month", of_months(lambda m: m.strftime("%b"))),
            ("Year", of_months(lambda m: str(m.year))),
        ),
        "offered together, as 'Year \\+ Month'",
        MONTHLY,
    ),
    "year and quarter": said(
        parts(
            ("yr", [str(q.year) for q in QUARTERS]), ("qtr", [f"Q{q.quarter}" for q in QUARTERS])
        ),
        "offered together, as 'yr \\+ qtr'",
        QUARTERLY,
    ),
    "year and week": said(
        parts(
            ("year", [str(d.isocalendar().year) for d in WEEKS]),
            ("week", [str(d.isocalendar().week) for d in WEEKS]),
        ),
        "offered together.* Monday",
        WEEKLY,
    ),
    "year, month and day": said(
        parts(
            ("year", [str(d.year) for d in DAYS]),
            ("month", [str(d.month) for d in DAYS]),
            ("day", [str(d.day) for d in DAYS]),
        ),
        "'year', 'month' and 'day' are also offered together",
        WIDE,
    ),
    "year and month, and a month that is none": refuses(
        parts(
            ("year", of_months(lambda m: str(m.year))),
            ("month", ["13", *of_months(lambda m: str(m.month))[1:]]),
        ),
        "'2019-13' is no period",
    ),
    "year and a month that is always the same": exact(
        parts(("year", list(map(str, YEARS))), ("month", ["6"] * 6))
    ),
}
