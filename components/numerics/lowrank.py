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
PATH_TOLERANCE = 3e-5
"""Gradient norm over data norm at which a fit of the cross-validation path stops."""


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
    return _Filling(Y, observed).penalty_max


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
    filling = _Filling(Y, observed)
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


@dataclass(frozen=True, eq=False)
class Curve:
    """Cross-validated error along a path of penalties.

    Attributes
    ----------
    penalties : Floats, shape (P,)
        Decreasing, in the unit of measure of Y.
    errors : Floats, shape (P,)
        Mean squared error over held-out cells, averaged over folds; NaN where not tried.
    standard_errors : Floats, shape (P,)
        Standard error of that average over folds; NaN with a single fold.
    """

    penalties: Floats
    errors: Floats
    standard_errors: Floats

    @property
    def best(self) -> int:
        """Position of the smallest error."""
        return int(np.nanargmin(self.errors))

    @property
    def one_standard_error(self) -> int:
        """Position of the largest penalty within one standard error of the smallest error."""
        allowed = self.errors[self.best] + np.nan_to_num(self.standard_errors[self.best])
        return int(np.flatnonzero(self.errors <= allowed)[0])


def draw_folds(
    Y: Floats, observed: Bools, n_folds: int, keep: float, rng: np.random.Generator
) -> Bools:
    """Draw training masks: each observed cell is kept in each fold with the same probability.

    The draws go to units and periods in the order of their residual variance, so that neither
    the order of the rows nor the unit of measure has a say in which cells are held out.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)
    n_folds : int
    keep : float
        Between 0 and 1.
    rng : numpy.random.Generator

    Returns
    -------
    Bools, shape (n_folds, N, T)
        True where the cell is used for training.
    """
    squares = np.square(TwoWay.of(observed).residual(np.nan_to_num(Y)))
    rows, columns = _ranks(squares.sum(axis=1)), _ranks(squares.sum(axis=0))
    kept = rng.random((n_folds, *Y.shape))[:, rows[:, None], columns] < keep
    folds: Bools = kept & observed
    return folds


def cross_validate(
    Y: Floats, observed: Bools, folds: Bools, n_penalties: int, patience: int = 6
) -> Curve | None:
    """Predict the cells that each fold holds out, along a path of decreasing penalties.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)
    folds : Bools, shape (F, N, T)
        Training cells of each fold.
    n_penalties : int
        Number of penalties, spaced evenly in logarithms from the largest `penalty_max` of a fold
        down to a thousandth of it.
    patience : int
        The path stops once that many penalties in a row have not improved on the best.

    Returns
    -------
    Curve or None
        None if no fold holds out a cell that its training cells identify, or if the effects
        alone fit every fold exactly.
    """
    paths = [_Path(Y, observed, fold) for fold in folds]
    paths = [path for path in paths if path.held_out.size]
    largest = max((path.filling.penalty_max for path in paths), default=0.0)
    if largest == 0.0:
        return None
    penalties = largest * np.logspace(0.0, -3.0, n_penalties)
    errors = np.full((len(paths), n_penalties), np.nan)
    for p, penalty in enumerate(penalties):
        errors[:, p] = [path.advance(penalty) for path in paths]
        if p - int(errors[:, : p + 1].mean(axis=0).argmin()) >= patience:
            break
    spread = errors.std(axis=0, ddof=1) if len(paths) > 1 else np.full(n_penalties, np.nan)
    return Curve(penalties, errors.mean(axis=0), spread / np.sqrt(len(paths)))


class _Point(NamedTuple):
    """Best fit to a filled table."""

    L: Floats
    values: Floats  # of L plus effects, in the missing cells
    loss: float


class _Filling:
    """The convex function of the values in the missing cells, and its descent."""

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
        return 0.5 * penalty * self.count / self.scale

    def fit(self, values: Floats, k: float) -> _Point:
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


class _Path:
    """One fold's fits along decreasing penalties, each started from those before it."""

    def __init__(self, Y: Floats, observed: Bools, training: Bools) -> None:
        self.filling = _Filling(Y, training)
        scored = observed & ~training & identified(training)
        self.held_out = np.flatnonzero(scored[self.filling.block].ravel()[self.filling.missing])
        alpha, beta = self.filling.base
        rest = (Y - alpha[:, None] - beta)[self.filling.block].ravel()[self.filling.missing]
        self.target = rest[self.held_out]
        self.values = np.zeros(self.filling.missing.size)
        self.previous = self.values

    def advance(self, penalty: float) -> float:
        """Fit the next penalty and return the mean squared error over the held-out cells."""
        filling = self.filling
        if penalty < filling.penalty_max:
            start = 1.5 * self.values - 0.5 * self.previous
            point, _ = filling.descend(
                filling.threshold(penalty), start, PATH_TOLERANCE * filling.norm
            )
            self.previous, self.values = self.values, point.values
        guess = filling.scale * self.values[self.held_out]
        return float(np.square(self.target - guess).mean())


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


def _ranks(keys: Floats) -> Ints:
    return np.argsort(np.argsort(keys, kind="stable"), kind="stable").astype(np.int64)
