"""Influence of single cells: exact against refits one by one, and it finds the typo."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.diagnostics import Diagnostic
from components.diagnostics.cell_moves import cell_moves, is_closed_form, is_quick, mode_of
from components.diagnostics.influence import (
    OUTLYING,
    Influence,
    cell_table,
    most_outlying,
    slip,
)
from components.errors import SpecError
from components.estimators import ESTIMATORS
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.sdid import SyntheticDID
from components.inference import silent
from components.inference.base import Interval, Uncertainty
from components.inference.placebo import PlaceboInSpace
from components.numerics.entry_fits import entry_fits
from components.numerics.influence import two_way_pull
from components.numerics.simplex import simplex_fit
from components.numerics.stand_ins import spreads, stand_ins
from components.numerics.twoway import fit_two_way
from components.panel import Panel
from panels import block_panel


def changed(panel, row, column, value):
    Y = np.array(panel.Y)
    Y[row, column] = value
    return panel.with_outcomes(Y)


def staggered(panel):
    W = np.zeros(panel.shape, dtype=bool)
    W[:2, 6:] = W[2, 8:] = True
    return panel.reassign(W)


def by_refits(estimator, panel, values):
    """Refit once for every cell that takes another value, the slow way."""
    before = estimator.fit(panel).att
    moves = np.full(panel.shape, np.nan)
    for row, column in np.ndindex(*panel.shape):
        value = values[row, column]
        if np.isfinite(value):
            moves[row, column] = estimator.fit(changed(panel, row, column, value)).att - before
    return moves


PANELS = {
    "one treated": block_panel(seed=3, n=9, t=12, n_post=4),
    "two treated": block_panel(seed=4, n=9, t=12, n_treated=2, n_post=4),
    "more donors than periods": block_panel(seed=5, n=14, t=9, n_post=3),
    "staggered": staggered(block_panel(seed=6, n=7, t=10, n_treated=0)),
}
WEIGHTED = (
    ESTIMATORS["sc"](),
    ESTIMATORS["sc_intercept"](),
    ESTIMATORS["sdid"](),
    SyntheticDID(noise="demeaned", ridge_scale=0.3),
)


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())
@pytest.mark.parametrize("estimator", WEIGHTED, ids=lambda e: repr(e)[:40])
def test_weights_on_the_simplex_equal_a_refit_of_every_cell(estimator, panel):
    estimate = estimator.fit(panel)
    moves = cell_moves(estimate)
    assert moves.mode == "replaced"
    expected = stand_ins(panel.Y, panel.W)
    up = panel.Y + spreads(panel.Y - expected)[:, None]
    for found, values in ((moves.dropped, expected), (moves.nudged, up)):
        slow = by_refits(estimator, panel, values)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(slow))
        np.testing.assert_allclose(found, slow, atol=1e-8)
    assert np.isfinite(moves.nudged).all()


@pytest.mark.parametrize("estimator", WEIGHTED[:3], ids=lambda e: e.card.key)
def test_a_huge_change_of_one_cell_is_exact_too(estimator):
    panel = PANELS["one treated"]
    values = np.where(np.indices(panel.shape).sum(axis=0) % 3 == 0, 10.0 * panel.Y, np.nan)
    from components.diagnostics.cell_moves import _by_weights

    found = _by_weights(estimator.fit(panel), values)
    slow = by_refits(estimator, panel, values)
    np.testing.assert_allclose(found[np.isfinite(slow)], slow[np.isfinite(slow)], atol=1e-7)


@pytest.mark.parametrize("kind", ["block", "staggered", "reversing", "with gaps"])
def test_difference_in_differences_equals_refits_without_each_cell(kind):
    panel = PANELS["staggered"] if kind != "block" else PANELS["two treated"]
    if kind == "reversing":
        W = np.array(panel.W)
        W[0, 8:] = False
        panel = panel.reassign(W)
    if kind == "with gaps":
        Y = np.array(panel.Y)
        Y[[3, 5, 0], [2, 7, 7]] = np.nan
        panel = panel.with_outcomes(Y)
    estimator = ESTIMATORS["did"]()
    moves = cell_moves(estimator.fit(panel))
    assert moves.mode == "left out"
    before = estimator.fit(panel).att
    usual = spreads(panel.Y - moves.stand_ins)
    for row, column in np.argwhere(panel.observed):
        without = estimator.fit(changed(panel, row, column, np.nan)).att - before
        assert moves.dropped[row, column] == pytest.approx(without, abs=1e-9)
        value = panel.Y[row, column] + usual[row]
        nudged = estimator.fit(changed(panel, row, column, value)).att - before
        assert moves.nudged[row, column] == pytest.approx(nudged, abs=1e-9)


def test_only_some_cells_are_refitted_where_that_is_asked():
    panel = block_panel(seed=8, n=8, t=9, n_post=3)
    only = np.zeros(panel.shape, dtype=bool)
    only[2, 3] = True
    moves = cell_moves(MatrixCompletion().fit(panel), only=only)
    np.testing.assert_array_equal(np.isfinite(moves.dropped), only)
    assert not moves.complete


@pytest.mark.parametrize("key", ["did", "sc", "sdid"])
def test_some_cells_of_a_closed_form_are_those_of_all(key):
    panel = PANELS["one treated"]
    estimate = ESTIMATORS[key]().fit(panel)
    only = np.zeros(panel.shape, dtype=bool)
    only[2, 3] = only[0, 10] = True
    some, every = cell_moves(estimate, only=only), cell_moves(estimate)
    np.testing.assert_array_equal(np.isfinite(some.dropped), only)
    np.testing.assert_allclose(some.dropped[only], every.dropped[only], atol=1e-12)


def test_heavy_panels_are_left_to_a_job():
    small = block_panel(n=20, t=12)
    assert is_quick(ESTIMATORS["sdid"]().fit(small))
    assert not is_quick(ESTIMATORS["mc"](penalty=1.0).fit(small))
    large = ESTIMATORS["sdid"]().fit(block_panel(n=205, t=15))
    assert not is_quick(large)
    finding = Influence().examine(large, None, silent)
    assert not finding.details["moves"].complete


def test_options_without_a_closed_form_are_known():
    sc = type(ESTIMATORS["sc"]())
    for estimator in (
        sc(augment=True),
        sc(fit_to="each"),
        SyntheticDID(solver="frank_wolfe"),
        type(ESTIMATORS["did"]())(covariates=("x",)),
        MatrixCompletion(),
    ):
        assert not is_closed_form(estimator)
    assert all(is_closed_form(estimator) for estimator in WEIGHTED)
    assert mode_of(sc(augment=True).fit(block_panel())) == "replaced"


@pytest.mark.parametrize("ridge", [0.0, 0.5, 40.0])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", [(12, 6), (5, 11)])
def test_one_changed_entry_equals_a_fresh_fit(ridge, intercept, shape):
    rng = np.random.default_rng(11)
    A, b = rng.normal(5, 2, shape), rng.normal(5, 2, shape[0])
    start = simplex_fit(A, b, ridge, intercept=intercept).weights
    rows, columns = (part.ravel() for part in np.indices(shape))
    change = rng.normal(0, 1, len(rows)) * 10.0 ** rng.uniform(-2, 1.5, len(rows))
    ridges = ridge * rng.uniform(0.8, 1.2, len(rows))
    found = entry_fits(A, b, rows, columns, change, ridges, start, intercept=intercept)
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        other = A.copy()
        other[row, column] += change[place]
        slow = simplex_fit(other, b, ridges[place], intercept=intercept).weights
        np.testing.assert_allclose(found[place], slow, atol=2e-7)


def test_the_pull_of_two_way_effects_is_their_derivative():
    rng = np.random.default_rng(2)
    Y, seen = rng.normal(size=(6, 7)), rng.random((6, 7)) < 0.8
    weights = rng.random((6, 7)) * ~seen

    def value(Y):
        alpha, beta = fit_two_way(Y, seen)
        return float((weights * (alpha[:, None] + beta)).sum())

    pull = two_way_pull(seen, weights)
    assert float((pull * np.where(seen, Y, 0.0)).sum()) == pytest.approx(value(Y), abs=1e-10)
    other = Y + seen * rng.normal(size=Y.shape)
    step = float((pull * (other - Y)).sum())
    assert step == pytest.approx(value(other) - value(Y), abs=1e-10)


def test_a_stand_in_goes_on_from_the_neighbours_and_withstands_one_wrong_one():
    t = np.arange(12.0)
    shocks = np.array([0, 5, -3, 8, 8, 2, -6, 1, 0, 4, -2, 3.0])
    Y = np.stack([i + (1 + 0.3 * i) * t + shocks for i in range(5)])
    W = np.zeros(Y.shape, dtype=bool)
    np.testing.assert_allclose(stand_ins(Y, W), Y, atol=1e-9)
    wrong = Y.copy()
    wrong[3, 5] *= 10.0
    assert wrong[3, 5] - Y[3, 5] > 100.0
    np.testing.assert_allclose(stand_ins(wrong, W), Y, atol=0.2)
    W[0, 7:] = True
    jump = Y + 50.0 * W
    np.testing.assert_allclose(stand_ins(jump, W), jump, atol=0.2)


def test_too_few_neighbours_give_no_stand_in():
    Y = np.random.default_rng(0).normal(size=(5, 8))
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 5:] = True
    found = stand_ins(Y, W)
    assert np.isnan(found[0, 5:]).all()
    assert np.isfinite(np.delete(found, 0, axis=0)).all()
    gone = np.array(Y)
    gone[2, 3] = np.nan
    assert np.isfinite(stand_ins(gone, W)[2]).all()


def test_outlyingness_does_not_depend_on_origin_and_scale():
    panel = block_panel(seed=1)
    other = panel.with_outcomes(-7.0 + 1e4 * panel.Y)
    one, two = (cell_moves(ESTIMATORS["did"]().fit(p)) for p in (panel, other))
    np.testing.assert_allclose(two.outlying, one.outlying, rtol=1e-6)
    np.testing.assert_allclose(two.dropped, 1e4 * one.dropped, rtol=1e-6, atol=1e-9)


def world(rng, n=30, t=24, n_post=8):
    """Draw levels with trends, common shocks, a factor and noise that differs between units."""
    factor = rng.normal(size=(n, 1)) * rng.normal(size=(1, t)).cumsum(axis=1)
    noise = rng.normal(size=(n, t)) * rng.lognormal(0.7, 0.4, (n, 1))
    Y = rng.normal(100, 15, (n, 1)) + rng.normal(0, 2, (1, t)).cumsum(axis=1) + factor + noise
    W = np.zeros((n, t), dtype=bool)
    W[0, t - n_post :] = True
    units = pd.Index([f"unit {i:02d}" for i in range(n)])
    return Panel(Y=Y - 12.0 * W, W=W, units=units, periods=pd.RangeIndex(2000, 2000 + t))


@pytest.mark.parametrize(("key", "draws"), [("did", 100), ("sc", 60), ("sdid", 20)])
def test_a_slipped_decimal_point_is_the_top_cell_in_nine_of_ten_draws(key, draws):
    rng = np.random.default_rng(20)
    found, alarms = 0, 0
    for _ in range(draws):
        panel = world(rng)
        estimator = ESTIMATORS[key]()
        healthy = Influence().examine(estimator.fit(panel), None, silent)
        alarms += healthy.verdict in ("bad", "caution")
        row, column = rng.integers(panel.shape[0]), rng.integers(panel.shape[1])
        factor = 10.0 if rng.random() < 0.5 else 0.1
        typo = changed(panel, row, column, factor * panel.Y[row, column])
        finding = Influence().examine(estimator.fit(typo), None, silent)
        name = f"{panel.units[row]}, {panel.periods[column]} is"
        found += finding.verdict in ("bad", "caution") and finding.sentence.startswith(name)
    assert found >= 0.9 * draws
    assert alarms <= 0.1 * draws


def test_a_typo_that_makes_the_result_is_bad_and_says_what_the_effect_is_without_it():
    panel = world(np.random.default_rng(5))
    typo = changed(panel, 0, 18, 10.0 * panel.Y[0, 18])
    estimate = ESTIMATORS["sc"]().fit(typo)
    finding = Influence().examine(estimate, None, silent)
    assert finding.verdict == "bad"
    assert "decimal point slipped" in finding.sentence
    healthy = ESTIMATORS["sc"]().fit(panel).att
    without = finding.table.iloc[0]["effect_without"]
    assert abs(without - healthy) < 0.05 * abs(estimate.att - healthy)


def test_a_treated_cell_that_follows_its_neighbours_is_no_suspect():
    panel = world(np.random.default_rng(6))
    far = panel.with_outcomes(panel.Y + 500.0 * panel.W)
    finding = Influence().examine(ESTIMATORS["sc"]().fit(far), None, silent)
    assert finding.verdict == "good"
    assert finding.advice == ""


def test_a_cell_that_decides_the_conclusion_is_a_caution():
    panel = world(np.random.default_rng(6))
    estimate = ESTIMATORS["sc"]().fit(panel)
    largest = cell_table(estimate, cell_moves(estimate)).iloc[0]["move"]
    ends = sorted((-0.5 * largest, -40.0 * largest))
    uncertainty = Uncertainty(PlaceboInSpace(), 0.95, interval=Interval(*ends, 0.95))
    finding = Influence().examine(estimate, uncertainty, silent)
    assert finding.verdict == "caution"
    assert "decides whether the interval excludes zero" in finding.sentence
    safe = Uncertainty(PlaceboInSpace(), 0.95, interval=Interval(-99.0, -50.0, 0.95))
    assert Influence().examine(estimate, safe, silent).verdict == "good"


def test_short_tables_cannot_tell():
    panel = block_panel(n=6, t=3, n_post=1)
    finding = Influence().examine(ESTIMATORS["did"]().fit(panel), None, silent)
    assert finding.verdict == "unknown"


def test_slow_estimators_refit_the_suspects_alone():
    panel = world(np.random.default_rng(7), n=12, t=14, n_post=4)
    typo = changed(panel, 3, 4, 10.0 * panel.Y[3, 4])
    estimate = MatrixCompletion(n_folds=2, n_penalties=6).fit(typo)
    only = most_outlying(estimate, OUTLYING)
    assert only[3, 4]
    assert only.sum() <= 8
    finding = Influence().examine(estimate, None, silent)
    assert finding.sentence.startswith("unit 03, 2004 is")
    assert int(np.isfinite(finding.details["moves"].dropped).sum()) == only.sum()


def test_it_is_a_diagnostic_with_thresholds_that_are_checked():
    assert isinstance(Influence(), Diagnostic)
    assert Influence().why_not(ESTIMATORS["sc"]().fit(block_panel())) is None
    with pytest.raises(SpecError, match="positive"):
        Influence(outlying=0.0)


@pytest.mark.parametrize(
    ("value", "stand_in", "words"),
    [(1010.0, 100.0, "ten times"), (9.7, 100.0, "a tenth of"), (150.0, 100.0, ""), (3.0, 0.0, "")],
)
def test_a_slip_is_named(value, stand_in, words):
    assert words in slip(value, stand_in)
    assert bool(words) == bool(slip(value, stand_in))
