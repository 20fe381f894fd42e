r"""A factor model with autoregressive noise, fitted to a panel: placebo worlds like the data.

The design of Arkhangelsky et al. (2021, section 3) and of Athey, Imbens, Qu and Viviano (2025,
section 4): outcomes in standard units are a matrix of rank four plus AR(2) noise, and the matrix
is an additive part (unit plus period effects) and an interactive rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import toeplitz

from components.arrays import Floats, Ints, frozen
from components.errors import DataError, SpecError

Rng = np.random.Generator | np.random.RandomState
"""A stream of random numbers; the legacy kind replays published draws."""

Variant = Literal[
    "baseline",
    "no_autocorrelation",
    "no_interactive",
    "no_additive",
    "only_noise",
    "no_noise",
]

DROPPED: dict[str, tuple[str, ...]] = {
    "baseline": (),
    "no_autocorrelation": ("autocorrelation",),
    "no_interactive": ("interactive",),
    "no_additive": ("additive",),
    "only_noise": ("additive", "interactive"),
    "no_noise": ("noise",),
}
"""What each variant of the published tables leaves out."""

SMALLEST = 5
"""Units and periods that the fit needs at least."""

STATIONARY = 0.98
"""Largest root that the autoregression is given."""


@dataclass(frozen=True, eq=False)
class FactorWorld:
    r"""Outcomes :math:`Y = F + M + E` without any effect, in standard units.

    Attributes
    ----------
    additive : Floats, shape (N, T)
        F: unit plus period effects.
    interactive : Floats, shape (N, T)
        M: what is left of the low-rank matrix.
    covariance : Floats, shape (T, T)
        Of the noise of a unit over the periods; units are independent.
    ar : tuple of float
        The two coefficients of the noise.
    left : Floats, shape (N, rank)
        Left singular vectors of F + M, which drive the assignment.
    scale, centre : float
        An outcome in its own unit of measure is ``scale * Y + centre``.
    """

    additive: Floats
    interactive: Floats
    covariance: Floats
    ar: tuple[float, float]
    left: Floats
    scale: float = 1.0
    centre: float = 0.0

    def __post_init__(self) -> None:
        for name in ("additive", "interactive", "covariance", "left"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @classmethod
    def calibrated(cls, Y: Floats, rank: int = 4, *, ar_digits: int | None = None) -> FactorWorld:
        r"""Fit the model to a complete panel.

        Outcomes are divided by their standard deviation and centred; the singular value
        decomposition cut at ``rank`` gives L and the rest E. F holds the row means plus column
        means less the grand mean of L, and M = L - F. The AR(2) coefficients are least squares,
        pooled over units without a constant, and the covariance is

        .. math:: \Sigma = R\,\frac{\|E'E/N\|_F}{\|R\|_F},\qquad
                  R_{st}=r_{|s-t|},\; r_0=1,\; r_1=\phi_1/(1-\phi_2),\;
                  r_k=\phi_1 r_{k-1}+\phi_2 r_{k-2}.

        Parameters
        ----------
        Y : Floats, shape (N, T)
            Complete.
        rank : int
            Of F + M.
        ar_digits : int, optional
            Round the coefficients before use, as the code behind Arkhangelsky et al. does (2).

        Returns
        -------
        FactorWorld

        Raises
        ------
        DataError
            Where a cell is empty, all cells are equal, or the panel is too small.
        SpecError
            Where the rank does not lie between 1 and the smaller side of the panel less one.
        """
        Y = np.asarray(Y, dtype=np.float64)
        _refuse(Y, rank)
        spread, average = float(Y.std()), float(Y.mean())
        standard = (Y - average) / spread
        U, s, V = np.linalg.svd(standard, full_matrices=False)
        L = (U[:, :rank] * s[:rank]) @ V[:rank]
        F = L.mean(axis=1, keepdims=True) + L.mean(axis=0, keepdims=True) - L.mean()
        rest = standard - L
        ar = _stationary(*autoregression(rest))
        if ar_digits is not None:
            ar = (round(ar[0], ar_digits), round(ar[1], ar_digits))
        covariance = _covariance(rest, ar)
        return cls(F, L - F, covariance, ar, U[:, :rank], spread, average)

    @property
    def shape(self) -> tuple[int, int]:
        """Units and periods."""
        return len(self.additive), len(self.covariance)

    @cached_property
    def systematic(self) -> Floats:
        """What does not change between draws, F + M, shape (N, T)."""
        return frozen(self.additive + self.interactive)

    def without(self, *parts: str) -> FactorWorld:
        """Leave parts out.

        Parameters
        ----------
        *parts : {"additive", "interactive", "autocorrelation", "noise"}

        Returns
        -------
        FactorWorld
            With the same ``left`` singular vectors, so that assignment stays as it was.
        """
        covariance = self.covariance
        if "autocorrelation" in parts:
            covariance = np.diag(np.diag(covariance))
        return replace(
            self,
            additive=self.additive * ("additive" not in parts),
            interactive=self.interactive * ("interactive" not in parts),
            covariance=covariance * ("noise" not in parts),
            ar=(0.0, 0.0) if {"autocorrelation", "noise"} & set(parts) else self.ar,
        )

    def variant(self, name: Variant) -> FactorWorld:
        """Give one of the variants of the published tables by its name, a key of ``DROPPED``."""
        if name not in DROPPED:
            raise SpecError(
                f"There is no variant {name!r} of the factor model.",
                hint=f"Choose among {', '.join(DROPPED)}.",
            )
        return self.without(*DROPPED[name])

    def of_units(self, rows: Ints) -> FactorWorld:
        """Keep some units; a row may come more than once, as a unit of the same kind."""
        return replace(
            self,
            additive=self.additive[rows],
            interactive=self.interactive[rows],
            left=self.left[rows],
        )

    def draw(self, rng: Rng) -> Floats:
        """Draw outcomes in standard units, shape (N, T).

        One call of ``rng.standard_normal((N, T))`` times the factor that numpy's own
        ``multivariate_normal`` takes, so that a seeded legacy stream gives the published draws.
        """
        Y: Floats = self.systematic + rng.standard_normal(self.shape) @ self._root
        return Y

    def in_units(self, Y: Floats) -> Floats:
        """Bring drawn outcomes to the unit of measure of the data."""
        outcomes: Floats = self.scale * Y + self.centre
        return outcomes

    def shares(self) -> dict[str, float]:
        """Say what the outcomes are made of.

        Returns
        -------
        dict of str to float
            ``additive`` and ``interactive``: root mean squares of F and M; ``noise``: root mean
            variance of E; all in standard units. ``ar1`` and ``ar2``.
        """
        return {
            "additive": float(np.sqrt(np.mean(self.additive**2))),
            "interactive": float(np.sqrt(np.mean(self.interactive**2))),
            "noise": float(np.sqrt(np.trace(self.covariance) / len(self.covariance))),
            "ar1": self.ar[0],
            "ar2": self.ar[1],
        }

    @cached_property
    def _root(self) -> Floats:
        _, s, V = np.linalg.svd(self.covariance)
        return frozen(np.sqrt(s)[:, None] * V)


def autoregression(E: Floats) -> tuple[float, float]:
    """Fit two autoregressive coefficients by least squares, pooled over units, no constant.

    Parameters
    ----------
    E : Floats, shape (N, T)

    Returns
    -------
    tuple of float
    """
    now, one, two = E[:, 2:], E[:, 1:-1], E[:, :-2]
    gram = np.array(
        [[(one * one).sum(), (one * two).sum()], [(one * two).sum(), (two * two).sum()]]
    )
    first, second = np.linalg.lstsq(gram, np.array([(one * now).sum(), (two * now).sum()]))[0]
    return float(first), float(second)


def _covariance(rest: Floats, ar: tuple[float, float]) -> Floats:
    n_units, n_periods = rest.shape
    r = np.ones(n_periods)
    r[1] = ar[0] / (1.0 - ar[1])
    for lag in range(2, n_periods):
        r[lag] = ar[0] * r[lag - 1] + ar[1] * r[lag - 2]
    R = toeplitz(r)
    covariance: Floats = R * (np.linalg.norm(rest.T @ rest / n_units) / np.linalg.norm(R))
    return covariance


def _stationary(first: float, second: float) -> tuple[float, float]:
    """Shrink the roots of an autoregression that would not settle; leave others as they are."""
    root = float(np.abs(np.roots([1.0, -first, -second])).max(initial=0.0))
    shrink = min(1.0, STATIONARY / root) if root > 0.0 else 1.0
    return first * shrink, second * shrink**2


def _refuse(Y: Floats, rank: int) -> None:
    n_units, n_periods = Y.shape
    empty = int(np.isnan(Y).sum())
    if empty:
        raise DataError(
            f"{empty} cells are empty, and the factor model is fitted to a complete panel.",
            hint="Leave out the units or the periods with empty cells.",
        )
    if min(Y.shape) < SMALLEST:
        raise DataError(
            f"A panel of {n_units} units and {n_periods} periods is too small to tell factors "
            "from noise.",
            hint=f"Take at least {SMALLEST} units and {SMALLEST} periods.",
        )
    if not 1 <= rank < min(Y.shape):
        raise SpecError(
            f"A factor model of rank {rank} leaves no noise in {n_units} units and {n_periods} "
            "periods.",
            hint=f"Take a rank between 1 and {min(Y.shape) - 1}.",
        )
    if np.ptp(Y) == 0.0:
        raise DataError(f"All outcomes equal {Y.flat[0]:g}.", hint="Choose an outcome that varies.")
