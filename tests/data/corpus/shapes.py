"""Wide tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cases import START, UNITS, YEARS, Case, Y, csv, exact, refuses, said, truth, untreated

KEYS = [str(year) for year in YEARS]
ROWS = "One row per unit and one column per period"
COLUMNS = "One row per period and one column per unit"
QUARTERS = pd.PeriodIndex([pd.Period("2019Q3", "Q") + k for k in range(6)])
DATES = pd.DatetimeIndex(pd.date_range("2021-03-29", periods=6).astype("datetime64[us]"))
VALUE = untreated(outcome="value")


def by_unit(names, extra=(), head="tree", values=Y) -> bytes:
    top = [head, *(name for name, _ in extra), *names]
    body = [
        [unit, *(cells[i] for _, cells in extra), *(f"{v!r}" for v in values[i].tolist())]
        for i, unit in enumerate(UNITS)
    ]
    return csv([top, *body])


def by_period(times, head="year", extra=()) -> bytes:
    top = [head, *UNITS, *(name for name, _ in extra)]
    body = [
        [str(time), *(repr(v) for v in Y[:, j].tolist()), *(cells[j] for _, cells in extra)]
        for j, time in enumerate(times)
    ]
    return csv([top, *body])


def rows_of(names, panel=VALUE, **more):
    return said(by_unit(names, **more), ROWS, panel)


STARTS = [("first_treated", ["", str(START), "", ""])]
HOLED = Y.copy()
HOLED[1, 2] = np.nan
SHAPES: dict[str, Case] = {
    "years in columns": rows_of(KEYS),
    "prefix_1970": rows_of([f"height_{y}" for y in YEARS], untreated()),
    "prefix1970": rows_of([f"height{y}" for y in YEARS], untreated()),
    "prefix.1970": rows_of([f"height.{y}" for y in YEARS], untreated()),
    "prefix 1970": rows_of([f"height {y}" for y in YEARS], untreated()),
    "X1970": rows_of([f"X{y}" for y in YEARS]),
    "year_1970": rows_of([f"year_{y}" for y in YEARS]),
    "1970 [YR1970]": rows_of([f"{y} [YR{y}]" for y in YEARS]),
    "quarters in columns": rows_of(
        [str(q) for q in QUARTERS], untreated(periods=QUARTERS, outcome="value")
    ),
    "prefix and quarters": rows_of([f"height_{q}" for q in QUARTERS], untreated(periods=QUARTERS)),
    "dates in columns": rows_of(
        [f"{d:%Y-%m-%d}" for d in DATES], untreated(periods=DATES, outcome="value")
    ),
    "dates with points in columns": rows_of(
        [f"X{d:%Y.%m.%d}" for d in DATES], untreated(periods=DATES, outcome="value")
    ),
    "numbers from 1 in columns": rows_of(
        [str(k) for k in range(1, 7)], untreated(periods=range(1, 7), outcome="value")
    ),
    "years in columns out of order": said(by_unit(KEYS[::-1], values=Y[:, ::-1]), ROWS, VALUE),
    "years in columns, and the first treated": rows_of(KEYS, truth(outcome="value"), extra=STARTS),
    "years in columns, and other columns": rows_of(
        KEYS, extra=[("soil", list("abcd")), ("area", ["1", "5", "2", "9"])]
    ),
    "two outcomes": rows_of(
        [*(f"height_{y}" for y in YEARS), *(f"width_{y}" for y in YEARS)],
        untreated(),
        values=np.hstack([Y, Y * 2]),
    ),
    "two outcomes, the second chosen": said(
        by_unit(
            [*(f"height_{y}" for y in YEARS), *(f"width_{y}" for y in YEARS)],
            values=np.hstack([Y, Y * 2]),
        ),
        ROWS,
        untreated(y=Y * 2, outcome="width"),
        outcome="width",
    ),
    "outcome and treatment in columns": said(
        by_unit(
            [*(f"height_{y}" for y in YEARS), *(f"treated_{y}" for y in YEARS)],
            values=np.hstack([Y, np.outer(np.array(UNITS) == "Birch", np.array(YEARS) >= START)]),
        ),
        "",
        truth(),
    ),
    "years in columns with a gap": rows_of(KEYS, untreated(y=HOLED, outcome="value"), values=HOLED),
    "units in columns": said(by_period(YEARS), COLUMNS, VALUE),
    "units in columns, quarters": said(
        by_period(QUARTERS, "quarter"), COLUMNS, untreated(periods=QUARTERS, outcome="value")
    ),
    "units in columns, dates": said(
        by_period([f"{d:%Y-%m-%d}" for d in DATES], "date"),
        COLUMNS,
        untreated(periods=DATES, outcome="value"),
    ),
    "units in columns, and a total": said(
        by_period(YEARS, extra=[("Total", [repr(v) for v in Y.sum(axis=0).tolist()])]),
        "1 column of totals left out: 'Total'",
        VALUE,
    ),
    "units in columns, and a flag": said(
        by_period(YEARS, extra=[("post", [str(int(y >= START)) for y in YEARS])]),
        COLUMNS,
        VALUE,
        treatment=None,
    ),
    "two lines of names": said(
        csv(
            [
                ["tree", *["height"] * 6],
                ["", *KEYS],
                *[[unit, *map(repr, Y[i].tolist())] for i, unit in enumerate(UNITS)],
            ]
        ),
        "2 lines hold the names",
        untreated(),
    ),
    "merged names over two lines": said(
        csv(
            [
                ["tree", "height", "", "", "", "", ""],
                ["", *KEYS],
                *[[unit, *map(repr, Y[i].tolist())] for i, unit in enumerate(UNITS)],
            ]
        ),
        "2 lines hold the names",
        untreated(),
    ),
    "covariates x1 to x3 in a long table": exact(
        csv(
            [
                ["tree", "year", "height", "x1", "x2", "x3"],
                *[
                    [unit, str(year), repr(float(Y[i, j])), str(i * j), str(i - j), str(j)]
                    for i, unit in enumerate(UNITS)
                    for j, year in enumerate(YEARS)
                ],
            ]
        ),
        untreated(),
    ),
    "a unit twice": refuses(
        by_unit(KEYS) + by_unit(KEYS).split(b"\n")[1] + b"\n",
        "repeat a unit and period",
        shape="periods in columns",
    ),
    "a word in a wide table": refuses(
        by_unit(KEYS).replace(b"23.75", b"tall"),
        "Line 3 under '2003', column 'value': 'tall'",
        shape="periods in columns",
        unit="tree",
        time="period",
        outcome="value",
    ),
}
