"""Panels with a known effect, on which intervals should hold or are known to break."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats
from components.errors import SpecError
from components.panel import Panel

EFFECT = 1.0


@dataclass(frozen=True)
class CoverageWorld:
    r"""Unit effects, period effects, one common factor, and errors that may last.

    .. math:: Y_{it}=\alpha_i+\beta_t+\lambda_i f_t+\sigma_{it}\varepsilon_{it}+\tau W_{it},\qquad
              \varepsilon_{it}=\rho\,\varepsilon_{i,t-1}+\sqrt{1-\rho^2}\,z_{it}

    with standard normal :math:`\alpha_i` (times ``level_spread``), :math:`\beta_t`,
    :math:`\lambda_i` (times ``loading_spread``), :math:`f_t` and :math:`z_{it}`, and
    :math:`\log\sigma_{it}^2=a_i+b_t` with normal :math:`a_i` and :math:`b_t`. Treated units are
    drawn like all others except for what the fields that begin with ``treated_`` say.

    Parameters
    ----------
    title, text : str
        What a reader of the table should know.
    n_units, n_treated, n_pre, n_post : int
        Size of the panel; with ``dates`` the treated units start at these distances before its
        end in equal groups.
    level_spread, loading_spread : float
        Spread of unit effects and of factor loadings, in standard deviations of an error.
    rho : float
        Correlation of neighbouring errors.
    unit_spread, time_spread : float
        Spread of the logarithm of the error variance over units and over periods.
    treated_noise : float
        Multiplies the errors of treated units.
    treated_level : float
        Added to treated units, on top of the highest level among the others.
    treated_trend : float
        Drift of treated units per period.
    late_skew : float
        Spread of a lasting shock that every unit, treated or not, has from the first treated
        period on; shocks are independent, and skewed like a waiting time.
    mixed : bool
        The treated unit without its error is an average of five donors without theirs.
    dates : tuple of int
        Treated periods of each group of treated units; empty for one group.
    """

    title: str
    text: str
    n_units: int = 20
    n_treated: int = 1
    n_pre: int = 20
    n_post: int = 5
    level_spread: float = 1.0
    loading_spread: float = 0.0
    rho: float = 0.0
    unit_spread: float = 0.0
    time_spread: float = 0.0
    treated_noise: float = 1.0
    treated_level: float | None = None
    treated_trend: float = 0.0
    late_skew: float = 0.0
    mixed: bool = False
    dates: tuple[int, ...] = ()

    def draw(self, rng: np.random.Generator, effect: float = EFFECT) -> Panel:
        """Draw one panel.

        Parameters
        ----------
        rng : numpy.random.Generator
        effect : float
            Of treatment in every treated cell, in standard deviations of an error.

        Returns
        -------
        Panel
            The treated units come first.
        """
        n, t = self.n_units, self.n_pre + self.n_post
        treated = np.arange(n) < self.n_treated
        mean = self._mean(rng, treated)
        logs = self.unit_spread * rng.standard_normal((n, 1))
        logs = logs + self.time_spread * rng.standard_normal((1, t))
        noise = np.exp(logs / 2.0) * lasting_errors(rng, (n, t), self.rho)
        noise[treated] *= self.treated_noise
        if self.late_skew:
            shocks = self.late_skew * (rng.standard_exponential((n, 1)) - 1.0)
            noise += np.where(np.arange(t) >= self.n_pre, shocks, 0.0)
        W = self._assignment(treated)
        return Panel(
            Y=mean + noise + effect * W,
            W=W,
            units=pd.RangeIndex(1, n + 1),
            periods=pd.RangeIndex(1, t + 1),
        )

    def _mean(self, rng: np.random.Generator, treated: Bools) -> Floats:
        n, t = self.n_units, self.n_pre + self.n_post
        levels = self.level_spread * rng.standard_normal((n, 1))
        loadings = self.loading_spread * rng.standard_normal((n, 1))
        common, factor = rng.standard_normal((2, t))
        if self.treated_level is not None:
            levels[treated] = levels[~treated].max() + self.treated_level
        mean = levels + common + loadings * factor
        if self.mixed:
            donors = rng.choice(np.flatnonzero(~treated), 5, replace=False)
            mean[treated] = rng.dirichlet(np.ones(5)) @ mean[donors]
        mean[treated] += self.treated_trend * np.arange(t)
        return np.asarray(mean)

    def _assignment(self, treated: Bools) -> Bools:
        t = self.n_pre + self.n_post
        start = np.full(len(treated), t)
        lengths = self.dates or (self.n_post,)
        for group, length in zip(
            np.array_split(np.flatnonzero(treated), len(lengths)), lengths, strict=True
        ):
            start[group] = t - length
        W: Bools = np.arange(t) >= start[:, None]
        return W

    def __post_init__(self) -> None:
        if not 0 < self.n_treated < self.n_units:
            raise SpecError(
                f"{self.n_treated} of {self.n_units} units are treated.",
                hint="Take at least one, and leave at least one untreated.",
            )
        if not -1.0 < self.rho < 1.0:
            raise SpecError(f"A correlation of {self.rho:g} never dies out.", hint="Stay below 1.")


def lasting_errors(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Floats:
    """Draw stationary errors of variance one, each ``rho`` times the one before plus news.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        (N, T).
    rho : float

    Returns
    -------
    Floats, shape (N, T)
    """
    errors = rng.standard_normal(shape)
    if rho:
        news = np.sqrt(1.0 - rho**2)
        for column in range(1, shape[1]):
            errors[:, column] = rho * errors[:, column - 1] + news * errors[:, column]
    return errors
