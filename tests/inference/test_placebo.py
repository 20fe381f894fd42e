"""Placebo in space: printed numbers, exactness, and one answer from p-value and interval."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from components.errors import NotApplicableError
from components.estimators import DifferenceInDifferences, SyntheticControl, SyntheticDID
from components.inference import PlaceboInSpace, silent
from panels import block_panel


def assess(estimate, method=None, level=0.95, seed=0):
    method = method or PlaceboInSpace()
    return method.assess(estimate, level=level, rng=np.random.default_rng(seed), progress=silent)


# METHODS B.1: outcome-only SC ranks third of 39 by each statistic (RMSPE ratio 12.44, behind
# Missouri 23.92 and Virginia 19.83).
@pytest.mark.parametrize("statistic", ["scaled_gap", "gap", "rmspe_ratio"])
def test_proposition_99_ranks_third_of_39(prop99, statistic):
    result = assess(SyntheticControl().fit(prop99), PlaceboInSpace(statistic=statistic))
    assert result.p_value == pytest.approx(3 / 39)
    assert result.smallest_p == pytest.approx(1 / 39)


def test_proposition_99_rmspe_ratios(prop99):
    result = assess(SyntheticControl().fit(prop99), PlaceboInSpace(statistic="rmspe_ratio"))
    top = result.details["ranking"].head(3)
    assert top["unit"].tolist() == ["Missouri", "Virginia", "California"]
    np.testing.assert_allclose(top["statistic"], [23.92, 19.83, 12.44], atol=0.006)
    assert result.interval is None


# METHODS B.1, enumerated placebo standard deviations over the 38 donors (deterministic).
@pytest.mark.parametrize(
    ("estimator", "sd"),
    [(DifferenceInDifferences(), 17.2868), (SyntheticControl(), 10.6330), (SyntheticDID(), 9.3712)],
)
def test_proposition_99_spread_of_all_placebos(prop99, estimator, sd):
    estimate = estimator.fit(prop99)
    assert assess(estimate).draws.std() == pytest.approx(sd, abs=0.01 if sd < 10 else 5e-4)


def test_placebo_gaps_equal_an_independent_refit(prop99):
    estimate = SyntheticControl().fit(prop99)
    gaps = assess(estimate, PlaceboInSpace(statistic="gap")).details["placebo_gaps"]
    controls = np.flatnonzero(~prop99.design.treated)
    for place in (0, 17, 37):
        own, rest = controls[place], np.delete(controls, place)
        A = (prop99.Y[rest, :19] - prop99.Y[own, :19]).T
        scale = np.abs(A).max()
        raw, _ = nnls(np.vstack([A, np.full(len(rest), scale)]), np.r_[np.zeros(19), scale])
        expected = prop99.Y[own] - raw / raw.sum() @ prop99.Y[rest]
        np.testing.assert_allclose(gaps.to_numpy()[place], expected, atol=1e-6)


def test_a_placebo_never_serves_as_its_own_donor_and_the_treated_unit_never_serves(prop99):
    Y = prop99.Y.copy()
    Y[prop99.design.treated] += 1e6
    estimate = SyntheticControl().fit(prop99)
    moved = SyntheticControl().fit(prop99.with_outcomes(Y))
    raw = PlaceboInSpace(statistic="gap")
    one, other = (assess(each, raw).details["placebo_gaps"] for each in (estimate, moved))
    np.testing.assert_allclose(one, other, atol=1e-8)
    assert (np.abs(one.to_numpy()).max(axis=1) > 1e-6).all()


def test_groups_of_two_are_enumerated():
    panel = block_panel(n=8, n_treated=2)
    result = assess(DifferenceInDifferences().fit(panel))
    controls = np.flatnonzero(~panel.design.treated)
    expected = []
    for pair in combinations(controls, 2):
        rest = np.setdiff1d(controls, pair)
        gap = panel.Y[list(pair)].mean(axis=0) - panel.Y[rest].mean(axis=0)
        expected.append(gap[10:].mean() - gap[:10].mean())
    np.testing.assert_allclose(np.sort(result.draws), np.sort(expected), atol=1e-10)
    assert result.smallest_p == pytest.approx(1 / 16)


def test_random_groups_are_the_same_for_the_same_seed_and_say_their_error():
    panel = block_panel(n=24, n_treated=6)
    estimate = DifferenceInDifferences().fit(panel)
    one, same, other = (assess(estimate, seed=seed) for seed in (1, 1, 2))
    assert one.draws.tobytes() == same.draws.tobytes()
    assert one.draws.tobytes() != other.draws.tobytes()
    assert any("Monte Carlo error" in note for note in one.notes)


def test_the_band_is_as_wide_as_the_widest_placebo_that_is_drawn(prop99):
    estimate = SyntheticControl().fit(prop99)
    result = assess(estimate)
    drawn = result.details["placebo_gaps"].to_numpy()[:, 19:]
    half = (result.band.upper - result.band.lower).to_numpy() / 2
    np.testing.assert_allclose(half, np.abs(drawn).max(axis=0), rtol=1e-9)


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(4, 40),
    effect=st.floats(-3, 3),
    level=st.sampled_from([0.8, 0.9, 0.95]),
    statistic=st.sampled_from(["scaled_gap", "gap"]),
)
@settings(max_examples=60, deadline=None)
def test_interval_excludes_zero_exactly_when_p_is_small(seed, n, effect, level, statistic):
    estimate = DifferenceInDifferences().fit(block_panel(seed, n=n, effect=effect))
    result = assess(estimate, PlaceboInSpace(statistic=statistic), level)
    rejected = result.p_value <= 1 - level + 1e-9
    if result.interval is None:
        assert not rejected
        assert any("there is no" in note for note in result.notes)
    else:
        assert rejected == (0.0 not in result.interval)
        assert estimate.att in result.interval


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_levels_nest_and_follow_a_change_of_units(seed):
    panel = block_panel(seed, n=30)
    estimate = DifferenceInDifferences().fit(panel)
    narrow, wide = assess(estimate, level=0.8), assess(estimate, level=0.95)
    assert wide.interval.lower <= narrow.interval.lower
    assert narrow.interval.upper <= wide.interval.upper
    assert (wide.band.upper >= narrow.band.upper - 1e-12).all()
    scaled = DifferenceInDifferences().fit(panel.with_outcomes(7 - 1000 * panel.Y))
    turned = assess(scaled, level=0.8).interval
    assert turned.lower == pytest.approx(-1000 * narrow.interval.upper, rel=1e-6)
    assert turned.upper == pytest.approx(-1000 * narrow.interval.lower, rel=1e-6)


def test_too_few_placebos_for_the_level_is_said():
    result = assess(DifferenceInDifferences().fit(block_panel(n=8)), level=0.95)
    assert result.interval is None
    assert result.band is None
    assert "7 placebos give p-values of at least 0.125" in result.notes[0]


def test_filter_by_fit_counts_what_it_leaves_out(prop99):
    estimate = SyntheticControl().fit(prop99)
    result = assess(estimate, PlaceboInSpace(max_mspe_ratio=5.0))
    fits = assess(estimate).details["ranking"].query("not treated")["pre_rmspe"]
    left_out = int((fits**2 > 5 * estimate.pre_rmspe**2).sum())
    assert len(result.draws) == 38 - left_out
    assert result.notes == (f"{left_out} placebos were left out for their fit before treatment.",)


def test_a_filter_that_leaves_nothing_is_refused(prop99):
    with pytest.raises(NotApplicableError, match="No placebo fits"):
        assess(SyntheticControl().fit(prop99), PlaceboInSpace(max_mspe_ratio=1e-6))


def test_a_staggered_design_is_refused_with_the_reason():
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 8:] = True
    reason = PlaceboInSpace().why_not(DifferenceInDifferences().fit(panel.reassign(W)))
    assert "start in one period" in reason


def test_the_rank_is_exact_when_units_are_exchangeable():
    # 20 exchangeable units, no effect: the chance of p <= 0.1 is 2/20. 1500 draws: sd 0.0077.
    rng = np.random.default_rng(5)
    rejected = 0
    panel = block_panel(n=20, t=8, n_post=2)
    for _ in range(1500):
        estimate = DifferenceInDifferences().fit(panel.with_outcomes(rng.normal(size=(20, 8))))
        rejected += assess(estimate).p_value <= 0.1 + 1e-9
    assert rejected / 1500 == pytest.approx(0.1, abs=0.025)
