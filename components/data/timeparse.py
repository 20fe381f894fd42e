"""Text to periods: one kind for a whole column, and never sorted as text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from components.data.dateorder import (
    DateOrder,
    Firsts,
    Place,
    mixture,
    ordered,
    shortened,
    unreadable,
)
from components.data.ledger import Entry, counted, shown
from components.data.timeforms import (
    FORMS,
    SHORTENED,
    SLASHED,
    WHOLE,
    Form,
)
from components.data.timemakers import integers
from components.data.timenumbers import doubts
from components.errors import DataError


def parse_periods(
    text: pd.Series[str],
    *,
    place: Place | None = None,
    date_order: DateOrder | None = None,
) -> pd.Index[Any]:
    """Convert a column of text to periods of one kind.

    Parameters
    ----------
    text : pandas.Series of str, length n
        The column, in the order of the file.
    place : Place, optional
        How to name the column and its rows in messages.
    date_order : {"day first", "month first", "year first"}, optional
        How to read 01/02/2020 or 01/02/03, where the column alone does not tell.

    Returns
    -------
    pandas.Index, length n
        Integers; timestamps (a week is the timestamp of its Monday); or monthly or quarterly
        Periods.

    Raises
    ------
    DataError
        At the first empty or unreadable cell, where kinds are mixed, or where days and months
        cannot be told apart.
    """
    return read_periods(text, place=place, date_order=date_order)[0]


def read_periods(
    text: pd.Series[str],
    *,
    place: Place | None = None,
    date_order: DateOrder | None = None,
) -> tuple[pd.Index[Any], tuple[Entry, ...]]:
    """Convert as `parse_periods` does, and say what was converted."""
    place = place or Place("time", lambda row: f"row {row + 1}")
    codes, words = pd.factorize(text)
    if (codes < 0).any():
        first = int(np.flatnonzero(codes < 0)[0])
        raise DataError(
            f"{counted(int((codes < 0).sum()), 'row')} without a period in column "
            f"{shown(place.column)}; the first is {place.of(first)}.",
            hint="Fill in the periods, or take those rows out.",
        )
    stripped = [_plain(str(word)) for word in words]
    firsts = Firsts(codes, place)
    form, matches = _form(stripped, firsts, date_order)
    periods = _made(form, matches, stripped, firsts)
    entries: tuple[Entry, ...] = ()
    if form.what == WHOLE:
        entries = doubts(stripped, periods, firsts)
    if form.note:
        sentence = f"Periods in {shown(place.column)}: {form.note}."
        entries = (Entry("converted", sentence, len(text)), *entries)
    return periods.take(codes), entries


def _plain(word: str) -> str:
    """Write dashes and spaces of print as plain ones."""
    return re.sub("[\u2010-\u2015\u2212]", "-", re.sub(r"\s", " ", word)).strip()


def _form(
    words: list[str], firsts: Firsts, date_order: DateOrder | None
) -> tuple[Form, list[re.Match[str]]]:
    """Find the form that all words have."""
    best: tuple[int, Form] | None = None
    for form in FORMS:
        compiled = re.compile(form.pattern, re.IGNORECASE)
        matches = []
        for word in words:
            match = compiled.fullmatch(word)
            if match is None:
                break
            matches.append(match)
        else:
            if form.plausible is None or form.plausible(matches):
                return _settled(form, matches, firsts, date_order), matches
        partly = 0 < len(matches) < len(words)
        if partly and (best is None or len(matches) > best[0]):
            best = len(matches), form
    numbered = _numbered(words)
    if numbered is not None:
        return numbered
    if best is None:
        raise unreadable(words[0], firsts.of(0))
    count, form = best
    raise mixture(words[count], firsts.of(count), words[0], firsts.of(0), form.what)


def _settled(
    form: Form, matches: list[re.Match[str]], firsts: Firsts, date_order: DateOrder | None
) -> Form:
    """Decide what a form leaves open; refuse what may be meant in two ways."""
    if form is SLASHED:
        return ordered(matches, firsts, date_order)
    if form is SHORTENED:
        return shortened(matches, firsts, date_order)
    doubt = form.doubt(matches) if form.doubt is not None else None
    if doubt is not None:
        raise _doubtful(matches[doubt[0]][0], firsts.of(doubt[0]), doubt[1])
    return form


def _made(
    form: Form, matches: list[re.Match[str]], words: list[str], firsts: Firsts
) -> pd.Index[Any]:
    try:
        return form.make(matches)
    except (ValueError, OverflowError):
        for position, match in enumerate(matches):
            try:
                form.make([match])
            except (ValueError, OverflowError):
                raise unreadable(words[position], firsts.of(position)) from None
        raise


def _doubtful(word: str, where: str, what: str) -> DataError:
    return DataError(
        f"{where[:1].upper()}{where[1:]}: {shown(word)} {what}.",
        hint="Write quarters as 2020Q1 and months as 2020-01, with two digits for the month.",
    )


def _numbered(words: list[str]) -> tuple[Form, list[re.Match[str]]] | None:
    """Read "week 9", "week 10": one word before every number."""
    compiled = re.compile(r"(?P<word>[A-Za-z]{1,12}[ _.-]?)(?P<number>[0-9]{1,9})")
    matches = [compiled.fullmatch(word) for word in words]
    found = [match for match in matches if match is not None]
    if len(found) < len(words) or len({match["word"].lower() for match in found}) > 1:
        return None
    return Form("a number", "", integers, f"numbers after {shown(found[0]['word'])}"), found
