"""Conditional variance: golden figures, slow refits, and what an interval must keep."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.estimators import (
    ESTIMATORS,
    TROP,
    CallawaySantAnna,
    DifferenceInDifferences,
    MatrixCompletion,
    SyntheticControl,
    SyntheticDID,
)
from components.inference import silent
from components.inference.base import InferenceMethod
from components.inference.conditional import ConditionalVariance, argued_for
from components.inference.placebo_errors import placebo_errors
from components.numerics.conditional_variance import GIVEN
from components.numerics.error_spread import SpreadTest
from components.numerics.simplex import simplex_fit
from components.panel import Panel
from panels import block_panel

# METHODS C.4, computed by exact refits that leave out one cell at a time.
GOLDEN = [
    (DifferenceInDifferences(), -12.9042, (10.2502, 14.2489, 7.5548, 10.7022)),
    (SyntheticControl(), -8.4405, (11.4778, 6.8565, 2.2811, 1.3241)),
]
FAST = ("did", "sc", "sc_intercept", "sdid")


def assess(estimate, level=0.95, **options):
    method = ConditionalVariance(**options)
    assert method.why_not(estimate) is None
    return method.assess(estimate, level=level, rng=np.random.default_rng(0), progress=silent)


def staggered_panel(seed=0, n=10, t=12):
    panel = block_panel(seed, n, t, n_treated=4, n_post=3)
    W = panel.W.copy()
    W[0, 6:] = True
    W[1, 8:] = True
    return panel.reassign(W)


@pytest.mark.parametrize(("estimator", "att", "errors"), GOLDEN)
def test_california_in_1989(prop99, estimator, att, errors):
    estimate = estimator.fit(prop99.window(np.arange(20)))
    result = assess(estimate, sided="two")
    table = result.details["conditional_intervals"]
    assert estimate.att == pytest.approx(att, abs=5e-5)
    assert list(table["given"]) == list(GIVEN)
    np.testing.assert_allclose(table["standard_error"], errors, atol=6e-5)
    np.testing.assert_allclose(table["df"][1:3], [38, 19])
    assert table["df"][3] == pytest.approx(1 / (1 / 38 + 1 / 19 + 1 / (38 * 19)))
    assert result.standard_error == pytest.approx(errors[3], abs=6e-5)


def test_windows_of_synthetic_control_equal_plain_fits(prop99):
    errors = placebo_errors(SyntheticControl().fit(prop99), "auto", silent)
    Y, windows = prop99.Y, errors.windows
    assert windows.starts.tolist() == list(range(10, 19))
    assert windows.length == 2
    for row in (0, 2, 30):
        rest = np.delete(np.arange(39), row)
        for number in (0, 5, 8):
            start = windows.starts[number]
            weights = simplex_fit(Y[rest][:, :start].T, Y[row, :start]).weights
            gap = (Y[row] - weights @ Y[rest])[start : min(start + 2, 19)]
            found = errors.ahead[row, number]
            np.testing.assert_allclose(found[: len(gap)], gap, atol=1e-5)
            assert np.isnan(found[len(gap) :]).all()


def test_two_sided_windows_leave_out_the_window_alone(prop99):
    errors = placebo_errors(SyntheticControl().fit(prop99), "two", silent)
    Y, start = prop99.Y, 7
    assert errors.windows.length == 4
    rest, fitted = np.delete(np.arange(39), 5), np.r_[0:7, 11:19]
    weights = simplex_fit(Y[rest][:, fitted].T, Y[5, fitted]).weights
    gap = (Y[5] - weights @ Y[rest])[start : start + 4]
    np.testing.assert_allclose(errors.ahead[5, start], gap, atol=1e-5)


def test_matrix_completion_refits_one_cell_at_a_time():
    panel = block_panel(n=8, t=9, n_post=1)
    estimate = MatrixCompletion(penalty=0.05).fit(panel)
    errors = placebo_errors(estimate, "two", silent)
    Y = np.where(panel.W, np.nan, panel.Y)
    for row, column in ((0, 3), (4, 8), (7, 0)):
        W = np.zeros(panel.shape, dtype=bool)
        W[row, column] = True
        slow = MatrixCompletion(penalty=0.05).fit(panel.with_outcomes(Y).reassign(W)).att
        assert errors.table[row, column] == pytest.approx(slow, abs=1e-9)


def test_trop_leaves_out_one_cell_at_a_time():
    panel = block_panel(n=8, t=9, n_post=1)
    for penalty in (0.5, float("inf")):
        method = TROP(form="percell", lambda_unit=0.4, lambda_time=0.3, lambda_nn=penalty)
        errors = placebo_errors(method.fit(panel), "two", silent)
        Y = np.where(panel.W, np.nan, panel.Y)
        for row, column in ((0, 3), (4, 8), (7, 0)):
            W = np.zeros(panel.shape, dtype=bool)
            W[row, column] = True
            slow = method.fit(panel.with_outcomes(Y).reassign(W)).att
            # Refits bring each panel to standard units of its own, so that penalties differ a bit.
            assert errors.table[row, column] == pytest.approx(slow, abs=0.02 * Y[~panel.W].std())


def test_tuning_is_held_at_its_choice(monkeypatch):
    panel = block_panel(n=8, t=12, n_post=2)
    estimate = MatrixCompletion(n_penalties=5, n_folds=2).fit(panel)
    penalties, fit = [], MatrixCompletion.fit

    def noted(self, panel):
        penalties.append(self.penalty)
        return fit(self, panel)

    monkeypatch.setattr(MatrixCompletion, "fit", noted)
    assess(estimate)
    assert set(penalties) == {estimate.details["penalty"]}


def test_patterns_of_a_staggered_design_equal_plain_refits():
    panel = staggered_panel()
    errors = placebo_errors(DifferenceInDifferences().fit(panel), "auto", silent)
    controls = np.flatnonzero(~panel.design.treated)
    masked = panel.with_outcomes(np.where(panel.W, np.nan, panel.Y))
    for unit in (0, 1, 3):
        W = np.zeros(panel.shape, dtype=bool)
        W[controls[2]] = panel.W[unit]
        slow = DifferenceInDifferences().fit(masked.reassign(W)).effects[controls[2]]
        found = errors.across[errors.pattern[unit], 2]
        np.testing.assert_allclose(found[panel.W[unit]], slow[panel.W[unit]], atol=1e-9)


@pytest.mark.parametrize("key", FAST)
@pytest.mark.parametrize("sided", ["one", "two"])
def test_variance_does_not_see_the_effect(key, sided, panel):
    one = assess(ESTIMATORS[key]().fit(panel), sided=sided)
    moved = panel.with_outcomes(panel.Y + 1e3 * panel.W)
    other = assess(ESTIMATORS[key]().fit(moved), sided=sided)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-6)


@pytest.mark.parametrize("key", FAST)
def test_change_of_measure(key, panel):
    one = assess(ESTIMATORS[key]().fit(panel))
    other = assess(ESTIMATORS[key]().fit(panel.with_outcomes(100 - 1e3 * panel.Y)))
    assert other.interval.lower == pytest.approx(-1e3 * one.interval.upper, rel=1e-4)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-3)


@pytest.mark.parametrize("make", [block_panel, staggered_panel])
@pytest.mark.parametrize("given", ["both", "unit", "time", "marginal"])
def test_p_value_and_interval_agree(make, given):
    rejected = set()
    for seed in range(3):
        panel = make(seed=seed, t=16)
        panel = panel.with_outcomes(panel.Y - 1.5 * panel.W)
        estimate = DifferenceInDifferences().fit(panel)
        for level in (0.5, 0.8, 0.95, 0.99):
            result = assess(estimate, level=level, given=given)
            assert (result.p_value < 1 - level) == (0.0 not in result.interval)
            assert estimate.att in result.interval
            rejected.add(0.0 not in result.interval)
    assert rejected == {True, False}


def test_levels_nest_and_bands_follow():
    estimate = SyntheticControl().fit(block_panel(t=20, n_post=4))
    narrow, wide = assess(estimate, level=0.8), assess(estimate, level=0.95)
    assert wide.interval.lower < narrow.interval.lower < narrow.interval.upper < wide.interval.upper
    assert (wide.band.lower < narrow.band.lower).all()
    assert list(wide.band.lower.index) == list(estimate.panel.periods[-4:])
    assert list(wide.event_band.lower.index) == [0, 1, 2, 3]
    np.testing.assert_allclose(wide.band.upper, wide.event_band.upper)
    assert not wide.band.simultaneous


def test_band_of_a_single_treated_period_is_the_interval(prop99):
    result = assess(SyntheticControl().fit(prop99.window(np.arange(20))))
    assert result.band.lower.loc[1989] == pytest.approx(result.interval.lower)
    assert result.band.upper.loc[1989] == pytest.approx(result.interval.upper)


def test_same_bits_twice(prop99):
    estimate = SyntheticDID().fit(prop99)
    one, other = assess(estimate), assess(estimate)
    assert (one.interval, one.p_value) == (other.interval, other.p_value)


def test_placebo_errors_have_a_place_in_the_table(prop99):
    table = assess(SyntheticControl().fit(prop99)).details["placebo_errors"]
    assert table.shape == (39, 31)
    assert table.loc["California", 1989:].isna().all()
    assert table.loc["California", 1980:1988].notna().all()
    assert table.loc["Utah", 1980:].notna().all()
    assert table.loc[:, :1979].isna().all().all()


def test_which_variance_is_argued_for_is_said(prop99):
    result = assess(SyntheticControl().fit(prop99), given="marginal")
    table = result.details["conditional_intervals"]
    assert table.loc[table["argued_for"], "given"].tolist() == ["both"]
    assert any("argues for a variance given unit and period" in note for note in result.notes)
    assert any("here it is given nothing" in note for note in result.notes)


@pytest.mark.parametrize(
    ("unit", "time", "expected"),
    [(0.01, 0.01, "both"), (0.01, 0.5, "unit"), (0.5, 0.01, "time"), (0.5, 0.5, "marginal")],
)
def test_rule(unit, time, expected):
    tests = [SpreadTest("unit", 1.0, (1, 1), unit), SpreadTest("time", 1.0, (1, 1), time)]
    assert argued_for(*tests) == expected


def test_without_noise_every_effect_stands_out():
    Y = np.add.outer(np.arange(8.0), np.arange(12.0) ** 2)
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 9:] = True
    panel = Panel(Y + 2 * W, W, pd.RangeIndex(8), pd.RangeIndex(12))
    result = assess(DifferenceInDifferences().fit(panel))
    assert result.interval.lower == pytest.approx(2)
    assert result.p_value < 1e-6


@pytest.mark.parametrize(("n_treated", "n_post", "staggered"), [(1, 4, 0), (5, 3, 0), (3, 3, 1)])
def test_intervals_cover_where_errors_are_alike(n_treated, n_post, staggered):
    rng = np.random.default_rng(13)
    covered = 0
    for _ in range(100):
        W = np.zeros((13, 16), dtype=bool)
        W[:n_treated, 16 - n_post :] = True
        if staggered:
            W[0, 10:] = True
        panel = Panel(rng.normal(size=W.shape), W, pd.RangeIndex(13), pd.RangeIndex(16))
        covered += 0.0 in assess(DifferenceInDifferences().fit(panel), level=0.9).interval
    assert 0.81 <= covered / 100 <= 0.99  # 0.9 and three Monte Carlo errors of 0.03


def test_is_a_method_with_a_card():
    method = ConditionalVariance()
    assert isinstance(method, InferenceMethod)
    assert eval(repr(method), {"ConditionalVariance": ConditionalVariance}) == method
    assert method.card.key == "conditional"


def test_refusals_have_their_reason(prop99):
    method = ConditionalVariance()
    two = block_panel(n=3, n_treated=2)
    assert "two never-treated units" in method.why_not(DifferenceInDifferences().fit(two))
    short = block_panel(t=6, n_post=4)
    assert "2 periods before treatment" in method.why_not(DifferenceInDifferences().fit(short))
    staggered = DifferenceInDifferences().fit(staggered_panel())
    assert "choose two-sided ones" in ConditionalVariance(sided="one").why_not(staggered)
    study = CallawaySantAnna().fit(staggered_panel())
    assert "cannot be refitted for single cells" in method.why_not(study)
    study = CallawaySantAnna().fit(prop99)
    assert "placebo windows" in ConditionalVariance(sided="two").why_not(study)
    assert method.why_not(study) is None
