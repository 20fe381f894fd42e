r"""Least squares with weights on the simplex, solved to its optimum.

.. math:: \min_{w, c} |A w + c - b|^2 + \rho |w|^2 \quad\text{s.t.}\quad w \ge 0,\ \sum_j w_j = 1

Three engines share the work. Without a ridge the problem is a non-negative least squares problem
in disguise (:mod:`components.numerics.simplex_nnls`). With a ridge Newton's method runs on the
dual (:mod:`components.numerics.simplex_dual`). An active-set method with orthogonal factorisations
then carries either answer to the optimum, and settles what the first two left open.

Where several weights reach the optimum, as with more donors than periods, the one with the
smallest sum of squares is returned: the limit of a ridge that goes to zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Floats
from components.numerics.simplex_active import active_set, improvements
from components.numerics.simplex_dual import ridge_simplex
from components.numerics.simplex_least_norm import least_norm
from components.numerics.simplex_nnls import nearest_by_nnls

DUST = 16.0 * float(np.finfo(np.float64).eps)
NEWTON_FROM = 1e-3
NEAR_PERFECT = 1e-9
MANY = 300
SHORT = 40
RANK = 1e-13
ENTERING = 60
MAX_ROUNDS = 30
SMALL_GAIN = 1e-13
PERFECT_FIT = 1e-11
CONVERGED = 1e-9


@dataclass(frozen=True)
class SimplexFit:
    """Weights on the simplex, and how far they can be trusted.

    Attributes
    ----------
    weights : Floats, shape (J,)
        Non-negative, summing to one.
    converged : bool
        Whether no donor could still improve the fit by more than rounding error.
    unique : bool
        Whether no other weights fit equally well.
    """

    weights: Floats
    converged: bool
    unique: bool


def simplex_least_squares(
    A: Floats, b: Floats, ridge: float = 0.0, *, intercept: bool = False
) -> tuple[Floats, bool]:
    r"""Minimise :math:`|Aw + c - b|^2 + \rho|w|^2` with w on the simplex.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    b : Floats, shape (M,)
        Target, in the same units.
    ridge : float
        :math:`\rho \ge 0`, in the units of the squared data.
    intercept : bool
        Whether the constant c is free; it is 0 otherwise.

    Returns
    -------
    weights : Floats, shape (J,)
        Non-negative, summing to one.
    converged : bool
        Whether the optimality conditions hold up to rounding error.
    """
    fit = simplex_fit(A, b, ridge, intercept=intercept)
    return fit.weights, fit.converged


def simplex_fit(A: Floats, b: Floats, ridge: float = 0.0, *, intercept: bool = False) -> SimplexFit:
    r"""Minimise as :func:`simplex_least_squares` does, and tell whether the weights are unique.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    b : Floats, shape (M,)
        Target, in the same units.
    ridge : float
        :math:`\rho \ge 0`, in the units of the squared data.
    intercept : bool
        Whether the constant c is free; it is 0 otherwise.

    Returns
    -------
    SimplexFit
    """
    n_donors = A.shape[1]
    if n_donors == 1:
        return SimplexFit(np.ones(1), converged=True, unique=True)
    P, spread, grain = differences(A, b, intercept=intercept)
    if spread == 0.0:
        uniform = np.full(n_donors, 1.0 / n_donors)
        return SimplexFit(uniform, converged=True, unique=ridge > 0.0)
    rho = ridge / spread**2
    w = active_set(P, rho, _start(P, rho), max_steps=SHORT if rho > 0.0 else None)
    if not _is_optimal(P, rho, w, grain):
        w = active_set(P, rho, _better(P, rho, w))
    converged = _is_optimal(P, rho, w, grain)
    unique = True
    if rho == 0.0:
        w, unique = least_norm(P, w, grain)
    return SimplexFit(w, converged, unique)


def differences(A: Floats, b: Floats, *, intercept: bool = False) -> tuple[Floats, float, float]:
    """Donors minus target, in units of the donors' spread.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    b : Floats, shape (M,)
        Target.
    intercept : bool
        Whether each series is measured from its own mean.

    Returns
    -------
    P : Floats, shape (M, J)
        Scaled differences.
    spread : float
        Largest distance between two donors in one row; 0 where it is rounding error.
    grain : float
        Size of a column of P that rounding of the data explains.
    """
    level = max(float(np.abs(A).max()), float(np.abs(b).max()))
    dust = DUST * float(np.sqrt(len(b))) * level
    if intercept:
        A = A - A.mean(axis=0)
        b = b - b.mean()
    spread = float(np.ptp(A, axis=1).max())
    if spread <= dust:
        return A - b[:, None], 0.0, 0.0
    return (A - b[:, None]) / spread, spread, dust / spread


def _is_optimal(P: Floats, rho: float, w: Floats, grain: float) -> bool:
    """Whether the fit is perfect, or no donor promises an improvement beyond rounding."""
    perfect = rho == 0.0 and float(np.linalg.norm(P @ w)) <= max(PERFECT_FIT, grain)
    return perfect or bool((improvements(P, rho, w) <= CONVERGED).all())


def _start(P: Floats, rho: float) -> Floats:
    """Weights at the optimum, or near it."""
    size = float(np.square(P - P.mean(axis=1, keepdims=True)).sum(axis=0).max())
    if rho < NEWTON_FROM * size:
        w = _by_columns(P) if P.shape[1] > MANY else nearest_by_nnls(P)
        if rho == 0.0 or float(np.linalg.norm(P @ w)) > NEAR_PERFECT:
            return w
    centre = P.mean(axis=1)
    return _by_newton(P - centre[:, None], -centre, rho)


def _better(P: Floats, rho: float, w: Floats) -> Floats:
    """Try Newton's method in the directions in which the donors differ at all."""
    if rho == 0.0:
        return w
    centre = P.mean(axis=1)
    left, values, right = np.linalg.svd(P - centre[:, None], full_matrices=False)
    rank = max(1, int((values > RANK * values[0]).sum()))
    X = values[:rank, None] * right[:rank]
    other = _by_newton(X, -centre @ left[:, :rank], rho)
    return min((w, other), key=lambda v: float(np.square(P @ v).sum() + rho * (v @ v)))


def _by_newton(X: Floats, y: Floats, rho: float) -> Floats:
    weights, _ = ridge_simplex(X, y[None], np.array([rho]))
    newton: Floats = weights[0]
    return newton


def _by_columns(P: Floats) -> Floats:
    """Solve on few donors at a time, letting those enter that improve the fit the most."""
    squares = np.square(P).sum(axis=0)
    picked = np.argsort(squares)[:ENTERING]
    w = np.zeros(P.shape[1])
    for _ in range(MAX_ROUNDS):
        some = nearest_by_nnls(P[:, picked])
        fitted = P[:, picked] @ some
        w[:] = 0.0
        w[picked] = some
        gains = fitted @ fitted - fitted @ P
        gains[picked] = 0.0
        best = np.argpartition(gains, -ENTERING)[-ENTERING:]
        best = best[gains[best] > SMALL_GAIN * squares[best]]
        if not len(best):
            break
        picked = np.sort(np.concatenate([picked[some > 0.0], best]))
    return w
