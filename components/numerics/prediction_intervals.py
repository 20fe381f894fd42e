r"""Prediction intervals for a synthetic control (Cattaneo, Feng and Titiunik 2021), on arrays.

The treated unit's untreated outcome is :math:`Y_t = p_t'w_0 + e_t` with :math:`p_t` the donors.
What is not known has two parts: the weights, bounded by simulating the noise they were fitted
under (in-sample), and the error of the later period itself (out-of-sample).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.special import digamma

from components.arrays import Bools, Floats
from components.numerics.ball_programs import largest_in_ball

CARRIES = 1e-6  # a weight above this counts as one of the fit's degrees of freedom
LARGEST_RHO = 0.2
SMALL_RHO = 0.001
COLLINEAR_RHO = 0.05
SPARE_PERIODS = 10  # periods that a regression of residuals must have beyond its coefficients
NORMAL_IQR = 1.34
MEAN_LOG_CHI2 = float(digamma(0.5) + np.log(2.0))  # of one degree of freedom: -1.27
TINY = 1e-200


@dataclass(frozen=True)
class Fit:
    """A fitted synthetic control.

    Attributes
    ----------
    before : Floats, shape (T0, J)
        Donors before treatment.
    later : Floats, shape (T1, J)
        Donors from the first treated period on.
    residuals : Floats, shape (T0,)
        Treated minus weighted donors before treatment.
    weights : Floats, shape (J,)
        On the simplex.
    differences : bool
        Whether residuals are modelled by the donors' changes rather than their levels; then the
        first period, which has no change, is left out.
    """

    before: Floats
    later: Floats
    residuals: Floats
    weights: Floats
    differences: bool

    @property
    def n_carrying(self) -> int:
        """Number of donors with weight."""
        return int((self.weights >= CARRIES).sum())

    @property
    def rho(self) -> float:
        r"""Weights below this count as zero in the simulation.

        :math:`\hat\sigma_u \max_j s_j / \min_j s_j^2 \sqrt{d_0 \log J \log T_0} / \sqrt{T_0}`,
        at most 0.2, with :math:`s_j` the standard deviation of donor j (``type-2`` of the R and
        Python packages scpi).
        """
        n_periods, n_donors = self.before.shape
        if n_donors == 1:
            return LARGEST_RHO
        spread = self.before.std(axis=0, ddof=1)
        smallest = float(spread.min())
        if smallest <= 0.0:
            return LARGEST_RHO
        noise = float(self.residuals.std())
        rate = np.sqrt(self.n_carrying * np.log(n_donors) * np.log(n_periods) / n_periods)
        first = noise / smallest * rate
        rho = min(first * float(spread.max()) / smallest, LARGEST_RHO)
        if rho < SMALL_RHO:
            rho = max(rho, min(first, LARGEST_RHO))
            rho = LARGEST_RHO if rho < COLLINEAR_RHO else rho
        return float(rho)

    @property
    def kept(self) -> Bools:
        """Donors whose weight is large enough to be uncertain; the largest one at least."""
        kept = self.weights > self.rho
        if not kept.any():
            kept = self.weights == self.weights.max()
        return np.asarray(kept)

    @property
    def start(self) -> int:
        """First period that the regressions of residuals use."""
        return int(self.differences)

    def designs(self) -> tuple[Floats, Floats]:
        """Regressors of the residuals before treatment and in later periods, with a constant.

        The kept donors, in changes or in levels; the constant alone where periods are too few or
        the donors collinear.
        """
        both = np.concatenate([self.before, self.later])[:, self.kept]
        if self.differences:
            both = np.diff(both, axis=0)
        n = len(self.before) - self.start
        spread = both[:n].std(axis=0)
        usable = bool((spread > 0.0).all()) and n - SPARE_PERIODS > both.shape[1] + 1
        if usable:
            both = (both - both[:n].mean(axis=0)) / spread
            usable = int(np.linalg.matrix_rank(both[:n])) == both.shape[1]
        design = np.column_stack([both, np.ones(len(both))]) if usable else np.ones((len(both), 1))
        return design[:n], design[n:]


def in_sample_draws(fit: Fit, directions: Floats, noise: Floats) -> tuple[Floats, Floats]:
    r"""Simulate how far the weighted donors may be from what the true weights give.

    With :math:`G \sim N(0, \hat\Sigma)` each draw bounds :math:`p'(\hat w - w)` over the weights
    with :math:`(w - \hat w)'\hat Q(w - \hat w) \le 2 G'(w - \hat w)` that sum to one and may fall
    to zero where they exceed ``rho``, and only rise elsewhere (section 4 of the paper).

    Parameters
    ----------
    fit : Fit
    directions : Floats, shape (K, J)
        The p: donors in each later period, or averages of them.
    noise : Floats, shape (S, n)
        Standard normal draws; n is the number of periods that ``fit`` models.

    Returns
    -------
    lower, upper : Floats, shape (S, K)
        Never of the wrong sign.
    """
    before, _ = fit.designs()
    Z, residuals = fit.before[fit.start :], fit.residuals[fit.start :]
    n = len(Z)
    spread = residuals - _projected(before, residuals, before)
    freedom = n - min(fit.n_carrying - 1, n - 1)
    centres = noise * np.abs(spread) * np.sqrt(n / freedom)
    slack = np.where(fit.weights < fit.rho, 0.0, fit.weights)
    bounds = largest_in_ball(Z, centres, slack, np.concatenate([directions, -directions]))
    return -bounds[:, : len(directions)], bounds[:, len(directions) :]


def later_errors(fit: Fit, *, corrected: bool = False) -> tuple[Floats, Floats]:
    r"""Predict mean and spread of the error in each later period.

    The residuals before treatment are regressed on the kept donors; so are their log squares, for
    :math:`\sigma_t = \exp(\tfrac12 \widehat{\log e_t^2})`, of which the interquartile range by
    quantile regression over 1.34 is an upper limit.

    Parameters
    ----------
    fit : Fit
    corrected : bool
        For normal errors :math:`E\log e^2 = \log\sigma^2 - 1.27`, and residuals of n periods
        after a regression on k are :math:`\sqrt{(n-k)/n}` too small; both are put right.

    Returns
    -------
    mean, spread : Floats, shape (T1,)
        In the units of the outcome.
    """
    before, later = fit.designs()
    y = fit.residuals[fit.start :]
    mean = _projected(before, y, later)
    left = y - _projected(before, y, before)
    scale = float(np.abs(left).max())
    if scale == 0.0:
        return mean, np.zeros(len(mean))
    left = left / scale
    logs = np.log(np.maximum(np.square(left), TINY))
    from_logs = np.exp(0.5 * _projected(before, logs, later))
    quartiles = [regression_quantile(before, left, tau, later) for tau in (0.25, 0.75)]
    from_range = np.abs(quartiles[1] - quartiles[0]) / NORMAL_IQR
    if corrected:
        from_logs *= np.exp(-0.5 * MEAN_LOG_CHI2)
        n, k = before.shape
        scale *= np.sqrt(n / max(n - k, 1))
    return mean, scale * np.minimum(from_logs, from_range)


def regression_quantile(X: Floats, y: Floats, tau: float, later: Floats) -> Floats:
    """Predict a conditional quantile by linear quantile regression (Koenker and Bassett 1978).

    Parameters
    ----------
    X : Floats, shape (n, k)
        Regressors, with a constant.
    y : Floats, shape (n,)
    tau : float
        Between 0 and 1.
    later : Floats, shape (m, k)
        Where to predict.

    Returns
    -------
    Floats, shape (m,)

    Raises
    ------
    ArithmeticError
        Where the linear program has no solution.
    """
    n, k = X.shape
    if k == 1:
        quantile = np.quantile(y, tau, method="averaged_inverted_cdf")
        return np.full(len(later), quantile)
    found = linprog(
        np.r_[np.zeros(k), np.full(n, tau), np.full(n, 1.0 - tau)],
        A_eq=np.hstack([X, np.eye(n), -np.eye(n)]),
        b_eq=y,
        bounds=[(None, None)] * k + [(0.0, None)] * (2 * n),
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(found.message)
    predicted: Floats = later @ found.x[:k]
    return predicted


def _projected(X: Floats, y: Floats, later: Floats) -> Floats:
    """Predict by least squares."""
    predicted: Floats = later @ np.linalg.lstsq(X, y, rcond=None)[0]
    return predicted
