"""Which column says who is treated when: a first guess from names and content."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np

from components.data.sketch import Column, as_periods
from components.data.starts import NEVER
from components.data.treatment import MOST_WORDS, family_of, plain_word

TREATED = {
    "treated": 6,
    "treatment": 6,
    "treat": 5,
    "treatments": 5,
    "istreated": 5,
    "intervention": 5,
    "exposed": 4,
    "exposure": 4,
    "policy": 3,
    "post": 3,
    "campaign": 3,
    "promo": 3,
    "promotion": 3,
    "reform": 3,
    "d": 3,
    "w": 3,
    "t": 2,
}
SURELY = 4
GROUPS = frozenset({"treat", "treated", "treatment", "group", "exposed", "intervention", "ever"})
POSTS = frozenset({"post", "after", "posttreatment", "postperiod"})
NOT_TREATED = frozenset(
    {"ever", "group", "never", "control", "eventually", "not", "non", "untreated", "nontreated"}
)
START = re.compile(
    r"(^|_)(first_?treat|gvar$|g$|adopt|treat(ment|ed)?_?(start|date|year|time|period|from)|"
    r"start_?(date|year|period)|cohort|first_?(year|period)|(year|yr|date)_?treated|since$|"
    r"(policy|law|reform|intro(duction)?|effective)_?(year|date|from)|(year|date)_(law|reform))|"
    r"^(start|intro)$"
)


def guess_treatment(
    columns: Iterable[Column], unit: Column | None, time: Column | None
) -> tuple[Column | None, Literal["flag", "start"]]:
    """Find the column that says treated, and whether by flags or by first treated periods."""
    columns = list(columns)
    scores = {c.name: _treated_score(c) for c in columns}
    flags = [c for c in columns if scores[c.name] > 0]
    moving = [c for c in columns if c.is_flag and varies(c, unit) and varies(c, time)]
    proper = [c for c in moving if scores[c.name] > 0]
    if proper:
        return max(proper, key=lambda c: scores[c.name]), "flag"
    worded = [c for c in columns if _is_worded(c, time)]
    if len(worded) == 1 and not flags:
        return worded[0], "flag"
    lasting = [c for c in moving if _lasts(c, unit, time)]
    if len(flags) == 1 or (not flags and len(lasting) == 1):
        return [*flags, *lasting][0], "flag"
    for column in columns:
        named = START.search(column.key) or TREATED.get(column.key, 0) >= SURELY
        if named and _is_start(column, time):
            return column, "start"
    return None, "flag"


def _is_worded(column: Column, time: Column | None) -> bool:
    """Whether a column is named like a treatment and holds a few words, whatever they say."""
    few = 1 <= len(column.words) <= MOST_WORDS and not column.is_flag
    named = TREATED.get(column.key, 0) >= SURELY or column.parts & {"treated", "treatment"}
    other = START.search(column.key) or column.parts & NOT_TREATED
    return bool(few and named) and not other and not _is_start(column, time)


def _lasts(column: Column, unit: Column | None, time: Column | None) -> bool:
    """Whether a flag, once it is up in a unit, stays up."""
    if unit is None or time is None or time.periods is None or len(column.words) != 2:
        return False
    told = as_periods(time.words)
    if told is None:
        return False
    known = (unit.codes >= 0) & (time.codes >= 0) & (column.codes >= 0)
    family = family_of(column.words) or {}
    up = np.array([family.get(plain_word(word), False) for word in column.words])
    rank = told.argsort().argsort()
    u, t, w = unit.codes[known], rank[time.codes[known]], up[column.codes[known]]
    order = np.lexsort((t, u))
    same = u[order][1:] == u[order][:-1]
    return not bool((same & (w[order][1:] < w[order][:-1])).any())


def group_and_post(
    columns: list[Column], unit: Column | None, time: Column | None
) -> tuple[Column | None, Column | None]:
    """Find a flag of the treated group and one of the periods after: treated where both say so."""
    flags = [column for column in columns if column.is_flag and len(column.words) == 2]
    groups = [c for c in flags if not varies(c, unit) and c.parts & GROUPS]
    posts = [c for c in flags if not varies(c, time) and c.parts & POSTS]
    if len(groups) == 1 and len(posts) == 1 and groups[0] is not posts[0]:
        return groups[0], posts[0]
    return None, None


def _treated_score(column: Column) -> int:
    if not column.is_flag or column.parts & NOT_TREATED:
        return 0
    if column.key in TREATED:
        return 2 * TREATED[column.key]
    return max((TREATED[part] for part in column.parts if part in TREATED), default=0)


def _is_start(column: Column, time: Column | None) -> bool:
    if time is None or time.periods is None:
        return False
    words = [word for word in column.words if word.strip().lower() not in NEVER]
    able = [word for word in words if as_periods([word, *time.words]) is not None]
    starts = as_periods([*able, *time.words]) if able else None
    if starts is None or starts.dtype != time.periods.dtype or 2 * len(able) < len(words):
        return False
    known = starts[len(able) :]
    return bool(((starts[: len(able)] >= known.min()) & (starts[: len(able)] <= known.max())).any())


def varies(column: Column, within: Column | None) -> bool:
    """Whether a column takes two values within some value of another."""
    if within is None:
        return True
    known = column.codes >= 0
    pairs = within.codes[known] * (len(column.words) + 1) + column.codes[known]
    return len(np.unique(pairs)) > len(np.unique(within.codes[known]))
