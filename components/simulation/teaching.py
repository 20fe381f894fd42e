r"""Small worlds that each show one thing: when a method's assumption holds, and when it fails.

Every world is :math:`Y_{it}=\alpha_i+\beta_t+\text{(its own part)}+\tau_{it}+\sigma z_{it}` with
a block of treated cells at the end. The treated units are drawn at random, so only the world's own
part can mislead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from components.arrays import Bools, Floats
from components.errors import SpecError
from components.simulation.assignment import block, refuse_block
from components.simulation.factor_model import Rng
from components.simulation.worlds import Drawn, as_panel


@dataclass(frozen=True)
class ParallelTrends:
    """All units move in parallel, up to noise.

    Parameters
    ----------
    n_units, n_periods : int
    n_treated, n_post : int
        Treated units, and treated periods at the end.
    effect : float
        On each treated cell.
    noise : float
        Standard deviation of the noise of a cell.

    Raises
    ------
    SpecError
        Where sizes do not fit, or the noise is negative.
    """

    n_units: int = 40
    n_periods: int = 30
    n_treated: int = 5
    n_post: int = 8
    effect: float = 2.0
    noise: float = 0.5

    title: ClassVar[str] = "Parallel trends"
    lesson: ClassVar[str] = "Every method finds the effect; they differ in how sure they are."

    def __post_init__(self) -> None:
        refuse_block(self.n_units, self.n_periods, self.n_treated, self.n_post)
        if self.noise < 0.0:
            raise SpecError(f"Noise of size {self.noise:g} is negative.", hint="Take 0 or more.")

    def draw(self, rng: Rng) -> Drawn:
        """Draw a panel and the true effects in it."""
        rows = rng.choice(self.n_units, size=self.n_treated, replace=False)
        W = block(rows, self.n_units, self.n_periods, self.n_post)
        Y = 10.0 + rng.standard_normal((self.n_units, 1)) * 2.0
        Y = Y + np.cumsum(rng.standard_normal((1, self.n_periods)) * 0.3, axis=1)
        Y = Y + self._own_part(W, rng)
        effects = self._effects(W, rng)
        Y = Y + effects + self.noise * self._sizes(rng) * rng.standard_normal(W.shape)
        return as_panel(Y, W), effects

    def without_effect(self) -> Self:
        """Give the same world with treatment that does nothing."""
        return replace(self, effect=0.0)

    def _own_part(self, W: Bools, rng: Rng) -> Floats:
        return np.zeros(W.shape)

    def _effects(self, W: Bools, rng: Rng) -> Floats:
        return self.effect * W.astype(np.float64)

    def _sizes(self, rng: Rng) -> Floats:
        return np.ones((self.n_units, self.n_periods))


@dataclass(frozen=True)
class DivergingTrends(ParallelTrends):
    """Every unit drifts at a pace of its own, the treated ones faster than most.

    Parameters
    ----------
    slope : float
        Of the treated units per period; others drift at -0.5 to 1.5 times that.
    """

    slope: float = 0.15

    title: ClassVar[str] = "Diverging trends"
    lesson: ClassVar[str] = (
        "Difference in differences takes the drift for an effect; donors that drift alike do not."
    )

    def _own_part(self, W: Bools, rng: Rng) -> Floats:
        pace = np.where(W.any(axis=1), 1.0, rng.uniform(-0.5, 1.5, size=self.n_units))
        drift: Floats = np.outer(self.slope * pace, np.arange(self.n_periods))
        return drift


@dataclass(frozen=True)
class InteractiveEffects(ParallelTrends):
    """Common shocks move the units by different amounts, the treated ones by more.

    Parameters
    ----------
    rank : int
        Number of shocks.
    strength : float
        How much they move a unit.
    lean : float
        By how much the treated units respond more.
    """

    rank: int = 2
    strength: float = 0.5
    lean: float = 1.0

    title: ClassVar[str] = "Interactive effects"
    lesson: ClassVar[str] = "Methods that match the past, or model factors, see the shocks coming."

    def _own_part(self, W: Bools, rng: Rng) -> Floats:
        loadings = rng.standard_normal((self.n_units, self.rank))
        loadings = loadings + self.lean * W.any(axis=1, keepdims=True)
        factors = np.cumsum(rng.standard_normal((self.rank, self.n_periods)), axis=1)
        own: Floats = self.strength * loadings @ factors / np.sqrt(self.rank)
        return own


@dataclass(frozen=True)
class Spillover(ParallelTrends):
    """Some donors get a part of the effect.

    Parameters
    ----------
    share : float
        Of the effect that reaches a neighbour.
    n_neighbours : int
        Untreated units that it reaches.
    """

    share: float = 0.5
    n_neighbours: int = 10

    title: ClassVar[str] = "Spillover"
    lesson: ClassVar[str] = "Donors that are reached themselves hide a part of the effect."

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.n_neighbours <= self.n_units - self.n_treated:
            raise SpecError(
                f"{self.n_neighbours} neighbours are more than there are untreated units.",
                hint=f"Take at most {self.n_units - self.n_treated}.",
            )

    def _effects(self, W: Bools, rng: Rng) -> Floats:
        others = np.flatnonzero(~W.any(axis=1))
        reached = rng.choice(others, size=self.n_neighbours, replace=False)
        near = block(reached, self.n_units, self.n_periods, self.n_post)
        return self.effect * (W + self.share * near)


@dataclass(frozen=True)
class Anticipation(ParallelTrends):
    """Treated units react before treatment begins.

    Parameters
    ----------
    lead : int
        Periods before treatment in which they do.
    share : float
        Of the effect that comes early.
    """

    lead: int = 3
    share: float = 0.5

    title: ClassVar[str] = "Anticipation"
    lesson: ClassVar[str] = "What comes early is taken for the untreated course of things."

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.lead < self.n_periods - self.n_post:
            raise SpecError(
                f"A lead of {self.lead} periods does not fit before treatment.",
                hint=f"Take at most {self.n_periods - self.n_post - 1}.",
            )

    def _effects(self, W: Bools, rng: Rng) -> Floats:
        rows = np.flatnonzero(W.any(axis=1))
        early = block(rows, self.n_units, self.n_periods, self.n_post + self.lead) & ~W
        return self.effect * (W + self.share * early)


@dataclass(frozen=True)
class RegimeChange(ParallelTrends):
    """A shock that was never seen before arrives together with treatment.

    Parameters
    ----------
    size : float
        Of the shock on the treated units; on others it is a random part of that.
    """

    size: float = 1.5

    title: ClassVar[str] = "Regime change"
    lesson: ClassVar[str] = "However good the fit before, no method can tell shock from effect."

    def _own_part(self, W: Bools, rng: Rng) -> Floats:
        exposure = np.where(W.any(axis=1), 1.0, rng.uniform(size=self.n_units) * 0.5)
        after = np.arange(self.n_periods) >= self.n_periods - self.n_post
        return self.size * exposure[:, None] * after


@dataclass(frozen=True)
class UnequalNoise(ParallelTrends):
    """Noise differs in size between units and between periods.

    Parameters
    ----------
    unit_spread, time_spread : float
        Standard deviation of the logarithm of the variance over units and over periods.
    """

    unit_spread: float = 1.0
    time_spread: float = 1.0

    title: ClassVar[str] = "Unequal noise"
    lesson: ClassVar[str] = "Estimates stay centred, but how sure one can be differs by unit."

    def _sizes(self, rng: Rng) -> Floats:
        a = self.unit_spread * rng.standard_normal((self.n_units, 1))
        b = self.time_spread * rng.standard_normal((1, self.n_periods))
        sizes: Floats = np.exp((a + b - (self.unit_spread**2 + self.time_spread**2) / 2.0) / 2.0)
        return sizes


WORLDS: dict[str, type[ParallelTrends]] = {
    "parallel": ParallelTrends,
    "diverging": DivergingTrends,
    "interactive": InteractiveEffects,
    "spillover": Spillover,
    "anticipation": Anticipation,
    "regime_change": RegimeChange,
    "unequal_noise": UnequalNoise,
}
"""Teaching worlds by key, in the order of the screen."""
