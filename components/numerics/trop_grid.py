"""Candidate penalties of the search, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.arrays import Floats
from components.numerics.trop_cells import Penalties

Axis = Literal["unit", "time", "share"]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Grid:
    """Candidate penalties.

    Attributes
    ----------
    unit : tuple of float
        Increasing, in 1/Y.
    time : tuple of float
        Increasing, per period.
    share : tuple of float
        Decreasing from infinity: multiples of the largest useful nuclear-norm penalty.
    fixed_nn : float, optional
        A nuclear-norm penalty to use throughout, in place of the shares.
    """

    unit: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    time: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
    share: tuple[float, ...] = (np.inf, 1 / 2, 1 / 5, 1 / 10, 1 / 30)
    fixed_nn: float | None = None

    def __post_init__(self) -> None:
        if self.fixed_nn is not None:
            share = np.inf if np.isinf(self.fixed_nn) else 1.0
            object.__setattr__(self, "share", (share,))

    def values(self, axis: Axis) -> tuple[float, ...]:
        """Candidates along one axis."""
        return {"unit": self.unit, "time": self.time, "share": self.share}[axis]

    def points(self) -> Iterator[Point]:
        """All combinations, those without a low-rank part first."""
        for share in self.share:
            for unit in self.unit:
                for time in self.time:
                    yield unit, time, share


@dataclass(frozen=True)
class Trial:
    """What is known of one candidate.

    Attributes
    ----------
    penalties : Penalties
    total : float
        Sum of squared errors, or what it is at least.
    exact : bool
        Whether every item went in.
    """

    penalties: Penalties
    total: float
    exact: bool


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores along one penalty with the other two at their chosen values.

    Attributes
    ----------
    values : Floats, shape (G,)
        Penalties.
    rmse : Floats, shape (G,)
        Root mean squared error, or what it is at least.
    exact : tuple of bool
        False where the search stopped early, so that ``rmse`` is a lower bound.
    """

    values: Floats
    rmse: Floats
    exact: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Found:
    """Outcome of a search.

    Attributes
    ----------
    penalties : Penalties
    rmse : float
        Root mean squared error of the items.
    curves : dict of str to Curve
        For ``lambda_unit``, ``lambda_time`` and ``lambda_nn``.
    n_trials : int
        Candidates looked at.
    n_exact : int
        Candidates computed to the end.
    """

    penalties: Penalties
    rmse: float
    curves: dict[str, Curve]
    n_trials: int
    n_exact: int
