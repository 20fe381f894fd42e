"""Untreated outcomes as a factor model with autocorrelated errors, and draws from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, least_squares
from scipy.special import digamma, polygamma

from components.arrays import Bools, Floats

MOST_FACTORS = 6
STEPS = 600  # of the iterated decomposition
SETTLED = 1e-7  # change of a step, in standard deviations of the outcome
FURTHEST = 0.95  # partial autocorrelation
MOST_FREEDOM = 1e4  # of the prior of noise levels, from which on they count as equal


@dataclass(frozen=True, eq=False)
class ErrorModel:
    r"""Unit and period effects, factors, and errors of AR(2) with a level for each unit.

    Attributes
    ----------
    mean : Floats, shape (N, T)
        Fitted to the untreated cells, and predicted in the treated ones.
    n_factors : int
        Besides the unit and period effects.
    autoregression : tuple of float
        Both coefficients.
    root : Floats, shape (T, T)
        Square root of the correlation of the errors of one unit.
    variances : Floats, shape (N,)
        Of the errors of each unit, moderated towards the common one.
    freedom : Floats, shape (N,)
        Degrees of freedom of the moderated variance; infinite where all count as equal.
    """

    mean: Floats
    n_factors: int
    autoregression: tuple[float, float]
    root: Floats
    variances: Floats
    freedom: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Draw untreated outcomes, shape (N, T), each unit's noise level with its own doubt."""
        noise = rng.standard_normal(self.mean.shape) @ self.root.T
        spread = np.sqrt(self.variances)
        if np.isfinite(self.freedom).all():
            spread = spread * np.sqrt(self.freedom / rng.chisquare(self.freedom))
        drawn: Floats = self.mean + spread[:, None] * noise
        return drawn


def fit_error_model(Y: Floats, seen: Bools, n_factors: int | None = None) -> ErrorModel:
    r"""Fit the model to the cells that are seen.

    The number of factors minimises :math:`\ln V(r) + r\,(N + T - r)\ln(n)/n` with n cells (BIC3
    of Bai and Ng 2002, in logarithms). Autoregression and variances are those whose residuals,
    after unit effects and factors are taken out of each row, would have the autocovariances that
    are seen. Variances are moderated as in Smyth (2004).

    Parameters
    ----------
    Y : Floats, shape (N, T)
    seen : Bools, shape (N, T)
        At least four cells in each row, two in each column.
    n_factors : int, optional
        Chosen from the data by default; no more than the cells allow.

    Returns
    -------
    ErrorModel
    """
    most = min(MOST_FACTORS, int(seen.sum(axis=1).min()) // 3 - 1, min(Y.shape) // 3)
    most = max(most if n_factors is None else min(most, n_factors), 0)
    tried = range(most + 1) if n_factors is None else [most]
    fits = [_factor_fit(Y, seen, r) for r in tried]
    n, size = int(seen.sum()), sum(Y.shape)
    scores = [
        np.log(max(float(np.square((Y - mean)[seen]).mean()), 1e-300))
        + r * (size - r) * np.log(n) / n
        for r, (mean, _) in zip(tried, fits, strict=True)
    ]
    mean, factors = fits[int(np.argmin(scores))]
    residuals = np.where(seen, Y - mean, 0.0)
    patterns, members = np.unique(seen, axis=0, return_inverse=True)
    makers = [_annihilator(factors, pattern) for pattern in patterns]
    phi = _autoregression(residuals, makers, members.ravel())
    correlation = _correlation(phi, Y.shape[1])
    left = [maker @ correlation @ maker for maker in makers]
    share = 1.0 - (1.0 + len(factors)) / len(Y)
    traces = np.array([share * np.trace(a) for a in left])[members.ravel()]
    freedom = np.array([share * np.trace(a) ** 2 / np.square(a).sum() for a in left])
    own = np.square(residuals).sum(axis=1) / traces
    variances, total = moderated(own, freedom[members.ravel()])
    root: Floats = np.linalg.cholesky(correlation).astype(np.float64)
    return ErrorModel(mean, len(factors), phi, root, variances, total)


def moderated(variances: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    r"""Move variances towards a common one as far as their own spread allows.

    With :math:`s_i^2 \sim \sigma_i^2\chi^2_{d_i}/d_i` and :math:`1/\sigma_i^2 \sim
    \chi^2_{d_0}/(d_0 s_0^2)`, where :math:`d_0` and :math:`s_0^2` match mean and variance of
    :math:`\log s_i^2`, the moderated variance is
    :math:`(d_0 s_0^2 + d_i s_i^2)/(d_0 + d_i)`.

    Parameters
    ----------
    variances : Floats, shape (N,)
    freedom : Floats, shape (N,)
        Degrees of freedom of each.

    Returns
    -------
    moderated : Floats, shape (N,)
    freedom : Floats, shape (N,)
        :math:`d_0 + d_i`; infinite where the variances differ no more than chance would have it.
    """
    tiny = 1e-12 * float(variances.max())
    logs = np.log(np.maximum(variances, max(tiny, 1e-300))) - digamma(freedom / 2)
    logs += np.log(freedom / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
    if excess <= float(polygamma(1, MOST_FREEDOM / 2)):
        common = float((freedom * variances).sum() / freedom.sum())
        return np.full(len(variances), common), np.full(len(variances), np.inf)
    prior = 2.0 * float(
        brentq(lambda half: float(polygamma(1, half)) - excess, 1e-3, MOST_FREEDOM / 2)
    )
    common = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    total = prior + freedom
    return (prior * common + freedom * variances) / total, total


def _factor_fit(Y: Floats, seen: Bools, n_factors: int) -> tuple[Floats, Floats]:
    """Fit unit and period effects and r factors to the cells that are seen, by iteration."""
    centre = float(Y[seen].mean())
    scale = float(Y[seen].std()) or 1.0
    filled = np.where(seen, Y, centre)
    factors = np.zeros((0, Y.shape[1]))
    for _ in range(STEPS):
        rows = filled.mean(axis=1, keepdims=True)
        effects = rows + (filled - rows).mean(axis=0)
        fitted = effects
        if n_factors:
            left, values, right = np.linalg.svd(filled - effects, full_matrices=False)
            factors = right[:n_factors]
            fitted = effects + (left[:, :n_factors] * values[:n_factors]) @ factors
        updated = np.where(seen, Y, fitted)
        change = float(np.abs(updated - filled).max())
        filled = updated
        if change <= SETTLED * scale:
            break
    return fitted, factors


def _annihilator(factors: Floats, pattern: Bools) -> Floats:
    """Take unit effect and loadings, fitted to the cells of a row that are seen, out of it."""
    Z = np.vstack([np.ones(len(pattern)), factors]).T * pattern[:, None]
    maker: Floats = np.diag(pattern.astype(np.float64)) - Z @ np.linalg.pinv(Z)
    return maker


def _autoregression(
    residuals: Floats, makers: list[Floats], members: np.ndarray
) -> tuple[float, float]:
    """Find the AR(2) whose residuals would have the first two autocorrelations seen."""
    size = np.sqrt(np.square(residuals).sum(axis=1))
    unit = residuals[size > 0.0] / size[size > 0.0, None]
    if not len(unit):
        return 0.0, 0.0
    shown = np.array([(unit[:, lag:] * unit[:, :-lag]).sum(axis=1).mean() for lag in (1, 2)])
    counts = np.bincount(members[size > 0.0], minlength=len(makers))

    def miss(raw: Floats) -> Floats:
        correlation = _correlation(_coefficients(raw), residuals.shape[1])
        expected = np.zeros(2)
        for maker, count in zip(makers, counts, strict=True):
            if count:
                left = maker @ correlation @ maker
                lags = [np.trace(left, lag) for lag in (1, 2)]
                expected += count / counts.sum() * np.array(lags) / np.trace(left)
        return np.asarray(expected - shown)

    start = np.clip(np.array([shown[0], 0.0]), -0.8, 0.8)
    found = least_squares(miss, start, bounds=(-FURTHEST, FURTHEST), xtol=1e-6, ftol=1e-6)
    return _coefficients(found.x)


def _coefficients(partial: Floats) -> tuple[float, float]:
    """Turn two partial autocorrelations into the coefficients of an AR(2)."""
    first, second = float(partial[0]), float(partial[1])
    return first * (1.0 - second), second


def _correlation(phi: tuple[float, float], n: int) -> Floats:
    """Correlation matrix of a stationary AR(2), shape (n, n)."""
    values = np.ones(n)
    if n > 1:
        values[1] = phi[0] / (1.0 - phi[1])
    for lag in range(2, n):
        values[lag] = phi[0] * values[lag - 1] + phi[1] * values[lag - 2]
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    matrix: Floats = values[lags]
    return matrix
