r"""The point of a hull closest to the origin, by non-negative least squares.

:math:`u = \arg\min_{u \ge 0} |P u|^2 + s^2 (1 - 1'u)^2`, scaled to sum to one, minimises
:math:`|P w|` over the simplex (Lawson and Hanson 1995, chapter 23).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from components.arrays import Floats, Ints

CELLS = 2_000_000


def nearest_by_nnls(P: Floats) -> Floats:
    """Find the point of the donors' hull closest to the origin.

    Parameters
    ----------
    P : Floats, shape (M, J)
        Donors minus target.

    Returns
    -------
    Floats, shape (J,)
        Its weights; optimal up to rounding unless the solver gave up.
    """
    system = np.empty((P.shape[0] + 1, P.shape[1]))
    system[:-1] = P
    squares = np.einsum("mj,mj->j", P, P)
    return _of_system(system, squares, float(np.sqrt(squares.max())))


def nearest_by_nnls_many(X: Floats, targets: Floats, barred: Ints) -> Floats:
    """Find the points of the donors' hull closest to many targets.

    Parameters
    ----------
    X : Floats, shape (M, J)
        One column per donor.
    targets : Floats, shape (B, M)
    barred : Ints, shape (B, n)
        Donors that a fit may not use.

    Returns
    -------
    Floats, shape (B, J)
        Weights; optimal up to rounding unless the solver gave up.
    """
    weights = np.empty((len(targets), X.shape[1]))
    at_once = max(1, CELLS // (X.size + X.shape[1]))
    for first in range(0, len(targets), at_once):
        chunk = slice(first, first + at_once)
        weights[chunk] = _nearest(X, targets[chunk], barred[chunk])
    return weights


def _nearest(X: Floats, targets: Floats, barred: Ints) -> Floats:
    n_rows, n_donors = X.shape
    systems = np.empty((len(targets), n_rows + 1, n_donors))
    np.subtract(X, targets[:, :, None], out=systems[:, :-1])
    squares = np.einsum("bmj,bmj->bj", systems[:, :-1], systems[:, :-1])
    sizes = np.sqrt(squares.max(axis=1)).tolist()
    np.put_along_axis(squares, barred, np.inf, axis=1)
    weights = np.empty((len(targets), n_donors))
    for row, system in enumerate(systems):
        weights[row] = _of_system(system, squares[row], sizes[row], barred[row])
    return weights


def _of_system(system: Floats, squares: Floats, size: float, barred: Ints | None = None) -> Floats:
    """Weights of differences in all rows but the last, which is free for the sum of weights."""
    system[-1] = size = size or 1.0
    if barred is not None:
        system[:, barred] = 0.0
    target = np.zeros(len(system))
    target[-1] = size
    try:
        u, _ = nnls(system, target)
    except RuntimeError:
        u = np.zeros(len(squares))
    total = float(u.sum())
    if total == 0.0:
        u[squares.argmin()] = total = 1.0
    weights: Floats = u / total
    return weights
