"""The cross-fitted t-test: by hand, and as often right as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.stats import ttest_1samp

from components.errors import NotApplicableError
from components.estimators import (
    DifferenceInDifferences,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import silent
from components.inference.cwz_t_test import CrossFittedTTest
from panels import block_panel

METHOD = CrossFittedTTest()


def assess(estimate, method=METHOD, level=0.9):
    return method.assess(estimate, level=level, rng=np.random.default_rng(0), progress=silent)


def slow_fold(panel, held):
    """Fit SC with scipy's NNLS without the held-out periods."""
    n_pre = panel.design.n_pre
    keep = np.setdiff1d(np.arange(n_pre), held)
    y, X = panel.Y[panel.design.treated].mean(axis=0), panel.Y[~panel.design.treated]
    A = (X - y)[:, keep].T
    scale = np.abs(A).max()
    raw, _ = nnls(np.vstack([A, np.full(len(X), scale)]), np.r_[np.zeros(len(keep)), scale])
    gap = y - raw / raw.sum() @ X
    return gap[n_pre:].mean() - gap[held].mean()


@pytest.mark.parametrize("n_folds", [2, 3, 4])
def test_proposition_99_by_hand(prop99, n_folds):
    # T0 = 19 and T1 = 12: blocks of floor(19 / K) periods at the end of the pre-period.
    length = 19 // n_folds
    first = 19 - n_folds * length
    held = [np.arange(first + k * length, first + (k + 1) * length) for k in range(n_folds)]
    effects = np.array([slow_fold(prop99, block) for block in held])
    result = assess(SyntheticControl().fit(prop99), CrossFittedTTest(n_folds))
    np.testing.assert_allclose(result.draws, effects, atol=1e-6)
    error = np.sqrt(1 + n_folds * length / 12) * effects.std(ddof=1) / np.sqrt(n_folds)
    assert result.standard_error == pytest.approx(error, rel=1e-6)
    assert result.interval.lower + result.interval.upper == pytest.approx(2 * effects.mean())
    assert result.details["folds"]["last_held_out"].iloc[-1] == "1988"


def test_blocks_are_no_longer_than_the_treated_window():
    estimate = SyntheticControl().fit(block_panel(t=32, n_post=2))
    assert METHOD.blocks(estimate).tolist() == [[24, 25], [26, 27], [28, 29]]


def test_difference_in_differences_is_a_t_test_of_block_means():
    # With fixed weights tau_k differ by the blocks' mean gaps alone. A constant drops out.
    panel = block_panel(t=24, n_post=6)
    result = assess(DifferenceInDifferences().fit(panel))
    gap = panel.Y[0] - panel.Y[1:].mean(axis=0)
    effects = gap[18:].mean() - gap[:18].reshape(3, 6).mean(axis=1)
    np.testing.assert_allclose(result.draws, effects, atol=1e-9)
    widened = result.standard_error / (effects.std(ddof=1) / np.sqrt(3))
    assert widened == pytest.approx(2.0)
    plain = ttest_1samp(effects, 0.0).statistic
    assert effects.mean() / result.standard_error == pytest.approx(plain / 2.0, rel=1e-9)


@given(
    seed=st.integers(0, 10_000), effect=st.floats(-6, 6), level=st.sampled_from([0.8, 0.9, 0.95])
)
@settings(max_examples=40, deadline=None)
def test_one_answer(seed, effect, level):
    estimate = SyntheticControlIntercept().fit(block_panel(seed, effect=effect))
    result = assess(estimate, level=level)
    assert (result.p_value <= 1 - level) == (0.0 not in result.interval)
    said = any("outside the interval" in note for note in result.notes)
    assert said == (estimate.att not in result.interval)
    assert "centred at" in result.notes[0]


def test_levels_nest_and_follow_a_change_of_units(prop99):
    estimate = SyntheticControl().fit(prop99)
    narrow, wide = assess(estimate, level=0.8), assess(estimate, level=0.95)
    assert wide.interval.lower < narrow.interval.lower < narrow.interval.upper
    assert narrow.interval.upper < wide.interval.upper
    scaled = SyntheticControl().fit(prop99.with_outcomes(7 - 1000 * prop99.Y))
    turned = assess(scaled, level=0.8)
    assert turned.interval.lower == pytest.approx(-1000 * narrow.interval.upper, rel=1e-6)
    assert turned.p_value == pytest.approx(narrow.p_value, rel=1e-6)
    assert narrow.band is None
    assert "no band for single periods" in narrow.sentence


def test_coverage_in_a_stationary_world():
    # 400 draws, nominal 90 % (standard error 1.5 points): donors and treated unit share factors.
    rng = np.random.default_rng(1)
    panel = block_panel(n=7, t=75, n_post=15)
    loadings = rng.uniform(0.5, 1.5, (7, 2))
    covered = 0
    for _ in range(400):
        Y = loadings @ rng.normal(size=(2, 75)) + rng.normal(size=(7, 75))
        covered += 0.0 in assess(SyntheticControl().fit(panel.with_outcomes(Y))).interval
    assert covered / 400 == pytest.approx(0.9, abs=0.05)


def test_refusals_have_their_reason(prop99):
    assert "outcomes before treatment alone" in METHOD.why_not(SyntheticDID().fit(prop99))
    by_predictors = SyntheticControl(predictors=("packs_per_capita[1980..1988]",)).fit(prop99)
    assert "come from predictors" in METHOD.why_not(by_predictors)
    short = SyntheticControl().fit(block_panel(t=6, n_post=3))
    assert "at least 3 more periods" in METHOD.why_not(short)
    assert METHOD.why_not(SyntheticControl(fit_to="each").fit(block_panel(n_treated=3))) is None
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 8:] = True
    staggered = DifferenceInDifferences().fit(panel.reassign(W))
    assert "start in one period" in METHOD.why_not(staggered)
    with pytest.raises(ValueError, match="at least 2"):
        CrossFittedTTest(n_folds=1)


def test_no_spread_is_no_test():
    panel = block_panel()
    Y = np.tile(np.arange(15.0), (12, 1))
    with pytest.raises(NotApplicableError, match="no spread to judge by"):
        assess(DifferenceInDifferences().fit(panel.with_outcomes(Y)))
