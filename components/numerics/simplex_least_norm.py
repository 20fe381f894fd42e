"""Among all weights that fit equally well, the ones with the smallest sum of squares."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from components.arrays import Bools, Floats
from components.numerics.simplex_dual import ridge_simplex

PERFECT = 1e-10
TIED = 1e-9
RANK = 1e-11
RIDGE = 1e-13
SAME_FIT = 1e-9


def least_norm(P: Floats, w: Floats, grain: float) -> tuple[Floats, bool]:
    r"""Choose the weights with the smallest sum of squares among the optimal ones.

    All optimal weights give the same fit and put weight only on donors tied with the support, so
    they are the solutions of :math:`P_F v = Pw`, :math:`v \ge 0`, :math:`1'v = 1` over the tied
    donors F.

    Parameters
    ----------
    P : Floats, shape (M, J)
        Donors minus target.
    w : Floats, shape (J,)
        Optimal weights.
    grain : float
        Size of the residual that rounding of the data explains.

    Returns
    -------
    weights : Floats, shape (J,)
        Optimal weights of least norm.
    unique : bool
        Whether they are the only optimal ones.
    """
    fitted = P @ w
    residual = float(np.linalg.norm(fitted))
    tied = np.flatnonzero(_tied(P, fitted, w, max(PERFECT, grain)))
    if len(tied) == np.count_nonzero(w):
        return w, True
    _, values, right = np.linalg.svd(P[:, tied] - fitted[:, None], full_matrices=False)
    dust = max(RANK * float(values[0]), grain * float(np.sqrt(len(tied))))
    rank = int((values > dust).sum())
    if rank == len(tied) - 1:
        return w, True
    for choose in (_by_newton, _by_distance):
        v = np.zeros(len(w))
        v[tied] = _sharpen(right[:rank], choose(right[:rank]))
        if float(np.linalg.norm(P @ v)) <= residual * (1.0 + SAME_FIT) + grain:
            return v, False
    return w, False


def _tied(P: Floats, fitted: Floats, w: Floats, perfect: float) -> Bools:
    """Donors towards which the fit does not get worse."""
    ways = P - fitted[:, None]
    lengths = np.sqrt(np.square(ways).sum(axis=0))
    residual = float(np.linalg.norm(fitted))
    if residual <= perfect * float(lengths.max()):
        return np.ones(len(w), dtype=np.bool_)
    noise = 1e-14 * float(np.abs(P).max()) / residual
    tied: Bools = (fitted @ ways <= (TIED + noise) * lengths * residual) | (w > 0.0)
    return tied


def _by_newton(X: Floats) -> Floats:
    """Weights on the simplex of least norm with ``X v = 0``, as the limit of a ridge."""
    n_rows, n_donors = X.shape
    if not n_rows:
        return np.full(n_donors, 1.0 / n_donors)
    size = float(np.square(X).sum(axis=0).max())
    weights, _ = ridge_simplex(X, np.zeros((1, n_rows)), np.array([RIDGE * size]))
    v: Floats = weights[0]
    return v


def _by_distance(X: Floats) -> Floats:
    """Find the same weights by least distance programming (Lawson and Hanson 1995, 23.4)."""
    n_donors = X.shape[1]
    constraints = np.vstack([X, np.ones(n_donors)])
    sums = np.zeros(len(constraints))
    sums[-1] = 1.0
    even = np.linalg.pinv(constraints) @ sums
    free = np.linalg.svd(constraints)[2][len(constraints) :]
    target = np.zeros(len(free) + 1)
    target[-1] = 1.0
    system = np.vstack([free, -even])
    try:
        u, _ = nnls(system, target)
    except RuntimeError:
        return np.full(n_donors, 1.0 / n_donors)
    rest = system @ u - target
    if rest[-1] == 0.0:
        return np.full(n_donors, 1.0 / n_donors)
    v: Floats = np.maximum(even - rest[:-1] / rest[-1] @ free, 0.0)
    return np.asarray(v / v.sum())


def _sharpen(X: Floats, v: Floats) -> Floats:
    """Take off what is left of ``X v``, with the smallest change of the positive weights."""
    support = np.flatnonzero(v > 0.0)
    constraints = np.vstack([X[:, support], np.ones(len(support))])
    left = np.append(X @ v, v.sum() - 1.0)
    change = np.linalg.lstsq(constraints, left, rcond=None)[0]
    sharper = v.copy()
    sharper[support] -= change
    return sharper if bool((sharper >= 0.0).all()) else v
