"""Many fits on the simplex at once: the batch solvers, each fit checked, the rest one by one."""

from __future__ import annotations

import numpy as np

from components.arrays import Floats, Ints
from components.numerics.simplex import simplex_fit
from components.numerics.simplex_dual import ridge_simplex
from components.numerics.simplex_lockstep import SimplexBatch
from components.numerics.simplex_nnls import nearest_by_nnls_many

CELLS = 4_000_000
LOOP_UP_TO = 120
NEWTON_FROM = 1e-3


def simplex_fits(
    A: Floats, targets: Floats, barred: Ints | None = None, *, intercept: bool = False
) -> Floats:
    """Fit many targets by weights on the simplex of the same donors.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    targets : Floats, shape (B, M)
        One row per fit.
    barred : Ints, shape (B, n), optional
        Donors that a fit may not use.
    intercept : bool
        Whether every fit has a free constant.

    Returns
    -------
    Floats, shape (B, J)
        Weights of each fit, as :func:`components.numerics.simplex.simplex_fit` gives them.
    """
    n_donors = A.shape[1]
    barred = np.empty((len(targets), 0), dtype=np.int64) if barred is None else barred
    batch = SimplexBatch(A, targets, np.zeros(len(targets)), barred=barred, intercept=intercept)
    start = None
    if n_donors <= LOOP_UP_TO:
        centred = batch.centred()
        start = nearest_by_nnls_many(centred.X, centred.targets, barred)
    weights, sure = batch.solve(start)
    for row in np.flatnonzero(~sure):
        keep = np.delete(np.arange(n_donors), barred[row])
        weights[row] = 0.0
        weights[row, keep] = simplex_fit(A[:, keep], targets[row], intercept=intercept).weights
    return weights


def ridge_fits(A: Floats, targets: Floats, ridge: Floats, mass: Floats) -> Floats:
    r"""Fit many targets with a ridge and a free constant, donors counting several times.

    Minimises :math:`|A w + c - y|^2 + \rho\sum_j w_j^2/m_j`, which is what one weight for each of
    the :math:`m_j` copies of a donor would minimise.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    targets : Floats, shape (B, M)
        One row per fit.
    ridge : Floats, shape (B,)
        In the units of the squared data.
    mass : Floats, shape (B, J)
        Whole numbers: how often each donor counts; 0 bars it.

    Returns
    -------
    Floats, shape (B, J)
        Total weight of each donor.
    """
    X, targets = A - A.mean(axis=0), targets - targets.mean(axis=1, keepdims=True)
    shared = X.mean(axis=1)
    X, y = X - shared[:, None], targets - shared
    easy = ridge >= NEWTON_FROM * float(np.square(X).sum(axis=0).max())
    easy &= ridge > 0.0
    weights = np.zeros(mass.shape)
    if easy.any():
        rows = np.flatnonzero(easy)
        for chunk in np.array_split(rows, len(rows) * X.size // CELLS + 1):
            weights[chunk], easy[chunk] = ridge_simplex(X, y[chunk], ridge[chunk], mass[chunk])
    for row in np.flatnonzero(~easy):
        copies = np.repeat(np.arange(X.shape[1]), mass[row].astype(np.int64))
        fit = simplex_fit(A[:, copies], targets[row], float(ridge[row]), intercept=True)
        weights[row] = np.bincount(copies, fit.weights, X.shape[1])
    return weights


def resampled_fits(A: Floats, target: Floats, ridge: Floats, mass: Floats) -> Floats:
    """Fit one target with a free constant in many samples of its rows.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    target : Floats, shape (M,)
        What to fit.
    ridge : Floats, shape (B,)
        In the units of the squared data.
    mass : Floats, shape (B, M)
        Whole numbers: how often each row counts in each sample.

    Returns
    -------
    Floats, shape (B, J)
    """
    targets = np.broadcast_to(target, mass.shape)
    whole = simplex_fit(A, target, float(ridge.mean()), intercept=True).weights
    start = np.broadcast_to(whole, (len(mass), len(whole)))
    batch = SimplexBatch(A, targets, ridge, mass=mass, intercept=True)
    weights, sure = batch.solve(start, pivots=True)
    for row in np.flatnonzero(~sure):
        copies = np.repeat(np.arange(len(A)), mass[row].astype(np.int64))
        fit = simplex_fit(A[copies], target[copies], float(ridge[row]), intercept=True)
        weights[row] = fit.weights
    return weights
