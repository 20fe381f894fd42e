"""The order in which cells are dropped and nudged where each of them takes a refit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.diagnostics.cell_refits import batch_size, ignores_treated, refitter
from components.estimators import Estimate
from components.inference.base import Progress
from components.numerics.influence import two_way_pull

SUSPECT = 11.0  # usual distances from its stand-in from which on a cell comes first
SHOW_EVERY = 1.5  # seconds between two results in part, at the least
SLACKEN = 0.25  # of the time since the begin
FIRST = 16  # refits before the first result in part


@dataclass(frozen=True, eq=False)
class Plan:
    """Refits to be made, and where their results go.

    Attributes
    ----------
    estimate : Estimate
    dropped, nudged : Floats, shape (N, T)
        Moves of the effect; cells that are NaN are filled in.
    expected : Floats, shape (N, T)
        What each cell would be if it went on from its neighbours.
    raised : Floats, shape (N, T)
        Value of a cell that is nudged.
    wanted : Bools, shape (N, T)
        Cells to drop.
    gaps : bool
        Whether a dropped cell counts as not observed, or takes its expected value.
    nudge : bool
        Whether observed cells are nudged too.
    """

    estimate: Estimate
    dropped: Floats
    nudged: Floats
    expected: Floats
    raised: Floats
    wanted: Bools
    gaps: bool
    nudge: bool

    def work(self, progress: Progress, so_far: Callable[[int], Any]) -> None:
        """Fill in what is lacking, one cell or many of them at a time.

        Parameters
        ----------
        progress : callable
            Told the share that is done; its method ``show``, where it has one, is given results
            in part.
        so_far : callable
            Makes such a result from the number of cells that have not been dropped yet.
        """
        if ignores_treated(self.estimate.estimator):
            self._treated()
        show = getattr(progress, "show", None)
        instead = np.full(self.raised.shape, np.nan) if self.gaps else self.expected
        drop = self._lacking(self.dropped)
        nudge = self._lacking(self.nudged) if self.nudge else drop[:0]
        longest = max(len(drop), len(nudge))
        if not longest:
            return
        refits, size = refitter(self.estimate), batch_size(self.estimate)
        done, begun, shown = 0, time.monotonic(), 0.0
        while done < longest:
            part = slice(done, done + (size if done else min(size, FIRST)))
            for table, values, order in (
                (self.dropped, instead, drop),
                (self.nudged, self.raised, nudge),
            ):
                rows, columns = order[part].T
                changes = zip(rows, columns, values[rows, columns], strict=True)
                table[rows, columns] = refits([(int(i), int(t), float(v)) for i, t, v in changes])
            done = min(part.stop, longest)
            progress(done / longest)
            now = time.monotonic()
            if show is not None and (
                not shown or now - shown > max(SHOW_EVERY, SLACKEN * (now - begun))
            ):
                show(so_far(max(0, len(drop) - done)))
                shown = now

    def _treated(self) -> None:
        """Fill in treated cells of a fit that does not look at them: they enter the mean alone."""
        effects, W = self.estimate.effects, self.estimate.panel.W
        n, counted = self.estimate.n_cells, W & np.isfinite(effects)
        idle = self.estimate.panel.observed & W & ~counted
        self.dropped[idle & self.wanted] = 0.0
        if n > 1:
            own = counted & self.wanted
            self.dropped[own] = (self.estimate.att - effects[own]) / (n - 1)
        if self.nudge:
            self.nudged[idle] = 0.0
            self.nudged[counted] = (self.raised - self.estimate.panel.Y)[counted] / n

    def _lacking(self, table: Floats) -> Ints:
        """Cells without a result, the suspect ones first, then by what they may move."""
        panel = self.estimate.panel
        lacking = np.isnan(table) & (self.wanted if table is self.dropped else panel.observed)
        if ignores_treated(self.estimate.estimator):
            lacking &= ~panel.W
        suspect, size = self._guess
        suspect, size = suspect[lacking], size[lacking]
        return np.argwhere(lacking)[np.lexsort((-size, ~suspect))]

    @cached_property
    def _guess(self) -> tuple[Bools, Floats]:
        """Cells far from their neighbours, and moves as difference in differences has them."""
        panel, n = self.estimate.panel, max(self.estimate.n_cells, 1)
        seen, counted = panel.observed & ~panel.W, panel.W & np.isfinite(self.estimate.effects)
        pull = counted / n - two_way_pull(seen, counted / n)
        usual = self.raised - panel.Y
        error = np.where(np.isnan(self.expected), usual, np.abs(panel.Y - self.expected))
        return np.asarray(error >= SUSPECT * usual), np.abs(pull) * error
