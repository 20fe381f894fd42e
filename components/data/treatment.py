"""The column that says who is treated when, as a matrix."""

from __future__ import annotations

import re
from typing import NoReturn

import numpy as np
import pandas as pd

from components.arrays import Bools, Ints
from components.data.ledger import Entry, counted, shown
from components.data.questions import Option, QuestionError
from components.data.table import Table
from components.errors import DataError

FAMILIES: tuple[dict[str, bool], ...] = (
    {"1": True, "0": False},
    {"true": True, "t": True, "false": False, "f": False},
    {"yes": True, "y": True, "no": False, "n": False},
    {
        **dict.fromkeys(("treated", "treatment", "treat"), True),
        **dict.fromkeys(("control", "controls", "ctrl", "untreated", "not treated"), False),
    },
    {"ja": True, "nein": False, "nee": False, "nej": False},
    {"oui": True, "non": False},
    {"sí": True, "si": True, "sì": True, "no": False},
    {"sim": True, "não": False, "nao": False},
    {"да": True, "нет": False},
    {"はい": True, "いいえ": False},
    {"是": True, "否": False},
    {"wahr": True, "falsch": False},
    {"vrai": True, "faux": False},
    {"vero": True, "verdadero": True, "verdadeiro": True, "falso": False},
    {"active": True, "inactive": False},
    {"enabled": True, "disabled": False},
    {"exposed": True, "unexposed": False, "not exposed": False},
    {"on": True, "off": False},
    {"post": True, "after": True, "pre": False, "before": False},
)
MOST_WORDS = 12


def family_of(words: list[str]) -> dict[str, bool] | None:
    """Return the pair of words that a column of flags is written in, or None."""
    plain = {plain_word(word) for word in words}
    return next((family for family in FAMILIES if plain and plain <= family.keys()), None)


def read_flags(
    table: Table, column: str, treated_values: tuple[str, ...] = ()
) -> tuple[Bools, tuple[Entry, ...]]:
    """Convert a column of 0/1, true/false, yes/no, treated/control, or of words that are given.

    Parameters
    ----------
    table : Table
        Where the column is.
    column : str
        Its name.
    treated_values : tuple of str
        Words that say treated, where they are no usual ones; all others then say untreated.

    Returns
    -------
    flags : Bools, shape (n,)
        True where treated.
    entries : tuple of Entry
        How the words were read.

    Raises
    ------
    QuestionError
        Where a few other words could say treated.
    DataError
        At the first cell that is empty, or written in no such way or in two ways.
    """
    codes, found = pd.factorize(table.column(column))
    words = [str(word) for word in found]
    empty = np.asarray(codes < 0)
    if empty.any():
        _settle_empty(table, column, empty, words, treated_values)
        codes, words = np.where(empty, len(words), codes), [*words, ""]
    meaning = _meanings(table, column, codes, words, treated_values)
    flags: Bools = meaning[codes]
    written = "; ".join(
        f"{shown(word)} is {'treated' if treated else 'untreated'} "
        f"({counted(int(np.count_nonzero(codes == code)), 'row')})"
        for code, (word, treated) in enumerate(zip(words, meaning, strict=True))
    )
    return flags, (Entry("converted", f"Treatment in {shown(column)}: {written}.", len(flags)),)


def _settle_empty(
    table: Table, column: str, empty: Bools, words: list[str], treated: tuple[str, ...]
) -> None:
    """Ask whether empty cells say untreated where nothing else does; refuse them otherwise."""
    family = family_of(words)
    if words and set(words) <= set(treated):
        return
    message = (
        f"{counted(int(empty.sum()), 'row')} without a treatment in column {shown(column)}; "
        f"the first is {table.places(empty)[0]}."
    )
    hint = "Write 1 where the unit is treated in that period and 0 everywhere else."
    alone = family is None or all(family[plain_word(word)] for word in words)
    if treated or not alone or not 1 <= len(words) <= MOST_WORDS:
        raise DataError(message, hint=hint)
    raise QuestionError(
        message,
        hint="Choose all values here if an empty cell says untreated. Otherwise fill the cells in.",
        field="treated_values",
        options=tuple(Option(word, f"{shown(word)} is treated") for word in words),
        many=True,
    )


def carry(W: Bools, given: Bools) -> tuple[Bools, Bools]:
    """Fill in treatment where a unit has no row, from the rows before and after it.

    Parameters
    ----------
    W : Bools, shape (N, T)
        Treatment; any value where not given.
    given : Bools, shape (N, T)
        True where the table has a row. Every unit has at least one.

    Returns
    -------
    filled : Bools, shape (N, T)
        Where the nearest given cells before and after agree, or there is only one of them, its
        value.
    torn : Bools, shape (N, T)
        Cells between two that disagree.
    """
    columns = np.arange(W.shape[1])
    before = np.maximum.accumulate(np.where(given, columns, -1), axis=1)
    after = np.where(given, columns, W.shape[1])
    after = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    left = np.take_along_axis(W, np.where(before < 0, after, before), axis=1)
    right = np.take_along_axis(W, np.where(after == W.shape[1], before, after), axis=1)
    torn: Bools = left != right
    return left, torn


def plain_word(word: str) -> str:
    """Write a flag as the families do: in small letters, 1.0 as 1."""
    lower = word.strip().lower()
    return lower[:1] if re.fullmatch(r"[01]\.0*", lower) else lower


def _meanings(
    table: Table, column: str, codes: Ints, words: list[str], treated: tuple[str, ...]
) -> Bools:
    """Tell which words say treated."""
    plain = {word.strip() for word in words}
    absent = [word for word in treated if word.strip() not in plain]
    if absent:
        raise DataError(
            f"There is no {shown(absent[0])} in column {shown(column)}.",
            hint="Choose again which words say treated.",
        )
    if treated:
        chosen = {word.strip() for word in treated}
        return np.array([word.strip() in chosen for word in words], dtype=np.bool_)
    family = family_of(words)
    if family is None:
        _refuse_words(table, column, codes, words)
    return np.array([family[plain_word(word)] for word in words], dtype=np.bool_)


def _refuse_words(table: Table, column: str, codes: Ints, words: list[str]) -> NoReturn:
    family = max(FAMILIES, key=lambda pair: sum(plain_word(word) in pair for word in words))
    wrong = next(code for code, word in enumerate(words) if plain_word(word) not in family)
    row = int(np.flatnonzero(codes == wrong)[0])
    others = [word for word in words if plain_word(word) in family]
    beside = f" beside {shown(others[0])}" if others else ""
    message = (
        f"{table.place(row).capitalize()}, column {shown(column)}: {shown(words[wrong])}{beside} "
        "does not say treated or untreated."
    )
    hint = (
        "Write 1 where the unit is treated in that period and 0 everywhere else. If the "
        "column holds each unit's first treated period, say so."
    )
    different = list(dict.fromkeys(word.strip() for word in words))
    if len(different) > MOST_WORDS or len(different) < 2:
        raise DataError(message, hint=hint)
    counts = {
        word: int(
            sum(np.count_nonzero(codes == c) for c, w in enumerate(words) if w.strip() == word)
        )
        for word in different
    }
    raise QuestionError(
        message,
        hint="Choose the values that say treated; all others then say untreated. Or write 1 and 0 "
        "in the file, or say that the column holds each unit's first treated period.",
        field="treated_values",
        options=tuple(
            Option(word, f"{shown(word)} ({counted(counts[word], 'row')})") for word in different
        ),
        many=True,
    )
