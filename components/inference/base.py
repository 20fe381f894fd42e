"""What every inference method promises, and the uncertainty it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2, norm
from scipy.stats import t as student

from components.arrays import Floats
from components.estimators.base import Card, Estimate

Progress = Callable[[float], None]

POWER = 0.8  # with which the smallest effect that a design could have seen is found
FEWEST_COMPARISONS = 5  # never-treated units that most methods need beside the treated ones

# A p-value on the grid k/n is compared with 1 - level, which is not exact in binary.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """Bounds for one number, at a level such as 0.95."""

    lower: float
    upper: float
    level: float

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@dataclass(frozen=True, eq=False)
class Band:
    """Bounds for the effect in each treated period.

    Attributes
    ----------
    lower, upper : pandas.Series
        Indexed by period, in the unit of measure of the outcome.
    level : float
        Such as 0.95.
    simultaneous : bool
        True where all periods are covered together, False where each is covered on its own.
    """

    lower: pd.Series[float]
    upper: pd.Series[float]
    level: float
    simultaneous: bool

    @property
    def kind(self) -> str:
        """``"pointwise"`` or ``"simultaneous"``."""
        return "simultaneous" if self.simultaneous else "pointwise"


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How sure one named method is of one estimate.

    Attributes
    ----------
    method : InferenceMethod
        Interval, band and p-value all come from this method.
    level : float
        Nominal level of interval and band.
    interval : Interval, optional
        For the average effect on the treated; None where none exists at this level.
    band : Band, optional
        For the effect in each treated period.
    event_band : Band, optional
        For the average effect by event time.
    p_value : float, optional
        Of no effect at all.
    smallest_p : float, optional
        The smallest p-value that this many placebos or periods can give.
    standard_error : float, optional
        Where the method gives one.
    detectable : float, optional
        The size of the average effect whose interval leaves out zero in four of five cases; None
        where there is no interval.
    n_random : int
        Random draws behind the numbers; 0 where nothing is random.
    draws : Floats, optional
        What the average effect is compared with: the placebo effects.
    sentence : str
        What interval and band are, in one sentence.
    notes : tuple of str
        Caveats, in sentences.
    details : mapping
        Tables behind the figures, by name.
    """

    method: InferenceMethod
    level: float
    interval: Interval | None = None
    band: Band | None = None
    event_band: Band | None = None
    p_value: float | None = None
    smallest_p: float | None = None
    standard_error: float | None = None
    draws: Floats | None = None
    sentence: str = ""
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    detectable: float | None = None
    n_random: int = 0


@runtime_checkable
class InferenceMethod(Protocol):
    """Says how sure an estimate is; a frozen dataclass whose fields are its tuning."""

    card: ClassVar[Card]

    def why_not(self, estimate: Estimate) -> str | None:
        """Say in one sentence why it does not apply to this estimate, or None if it does."""
        ...

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Give interval, band and p-value at a level between 0 and 1."""
        ...


def silent(share: float) -> None:
    """Report progress to nobody."""


def level_text(level: float) -> str:
    """Write a level: ``95%`` or ``97.5%``."""
    return f"{round(100 * level, 4):g}%"


def highest_level(n: int) -> str:
    """Write the highest level at which ``n`` equally likely ranks can reject."""
    return level_text(np.floor(1000 * (1 - 1 / n) + ROUNDING) / 1000)


def rejections_allowed(n: int, level: float) -> int:
    """Count how many of ``n`` equally likely ranks make up the rejection region.

    A p-value of the form k/n rejects where k/n <= 1 - level, so for k up to this number.
    """
    return int(np.floor(n * (1.0 - level) + ROUNDING))


def detectable_by_t(error: float, df: float, level: float) -> float:
    r"""Give the effect that a t interval finds with a power of four fifths.

    The m times :math:`\widehat{se}` for which a noncentral t with df degrees of freedom and
    noncentrality m lies beyond :math:`\pm t_{df,\,1-\alpha/2}` with that chance; with many degrees
    of freedom :math:`z_{1-\alpha/2} + z_{0.8}`.

    Parameters
    ----------
    error : float
        Standard error.
    df : float
        Degrees of freedom.
    level : float

    Returns
    -------
    float
    """
    if np.isinf(df):
        return float((norm.ppf(0.5 + level / 2) + norm.ppf(POWER)) * error)
    return _noncentrality(float(df), level) * error


@lru_cache(maxsize=4096)
def _noncentrality(df: float, level: float) -> float:
    """Average the power over the spread that a standard error has itself, and solve for 0.8."""
    shares = (np.arange(1000) + 0.5) / 1000
    critical = student.ppf(0.5 + level / 2, df) * np.sqrt(chi2.ppf(shares, df) / df)

    def short(m: float) -> float:
        return float(np.mean(norm.cdf(m - critical) + norm.cdf(-m - critical)) - POWER)

    return float(brentq(short, 0.0, float(critical.max()) + 10.0)) if short(0.0) < 0.0 else 0.0


def detectable_by_draws(half_width: float, errors: Floats) -> float:
    """Give the effect that an interval of this half-width finds with a power of four fifths.

    Parameters
    ----------
    half_width : float
        Zero is left out where the estimate is farther than this from it.
    errors : Floats, shape (B,)
        What the method shows where there is no effect, with its sign.

    Returns
    -------
    float
        For an effect of the less favourable sign.
    """
    return half_width + float(max(np.quantile(errors, POWER), np.quantile(-errors, POWER), 0.0))


def nth_largest(values: Floats, rank: int) -> Floats:
    """Give the value of this rank, 1 being the largest, along the first axis."""
    largest: Floats = np.partition(values, len(values) - rank, axis=0)[len(values) - rank]
    return largest
