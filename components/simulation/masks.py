"""Assignments that are no block: on and off, and the masks of the matrix-completion paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools
from components.errors import SpecError
from components.simulation.factor_model import Rng


@dataclass(frozen=True)
class BernoulliSwitching:
    """Every cell is treated by itself, with one probability.

    Attributes
    ----------
    n_units, n_periods : int
    share : float
        Between 0 and 1.
    """

    n_units: int
    n_periods: int
    share: float = 0.2

    def __post_init__(self) -> None:
        _refuse_chance("share", self.share)

    def draw(self, rng: Rng) -> Bools:
        """Toss a coin for each cell."""
        return np.asarray(rng.uniform(size=(self.n_units, self.n_periods)) < self.share)


@dataclass(frozen=True)
class MarkovSwitching:
    """Treatment goes on and off, and tends to last.

    Attributes
    ----------
    n_units, n_periods : int
    stay : float
        Probability that a treated unit is treated in the next period too.
    enter : float
        Probability that an untreated unit is treated in the next period.
    """

    n_units: int
    n_periods: int
    stay: float = 0.75
    enter: float = 0.0625

    def __post_init__(self) -> None:
        _refuse_chance("stay", self.stay)
        _refuse_chance("enter", self.enter)

    @property
    def share(self) -> float:
        """Share of treated cells in the long run, from which the first period is drawn."""
        return self.enter / (self.enter + 1.0 - self.stay)

    def draw(self, rng: Rng) -> Bools:
        """Walk through the periods."""
        chances = rng.uniform(size=(self.n_units, self.n_periods))
        W = np.zeros(chances.shape, dtype=np.bool_)
        W[:, 0] = chances[:, 0] < self.share
        for t in range(1, self.n_periods):
            W[:, t] = chances[:, t] < np.where(W[:, t - 1], self.stay, self.enter)
        return W


@dataclass(frozen=True)
class SimultaneousMask:
    """Units at random, all treated from one period on.

    Attributes
    ----------
    n_units, n_periods : int
    n_pre : int
        Periods before treatment.
    n_treated : int
    """

    n_units: int
    n_periods: int
    n_pre: int
    n_treated: int = 8

    def __post_init__(self) -> None:
        _refuse_mask(self.n_units, self.n_periods, self.n_pre, self.n_treated)

    def draw(self, rng: Rng) -> Bools:
        """Draw the units."""
        W = np.zeros((self.n_units, self.n_periods), dtype=np.bool_)
        W[rng.choice(self.n_units, size=self.n_treated, replace=False), self.n_pre :] = True
        return W


@dataclass(frozen=True)
class StaggeredMask:
    r"""Units at random, treated one after the other.

    The k-th of n treated units is treated after period
    :math:`\lfloor T_0+(T-T_0)(k-1)/n\rfloor` (Athey et al. 2021, section 8.1).

    Attributes
    ----------
    n_units, n_periods : int
    n_pre : int
        T0, periods before anyone is treated.
    n_treated : int
    """

    n_units: int
    n_periods: int
    n_pre: int
    n_treated: int = 35

    def __post_init__(self) -> None:
        _refuse_mask(self.n_units, self.n_periods, self.n_pre, self.n_treated)

    def draw(self, rng: Rng) -> Bools:
        """Draw the units and their order."""
        rows = rng.choice(self.n_units, size=self.n_treated, replace=False)
        late = (self.n_periods - self.n_pre) * np.arange(self.n_treated) // self.n_treated
        W = np.zeros((self.n_units, self.n_periods), dtype=np.bool_)
        W[rows] = np.arange(self.n_periods) >= (self.n_pre + late)[:, None]
        return W


def mask_dates(n_periods: int, n_dates: int = 5) -> tuple[int, ...]:
    r"""Give the first-treatment dates of the matrix-completion paper.

    Parameters
    ----------
    n_periods : int
        T.
    n_dates : int
        J.

    Returns
    -------
    tuple of int
        :math:`\lceil T(2j-1)/(2J)\rceil` for j = 1 ... J.
    """
    return tuple(-(-n_periods * (2 * j - 1) // (2 * n_dates)) for j in range(1, n_dates + 1))


def _refuse_chance(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise SpecError(
            f"The probability {name} = {value:g} leaves nothing to chance.",
            hint="Take a number between 0 and 1, both excluded.",
        )


def _refuse_mask(n_units: int, n_periods: int, n_pre: int, n_treated: int) -> None:
    if not (1 <= n_treated < n_units and 1 <= n_pre < n_periods):
        raise SpecError(
            f"{n_treated} treated units after {n_pre} periods do not fit into {n_units} units "
            f"and {n_periods} periods.",
            hint="Leave at least one unit untreated and one period before treatment.",
        )
