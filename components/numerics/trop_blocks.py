r"""Block fits of the triply robust estimator: one fit for all treated cells.

Weights measure the distance of each unit from the treated average before treatment and of each
period from the centre of the treated block. Treated cells are either masked (``masked``, the
authors' package from version 0.1.8) or fitted together with one common effect, a scalar times the
treatment matrix (``tau``, the form behind every published table).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.trop_cells import Choices, column
from components.numerics.trop_factors import Stack
from components.numerics.trop_lines import Lines
from components.numerics.trop_solver import Solution, solve_in_chunks
from components.numerics.trop_weights import (
    Distance,
    block_time_distances,
    block_unit_distances,
    decay,
)


@dataclass(frozen=True, eq=False)
class BlockProblem:
    """A block design on one table, for one or many choices of the treated units.

    Attributes
    ----------
    Y : Floats, shape (N, T) or (B, N, T)
        Finite wherever observed; one table for all choices or one for each.
    observed : Bools, shape (N, T)
    groups : Ints, shape (B, n)
        Rows of the treated units in each choice.
    n_pre : int
        Periods before treatment.
    X : Floats, shape (K, N, T)
        Covariates, finite; K may be 0.
    common_effect : bool
        Fit treated cells too, with one common effect, instead of masking them.
    distance : {"levels", "demeaned"}
    """

    Y: Floats
    observed: Bools
    groups: Ints
    n_pre: int
    X: Floats
    common_effect: bool = False
    distance: Distance = "levels"

    @cached_property
    def tables(self) -> Floats:
        """Outcomes of each choice, 0 where unobserved, shape (B, N, T)."""
        clean = np.where(self.observed, self.Y, 0.0)
        return np.broadcast_to(clean, (len(self.groups), *self.observed.shape))

    @cached_property
    def distances(self) -> Floats:
        """Distance of each unit from the treated average, shape (B, N)."""
        treated = np.zeros((len(self.groups), len(self.observed)), dtype=np.bool_)
        np.put_along_axis(treated, self.groups, values=True, axis=1)
        return np.stack(
            [
                block_unit_distances(Y, self.observed, chosen, self.n_pre, self.distance)
                for Y, chosen in zip(self.tables, treated, strict=True)
            ]
        )

    def block(self, index: Ints) -> Bools:
        """Treated cells of some choices, shape (B, N, T)."""
        block = np.zeros((len(index), *self.observed.shape), dtype=np.bool_)
        block[np.arange(len(index))[:, None], self.groups[index], self.n_pre :] = True
        return block

    def weights(self, penalties: Choices, index: Ints) -> tuple[Floats, Floats]:
        """Weights of units, shape (B, N), and of periods, shape (B, T)."""
        n_periods = self.observed.shape[1]
        centre = block_time_distances(n_periods, n_periods - self.n_pre)
        theta = decay(centre[None, :], column(penalties, "time"))
        return decay(self.distances[index], column(penalties, "unit")), theta

    def stack(self, penalties: Choices, index: Ints) -> Stack:
        """Set up the regressions of some choices; probes are all periods of the treated units."""
        omega, theta = self.weights(penalties, index)
        block = self.block(index)
        weights = omega[:, :, None] * theta[:, None, :] * self.observed
        X = np.broadcast_to(self.X, (len(index), *self.X.shape))
        if self.common_effect:
            X = np.concatenate([block[:, None].astype(np.float64), X], axis=1)
        else:
            weights = np.where(block, 0.0, weights)
        n_periods = self.observed.shape[1]
        rows = np.repeat(self.groups[index], n_periods, axis=1)
        columns = np.tile(np.arange(n_periods), (len(index), self.groups.shape[1]))
        lines = self._lines(omega, theta, block) if self.observed.all() else (None, None)
        return Stack(self.tables[index], weights, column(penalties, "nn"), X, rows, columns, *lines)

    def _lines(self, omega: Floats, theta: Floats, block: Bools) -> tuple[Lines, Lines]:
        """Classes of units and of periods: those outside the block, and those inside."""
        if self.common_effect:
            units = Lines(omega, np.zeros(omega.shape, dtype=np.int64), theta[:, None])
            periods = Lines(theta, np.zeros(theta.shape, dtype=np.int64), omega[:, None])
            return units, periods
        treated, after = np.asarray(block.any(axis=2)), np.asarray(block.any(axis=1))
        before, controls = np.where(after, 0.0, theta), np.where(treated, 0.0, omega)
        units = Lines(omega, treated.astype(np.int64), np.stack([theta, before], axis=1))
        periods = Lines(theta, after.astype(np.int64), np.stack([omega, controls], axis=1))
        return units, periods

    def solve(
        self,
        penalties: Choices,
        index: Ints,
        *,
        tolerance: float,
        progress: Callable[[float], None] | None = None,
    ) -> Solution:
        """Fit some choices.

        Parameters
        ----------
        penalties : sequence of Penalties, length B
        index : Ints, shape (B,)
        tolerance : float
            In the unit of Y.
        progress : callable, optional

        Returns
        -------
        Solution
            Values are untreated outcomes of the treated units, unit by unit and period by
            period: the common effect is not in them.
        """
        solution = solve_in_chunks(
            lambda part: self.stack([penalties[k] for k in part], index[part]),
            len(index),
            self.observed.size,
            tolerance=tolerance,
            progress=progress,
        )
        if self.common_effect:
            after = np.arange(self.observed.shape[1]) >= self.n_pre
            pattern = np.tile(after, self.groups.shape[1])
            solution.values[...] -= solution.slopes[:, :1] * pattern
        return solution

    def effects(self, penalties: Choices, index: Ints, *, tolerance: float) -> Floats:
        """Average effect on the treated cells of each choice, shape (B,)."""
        solution = self.solve(penalties, index, tolerance=tolerance)
        if self.common_effect:
            return solution.slopes[:, 0]
        n_units, n_periods = self.groups.shape[1], self.observed.shape[1]
        fits = solution.values.reshape(len(index), n_units, n_periods)[:, :, self.n_pre :]
        rows = self.groups[index]
        each = np.arange(len(index))[:, None]
        gaps = self.tables[index][each, rows, self.n_pre :] - fits
        valid = self.observed[rows][:, :, self.n_pre :] & np.isfinite(fits)
        count = valid.sum(axis=(1, 2))
        total = np.where(valid, gaps, 0.0).sum(axis=(1, 2))
        average = np.full(len(index), np.nan)
        np.divide(total, count, out=average, where=count > 0)
        return average
