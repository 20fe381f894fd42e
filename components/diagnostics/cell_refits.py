"""Refits of an estimate after changes of single cells, side by side where that is quicker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from components.arrays import Floats
from components.estimators import Estimate, Estimator
from components.estimators.base import Tuned
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.trop import TOLERANCE, TROP
from components.estimators.trop_tuning import Setup
from components.numerics.trop_factors import Stack
from components.numerics.trop_solver import CHUNK, solve_stack
from components.numerics.trop_stacks import classed, joined
from components.panel import Panel

Change = tuple[int, int, float]
"""Row, column and new value of a cell; NaN for no outcome."""


def held(estimate: Estimate) -> Estimator:
    """Give the estimator with the tuning that the estimate has chosen from the data."""
    estimator = estimate.estimator
    if isinstance(estimator, Tuned) and "cohorts" not in estimate.details:
        return estimator.tuned(estimate)
    return estimator


def ignores_treated(estimator: Estimator) -> bool:
    """Tell whether outcomes of treated cells have no part in the fit, gaps among them neither."""
    if isinstance(estimator, TROP):
        return not (estimator.uses_treated_outcomes or estimator.covariates)
    return isinstance(estimator, MatrixCompletion)


def batch_size(estimate: Estimate) -> int:
    """Give how many refits are best done at a time: 1 where they go one by one."""
    estimator = held(estimate)
    if isinstance(estimator, TROP) and estimator.setup(estimate.panel).form == "block_masked":
        return max(1, CHUNK // estimate.panel.Y.size)
    return 1


def refitter(estimate: Estimate) -> Callable[[Sequence[Change]], Floats]:
    """Give a function that says how the effect moves with each of some changes, one at a time.

    Parameters
    ----------
    estimate : Estimate
        What it was before; tuning that it has chosen from the data is held.

    Returns
    -------
    callable
        Of a sequence of changes; NaN where no fit is possible after one of them.
    """
    panel, estimator = estimate.panel, held(estimate)
    before = estimate.att if estimator == estimate.estimator else estimator.fit(panel).att

    def moves(changes: Sequence[Change]) -> Floats:
        panels = [_changed(panel, change) for change in changes]
        able = [place for place, one in enumerate(panels) if estimator.why_not(one) is None]
        found = np.full(len(changes), np.nan)
        found[able] = _effects(estimator, [panels[place] for place in able]) - before
        return found

    return moves


def _changed(panel: Panel, change: Change) -> Panel:
    row, column, value = change
    outcomes = np.array(panel.Y)
    outcomes[row, column] = value
    return panel.with_outcomes(outcomes)


def _effects(estimator: Estimator, panels: Sequence[Panel]) -> Floats:
    if isinstance(estimator, TROP) and len(panels) > 1:
        return trop_effects(estimator, panels)
    return np.array([estimator.fit(panel).att for panel in panels])


def trop_effects(estimator: TROP, panels: Sequence[Panel]) -> Floats:
    """Average effects on several panels of one shape, all fits side by side.

    Parameters
    ----------
    estimator : TROP
        With all penalties given, of the masked block form.
    panels : sequence of Panel
        With the same treated cells.

    Returns
    -------
    Floats, shape (B,)
        As `TROP.fit` gives them one by one.
    """
    setups = [estimator.setup(panel) for panel in panels]
    stack = joined([_problem(setup, estimator) for setup in setups])
    fits = solve_stack(stack, tolerance=TOLERANCE).values
    scale, centre = (np.array([getattr(one, name) for one in setups]) for name in
                     ("scale", "centre"))  # fmt: skip
    imputed = fits * scale[:, None] + centre[:, None]
    treated = panels[0].design.treated
    W = panels[0].W[treated].ravel()
    observed = np.stack([panel.Y[treated].ravel() for panel in panels])
    effects: Floats = np.nanmean((observed - imputed)[:, W], axis=1)
    return effects


def _problem(setup: Setup, estimator: TROP) -> Stack:
    """Set up one block fit; without an outcome here and there its lines still share few masks."""
    block, first, penalties = setup.block(), np.zeros(1, dtype=np.int64), [estimator.penalties()]
    stack = block.stack(penalties, first)
    if stack.units is not None:
        return stack
    return classed(stack, *block.weights(penalties, first), setup.usable & ~setup.W)
