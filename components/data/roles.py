"""Which column is what, and what was chosen where the table leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.data.dateorder import DateOrder
from components.data.reading import AS_FOUND, Reading

Duplicates = Literal["first", "mean", "sum"]
Gaps = Literal["drop_units", "drop_periods", "interpolate"]
Shape = Literal["periods in columns", "units in columns"]


@dataclass(frozen=True)
class Roles:
    """Which column is what.

    Attributes
    ----------
    unit, time, outcome : str, optional
        Names of columns; None where none was found.
    treatment : str, optional
        None where the table says nothing about treatment.
    other : tuple of str
        All columns without a role, in the order of the table.
    covariates : tuple of str
        Columns of numbers that go into ``Panel.X``.
    treatment_kind : {"flag", "start"}
        Whether the treatment column says treated or not in each row, or holds each unit's first
        treated period.
    decimal : {".", ","}, optional
        The decimal mark, where the columns do not tell.
    date_order : {"day first", "month first", "year first"}, optional
        How to read 01/02/2020 or 01/02/03, where the column does not tell.
    treated_values : tuple of str
        The words of the treatment column that say treated, where they are no usual ones.
    post : str, optional
        A second column of flags: a cell is treated where both it and the treatment say so.
    duplicates : {"first", "mean", "sum"}, optional
        What becomes of rows that repeat a unit and period; None asks.
    gaps : {"drop_units", "drop_periods", "interpolate"}, optional
        What becomes of cells without an outcome; None keeps them, for methods that allow that.
    shape : {"periods in columns", "units in columns"}, optional
        How the table is laid out where it does not have one row per unit and period.
    reading : Reading
        How the file is taken apart.
    """

    unit: str | None = None
    time: str | None = None
    outcome: str | None = None
    treatment: str | None = None
    other: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    treatment_kind: Literal["flag", "start"] = "flag"
    decimal: Literal[".", ","] | None = None
    date_order: DateOrder | None = None
    treated_values: tuple[str, ...] = ()
    post: str | None = None
    duplicates: Duplicates | None = None
    gaps: Gaps | None = None
    shape: Shape | None = None
    reading: Reading = AS_FOUND
