"""The panel: outcomes and treatment as matrices of units by periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from components.arrays import Bools, Floats, Ints, frozen
from components.errors import DataError
from components.panel.design import Design
from components.panel.labels import period_label, unit_label


@dataclass(frozen=True, eq=False)
class Panel:
    """Outcomes and treatment of N units over T periods.

    Parameters
    ----------
    Y : array_like, shape (N, T)
        Outcomes in the unit of measure of the data; NaN where unobserved.
    W : array_like of bool, shape (N, T)
        True where a unit is treated.
    units : pandas.Index, length N
        Names of the rows, all different.
    periods : pandas.Index, length T
        Integers, timestamps or pandas Periods, all different and increasing.
    outcome : str
        What Y measures.
    X : mapping of str to array_like, shape (N, T), optional
        Covariates.

    Raises
    ------
    DataError
        Where shapes, names or values do not form a panel.

    Notes
    -----
    Frozen: every array is a read-only copy, and each method returns a new panel.
    """

    Y: Floats
    W: Bools
    units: pd.Index[Any]
    periods: pd.Index[Any]
    outcome: str = "outcome"
    X: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "Y", frozen(_floats(self.Y, "outcome")))
        object.__setattr__(self, "W", frozen(np.asarray(self.W, dtype=np.bool_)))
        covariates = {name: frozen(_floats(values, name)) for name, values in self.X.items()}
        object.__setattr__(self, "X", MappingProxyType(covariates))
        shape = (len(self.units), len(self.periods))
        for name, array in {"Y": self.Y, "W": self.W, **covariates}.items():
            if array.shape != shape:
                raise DataError(
                    f"{name} has shape {array.shape}, but there are {shape[0]} units and "
                    f"{shape[1]} periods.",
                    hint="Give every matrix one row per unit and one column per period.",
                )
        _refuse_repeats(self.units, "unit")
        _refuse_repeats(self.periods, "period")
        if not self.periods.is_monotonic_increasing:
            raise DataError("The periods are not in order.", hint="Sort the columns by time.")
        if np.isinf(self.Y).any():
            row, column = np.argwhere(np.isinf(self.Y))[0]
            raise DataError(
                f"The outcome is infinite for {self.cell_name(row, column)}.",
                hint="Correct the value, or leave the cell empty if it is unknown.",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        values = (self.Y, self.W, self.units, self.periods, self.outcome, dict(self.X))
        return type(self), values

    @classmethod
    def from_long(
        cls,
        table: pd.DataFrame,
        *,
        unit: str,
        time: str,
        outcome: str,
        treatment: str | None = None,
    ) -> Panel:
        """Build a panel from a table with one row per unit and period.

        Parameters
        ----------
        table : pandas.DataFrame
            Long table; rows in any order. Unit and period pairs that are absent become NaN.
        unit, time, outcome : str
            Columns with the unit's name, the period and the outcome.
        treatment : str, optional
            Column of 0/1 or booleans. Without it no cell is treated.

        Returns
        -------
        Panel

        Raises
        ------
        DataError
            Where a unit and period repeat, a name is missing, or treatment is not 0/1.
        """
        rows, units = _labels(table, unit)
        columns, periods = _labels(table, time)
        _refuse_duplicates(rows, columns, units, periods)
        Y = np.full((len(units), len(periods)), np.nan)
        Y[rows, columns] = _floats(table[outcome].to_numpy(), outcome)
        W = np.zeros(Y.shape, dtype=np.bool_)
        if treatment is not None:
            W[rows, columns] = _zero_one(table[treatment], treatment)
        return cls(Y=Y, W=W, units=units, periods=periods, outcome=str(outcome))

    @cached_property
    def design(self) -> Design:
        """The shape of the assignment."""
        return Design.of(self.W)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all values and labels: equal for equal panels, in any process."""
        digest = sha256()
        parts = [self.outcome, *map(unit_label, self.units), *map(period_label, self.periods)]
        digest.update("\x1f".join(parts).encode())
        digest.update(self.Y.tobytes())
        digest.update(self.W.tobytes())
        for name in sorted(self.X):
            digest.update(name.encode())
            digest.update(self.X[name].tobytes())
        return digest.hexdigest()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of units and of periods."""
        return len(self.units), len(self.periods)

    @property
    def observed(self) -> Bools:
        """True where the outcome is known, shape (N, T)."""
        return ~np.isnan(self.Y)

    def cell_name(self, row: int, column: int) -> str:
        """Name a cell for a message: "Texas, 1994"."""
        return f"{unit_label(self.units[row])}, {period_label(self.periods[column])}"

    def take(self, rows: ArrayLike, *, repeated: bool = False) -> Panel:
        """Keep some units.

        Parameters
        ----------
        rows : array_like
            Row numbers in the new order, or a boolean mask of length N.
        repeated : bool
            A row may come more than once; the units are then named by number.

        Returns
        -------
        Panel
        """
        rows = np.asarray(rows)
        return replace(
            self,
            Y=self.Y[rows],
            W=self.W[rows],
            units=pd.RangeIndex(len(rows)) if repeated else self.units[rows],
            X={name: values[rows] for name, values in self.X.items()},
        )

    def window(self, columns: ArrayLike) -> Panel:
        """Keep some periods.

        Parameters
        ----------
        columns : array_like
            Column numbers, increasing, or a boolean mask of length T.

        Returns
        -------
        Panel
        """
        columns = np.asarray(columns)
        return replace(
            self,
            Y=self.Y[:, columns],
            W=self.W[:, columns],
            periods=self.periods[columns],
            X={name: values[:, columns] for name, values in self.X.items()},
        )

    def reassign(self, W: ArrayLike) -> Panel:
        """Put another treatment matrix, shape (N, T), on the same outcomes."""
        return replace(self, W=np.asarray(W))

    def with_outcomes(self, Y: ArrayLike) -> Panel:
        """Put other outcomes, shape (N, T), under the same treatment."""
        return replace(self, Y=np.asarray(Y))


def _floats(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Column {name!r} holds values that are not numbers.",
            hint="Make every entry a plain number, or leave it empty if it is unknown.",
        ) from error


def _labels(table: pd.DataFrame, column: str) -> tuple[Ints, pd.Index[Any]]:
    """Give each row of a table the number of its label, and the labels in order."""
    series = table[column]
    values = series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array
    codes, labels = pd.factorize(values, sort=True)
    blank = codes < 0
    if blank.any():
        raise DataError(
            f"{int(blank.sum())} rows have no value in column {column!r}; the first is row "
            f"{int(np.flatnonzero(blank)[0]) + 1} of the table.",
            hint=f"Fill in {column!r} or take those rows out.",
        )
    return codes, pd.Index(labels)


def _zero_one(column: pd.Series[Any], name: str) -> Bools:
    values = column.to_numpy()
    if values.dtype.kind not in "biuf":
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    ones: Bools = values == 1
    wrong = ~(ones | (values == 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"Column {name!r} must be 0 or 1; row {first + 1} of the table holds "
            f"{column.iloc[first]!r}.",
            hint="Write 1 where the unit is treated in that period and 0 everywhere else.",
        )
    return ones


def _refuse_repeats(labels: pd.Index[Any], what: str) -> None:
    if not labels.is_unique:
        first = labels[labels.duplicated()][0]
        raise DataError(
            f"The {what} {first!r} appears twice.", hint=f"Give each {what} a name of its own."
        )


def _refuse_duplicates(
    rows: Ints,
    columns: Ints,
    units: pd.Index[Any],
    periods: pd.Index[Any],
) -> None:
    cells = rows * np.int64(len(periods)) + columns
    if len(cells) and np.bincount(cells).max() > 1:
        repeated = pd.Series(cells).duplicated().to_numpy()
        first = int(np.flatnonzero(repeated)[0])
        unit, period = unit_label(units[rows[first]]), period_label(periods[columns[first]])
        raise DataError(
            f"{int(repeated.sum())} rows repeat a unit and period; the first is {unit}, {period}, "
            f"row {first + 1} of the table.",
            hint="Keep one row per unit and period, or sum or average them first.",
        )
