"""Whole numbers in place of periods: what else they may be."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from components.data.dateorder import Firsts, mixture
from components.data.ledger import Entry, shown
from components.errors import DataError

SERIALS, SPREADSHEET_ZERO = (32_874, 62_091), dt.date(1899, 12, 30)  # 1990 to 2069
UNIX = {10: 1, 13: 1000}
YEARS = range(1500, 2200)
# Day, month and year run together: as numbers they come in the wrong order.
TURNED = ("%d%m%Y", "%m%d%Y")


def doubts(words: Sequence[str], periods: pd.Index[Any], firsts: Firsts) -> tuple[Entry, ...]:
    """Say where whole numbers are probably dates, and refuse those that cannot be put in order.

    Parameters
    ----------
    words : sequence of str, length k
        The different cells.
    periods : pandas.Index of int, length k
        What they were read as.
    firsts : Firsts
        Where they stand.

    Returns
    -------
    tuple of Entry

    Raises
    ------
    DataError
        Where some years have lost their century, or a number ends with its year.
    """
    _refuse_cut_years(words, periods, firsts)
    _refuse_turned(words, firsts)
    low, high = int(periods.min()), int(periods.max())
    if SERIALS[0] <= low and high <= SERIALS[1]:
        day = SPREADSHEET_ZERO + dt.timedelta(days=int(periods[0]))
        what = f"the number of a day in a spreadsheet, {day}"
    elif low > 0 and {len(str(low)), len(str(high))} <= UNIX.keys():
        seconds = int(periods[0]) // UNIX[len(str(low))]
        what = f"a time counted from 1970, {dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d}"
    elif all(len(word) == 6 for word in words) and all(_is_day(word, "%y%m%d") for word in words):
        what = f"a date, {dt.datetime.strptime(words[0], '%y%m%d').date()}"
    else:
        return ()
    sentence = (
        f"Periods in {shown(firsts.place.column)} were read as plain numbers. {words[0]} may be "
        f"{what}: then write dates."
    )
    return (Entry("read", sentence, len(words), doubtful=True),)


def _refuse_cut_years(words: Sequence[str], periods: pd.Index[Any], firsts: Firsts) -> None:
    """Refuse 1998, 99, 00: some years are whole, the others have lost their century."""
    whole = np.array([int(period) in YEARS for period in periods])
    cut = np.array([re.fullmatch("[0-9]{2}", word) is not None for word in words])
    if whole.any() and cut.any() and (whole | cut).all():
        one, other = int(np.flatnonzero(cut)[0]), int(np.flatnonzero(whole)[0])
        raise mixture(words[one], firsts.of(one), words[other], firsts.of(other), "a year")


def _refuse_turned(words: Sequence[str], firsts: Firsts) -> None:
    """Refuse 31012020 and 12020: as numbers they would be sorted by day or month."""
    longest = max(map(len, words))
    if longest not in (6, 7, 8):
        return
    full = [word.zfill(6 if longest == 6 else 8) for word in words]
    ways = ("%m%Y",) if longest == 6 else TURNED
    if len(full) > 1 and any(all(_is_day(word, way) for word in full) for way in ways):
        where = firsts.of(0)
        raise DataError(
            f"{where[:1].upper()}{where[1:]}: {shown(words[0])} seems to be a date that ends with "
            "its year; as a number it cannot be put in order.",
            hint="Write dates as 2020-01-31 and months as 2020-01.",
        )


def _is_day(word: str, form: str) -> bool:
    try:
        return dt.datetime.strptime(word, form).year in YEARS
    except ValueError:
        return False
