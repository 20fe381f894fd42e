"""Untreated outcomes of treated cells, cell by cell, with fits shared where they coincide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from components.arrays import Floats, Ints
from components.numerics.trop_cells import CellProblem, Penalties
from components.numerics.trop_factors import Stack
from components.numerics.trop_solver import Solution, solve_in_chunks


@dataclass(frozen=True, eq=False)
class Imputation:
    """What the fits of treated cells say.

    Attributes
    ----------
    outcomes : Floats, shape (N, T)
        Untreated outcomes in the rows of treated units: of a treated cell from its own fit, of
        another cell averaged over the fits of that unit's treated cells. NaN elsewhere and where
        not identified.
    unit_weights : Floats, shape (N,)
        Weights of units averaged over the treated cells of other units.
    time_weights : Floats, shape (T,)
        Weights of periods averaged over the treated cells.
    solution : Solution
        Of the distinct fits.
    """

    outcomes: Floats
    unit_weights: Floats
    time_weights: Floats
    solution: Solution


def impute(
    problem: CellProblem,
    penalties: Penalties,
    *,
    tolerance: float,
    progress: Callable[[float], None] | None = None,
) -> Imputation:
    """Fit every treated cell.

    Cells share a fit where their weights are the same: those of one unit without a time penalty,
    of one period without a unit penalty, and all of them without either.

    Parameters
    ----------
    problem : CellProblem
        With treated cells, none of which is among the cells seen.
    penalties : Penalties
    tolerance : float
        In the unit of Y.
    progress : callable, optional

    Returns
    -------
    Imputation
    """
    n_units, n_periods = problem.Y.shape
    by_unit = problem.rows if penalties.unit > 0.0 else np.zeros_like(problem.rows)
    by_time = problem.columns if penalties.time > 0.0 else np.zeros_like(problem.columns)
    keys = by_unit * n_periods + by_time
    _, leaders, group = np.unique(keys, return_index=True, return_inverse=True)
    units = _units_of_groups(problem, group, len(leaders))
    every = np.arange(n_periods)

    def make(part: Ints) -> Stack:
        chosen = leaders[part]
        rows = np.repeat(units[part], n_periods, axis=1)
        columns = np.tile(every, (len(part), units.shape[1]))
        stack = problem.stack([penalties] * len(part), chosen)
        return replace(stack, rows=rows, columns=columns)

    solution = solve_in_chunks(
        make, len(leaders), problem.Y.size, tolerance=tolerance, progress=progress
    )
    paths = solution.values.reshape(len(leaders), units.shape[1], n_periods)
    place = (units[group] == problem.rows[:, None]).argmax(axis=1)
    own = paths[group, place]
    omega, theta = _average_weights(problem, penalties)
    return Imputation(
        outcomes=_assemble(problem, own, (n_units, n_periods)),
        unit_weights=omega,
        time_weights=theta,
        solution=solution,
    )


def _units_of_groups(problem: CellProblem, group: Ints, count: int) -> Ints:
    """Treated units of each shared fit, the last one repeated to equal length."""
    members = [np.unique(problem.rows[group == g]) for g in range(count)]
    longest = max(map(len, members))
    return np.stack([np.pad(rows, (0, longest - len(rows)), mode="edge") for rows in members])


def _assemble(problem: CellProblem, own: Floats, shape: tuple[int, int]) -> Floats:
    known = np.isfinite(own)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, problem.rows, np.where(known, own, 0.0))
    np.add.at(count, problem.rows, known)
    outcomes = np.full(shape, np.nan)
    np.divide(total, count, out=outcomes, where=count > 0)
    each = np.arange(len(problem.rows))
    outcomes[problem.rows, problem.columns] = own[each, problem.columns]
    return outcomes


def _average_weights(problem: CellProblem, penalties: Penalties) -> tuple[Floats, Floats]:
    cells = np.arange(len(problem.rows))
    omega, theta = problem.weights([penalties] * len(cells), cells)
    foreign = np.ones_like(omega)
    foreign[cells, problem.rows] = 0.0
    count = np.maximum(foreign.sum(axis=0), 1.0)
    return (omega * foreign).sum(axis=0) / count, theta.mean(axis=0)
