r"""How an average effect moves when one cell of the table takes another value, exactly.

For weights on the simplex the effect of a block design is
:math:`\hat\tau = (\bar Y_{tr} - \omega'Y_{co})\,k`, with k the mean over the treated periods less
the time weights :math:`\lambda` before. A cell enters through its own value and through the
weights. A donor's cell before treatment changes one entry of the least squares problem that the
weights solve: the new weights are found on the old support where its optimality conditions still
hold, on a corrected support where they do not, and by a fit of their own as the last resort.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.entry_fits import entry_fits
from components.numerics.sdid import TIME_RIDGE
from components.numerics.simplex import simplex_fit
from components.numerics.simplex_lockstep import SimplexBatch
from components.numerics.simplex_many import ridge_fits, simplex_fits

CELLS = 2_000_000


def two_way_pull(seen: Bools, weights: Floats) -> Floats:
    r"""Say how a weighted sum of fitted two-way effects moves with each seen cell.

    The fit is linear in the outcomes, so that
    :math:`\sum_{it} w_{it}(\hat\alpha_i+\hat\beta_t) = \sum_{seen} c_{it} Y_{it}`. The c solve the
    normal equations with the weights' row and column sums on the right: they are themselves of the
    form :math:`a_i + b_t`.

    Parameters
    ----------
    seen : Bools, shape (N, T)
        Cells that are fitted.
    weights : Floats, shape (N, T)
        Non-negative; zero where the fit predicts nothing.

    Returns
    -------
    Floats, shape (N, T)
        c, and 0 where not seen.
    """
    own = seen.sum(axis=1).astype(np.float64)
    each = seen.sum(axis=0).astype(np.float64)
    safe = np.where(own > 0.0, own, 1.0)
    by_unit, by_period = weights.sum(axis=1), weights.sum(axis=0)
    share = seen / safe[:, None]
    left = np.diag(each) - seen.T @ share
    period = np.linalg.lstsq(left, by_period - by_unit @ share, rcond=None)[0]
    unit = (by_unit - seen @ period) / safe
    return np.where(seen, unit[:, None] + period, 0.0)


@dataclass(frozen=True)
class BlockFit:
    """A fitted block design: what its weights solve.

    Attributes
    ----------
    controls : Floats, shape (J, T)
    treated : Floats, shape (N1, T)
    n_pre : int
        T0.
    omega : Floats, shape (J,)
        Unit weights.
    lam : Floats, shape (T0,)
        Time weights: 0 for synthetic control, even ones with an intercept.
    intercept : bool
        Whether the unit weights leave the level free.
    zeta : float, optional
        Regularisation of the unit weights in units of the noise level; None without time weights
        that are fitted.
    demeaned : bool
        How the noise level is measured.
    """

    controls: Floats
    treated: Floats
    n_pre: int
    omega: Floats
    lam: Floats
    intercept: bool
    zeta: float | None = None
    demeaned: bool = False

    @property
    def n_post(self) -> int:
        """Number of treated periods."""
        return int(self.controls.shape[1]) - self.n_pre

    def moves(self, of_controls: Floats, of_treated: Floats) -> tuple[Floats, Floats]:
        """Say how the effect moves when each cell alone takes another value.

        Parameters
        ----------
        of_controls : Floats, shape (J, T)
            The other values; NaN leaves a cell out.
        of_treated : Floats, shape (N1, T)

        Returns
        -------
        Floats, shape (J, T)
            New effect minus the old one, for the controls.
        Floats, shape (N1, T)
            The same for the treated units.
        """
        t0, n_treated = self.n_pre, len(self.treated)
        by_control = of_controls - self.controls
        by_treated = of_treated - self.treated
        moved_controls = np.full(by_control.shape, np.nan)
        moved_treated = by_treated / (n_treated * self.n_post)
        known = np.argwhere(np.isfinite(by_treated[:, :t0]))
        if len(known):
            shift = by_treated[known[:, 0], known[:, 1]] / n_treated
            moved_treated[known[:, 0], known[:, 1]] = self._target_moves(known[:, 1], shift)
        moved_controls[:, t0:] = self._later_moves(by_control[:, t0:])
        known = np.argwhere(np.isfinite(by_control[:, :t0]))
        for chunk in np.array_split(known, len(known) * self.omega.size // CELLS + 1):
            if len(chunk):
                rows, columns = chunk.T
                moved_controls[rows, columns] = self._entry_moves(
                    rows, columns, by_control[rows, columns]
                )
        return moved_controls, moved_treated

    def _contrast(self, lam: Floats) -> Floats:
        post = np.full((*lam.shape[:-1], self.n_post), 1.0 / self.n_post)
        return np.concatenate([-lam, post], axis=-1)

    def _effect(self, omega: Floats, lam: Floats) -> Floats:
        gaps = self.treated.mean(axis=0) - omega @ self.controls
        return np.asarray((gaps * self._contrast(lam)).sum(axis=-1))

    def _target_moves(self, columns: Ints, shift: Floats) -> Floats:
        """Refit the unit weights to a treated average that moves in one period."""
        A = self.controls[:, : self.n_pre].T
        targets = np.tile(self.treated[:, : self.n_pre].mean(axis=0), (len(shift), 1))
        targets[np.arange(len(shift)), columns] += shift
        if self.zeta is None:
            omega = simplex_fits(A, targets, intercept=self.intercept)
        else:
            ridge = np.full(len(shift), self._unit_ridge(self._noise()))
            omega = ridge_fits(A, targets, ridge, np.ones((len(shift), A.shape[1])))
        after = self._effect(omega, self.lam) - self.lam[columns] * shift
        return np.asarray(after - self._effect(self.omega, self.lam))

    def _later_moves(self, change: Floats) -> Floats:
        """Change the donors after treatment: time weights follow where they are fitted."""
        direct: Floats = -self.omega[:, None] * change / self.n_post
        known = np.argwhere(np.isfinite(change))
        if self.zeta is None or not len(known):
            return direct
        rows, columns = known.T
        before, after = self.controls[:, : self.n_pre], self.controls[:, self.n_pre :].mean(axis=1)
        ridge = self._time_ridge(self._noise())
        targets = np.tile(after, (len(rows), 1))
        targets[np.arange(len(rows)), rows] += change[rows, columns] / self.n_post
        batch = SimplexBatch(before, targets, np.full(len(rows), ridge), intercept=True)
        start = np.tile(self.lam, (len(rows), 1))
        lam, sure = batch.solve(start)
        for place in np.flatnonzero(~sure):
            lam[place] = simplex_fit(before, targets[place], ridge, intercept=True).weights
        base = self._effect(self.omega, self.lam)
        direct[rows, columns] += self._effect(self.omega, lam) - base
        return direct

    def _entry_moves(self, rows: Ints, columns: Ints, change: Floats) -> Floats:
        """Change one donor in one period before treatment."""
        A = self.controls[:, : self.n_pre].T
        target = self.treated[:, : self.n_pre].mean(axis=0)
        lam = np.broadcast_to(self.lam, (len(rows), self.n_pre))
        ridge = np.zeros(len(rows))
        if self.zeta is not None:
            sigma = self._noise_after(rows, columns, change)
            ridge = self.n_pre * np.square(self.zeta * sigma)
            small = len(self.controls) * np.square(TIME_RIDGE * sigma)
            later = self.controls[:, self.n_pre :].mean(axis=1)
            lam = entry_fits(A.T, later, rows, columns, change, small, self.lam, intercept=True)
        omega = entry_fits(
            A, target, columns, rows, change, ridge, self.omega, intercept=self.intercept
        )
        each = np.arange(len(rows))
        after = self._effect(omega, lam) + omega[each, rows] * lam[each, columns] * change
        return np.asarray(after - self._effect(self.omega, self.lam))

    def _unit_ridge(self, sigma: float) -> float:
        return self.n_pre * float(self.zeta or 0.0) ** 2 * sigma**2

    def _time_ridge(self, sigma: float) -> float:
        return len(self.controls) * (TIME_RIDGE * sigma) ** 2

    def _noise(self) -> float:
        nowhere = np.zeros(1, dtype=np.int64)
        return float(self._noise_after(nowhere, nowhere, np.zeros(1))[0])

    def _noise_after(self, rows: Ints, columns: Ints, change: Floats) -> Floats:
        """Noise level of the donors before treatment when one of their cells changes."""
        steps = np.diff(self.controls[:, : self.n_pre], axis=1)
        n_donors, n_steps = steps.shape
        if n_steps == 0:
            return np.zeros(len(rows))
        steps = steps - steps.mean()
        sums = np.tile(steps.sum(axis=0), (len(rows), 1))
        squares = np.full(len(rows), float(np.square(steps).sum()))
        each = np.arange(len(rows))
        for step, sign in ((columns - 1, 1.0), (columns, -1.0)):
            inside = (step >= 0) & (step < n_steps)
            at, row, move = step[inside], rows[inside], sign * change[inside]
            squares[inside] += move * (2.0 * steps[row, at] + move)
            sums[each[inside], at] += move
        if self.demeaned:
            squares -= np.square(sums).sum(axis=1) / n_donors
            freedom = (n_donors - 1) * n_steps
        else:
            squares -= np.square(sums.sum(axis=1)) / (n_donors * n_steps)
            freedom = n_donors * n_steps - 1
        return np.sqrt(np.maximum(squares / freedom, 0.0)) if freedom else np.zeros(len(rows))
