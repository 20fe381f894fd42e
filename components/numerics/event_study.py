"""Joint statements about the coefficients of an event study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from components.arrays import Bools, Floats

DRAWS = 9_999
BOOTSTRAP_DRAWS = 1_999
_CHUNK = 4_000_000


def sup_t(V: Floats, level: float, rng: np.random.Generator, n: int = DRAWS) -> float:
    r"""Find the critical value of a simultaneous band from a covariance matrix.

    The level-quantile of :math:`\max_k |Z_k|`, :math:`Z \sim N(0, \mathrm{corr}(V))`: the band
    :math:`\hat\theta_k \pm c\,\sqrt{V_{kk}}` covers all coefficients at once with probability
    ``level`` (Montiel Olea and Plagborg-Moller 2019, algorithm 1).

    Parameters
    ----------
    V : Floats, shape (K, K)
        Covariance of the coefficients; may be singular. A coefficient whose variance is 0 or NaN
        has no part.
    level : float
        Between 0 and 1, such as 0.95.
    rng : numpy.random.Generator
        Source of the draws.
    n : int
        Number of draws.

    Returns
    -------
    float
        NaN where no coefficient has a variance.
    """
    variances = np.diag(V)
    kept = np.flatnonzero(np.isfinite(variances) & (variances > 0.0))
    if not kept.size:
        return float("nan")
    if kept.size == 1:
        return float(norm.ppf(0.5 + level / 2))
    errors = np.sqrt(variances[kept])
    values, vectors = np.linalg.eigh(V[np.ix_(kept, kept)] / np.outer(errors, errors))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    largest = [
        np.abs(rng.standard_normal((size, kept.size)) @ root.T).max(axis=1)
        for size in _chunks(n, kept.size)
    ]
    return float(np.quantile(np.concatenate(largest), level))


def multiplier_critical_value(
    influence: Floats, level: float, rng: np.random.Generator, n: int = BOOTSTRAP_DRAWS
) -> float:
    r"""Find the critical value of a simultaneous band by the multiplier bootstrap.

    Draws :math:`R_k = \sum_i \xi_i\psi_{ik}` with the independent multipliers of Mammen (1993),
    :math:`(1\mp\sqrt 5)/2` with mean 0 and second and third moment 1, and takes the level-quantile
    of :math:`\max_k |R_k|/s_k`, where :math:`s_k` is the interquartile range of the draws over that
    of a standard normal (Callaway and Sant'Anna 2021, algorithm 1).

    Parameters
    ----------
    influence : Floats, shape (G, K)
        What each cluster contributes to the error of each coefficient, so that the sum of squares
        of a column is a variance. A column of zeros or with a NaN has no part.
    level : float
        Between 0 and 1, such as 0.95.
    rng : numpy.random.Generator
        Source of the multipliers.
    n : int
        Number of draws.

    Returns
    -------
    float
        NaN where no coefficient has a variance.
    """
    kept = influence[:, np.isfinite(influence).all(axis=0) & (influence != 0.0).any(axis=0)]
    if not kept.size:
        return float("nan")
    below, above = (1.0 - np.sqrt(5.0)) / 2.0, (1.0 + np.sqrt(5.0)) / 2.0
    share = above / np.sqrt(5.0)
    draws = np.concatenate(
        [
            np.where(rng.random((size, len(kept))) < share, below, above) @ kept
            for size in _chunks(n, len(kept))
        ]
    )
    low, high = np.quantile(draws, [0.25, 0.75], axis=0)
    spread = (high - low) / (norm.ppf(0.75) - norm.ppf(0.25))
    usable = spread > 0.0
    if not usable.any():
        return float("nan")
    return float(np.quantile((np.abs(draws[:, usable]) / spread[usable]).max(axis=1), level))


@dataclass(frozen=True)
class WaldTest:
    """Test that several coefficients are all zero.

    Attributes
    ----------
    statistic : float
        Squared length of the coefficients in units of their covariance; NaN without a test.
    df : int
        Number of coefficients.
    p_value : float
        From the chi-squared distribution; NaN without a test.
    """

    statistic: float
    df: int
    p_value: float


def wald_test(estimates: Floats, influence: Floats) -> WaldTest:
    r"""Test that all coefficients are zero.

    :math:`\hat\theta'V^{-1}\hat\theta` with :math:`V=\psi'\psi`, against chi-squared with K
    degrees of freedom.

    Parameters
    ----------
    estimates : Floats, shape (K,)
        Coefficients; one that is NaN or whose influence is 0 throughout has no part.
    influence : Floats, shape (G, K)
        What each cluster contributes to the error of each coefficient.

    Returns
    -------
    WaldTest
        With NaN where fewer clusters than coefficients, or collinear ones, leave the covariance
        singular.
    """
    kept: Bools = np.isfinite(estimates) & (np.nan_to_num(influence) != 0.0).any(axis=0)
    df = int(kept.sum())
    if df == 0 or df >= len(influence):
        return WaldTest(float("nan"), df, float("nan"))
    errors = np.sqrt((influence[:, kept] ** 2).sum(axis=0))
    scaled = influence[:, kept] / errors
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    if values[0] < 1e-10 * values[-1]:
        return WaldTest(float("nan"), df, float("nan"))
    statistic = float(((vectors.T @ (estimates[kept] / errors)) ** 2 / values).sum())
    return WaldTest(statistic, df, float(chi2.sf(statistic, df)))


def _chunks(n: int, width: int) -> list[int]:
    """Split n draws so that one chunk holds a few million numbers at most."""
    size = max(1, min(n, _CHUNK // width))
    return [size] * (n // size) + ([n % size] if n % size else [])
