r"""Largest and smallest values of linear forms over a simplex cut by a ball.

.. math:: \max_{d}\ c'd \quad\text{s.t.}\quad |Z d - g|^2 \le |g|^2,\quad \sum_j d_j = 0,\quad
          d_j \ge -s_j

With the multiplier of the ball written as :math:`1/t`, the solution minimises
:math:`\tfrac12 |Z d - g|^2 - t\,c'd`, and is piecewise linear in t. For t without bound it is the
corner that c likes best. From there every program follows its own path down, donor by donor, until
it enters the ball: no program is solved twice and no grid is searched. All programs go in lock
step.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats, Ints

RIDGE = 1e-11  # relative; makes the path unique where there are more donors than periods
CHUNK = 2000
STEPS_PER_DONOR = 6
SLOTS = 3


def largest_in_ball(Z: Floats, centres: Floats, slack: Floats, directions: Floats) -> Floats:
    """Maximise each direction over the set of each centre.

    Parameters
    ----------
    Z : Floats, shape (T, J)
        One column per donor.
    centres : Floats, shape (S, T)
        The g of each set.
    slack : Floats, shape (J,)
        How far each donor may fall, not negative.
    directions : Floats, shape (K, J)
        The c of each program.

    Returns
    -------
    Floats, shape (S, K)
        Largest values; never negative, because d = 0 belongs to every set.
    """
    n_sets, n_directions = len(centres), len(directions)
    values = np.zeros(n_sets * n_directions)
    sizes = np.abs(directions - directions.mean(axis=1, keepdims=True)).max(axis=1)
    spread = float(np.ptp(Z, axis=1).max())
    if slack.sum() == 0.0 or spread == 0.0 or Z.shape[1] == 1:
        return np.asarray(values.reshape(n_sets, n_directions))
    X = (Z - Z.mean(axis=1, keepdims=True)) / spread
    scale = np.where(sizes > 0.0, sizes, 1.0)
    costs = (directions - directions.mean(axis=1, keepdims=True)) / scale[:, None]
    for rows in np.array_split(np.arange(len(values)), len(values) // CHUNK + 1):
        which = rows // n_directions
        paths = _Paths(X, centres[which] / spread, slack, costs[rows % n_directions])
        values[rows] = paths.follow()
    found = values.reshape(n_sets, n_directions) * sizes
    return np.asarray(np.maximum(found, 0.0))


class _Paths:
    """The paths of B programs; ``v = d + s`` lies on a simplex of size ``sum(s)``."""

    def __init__(self, X: Floats, centres: Floats, slack: Floats, costs: Floats) -> None:
        n = len(costs)
        self.X, self.slack, self.total = X, slack, float(slack.sum())
        self.n_donors = X.shape[1]
        self.lift = float(np.square(X).sum(axis=0).mean())
        gram = X.T @ X + self.lift
        gram[np.diag_indices(self.n_donors)] += RIDGE * self.lift
        self.gram = np.pad(gram, (0, 1))  # an empty slot holds a donor of no consequence
        self.X_padded = np.pad(X, ((0, 0), (0, 1)))
        self.costs = costs
        self.radius = np.square(centres).sum(axis=1)
        self.aims = centres + X @ slack
        self.pulls = self.aims @ X
        self.slots = np.full((n, SLOTS), -1)
        self.slots[:, 0] = costs.argmax(axis=1)
        self.t = np.full(n, np.inf)
        self.barred = np.full(n, -1)
        self.fresh = np.full(n, -1)
        self.rows = np.arange(n)
        self.values = np.zeros(n)

    def follow(self) -> Floats:
        """Go down all paths until each is inside its ball; give the values there."""
        for _ in range(STEPS_PER_DONOR * self.X.shape[1] + 20):
            base, along, at_base, at_along = self._line()
            entering, t_enter = self._entering(at_base, at_along)
            leaving, t_leave = self._leaving(base, along)
            down = np.maximum(np.maximum(t_enter, t_leave), 0.0)
            t_end, inside = self._inside(at_base, at_along, down)
            done = inside | (down <= 0.0)
            if done.any():
                v = base[done] + t_end[done, None] * along[done]
                costs = np.take_along_axis(self.costs[done], np.maximum(self.slots[done], 0), 1)
                used = self.slots[done] >= 0
                self.values[self.rows[done]] = (np.where(used, costs, 0.0) * v).sum(axis=1) - (
                    self.costs[done] @ self.slack
                )
                if done.all():
                    break
            self._change(entering, leaving, t_enter >= t_leave, down)
            self._keep(~done)
        return self.values

    def _line(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Solution over the slots as base + t along, and the residuals in the same form."""
        used = self.slots >= 0
        slots = np.where(used, self.slots, self.n_donors)
        hessian = self.gram.take(slots[:, :, None] * (self.n_donors + 1) + slots[:, None, :])
        diagonal = np.einsum("bkk->bk", hessian)
        diagonal += np.where(used, 0.0, self.lift)
        n, size = slots.shape
        right = np.empty((n, size, 3))
        at = np.minimum(slots, self.n_donors - 1)
        right[:, :, 0] = np.take_along_axis(self.pulls, at, 1)
        right[:, :, 1] = np.take_along_axis(self.costs, at, 1)
        right[:, :, 2] = 1.0
        right *= used[:, :, None]
        solved = np.linalg.solve(hessian, right)
        share = solved[:, :, 2] / solved[:, :, 2].sum(axis=1, keepdims=True)
        line = np.empty((2, n, size))
        line[0], line[1] = solved[:, :, 0], solved[:, :, 1]
        gap = -line.sum(axis=2)
        gap[0] += self.total
        line += gap[:, :, None] * share
        dense = np.zeros((2, n, self.n_donors + 1))
        np.put_along_axis(dense, np.broadcast_to(slots, line.shape), line, axis=2)
        fitted = dense.reshape(2 * n, -1) @ self.X_padded.T
        return line[0], line[1], fitted[:n] - self.aims, fitted[n:]

    def _entering(self, at_base: Floats, at_along: Floats) -> tuple[Ints, Floats]:
        """Donor that is the next to be worth some weight, and where."""
        first = self.slots.max(axis=1)[:, None]
        start = at_base @ self.X
        slope = at_along @ self.X - self.costs
        start -= np.take_along_axis(start, first, 1)
        slope -= np.take_along_axis(slope, first, 1)
        times = np.full(start.shape, -1.0)
        np.divide(-start, slope, out=times, where=slope > 0.0)
        np.put_along_axis(times, np.where(self.slots < 0, first, self.slots), -1.0, axis=1)
        out = np.flatnonzero(self.barred >= 0)
        times[out, self.barred[out]] = -1.0
        best = times.argmax(axis=1)
        return best, np.minimum(times[np.arange(len(best)), best], self.t)

    def _leaving(self, base: Floats, along: Floats) -> tuple[Ints, Floats]:
        """Slot that is the next to lose its weight, and where."""
        times = np.full(base.shape, -1.0)
        falling = (along > 0.0) & (self.slots >= 0) & (self.slots != self.fresh[:, None])
        np.divide(-base, along, out=times, where=falling)
        best = times.argmax(axis=1)
        return best, np.minimum(times[np.arange(len(best)), best], self.t)

    def _inside(self, at_base: Floats, at_along: Floats, down: Floats) -> tuple[Floats, Bools]:
        """Where the path enters the ball, and whether it does before its next turn."""
        a = np.einsum("bt,bt->b", at_along, at_along)
        b = np.einsum("bt,bt->b", at_base, at_along)
        c = np.einsum("bt,bt->b", at_base, at_base) - self.radius
        inside = c + down * (2.0 * b + down * a) <= 0.0
        root = np.sqrt(np.maximum(b * b - a * c, 0.0))
        top = np.full(len(a), np.inf)
        np.divide(root - b, a, out=top, where=a > 0.0)
        t = np.where(inside, np.clip(top, down, self.t), down)
        return np.where(np.isfinite(t), t, down), inside

    def _change(self, entering: Ints, leaving: Ints, enters: Bools, down: Floats) -> None:
        self.t = down
        rows = np.flatnonzero(enters)
        if bool((self.slots[rows] >= 0).all(axis=1).any()):
            self.slots = np.pad(self.slots, ((0, 0), (0, SLOTS)), constant_values=-1)
        self.slots[rows, (self.slots[rows] < 0).argmax(axis=1)] = entering[rows]
        out = np.flatnonzero(~enters)
        self.barred = np.full(len(enters), -1)
        self.barred[out] = self.slots[out, leaving[out]]
        self.slots[out, leaving[out]] = -1
        self.fresh = np.where(enters, entering, -1)

    def _keep(self, open_: Bools) -> None:
        for name in (
            "costs", "radius", "aims", "pulls", "slots", "t", "barred", "fresh", "rows"
        ):  # fmt: skip
            setattr(self, name, getattr(self, name)[open_])
