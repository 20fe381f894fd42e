r"""Weighted nuclear-norm regressions in factor form, many at once in lock step.

Each problem b of a stack solves

.. math:: \min_{L,\alpha,\beta,\gamma} \sum_{it} w_{it}
          (Y_{it} - \alpha_i - \beta_t - L_{it} - X_{it}'\gamma)^2 + \lambda \|L\|_*

through :math:`L=UV'` and :math:`\|L\|_* = \min \tfrac12(\|U\|^2+\|V\|^2)` (Srebro, Rennie and
Jaakkola 2005): with V fixed the rows :math:`(U_i,\alpha_i)` solve small least squares, joined by
the slopes, and the other way round. Plain alternation takes hundreds of sweeps near a singular
value that is about to vanish; Anderson acceleration (Walker and Ni 2011) brings that to fifteen or
twenty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.trop_lines import Lines
from components.numerics.trop_regressions import regress

MEMORY = 6
"""Sweeps that Anderson acceleration looks back."""

ROUNDING = 1e-11
"""Relative rise of the objective that is put down to rounding."""

FEW_PROBES = 8
"""With more probes, multiplying the factors out is faster than picking their rows."""

TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Factors:
    """Iterates of a stack of B problems.

    Attributes
    ----------
    left : Floats, shape (B, r + 1, N)
        r rows with the factor U', then the unit effects.
    right : Floats, shape (B, r + 1, T)
        r rows with the factor V', then the period effects.
    slopes : Floats, shape (B, K)
    sweeps : Ints, shape (B,)
        Alternations used.
    settled : Bools, shape (B,)
        Whether the probes came to rest.
    """

    left: Floats
    right: Floats
    slopes: Floats
    sweeps: Ints
    settled: Bools

    def fitted(self) -> Floats:
        """Sum of low-rank part and both effects, shape (B, N, T); without covariates."""
        return self.low_rank() + self.left[:, -1, :, None] + self.right[:, -1, None, :]

    def low_rank(self) -> Floats:
        """Return L, shape (B, N, T)."""
        product: Floats = self.left[:, :-1].swapaxes(1, 2) @ self.right[:, :-1]
        return product


@dataclass(frozen=True, eq=False)
class Stack:
    """The data of B problems.

    Attributes
    ----------
    Y : Floats, shape (B, N, T)
        Finite wherever the weight is positive; anything finite elsewhere.
    weights : Floats, shape (B, N, T)
    penalty : Floats, shape (B,)
    X : Floats, shape (B, K, N, T)
        Covariates, finite; K may be 0.
    rows, columns : Ints, shape (B, p)
        Probes: the cells whose prediction has to come to rest.
    units, periods : Lines, optional
        The weights again, where they are products over few classes of units and of periods.
    """

    Y: Floats
    weights: Floats
    penalty: Floats
    X: Floats
    rows: Ints
    columns: Ints
    units: Lines | None = None
    periods: Lines | None = None

    @property
    def n_covariates(self) -> int:
        """Number of covariates, K."""
        return int(self.X.shape[1])

    def explained(self, slopes: Floats) -> Floats:
        """Sum up what covariates explain, shape (B, N, T), given slopes of shape (B, K)."""
        flat = self.X.reshape(len(self.X), self.n_covariates, -1)
        total: Floats = (slopes[:, None, :] @ flat).reshape(self.Y.shape)
        return total

    def take(self, keep: Bools | Ints) -> Stack:
        """Keep some of the problems."""
        return Stack(
            self.Y[keep],
            self.weights[keep],
            self.penalty[keep],
            self.X[keep],
            self.rows[keep],
            self.columns[keep],
            None if self.units is None else self.units.take(keep),
            None if self.periods is None else self.periods.take(keep),
        )

    def turned(self) -> Stack:
        """Put units in the place of periods."""
        return Stack(
            self.Y.swapaxes(1, 2),
            np.ascontiguousarray(self.weights.swapaxes(1, 2)),
            self.penalty,
            self.X.swapaxes(2, 3),
            self.columns,
            self.rows,
            self.periods,
            self.units,
        )


def alternate(stack: Stack, start: Floats, *, tolerance: float, max_sweeps: int = 3000) -> Factors:
    """Alternate until the probes of every problem have come to rest.

    Parameters
    ----------
    stack : Stack
    start : Floats, shape (B, r + 1, T)
        Right factors and period effects to begin with. A row of zeros would stay zero.
    tolerance : float
        In the unit of Y: a problem is left alone when its probes moved by less in two sweeps
        running.
    max_sweeps : int

    Returns
    -------
    Factors
    """
    size, order, n_periods = start.shape
    done = Factors(
        left=np.zeros((size, order, stack.Y.shape[1])),
        right=start.copy(),
        slopes=np.zeros((size, stack.n_covariates)),
        sweeps=np.zeros(size, dtype=np.int64),
        settled=np.zeros(size, dtype=np.bool_),
    )
    alive = np.arange(size)
    state = start.reshape(size, -1)
    sweep, memory = _Sweep(stack), _Memory(state.shape)
    before, calm = np.full(stack.rows.shape, np.nan), np.zeros(size, dtype=np.int64)
    for count in range(1, max_sweeps + 1):
        left, right, slopes, objective = sweep(state.reshape(-1, order, n_periods))
        probes = sweep.probe(left, right, slopes)
        still = np.abs(probes - before).max(axis=1) < tolerance
        calm, before = np.where(still, calm + 1, 0), probes
        finished = calm >= 2
        out = finished if count < max_sweeps else np.ones(len(alive), dtype=np.bool_)
        if out.any():
            place = alive[out]
            done.left[place], done.right[place] = left[out], right[out]
            done.slopes[place], done.sweeps[place] = slopes[out], count
            done.settled[place] = finished[out]
            if out.all():
                break
        state = memory.extrapolate(state, right.reshape(len(right), -1), objective)
        if out.any():
            keep = ~out
            alive, state, calm, before = alive[keep], state[keep], calm[keep], before[keep]
            sweep = _Sweep(sweep.stack.take(keep))
            memory.take(keep)
    return done


class _Sweep:
    """One alternation: rows and slopes given columns, then columns and slopes given rows."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        weights = stack.weights[:, None]
        # The outcome first, then the covariates: all of them are regressed alike.
        series = np.concatenate([stack.Y[:, None], stack.X], axis=1)
        self.targets = weights * series
        self.by_unit, self.by_period = self.targets.sum(axis=3), self.targets.sum(axis=2)
        self.unit_totals = stack.weights.sum(axis=2)
        flat = self.targets.reshape(*self.targets.shape[:2], -1)
        self.moments = flat @ series.reshape(flat.shape).swapaxes(1, 2)
        self.ridge = 0.5 * stack.penalty

    def __call__(self, right: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return left and right factors, slopes, and the objective, which can only fall."""
        stack = self.stack
        left, _, _ = regress(
            right,
            stack.weights.swapaxes(1, 2),
            self.targets.swapaxes(2, 3),
            self._net_of(right[:, -1], self.by_period),
            self.ridge,
            stack.units,
        )
        level = left[:, -1]
        right, slopes, gain = regress(
            left,
            stack.weights,
            self.targets,
            self._net_of(level, self.by_unit),
            self.ridge,
            stack.periods,
        )
        squares = self.moments[:, 0, 0] - gain
        squares += (level * (level * self.unit_totals - 2.0 * self.by_unit[:, 0])).sum(axis=1)
        objective = squares + self.ridge * (left[:, :-1] ** 2).sum(axis=(1, 2))
        return left, right, slopes, objective

    def _net_of(self, effects: Floats, sums: Floats) -> Floats:
        """Cross moments with the outcome's first column net of given effects."""
        moments = self.moments.copy()
        moments[:, :, 0] -= (sums @ effects[:, :, None])[:, :, 0]
        net: Floats = moments
        return net

    def probe(self, left: Floats, right: Floats, slopes: Floats) -> Floats:
        """Predict the probes, shape (B, p)."""
        stack, each = self.stack, np.arange(len(left))[:, None]
        if stack.rows.shape[1] > FEW_PROBES:
            table = left[:, :-1].swapaxes(1, 2) @ right[:, :-1]
            place = stack.rows * table.shape[2] + stack.columns
            values = np.take_along_axis(table.reshape(len(left), -1), place, axis=1)
            values += np.take_along_axis(left[:, -1], stack.rows, axis=1)
            values += np.take_along_axis(right[:, -1], stack.columns, axis=1)
        else:
            U, V = left[each, :, stack.rows], right[each, :, stack.columns]
            values = (U[:, :, :-1] * V[:, :, :-1]).sum(axis=2) + U[:, :, -1] + V[:, :, -1]
        if stack.n_covariates:
            at = stack.X[each, :, stack.rows, stack.columns]
            values = values + (at @ slopes[:, :, None])[:, :, 0]
        total: Floats = values
        return total


class _Memory:
    """Anderson acceleration of a fixed-point map, each problem with its own coefficients.

    An extrapolated state that does not lower the objective is taken back to the plain image,
    from which the objective can only fall; so saddle points, which are fixed points too, are
    left for good once they have been left.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        size, length = shape
        self.images = np.zeros((size, MEMORY, length))
        self.steps = np.zeros((size, MEMORY, length))
        self.image = np.zeros(shape)
        self.step = np.zeros(shape)
        self.objective = np.full(size, np.inf)
        self.count = 0

    def extrapolate(self, state: Floats, image: Floats, objective: Floats) -> Floats:
        """Combine the last images so that their steps cancel best in least squares."""
        step = image - state
        if self.count:
            slot = self.count % MEMORY
            self.images[:, slot] = image - self.image
            self.steps[:, slot] = step - self.step
        self.count += 1
        worse = objective > self.objective + ROUNDING * np.abs(self.objective)
        self.images[worse] = 0.0
        self.steps[worse] = 0.0
        keep = worse[:, None]
        self.image = np.where(keep, self.image, image)
        self.step = np.where(keep, self.step, step)
        self.objective = np.where(worse, self.objective, objective)
        gram = self.steps @ self.steps.swapaxes(1, 2)
        trace = np.trace(gram, axis1=1, axis2=2)
        gram += (1e-10 * trace + TINY)[:, None, None] * np.eye(MEMORY)
        shares = np.linalg.solve(gram, self.steps @ self.step[:, :, None])
        combined: Floats = self.image - (shares.swapaxes(1, 2) @ self.images)[:, 0]
        return combined

    def take(self, keep: Bools) -> None:
        self.images, self.steps = self.images[keep], self.steps[keep]
        self.image, self.step = self.image[keep], self.step[keep]
        self.objective = self.objective[keep]
