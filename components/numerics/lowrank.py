r"""Low-rank completion of a table: nuclear-norm regression with exact two-way effects.

The problem, for any set O of observed cells, is

.. math:: \min_{L,\alpha,\beta} \frac{1}{|O|}\sum_{(i,t)\in O}(Y_{it}-L_{it}-\alpha_i-\beta_t)^2
          + \lambda\|L\|_*

(Athey, Bayati, Doudchenko, Imbens and Khosravi 2021, section 4). Fill the other cells with values
v: the best fit to a filled table is closed form, since the effects are its means and L shrinks the
singular values of what is left. What remains is a convex function of v alone, whose gradient is v
minus that fit and has Lipschitz constant 1. A limited-memory quasi-Newton method descends it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.nuclear import soft_threshold_singular_values, spectral_norms
from components.numerics.twoway import TwoWay, identified

MAX_STEPS = 5_000


@dataclass(frozen=True, eq=False)
class Completion:
    """A low-rank matrix with unit and period effects.

    Attributes
    ----------
    fitted : Floats, shape (N, T)
        ``L + alpha + beta``; NaN where the observed cells determine no value.
    L : Floats, shape (N, T)
        Low-rank part; 0 in units and periods that are never observed.
    singular_values : Floats, shape (rank,)
        Of L, largest first, in the unit of measure of Y.
    excess : float
        Spectral norm of the gradient of the loss over the penalty, minus 1: at most 0 at the
        optimum.
    gap : float
        Duality gap over the objective: 0 at the optimum.
    settled : bool
        False if the solver ran out of steps.
    """

    fitted: Floats
    L: Floats
    singular_values: Floats
    excess: float
    gap: float
    settled: bool

    @property
    def rank(self) -> int:
        """Rank of L."""
        return len(self.singular_values)

    @property
    def nuclear_norm(self) -> float:
        """Sum of the singular values of L."""
        return float(self.singular_values.sum())


def penalty_max(Y: Floats, observed: Bools) -> float:
    r"""Smallest penalty at which the low-rank part vanishes.

    It is :math:`2\sigma_{\max}(P_O(Y-\hat\alpha-\hat\beta))/|O|` with the effects fitted alone.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)

    Returns
    -------
    float
        In the unit of measure of Y.
    """
    return Filling(Y, observed).penalty_max


def complete(Y: Floats, observed: Bools, penalty: float) -> Completion:
    """Fit the low-rank matrix and the effects for one penalty.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes; ignored where not observed, NaN too.
    observed : Bools, shape (N, T)
        Cells to fit.
    penalty : float
        lambda, above 0, in the unit of measure of Y.

    Returns
    -------
    Completion
        The optimum to a relative gradient of 1e-9.
    """
    filling = Filling(Y, observed)
    L = np.zeros(Y.shape)
    settled = True
    if penalty < filling.penalty_max:
        k = filling.threshold(penalty)
        tolerance = max(min(1e-9 * filling.norm, 1e-7 * k), 1e-13 * filling.norm)
        point, settled = filling.descend(k, np.zeros(filling.missing.size), tolerance)
        L[filling.block] = filling.scale * point.L
    two_way = filling.two_way
    inside = np.nan_to_num(Y)
    alpha, beta = two_way.fit(inside - L)
    fitted = np.where(identified(observed), L + alpha[:, None] + beta, np.nan)
    singular = np.linalg.svd(L[filling.block], compute_uv=False)
    singular = singular[singular > 1e-9 * singular.max(initial=0.0)]
    excess, gap = _certificate(two_way, inside, L, penalty, float(singular.sum()))
    return Completion(fitted, L, singular, excess, gap, settled)


class _Point(NamedTuple):
    """Best fit to a filled table."""

    L: Floats
    values: Floats  # of L plus effects, in the missing cells
    loss: float


class Filling:
    """The convex function of the values in the missing cells, and its descent.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)

    Attributes
    ----------
    block : tuple of Ints
        Rows and columns with an observed cell; the rest has no part.
    base : tuple of Floats
        Unit and period effects fitted alone.
    missing : Ints
        Places in the flattened block, in whose order values are given.
    scale : float
        Root mean square of what the effects leave; the problem is solved in this unit.
    norm : float
        Frobenius norm of the table in that unit.
    penalty_max : float
        See :func:`penalty_max`.
    """

    def __init__(self, Y: Floats, observed: Bools) -> None:
        self.two_way = TwoWay.of(observed)
        self.count = int(observed.sum())
        self.block = np.ix_(observed.any(axis=1), observed.any(axis=0))
        self.base = self.two_way.fit(np.nan_to_num(Y))
        rest = np.where(observed, Y - self.base[0][:, None] - self.base[1], 0.0)[self.block]
        self.missing: Ints = np.flatnonzero(~observed[self.block])
        size = float(np.sqrt(np.square(rest).sum() / max(self.count, 1)))
        rounding = 64 * np.finfo(np.float64).eps * np.abs(np.where(observed, Y, 0.0)).max(initial=0)
        self.scale = size if size > rounding else 0.0
        self.table = rest / size if self.scale else np.zeros_like(rest)
        self.norm = float(np.linalg.norm(self.table))
        sigma = _spectral_norm(self.table)
        self.penalty_max = 2.0 * sigma * self.scale / max(self.count, 1)

    def threshold(self, penalty: float) -> float:
        """Amount by which a penalty above 0 shrinks the singular values of the table."""
        return 0.5 * penalty * self.count / self.scale

    def fit(self, values: Floats, k: float) -> _Point:
        """Fit the table filled with values."""
        table = self.table
        table.ravel()[self.missing] = values
        columns = table.mean(axis=0)
        effects = table.mean(axis=1, keepdims=True) + (columns - columns.mean())
        centred = table - effects
        L, _, nuclear_norm = soft_threshold_singular_values(centred, k)
        effects += L
        centred -= L
        loss = 0.5 * float(np.vdot(centred, centred)) + k * nuclear_norm
        return _Point(L, effects.ravel()[self.missing], loss)

    def descend(
        self, k: float, start: Floats, tolerance: float, max_steps: int = MAX_STEPS
    ) -> tuple[_Point, bool]:
        """Go from a start to the optimum of a threshold; tell whether it was reached."""
        values, point = start, self.fit(start, k)
        memory: deque[tuple[Floats, Floats, float]] = deque(maxlen=6)
        for _ in range(max_steps):
            gradient = values - point.values
            if float(np.linalg.norm(gradient)) <= tolerance:
                return point, True
            moved = values - _quasi_newton(gradient, memory)
            after = self.fit(moved, k)
            if after.loss > point.loss * (1.0 + 1e-14):
                # The plain gradient step always descends.
                memory.clear()
                moved = point.values
                after = self.fit(moved, k)
            step, change = moved - values, moved - after.values - gradient
            curvature = float(step @ change)
            if curvature > 1e-12 * float(step @ step):
                memory.append((step, change, curvature))
            values, point = moved, after
        return point, False


def _quasi_newton(gradient: Floats, memory: deque[tuple[Floats, Floats, float]]) -> Floats:
    """Two-loop recursion of L-BFGS (Nocedal and Wright 2006, algorithm 7.4)."""
    direction = gradient.copy()
    shares = []
    for step, change, curvature in reversed(memory):
        share = float(step @ direction) / curvature
        shares.append(share)
        direction -= share * change
    if memory:
        _, change, curvature = memory[-1]
        direction *= curvature / float(change @ change)
    for (step, change, curvature), share in zip(memory, reversed(shares), strict=True):
        direction += (share - float(change @ direction) / curvature) * step
    return direction


def _certificate(
    two_way: TwoWay, Y: Floats, L: Floats, penalty: float, nuclear_norm: float
) -> tuple[float, float]:
    """Excess of the dual norm and relative duality gap of L with its exact effects."""
    rest = two_way.residual(Y - L)
    k = 0.5 * penalty * float((two_way.weights > 0).sum())
    sigma = _spectral_norm(rest)
    if sigma == 0.0:
        return -1.0, 0.0
    dual = rest * min(1.0, k / sigma)
    squares = float(np.vdot(rest, rest))
    primal = 0.5 * squares + (k * nuclear_norm if nuclear_norm else 0.0)
    bound = float(np.vdot(dual, two_way.residual(Y))) - 0.5 * float(np.vdot(dual, dual))
    return sigma / k - 1.0, (primal - bound) / primal


def _spectral_norm(Z: Floats) -> float:
    return float(spectral_norms(Z[None])[0]) if Z.size else 0.0
