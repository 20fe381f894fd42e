"""Slopes in time of many series with holes, and how long their deviations last."""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats

FEWEST_CELLS = 3
MOST_LAGS = 10
TRIED = np.arange(0.0, 0.985, 0.02)  # correlations of neighbours


def slopes_of(values: Floats, rho: float = 0.0) -> Floats:
    r"""Slope of each row per period, by generalized least squares.

    .. math:: (X'R^{-1}X)^{-1}X'R^{-1}y,\qquad X_t = (1, t),\quad R_{st} = \rho^{|s-t|}

    Parameters
    ----------
    values : Floats, shape (N, T)
        NaN where unknown.
    rho : float
        Correlation of neighbouring deviations from the line; zero is ordinary least squares.

    Returns
    -------
    Floats, shape (N,)
        NaN with fewer than three known cells.
    """
    seen = np.isfinite(values)
    found = np.full(len(values), np.nan)
    patterns, members = np.unique(seen, axis=0, return_inverse=True)
    for place, pattern in enumerate(patterns):
        if pattern.sum() >= FEWEST_CELLS:
            rows = np.flatnonzero(members.ravel() == place)
            found[rows] = values[np.ix_(rows, np.flatnonzero(pattern))] @ _contrast(pattern, rho)
    return found


def _contrast(pattern: Bools, rho: float) -> Floats:
    """Weights of the known cells in the slope; they sum to zero."""
    time = np.flatnonzero(pattern).astype(np.float64)
    X = np.column_stack([np.ones(len(time)), time - time.mean()])
    R = rho ** np.abs(np.subtract.outer(time, time))
    weighted = np.linalg.solve(R, X)
    contrast: Floats = np.linalg.solve(X.T @ weighted, weighted.T)[1]
    return contrast


def lasting(values: Floats) -> float:
    r"""Correlation of neighbouring deviations, by the distances between periods.

    The mean of :math:`(y_{i,t+h} - y_{it})^2`, after the mean of all rows is taken off each
    period, is fitted by :math:`a(1-\rho^h)` over lags of up to ten periods, weighted by the number
    of pairs. Differences leave out the levels of rows, so that few periods make no bias.

    Parameters
    ----------
    values : Floats, shape (N, T)
        NaN where unknown.

    Returns
    -------
    float
        One of ``TRIED``; zero where nothing deviates.
    """
    seen = np.isfinite(values)
    count = np.maximum(seen.sum(axis=0), 1)
    left = values - np.where(seen, values, 0.0).sum(axis=0) / count
    lags = np.arange(1, min(MOST_LAGS, values.shape[1] - 1) + 1)
    pairs, sizes = np.zeros(len(lags)), np.zeros(len(lags))
    for place, lag in enumerate(lags):
        squares = np.square(left[:, lag:] - left[:, :-lag])
        pairs[place] = np.isfinite(squares).sum()
        sizes[place] = np.nansum(squares) / max(pairs[place], 1.0)
    shapes = 1.0 - TRIED[:, None] ** lags
    heights = (shapes * pairs) @ sizes / np.maximum((shapes**2) @ pairs, 1e-300)
    misses = np.square(sizes - heights[:, None] * shapes) @ pairs
    return float(TRIED[misses.argmin()]) if sizes.max(initial=0.0) > 0.0 else 0.0
