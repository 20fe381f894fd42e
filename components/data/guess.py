"""Which column is what: a first guess from names and content, for the user to correct."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from components.data.roles import Roles
from components.data.sketch import Column
from components.data.table import Table
from components.data.timeparts import TOGETHER
from components.data.treatment_guess import (
    START,
    TREATED,
    group_and_post,
    guess_treatment,
    varies,
)

SAMPLE_ROWS = 100_000
MAX_CANDIDATES = 8
MOSTLY = 0.9

UNIT = re.compile(
    r"unit|id|uid|gid|state|country|city|county|region|province|district|municipality|location|"
    r"geo|market|store|shop|firm|company|plant|school|hospital|clinic|household|person|individual|"
    r"code|name|iso3?|fips|zip|dma|nuts|entity|group|area|place|nation|town|village|site|branch|"
    r"product|sku|bundesland|i"
)
UNIT_START = re.compile(r"unit|state|country|county|city|region|store|firm|locat|panel")
TIME = re.compile(
    r"year|yr|date|day|month|quarter|qtr|week|time|period|t|datetime|timestamp|wave|yearmonth|ym|"
    r"yq|jahr|semester|round"
)
TIME_START = re.compile(r"year|date|month|quarter|week|time|period")
NOTHING = re.compile(r"(?!)")
OUTCOME = re.compile(r"y|outcome|response|target|dependent|depvar|kpi")
NEVER_OUTCOME = re.compile(
    r"(^|_)(true_?effect|effect|tau|att|id|idx|uid|gid|fips|zip|lat|lon|latitude|longitude|row|"
    r"rownames?|weights?|se|std_?err|cluster|strata|fold)($|_)|^(index|no|nr|num|number|n)$"
)
SELDOM_OUTCOME = re.compile(r"(^|_)(pop|population|area|x_?[0-9]+|cov[0-9]*|control[0-9]*)($|_)")


def guess_roles(table: Table) -> Roles:
    """Guess which column is the unit, the period, the outcome and the treatment.

    Parameters
    ----------
    table : Table
        Only the first ``SAMPLE_ROWS`` rows are looked at.

    Returns
    -------
    Roles
        None where nothing is convincing. The outcome is the first column of numbers that varies
        over both units and periods and is no flag, number of a unit, or known effect.
    """
    head = table.text.head(SAMPLE_ROWS)
    columns = [Column(name, head[name]) for name in table.columns]
    unit, time = _unit_and_time(_able_units(table, columns))
    # A name that can only mean one thing serves where the content does not tell.
    unit = unit or _called(columns, UNIT, time)
    time = time or _called(columns, TIME, unit)
    taken = {column.name for column in (unit, time) if column is not None}
    rest = [column for column in columns if column.name not in taken]
    treatment, kind = guess_treatment(rest, unit, time)
    post = None
    if treatment is None:
        treatment, post = group_and_post(rest, unit, time)
    rest = [column for column in rest if column is not treatment and column is not post]
    outcome = _outcome(rest, unit, time) or _called(rest, OUTCOME, None)
    names = [None if c is None else c.name for c in (unit, time, outcome, treatment, post)]
    return Roles(
        unit=names[0],
        time=names[1],
        outcome=names[2],
        treatment=names[3],
        other=tuple(name for name in table.columns if name not in names),
        treatment_kind=kind,
        post=names[4],
    )


def _called(columns: list[Column], words: re.Pattern[str], other: Column | None) -> Column | None:
    free = (column for column in columns if column is not other and not START.search(column.key))
    return next((column for column in free if words.fullmatch(column.key)), None)


def _able_units(table: Table, columns: list[Column]) -> list[Column]:
    """Leave out numbers where the rows of a wide table have names of text."""
    width = len(table.sources)
    named = [c for c in columns if not c.is_number and len(c.words) * width == len(c.text)]
    if not (width and named):
        return columns
    return [c for c in columns if not c.is_number or c.named(TIME, TIME_START)]


def _unit_and_time(columns: list[Column]) -> tuple[Column | None, Column | None]:
    units = _best(columns, _unit_score)
    times = _best(columns, _time_score)
    best: tuple[float, Column | None, Column | None] = (-1.0, None, None)
    for unit, unit_score in units:
        for time, time_score in times:
            if unit is not time:
                score = unit_score + time_score + _is_key(unit, time)
                if score > best[0]:
                    best = score, unit, time
    if best[1] is None:
        return (units[0][0] if units else None), (times[0][0] if times and not units else None)
    return best[1], best[2]


def _best(columns: list[Column], score: Callable[[Column], float]) -> list[tuple[Column, float]]:
    scored = [(column, score(column)) for column in columns]
    able = sorted((pair for pair in scored if pair[1] > 0), key=lambda pair: -pair[1])
    return able[:MAX_CANDIDATES]


def _unit_score(column: Column) -> float:
    repeated = 2 <= len(column.words) < len(column.text)
    if not repeated or column.is_flag or START.search(column.key):
        return 0.0
    named = column.named(UNIT, UNIT_START)
    if column.is_number:
        whole = column.periods is not None and not column.is_dated
        return 2.0 * named if whole and not column.named(TIME, TIME_START) else 0.0
    return 0.0 if column.is_dated else 3.0 + 2.0 * named


def _time_score(column: Column) -> float:
    if TOGETHER in column.name and column.periods is None:
        return 8.0  # rather refused with the wrong month than read without the year
    if column.is_flag or START.search(column.key) or column.periods is None:
        return 0.0
    named = column.named(TIME, TIME_START)
    together = 1.5 * (TOGETHER in column.name)  # less than a year alone, which serves if it can
    return 2.0 * named + 3.0 * column.is_dated + together


def _is_key(one: Column, other: Column) -> float:
    """6 if a pair of values never repeats, somewhat less if it seldom does, 0 otherwise."""
    pairs = pd.Series(one.codes * (len(other.words) + 1) + other.codes)
    share = 1.0 - float(pairs.duplicated().mean())
    return 6.0 if share == 1.0 else 5.0 * share * (share > MOSTLY)


def _outcome(columns: list[Column], unit: Column | None, time: Column | None) -> Column | None:
    for numbers in (True, False):  # rather numbers, but a wrong cell must be named, not passed over
        able = [c for c in columns if _may_be_outcome(c, unit, time, numbers=numbers)]
        if able:
            return min(able, key=_outcome_rank)
    return None


def _may_be_outcome(
    column: Column, unit: Column | None, time: Column | None, *, numbers: bool
) -> bool:
    if column.is_flag or NEVER_OUTCOME.search(column.key) or START.search(column.key):
        return False
    if column.key in TREATED or column.parts & {"treated", "treatment"}:
        return False
    if column.named(TIME, NOTHING) and column.periods is not None:
        return False
    if counts_rows(column):
        return False
    able = column.is_number if numbers else column.has_numbers
    return able and varies(column, unit) and varies(column, time)


def counts_rows(column: Column) -> bool:
    """Whether a column only numbers the rows."""
    periods = column.periods
    if periods is None or len(periods) < len(column.text) or column.is_dated:
        return False
    return bool((np.diff(periods.to_numpy()) == 1).all())


def _outcome_rank(column: Column) -> int:
    if OUTCOME.fullmatch(column.key):
        return 0
    seldom = SELDOM_OUTCOME.search(column.key) or (column.codes < 0).mean() > 0.5
    return 2 if seldom else 1
