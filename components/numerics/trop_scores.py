r"""Out-of-sample errors by which the penalties of the triply robust estimator are chosen.

A score is a sum of squared errors over items: untreated cells, each predicted without itself
(Athey, Imbens, Qu and Viviano 2025, equation 5), or placebo groups of never-treated units that
stand in for the treated ones. Items are asked for by number, so that a search can stop as soon as
a candidate is out of the running.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.nuclear import spectral_norms
from components.numerics.trop_blocks import BlockProblem
from components.numerics.trop_cells import CellProblem, Choices, Penalties
from components.numerics.trop_effects import effects_stack
from components.numerics.trop_factors import Stack
from components.numerics.trop_weights import Distance

SAMPLE = 40
"""Items from which the largest useful penalty is read off."""


class Score(Protocol):
    """Errors of items under given penalties."""

    @property
    def n_items(self) -> int:
        """Number of items."""
        ...

    def errors(self, penalties: Choices, index: Ints, *, tolerance: float) -> Floats:
        """Out-of-sample errors of some items under P penalties, shape (P, I), in units of Y."""
        ...

    def largest_useful(self, unit: float, time: float) -> float:
        """Penalty from which on the low-rank part of a typical item vanishes."""
        ...


@dataclass(frozen=True, eq=False)
class LeaveOneCellOut:
    """Errors of untreated cells, each left out of its own fit.

    Attributes
    ----------
    problem : CellProblem
        The cells to leave out in turn.
    """

    problem: CellProblem

    @property
    def n_items(self) -> int:
        """Number of cells."""
        return len(self.problem.rows)

    def errors(self, penalties: Choices, index: Ints, *, tolerance: float) -> Floats:
        """Observed minus predicted outcome of some cells."""
        problem = self.problem
        predicted = problem.predict(*_pairs(penalties, index), tolerance=tolerance)
        observed = problem.clean[problem.rows[index], problem.columns[index]]
        return observed - predicted.reshape(len(penalties), len(index))

    def largest_useful(self, unit: float, time: float) -> float:
        """Median over an even sample of cells."""
        index = _evenly(self.n_items)
        stack = self.problem.stack([Penalties(unit, time, np.inf)] * len(index), index)
        return float(np.median(vanishing_penalties(stack)))


@dataclass(frozen=True, eq=False)
class PlaceboBlock:
    """Average effects found for placebo groups in a block design, where the truth is zero.

    Attributes
    ----------
    problem : BlockProblem
        Never-treated units only; one group for each trial.
    """

    problem: BlockProblem

    @property
    def n_items(self) -> int:
        """Number of trials."""
        return len(self.problem.groups)

    def errors(self, penalties: Choices, index: Ints, *, tolerance: float) -> Floats:
        """Average effects of some trials."""
        effects = self.problem.effects(*_pairs(penalties, index), tolerance=tolerance)
        return effects.reshape(len(penalties), len(index))

    def largest_useful(self, unit: float, time: float) -> float:
        """Median over an even sample of trials."""
        index = _evenly(self.n_items)
        stack = self.problem.stack([Penalties(unit, time, np.inf)] * len(index), index)
        return float(np.median(vanishing_penalties(stack)))


@dataclass(frozen=True, eq=False)
class PlaceboCells:
    """Average effects of placebo groups that carry the treated units' own dates, cell by cell.

    Attributes
    ----------
    Y : Floats, shape (N, T)
        Never-treated units only.
    observed : Bools, shape (N, T)
    groups : Ints, shape (B, n)
        Units that stand in for the treated ones in each trial.
    patterns : Bools, shape (n, T)
        Treated periods of each treated unit.
    X : Floats, shape (K, N, T)
    distance : {"levels", "demeaned"}
    """

    Y: Floats
    observed: Bools
    groups: Ints
    patterns: Bools
    X: Floats
    distance: Distance = "levels"

    @property
    def n_items(self) -> int:
        """Number of trials."""
        return len(self.groups)

    @cached_property
    def problems(self) -> tuple[CellProblem, ...]:
        """The cells of each trial."""
        made = []
        for group in self.groups:
            W = np.zeros(self.Y.shape, dtype=np.bool_)
            W[group] = self.patterns
            rows, columns = np.nonzero(W & self.observed)
            seen = self.observed & ~W
            made.append(CellProblem(self.Y, seen, rows, columns, self.X, self.distance))
        return tuple(made)

    def errors(self, penalties: Choices, index: Ints, *, tolerance: float) -> Floats:
        """Average effects of some trials."""
        averages = np.full((len(penalties), len(index)), np.nan)
        for place, trial in enumerate(index):
            problem = self.problems[trial]
            pairs = _pairs(penalties, np.arange(len(problem.rows)))
            predicted = problem.predict(*pairs, tolerance=tolerance).reshape(len(penalties), -1)
            gaps = self.Y[problem.rows, problem.columns] - predicted
            count = np.isfinite(gaps).sum(axis=1)
            total = np.where(np.isfinite(gaps), gaps, 0.0).sum(axis=1)
            np.divide(total, count, out=averages[:, place], where=count > 0)
        return averages

    def largest_useful(self, unit: float, time: float) -> float:
        """Median over one cell of each of some trials."""
        sizes = []
        for trial in _evenly(self.n_items):
            problem = self.problems[trial]
            middle = np.array([len(problem.rows) // 2])
            stack = problem.stack([Penalties(unit, time, np.inf)], middle)
            sizes.append(vanishing_penalties(stack)[0])
        return float(np.median(sizes))


def vanishing_penalties(stack: Stack) -> Floats:
    r"""Smallest penalty at which the low-rank part is zero, in each problem of a stack.

    It is :math:`2\|w\circ e\|_2`, with e the residual of the weighted two-way fit.

    Parameters
    ----------
    stack : Stack

    Returns
    -------
    Floats, shape (B,)
    """
    effects = effects_stack(stack.Y, stack.weights, stack.X)
    return spectral_norms(2.0 * stack.weights * (stack.Y - effects.fitted(stack.X)))


def untreated_cells(
    problem: CellProblem, limit: int, rng: np.random.Generator, order: Ints | None = None
) -> CellProblem:
    """Choose the cells to leave out: all untreated ones, or an even sample of them.

    Parameters
    ----------
    problem : CellProblem
        Its own cells do not matter.
    limit : int
        Most cells to take. A larger panel is sampled so that units and periods stay as evenly
        represented as they are in the whole.
    rng : numpy.random.Generator
    order : Ints, shape (N,), optional
        Rank of each unit in an order that does not depend on that of the rows.

    Returns
    -------
    CellProblem
        Only cells that the others identify, whatever the penalties.
    """
    # By period and, within it, by name of the unit: the same for any order of rows.
    if order is None:
        order = np.arange(len(problem.seen))
    columns, names = np.nonzero(problem.seen[np.argsort(order)].T)
    rows = np.argsort(order)[names]
    full = replace(problem, rows=rows, columns=columns)
    # A positive unit penalty drops units at infinite distance: the strictest case.
    strict = [Penalties(1e-9, 0.0, np.inf)] * len(rows)
    ready = np.isfinite(replace(full, X=full.X[:0]).predict(strict, np.arange(len(rows))))
    rows, columns = rows[ready], columns[ready]
    if len(rows) > limit:
        # Every k-th cell along a snake through shuffled units visits all units and periods.
        shuffled = rng.permutation(problem.seen.shape[0])[order][rows]
        path = np.lexsort((np.where(shuffled % 2, -columns, columns), shuffled))
        chosen = path[np.linspace(0, len(path) - 1, limit).astype(np.int64)]
        rows, columns = rows[chosen], columns[chosen]
    return replace(problem, rows=rows, columns=columns)


def placebo_groups(n_units: int, size: int, trials: int, rng: np.random.Generator) -> Ints:
    """Draw groups of never-treated units.

    Parameters
    ----------
    n_units : int
        Never-treated units.
    size : int
        Units in a group.
    trials : int
        Most groups to draw. Single units are all taken, once each, where that is no more.
    rng : numpy.random.Generator

    Returns
    -------
    Ints, shape (B, size)
    """
    if size == 1 and n_units <= trials:
        return np.arange(n_units)[:, None]
    if size == 1:
        return np.sort(rng.permutation(n_units)[:trials])[:, None]
    return np.stack([rng.permutation(n_units)[:size] for _ in range(trials)])


def _pairs(penalties: Choices, index: Ints) -> tuple[Choices, Ints]:
    """Pair every set of penalties with every item, penalties first."""
    each = [choice for choice in penalties for _ in range(len(index))]
    return each, np.tile(index, len(penalties))


def _evenly(count: int) -> Ints:
    return np.unique(np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64))
