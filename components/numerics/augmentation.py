r"""Ridge regression on top of synthetic control (Ben-Michael, Feller and Rothstein 2021).

What the weights leave unmatched before treatment is carried over to the outcome by a ridge
regression among the donors. That is the same as moving the weights:

.. math:: w^{aug} = w + X_0 (X_0'X_0 + \lambda I)^{-1} (x_1 - X_0'w) \qquad \text{(eq. 8)}

with the donors' mean taken off :math:`X_0` and :math:`x_1`. The new weights still sum to one, but
some may be negative: they extrapolate.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats
from components.numerics.simplex import simplex_fit

N_RIDGES = 20
SMALLEST = 1e-8


def augmented_weights(before: Floats, target: Floats, weights: Floats, ridge: float) -> Floats:
    r"""Correct weights by a ridge regression.

    Parameters
    ----------
    before : Floats, shape (J, T0)
        Donors before treatment.
    target : Floats, shape (T0,)
        Treated unit before treatment.
    weights : Floats, shape (J,)
        Weights that sum to one.
    ridge : float
        :math:`\lambda > 0`, in the units of the squared outcome.

    Returns
    -------
    Floats, shape (J,)
        Weights that sum to one, of either sign.
    """
    return np.asarray(weights + _corrections(before, target, weights, np.array([ridge]))[0])


def ridge_grid(before: Floats) -> Floats:
    """Span ridges from the largest squared singular value of the centred donors downwards.

    Parameters
    ----------
    before : Floats, shape (J, T0)
        Donors before treatment.

    Returns
    -------
    Floats, shape (21,)
        Falling, down to a hundred-millionth of the first.
    """
    centred = before - before.mean(axis=0)
    largest = float(np.linalg.svd(centred, compute_uv=False)[0]) ** 2
    return np.asarray(largest * SMALLEST ** (np.arange(N_RIDGES + 1.0) / N_RIDGES))


def choose_ridge(before: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    r"""Choose :math:`\lambda` by leaving out one period before treatment at a time.

    Parameters
    ----------
    before : Floats, shape (J, T0)
        Donors before treatment; at least three periods.
    target : Floats, shape (T0,)
        Treated unit before treatment.

    Returns
    -------
    ridge : float
        The largest whose error is within one standard error of the smallest.
    ridges, errors : Floats, shape (21,)
        The grid, and the mean squared error of the periods left out.
    """
    ridges = ridge_grid(before)
    n_pre = before.shape[1]
    squares = np.empty((n_pre, len(ridges)))
    for period in range(n_pre):
        kept, held = np.delete(before, period, axis=1), before[:, period]
        aim = np.delete(target, period)
        weights = simplex_fit(kept.T, aim).weights
        moved = weights + _corrections(kept, aim, weights, ridges)
        squares[period] = np.square(target[period] - moved @ held)
    errors = squares.mean(axis=0)
    spread = squares.std(axis=0, ddof=1) / np.sqrt(n_pre)
    best = int(errors.argmin())
    within = errors <= errors[best] + spread[best]
    return float(ridges[within].max()), ridges, errors


def _corrections(before: Floats, target: Floats, weights: Floats, ridges: Floats) -> Floats:
    """Compute the changes of the weights for each ridge, shape (R, J)."""
    centred = before - before.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    unmatched = right @ (target - weights @ before)
    size = np.square(values) + ridges[:, None]
    shrunk = np.divide(values, size, out=np.zeros(size.shape), where=size > 0.0)
    return np.asarray((shrunk * unmatched) @ left.T)
