"""Moves that take refits: equal to fits one by one, the suspect cells first, and in part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.diagnostics.cell_moves import cell_moves, mode_of
from components.diagnostics.cell_refits import batch_size, held, refitter, trop_effects
from components.diagnostics.influence import Influence, all_moves
from components.estimators import ESTIMATORS
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.trop import TROP
from components.numerics.stand_ins import spreads
from components.panel import Panel
from panels import block_panel


def with_paths(panel: Panel, *paths: tuple[int, int, int]) -> Panel:
    """Treat rows from a first period up to, not including, a last one."""
    W = np.zeros(panel.shape, dtype=bool)
    for row, first, last in paths:
        W[row, first:last] = True
    return panel.reassign(W)


def with_gaps(panel: Panel) -> Panel:
    Y = np.array(panel.Y)
    Y[[4, 6, 1], [2, 7, 7]] = np.nan
    return panel.with_outcomes(Y)


BLOCK = block_panel(seed=8, n=8, t=9, n_post=3)
SEVERAL = block_panel(seed=4, n=9, t=10, n_treated=2, n_post=3)
STAGGERED = with_paths(block_panel(seed=6, n=7, t=9, n_treated=0), (0, 6, 9), (1, 6, 9), (2, 7, 9))
ON_OFF = with_paths(block_panel(seed=7, n=7, t=9, n_treated=0), (0, 3, 5), (1, 4, 9), (2, 7, 8))
PANELS = {
    "one treated": BLOCK,
    "two treated": SEVERAL,
    "staggered": STAGGERED,
    "on and off": ON_OFF,
    "with gaps": with_gaps(SEVERAL),
}
REFITTED = {
    "completion": MatrixCompletion(),
    "completion without low rank": MatrixCompletion(penalty=1e3),
    "trop": TROP(lambda_unit=0.7, lambda_time=0.2, lambda_nn=0.3),
    "trop without low rank": TROP(lambda_unit=0.7, lambda_time=0.2, lambda_nn=np.inf),
}
CELL_BY_CELL = TROP(form="percell", lambda_unit=0.3, lambda_time=0.3, lambda_nn=0.6)
SMALL = with_paths(block_panel(seed=7, n=5, t=7, n_treated=0), (0, 3, 5), (1, 5, 7))
CASES = {
    f"{name}, {where}": (estimator, panel)
    for name, estimator in REFITTED.items()
    for where, panel in PANELS.items()
    if name != "trop" or panel.design.kind == "block"
} | {"trop cell by cell": (CELL_BY_CELL, SMALL)}


def one_by_one(estimate, column_values):
    """Refit a fresh panel for every cell, the slow way, at the tuning of the estimate."""
    panel, details = estimate.panel, estimate.details
    estimator = estimate.estimator
    if isinstance(estimator, MatrixCompletion):
        estimator = replace(estimator, penalty=float(details["penalty"]))
    before = estimator.fit(panel).att
    moves = np.full(panel.shape, np.nan)
    for row, column in np.argwhere(panel.observed):
        Y = np.array(panel.Y)
        Y[row, column] = column_values[row, column]
        other = Panel(Y=Y, W=panel.W, units=panel.units, periods=panel.periods)
        if estimator.why_not(other) is None:
            moves[row, column] = estimator.fit(other).att - before
    return moves


@pytest.mark.parametrize(("estimator", "panel"), CASES.values(), ids=CASES.keys())
def test_every_cell_equals_a_refit_of_its_own(estimator, panel):
    estimate = estimator.fit(panel)
    moves = cell_moves(estimate)
    assert moves.mode == "left out"
    assert moves.complete
    up = panel.Y + spreads(panel.Y - moves.stand_ins)[:, None]
    blank = np.full(panel.shape, np.nan)
    for found, values in ((moves.dropped, blank), (moves.nudged, up)):
        slow = one_by_one(estimate, values)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(slow))
        np.testing.assert_allclose(found, slow, atol=2e-7)


def test_fits_side_by_side_are_those_of_the_estimator():
    estimator = REFITTED["trop"]
    rng = np.random.default_rng(0)
    panels = [SEVERAL.with_outcomes(SEVERAL.Y + rng.normal(size=SEVERAL.shape)) for _ in range(4)]
    assert batch_size(estimator.fit(SEVERAL)) > 100
    assert batch_size(estimator.fit(STAGGERED)) == 1
    slow = [estimator.fit(panel).att for panel in panels]
    np.testing.assert_allclose(trop_effects(estimator, panels), slow, atol=1e-7)


@pytest.mark.parametrize("form", ["block_tau", "percell"])
def test_forms_that_look_at_treated_cells_are_refitted_there_too(form):
    estimator = TROP(form=form, scale="all", lambda_unit=0.5, lambda_time=0.2, lambda_nn=0.4)
    estimate = estimator.fit(BLOCK)
    only = np.zeros(BLOCK.shape, dtype=bool)
    only[0, 7] = only[3, 2] = True
    moves = cell_moves(estimate, only=only)
    slow = one_by_one(estimate, np.full(BLOCK.shape, np.nan))
    np.testing.assert_allclose(moves.dropped[only], slow[only], atol=2e-7)


class Listener:
    """Hears progress and keeps the results in part."""

    def __init__(self):
        self.shares, self.parts = [], []

    def __call__(self, share):
        self.shares.append(share)

    def show(self, moves):
        self.parts.append(replace(moves, dropped=moves.dropped.copy(), nudged=moves.nudged.copy()))


def test_suspect_cells_come_first_and_results_in_part_go_on(monkeypatch):
    monkeypatch.setattr("components.diagnostics.cell_plan.SHOW_EVERY", -1.0)
    monkeypatch.setattr("components.diagnostics.cell_plan.SLACKEN", -1.0)
    Y = np.array(BLOCK.Y)
    Y[5, 3] *= 10.0
    estimate = MatrixCompletion(penalty=0.01).fit(BLOCK.with_outcomes(Y))
    ear = Listener()
    whole = all_moves(estimate, None, ear)
    first = ear.parts[0]
    untreated = np.isfinite(first.dropped) & ~BLOCK.W
    assert np.argwhere(untreated).tolist() == [[5, 3]]
    assert np.isfinite(first.nudged[5, 3])
    assert first.left == 8 * 9 - 3 - 1
    assert not first.complete
    assert ear.shares == sorted(ear.shares)
    assert ear.shares[-1] == 1.0
    assert "moves the effect the most" not in Influence().judge(estimate, None, first).sentence
    later = Listener()
    half = ear.parts[30]
    again = all_moves(estimate, half, later)
    np.testing.assert_array_equal(again.dropped, whole.dropped)
    np.testing.assert_array_equal(again.nudged, whole.nudged)
    assert len(later.parts) == half.left


def test_what_may_matter_comes_before_what_cannot():
    estimate = MatrixCompletion(penalty=0.05).fit(SEVERAL)
    from components.diagnostics.cell_plan import Plan

    moves = cell_moves(estimate)
    blank = np.full((2, *SEVERAL.shape), np.nan)
    usual = spreads(SEVERAL.Y - moves.stand_ins)[:, None]
    everything = np.ones(SEVERAL.shape, dtype=bool)
    plan = Plan(
        estimate, *blank, moves.stand_ins, SEVERAL.Y + usual, everything, gaps=True, nudge=True
    )
    order = plan._lacking(plan.dropped)
    sizes = np.abs(moves.dropped[tuple(order.T)])
    assert sizes[: len(sizes) // 2].mean() > 2.0 * sizes[len(sizes) // 2 :].mean()


@pytest.mark.parametrize("key", ESTIMATORS)
@pytest.mark.parametrize("name", ["two treated", "staggered", "on and off"])
def test_a_cell_is_dropped_in_every_estimator(key, name):
    panel = PANELS[name]
    tuning = {"mc": {"penalty": 0.05}, "trop": {f"lambda_{x}": 0.3 for x in ("unit", "time", "nn")}}
    estimator = ESTIMATORS[key](**tuning.get(key, {}))
    reason = estimator.why_not(panel)
    if reason is not None:
        assert reason.endswith(".")
        return
    estimate = estimator.fit(panel)
    only = np.zeros(panel.shape, dtype=bool)
    only[4, 3] = only[0, 7] = True
    moves = cell_moves(estimate, only=only)
    values = np.full(panel.shape, np.nan) if mode_of(estimate) == "left out" else moves.stand_ins
    before = held(estimate).fit(panel).att
    for row, column in np.argwhere(only & np.isfinite(moves.dropped)):
        Y = np.array(panel.Y)
        Y[row, column] = values[row, column]
        after = held(estimate).fit(panel.with_outcomes(Y)).att
        assert moves.dropped[row, column] == pytest.approx(after - before, abs=1e-7)
    assert np.isfinite(moves.dropped[4, 3])


def test_a_change_after_which_nothing_can_be_fitted_is_unknown():
    panel = block_panel(n=4, t=5, n_post=1)
    moves = refitter(MatrixCompletion(penalty=0.1).fit(panel))([(0, 4, np.nan), (1, 4, np.nan)])
    assert np.isnan(moves[0])
    assert np.isfinite(moves[1])
