"""Numbers that were read in the plain way although they may have been meant otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from components.arrays import Bools, Floats
from components.data.ledger import Entry, counted, shown
from components.data.table import Table

CODES = (-9, -99, -999, -9999, -99999, -999999, 99, 999, 9999, 99999, 999999)
FAR = 3.0


def fits(text: Any, pattern: str) -> Bools:
    """Tell which texts a pattern matches; null matches none."""
    found: Bools = (
        pc.match_substring_regex(text, pattern).fill_null(False).to_numpy(zero_copy_only=False)
    )
    return found


def doubts(table: Table, column: str, given: Any, known: Bools, *, plain: bool) -> Iterator[Entry]:
    """Say what was read in the plain way although it may have been meant otherwise."""
    rows = np.flatnonzero(known)
    if plain and len(given):
        pointed = fits(given, r"\.")
        grouped = fits(given, r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$")
        if pointed.any() and (grouped == pointed).all():
            example = given[int(np.flatnonzero(pointed)[0])].as_py()
            sentence = (
                f"Points in {shown(column)} read as decimal points: {example} lies between "
                f"{int(float(example))} and {int(float(example)) + 1}, it is not in thousands."
            )
            yield Entry("read", sentence, int(pointed.sum()), doubtful=True)
    long = np.flatnonzero(fits(given, r"^[+-]?[0-9]{16,}$"))
    inexact = [i for i in long if int(float(given[int(i)].as_py())) != int(given[int(i)].as_py())]
    if inexact:
        sentence = (
            f"{counted(len(inexact), 'number')} in {shown(column)} rounded to the 15 to 17 digits "
            "that a computer's number holds."
        )
        places = tuple(table.place(int(rows[i])) for i in inexact[:20])
        yield Entry("converted", sentence, len(inexact), places)


def codes(table: Table, column: str, values: Floats) -> Iterator[Entry]:
    """Say where -999 and the like stand far from all other numbers: they may mean not known."""
    known = values[~np.isnan(values)]
    for code in CODES:
        at = values == code
        rest = known[known != code]
        if not at.any() or not len(rest) or at.sum() > len(rest):
            continue
        if FAR * np.abs(rest).max() <= abs(code) or (code < 0 <= rest.min()):
            sentence = (
                f"{code} stands in {counted(int(at.sum()), 'cell')} of {shown(column)}, unlike all "
                "other numbers. It was read as a number: leave those cells empty if it means not "
                "known."
            )
            yield Entry("read", sentence, int(at.sum()), table.places(at), doubtful=True)
