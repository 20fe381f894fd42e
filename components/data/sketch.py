"""What can be seen of a column at a glance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Ints
from components.data.dateorder import DateOrder
from components.data.numbers import looks_numeric
from components.data.timeparse import read_periods
from components.data.treatment import family_of
from components.errors import DataError

MOST_BLANK = 0.1
MOST_SPELLINGS = 6  # of two words: 1 and 1.0, yes and YES
TOTAL = re.compile(
    r"(grand |sub-?|column )?(totals?|sum|summe|gesamt|insgesamt|averages?|mean)\s*:?",
    re.IGNORECASE,
)


def is_total(word: str) -> bool:
    """Tell whether a word heads a row or column of totals."""
    return TOTAL.fullmatch(word.strip()) is not None


@dataclass(frozen=True, eq=False)
class Column:
    """What can be seen of a column from its name and its first rows."""

    name: str
    text: pd.Series[str]

    @cached_property
    def key(self) -> str:
        """The name in snake case."""
        split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")

    @cached_property
    def parts(self) -> frozenset[str]:
        """The words of the name."""
        return frozenset(self.key.split("_"))

    def named(self, words: re.Pattern[str], starts: re.Pattern[str]) -> int:
        """3 if the name is one of the words, 2 if a part of it is, 1 if a part starts like one."""
        if words.fullmatch(self.key):
            return 3
        if any(words.fullmatch(part) for part in self.parts):
            return 2
        return int(any(starts.match(part) for part in self.parts))

    @cached_property
    def factors(self) -> tuple[Ints, list[str]]:
        """Codes of the cells (-1 where empty), and the different cells."""
        codes, words = pd.factorize(self.text)
        return np.asarray(codes, dtype=np.int64), [str(word) for word in words]

    @property
    def codes(self) -> Ints:
        """Code of each cell, -1 where empty."""
        return self.factors[0]

    @property
    def words(self) -> list[str]:
        """The different cells that are not empty."""
        return self.factors[1]

    @cached_property
    def is_flag(self) -> bool:
        """Whether the column says 0 or 1, yes or no, and the like."""
        return 1 <= len(self.words) <= MOST_SPELLINGS and family_of(self.words) is not None

    @cached_property
    def is_number(self) -> bool:
        """Whether all known cells are numbers."""
        return bool(self.words) and looks_numeric(pd.Series(self.words, dtype="str"))

    @cached_property
    def has_numbers(self) -> bool:
        """Whether at least half of the known cells hold a digit, so that numbers may be meant."""
        if not self.words or self.periods is not None:
            return False
        told = np.array([any(letter.isdecimal() for letter in word) for word in self.words])
        known = self.codes[self.codes >= 0]
        return bool(told[known].mean() >= 0.5)

    @cached_property
    def periods(self) -> pd.Index[Any] | None:
        """The column as periods, or None if it holds anything else than a few totals and blanks."""
        words = [word for word in self.words if not is_total(word)]
        if len(words) < 2 or (self.codes < 0).mean() > MOST_BLANK:
            return None
        return as_periods(words)

    @cached_property
    def is_dated(self) -> bool:
        """Whether the periods are dates, months, quarters, or whole numbers that may be years."""
        if self.periods is None:
            return False
        if not pd.api.types.is_integer_dtype(self.periods.dtype):
            return True
        return bool(self.periods.min() >= 1500 and self.periods.max() <= 2200)


def as_periods(words: list[str]) -> pd.Index[Any] | None:
    """Read words as periods, in whatever order days and months stand; None if they are not."""
    text = pd.Series(words, dtype="str")
    orders: tuple[DateOrder | None, ...] = (None, "day first", "month first")
    for order in orders:
        try:
            return read_periods(text, date_order=order)[0]
        except DataError:
            continue
    return None
