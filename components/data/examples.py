"""What a table may look like: one small example of each shape, to look at and to fill in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

UNITS, FIRST, PERIODS, START = ("North", "East", "South", "West"), 2018, 6, 2021


@dataclass(frozen=True)
class Example:
    """One way to lay a table out.

    Attributes
    ----------
    title, text : str
        For the screen.
    table : pandas.DataFrame
        Simulated numbers.
    """

    title: str
    text: str
    table: pd.DataFrame


def _wide() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    years = np.arange(FIRST, FIRST + PERIODS)
    level = np.array([20.0, 26.0, 31.0, 24.0])[:, None] + 0.8 * (years - FIRST)
    values = level + rng.normal(0, 0.4, level.shape)
    values[0, years >= START] -= 3.0
    return pd.DataFrame(values.round(1), index=pd.Index(UNITS), columns=pd.Index(years))


def _long(*, treated: str) -> pd.DataFrame:
    wide = _wide()
    rows = []
    for unit in UNITS:
        for year, value in zip(range(FIRST, FIRST + PERIODS), wide.loc[unit], strict=True):
            flag = int(unit == UNITS[0] and year >= START)
            start = START if unit == UNITS[0] else "never"
            rows.append((unit, year, value, flag if treated == "treated" else start))
    return pd.DataFrame(rows, columns=["region", "year", "sales", treated])


def examples() -> dict[str, Example]:
    """Make the examples.

    Returns
    -------
    dict of str to Example
        By the name of the file to download.
    """
    years = _wide().round(1)
    across = years.T.rename_axis("year").reset_index()
    across.columns = across.columns.astype(str)
    by_unit = years.rename_axis("region").reset_index()
    by_unit.columns = by_unit.columns.astype(str)
    stubs = by_unit.rename(columns=lambda name: f"sales_{name}" if name.isdecimal() else name)
    return {
        "long": Example(
            "One row per unit and period",
            "The usual shape, and the template to fill in. The last column says 1 where the unit "
            "is treated in that period; without it you choose the treated units by hand.",
            _long(treated="treated"),
        ),
        "first_treated": Example(
            "With each unit's first treated period",
            "Instead of 0 and 1, the same period in all rows of a unit; 'never', 0 or an empty "
            "cell for units that are never treated.",
            _long(treated="first_treated"),
        ),
        "periods_in_columns": Example(
            "One row per unit, one column per period",
            "Columns named 2018, 2018Q1, 2018-01 or sales_2018. Treatment is chosen by hand, or "
            "by a column with the first treated period.",
            stubs,
        ),
        "units_in_columns": Example(
            "One row per period, one column per unit",
            "The first column holds the period, every other column one unit.",
            across,
        ),
    }
