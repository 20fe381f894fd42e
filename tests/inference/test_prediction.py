"""Prediction intervals: scpi's published numbers, and one answer at every level."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from components.estimators import DifferenceInDifferences, SyntheticControl, SyntheticDID
from components.inference import silent
from components.inference.prediction import PredictionIntervals
from components.numerics.prediction_intervals import Fit, in_sample_draws
from components.panel import Panel
from conftest import ROOT
from panels import block_panel


def assess(estimate, method=None, level=0.9, seed=0):
    method = method or PredictionIntervals(spread="published")
    return method.assess(estimate, level=level, rng=np.random.default_rng(seed), progress=silent)


@pytest.fixture(scope="module")
def germany(published):
    table = published("german_reunification.csv")
    table["gdp"] /= 1000
    table["treated"] = ((table["country"] == "West Germany") & (table["year"] > 1990)).astype(int)
    panel = Panel.from_long(table, unit="country", time="year", outcome="gdp", treatment="treated")
    return SyntheticControl().fit(panel)


# scpi_pkg 4.0.0 on Germany in thousand USD, fitted 1960-90, cointegrated, 200 simulations with
# seed 8894, 95 % for either part (90 % together).
def test_germany_as_scpi(germany):
    result = assess(germany, PredictionIntervals(n_draws=1000, spread="published"))
    table = result.details["prediction"]
    assert result.details["rho"] == pytest.approx(0.07164, abs=2e-5)
    assert table.loc[1991, "counterfactual"] == pytest.approx(21.1002, abs=5e-5)
    assert table.loc[1997, "counterfactual"] == pytest.approx(26.0043, abs=5e-5)
    assert table.loc[2003, "counterfactual"] == pytest.approx(32.3202, abs=5e-5)
    inner = table[["in_sample_lower", "in_sample_upper"]].add(table["counterfactual"], axis=0)
    np.testing.assert_allclose(inner.loc[1991], [20.660, 21.685], atol=0.15)
    total = table[["lower", "upper"]]
    np.testing.assert_allclose(total.loc[1991], [19.928, 22.213], atol=0.15)
    np.testing.assert_allclose(total.loc[1997], [24.749, 27.075], atol=0.15)
    np.testing.assert_allclose(total.loc[2003, "lower"], 30.041, atol=0.15)


# Where quantiles of 200 draws scatter by more than 0.1, as in 2003, the very draws of that run
# are used: G = Sigma^(1/2) z with z from numpy's old generator.
def test_germany_with_the_draws_of_scpi(germany):
    panel, weights = germany.panel, germany.unit_weights.to_numpy()
    donors = panel.Y[~panel.design.treated].T
    gap = germany.paths["gap"].to_numpy()
    fit = Fit(donors[:31], donors[31:], gap[:31], weights, differences=True)
    design, Z = fit.designs()[0], fit.before[1:]
    left = gap[1:31] - design @ np.linalg.lstsq(design, gap[1:31], rcond=None)[0]
    scale = np.abs(left) * np.sqrt(30 / (30 - 5))
    root = sqrtm((Z.T * scale**2) @ Z / 30**2).real
    G = root @ np.random.RandomState(8894).normal(size=(16, 200))
    noise = np.linalg.lstsq(Z.T, 30 * G, rcond=None)[0].T / scale
    lower, upper = in_sample_draws(fit, fit.later, noise)
    own = germany.paths["counterfactual"].to_numpy()[31:]
    ends = np.column_stack(
        [own + np.quantile(lower, 0.025, axis=0), own + np.quantile(upper, 0.975, axis=0)]
    )
    np.testing.assert_allclose(ends[0], [20.660, 21.685], atol=1.5e-3)
    np.testing.assert_allclose(ends[12], [30.037, 33.967], atol=1.5e-3)


def test_the_out_of_sample_part_of_germany_has_no_monte_carlo_error(germany):
    # The same run of scpi_pkg: total less in-sample bounds, in 1991 and 2000.
    table = assess(germany).details["prediction"]
    outer = table[["out_of_sample_lower", "out_of_sample_upper"]]
    np.testing.assert_allclose(outer.loc[1991], [-0.73149, 0.52747], atol=2e-4)
    np.testing.assert_allclose(outer.loc[2000], [-0.58785, 0.39508], atol=2e-4)


# scpi_pkg 4.0.0 on Proposition 99, in levels, seed 8894, 200 simulations; the ends of ours with
# 1000 draws against its 200 (standard error of a 2.5 % quantile there: about 0.5).
def test_proposition_99_as_scpi(prop99):
    method = PredictionIntervals(n_draws=1000, differences=False, spread="published")
    table = assess(SyntheticControl().fit(prop99), method).details["prediction"]
    inner = table[["in_sample_lower", "in_sample_upper"]].add(table["counterfactual"], axis=0)
    np.testing.assert_allclose(inner.loc[1989], [85.351, 97.832], atol=1.5)
    np.testing.assert_allclose(inner.loc[2000], [56.762, 71.543], atol=1.5)
    outer = table[["out_of_sample_lower", "out_of_sample_upper"]]
    np.testing.assert_allclose(outer.loc[1989], [-5.276212, 4.348754], rtol=2e-3)
    np.testing.assert_allclose(outer.loc[2000], [-9.787846, 13.920325], rtol=2e-3)


def test_band_is_the_outcome_less_the_prediction(germany):
    result = assess(germany)
    table, observed = result.details["prediction"], germany.paths["observed"]
    np.testing.assert_allclose(result.band.upper, (observed - table["lower"]).dropna())
    np.testing.assert_allclose(result.band.lower, (observed - table["upper"]).dropna())


def test_average_of_one_period_is_that_period(prop99):
    estimate = SyntheticControl().fit(prop99.window(np.arange(20)))
    result = assess(estimate)
    assert result.interval.lower == pytest.approx(result.band.lower.iloc[0])
    assert result.interval.upper == pytest.approx(result.band.upper.iloc[0])


def test_the_simultaneous_band_is_wider(germany):
    one, all_ = (assess(germany, PredictionIntervals(simultaneous=s)) for s in (False, True))
    assert all_.band.simultaneous
    assert "simultaneous" in all_.sentence
    assert "pointwise" in one.sentence
    assert (all_.band.lower <= one.band.lower + 1e-12).all()
    assert (all_.band.upper >= one.band.upper - 1e-12).all()
    table = all_.details["prediction"]
    assert np.ptp(table["in_sample_lower"]) == 0.0
    single = one.details["prediction"]
    wide, narrow = (
        (each["out_of_sample_upper"] - each["out_of_sample_lower"]) for each in (table, single)
    )
    np.testing.assert_allclose(wide / narrow, np.sqrt(np.log(14)), rtol=1e-9)


@given(
    seed=st.integers(0, 10_000),
    effect=st.floats(-6, 6),
    level=st.sampled_from([0.8, 0.9, 0.95]),
    differences=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_interval_excludes_zero_exactly_when_p_is_small(seed, effect, level, differences):
    estimate = SyntheticControl().fit(block_panel(seed, t=25, effect=effect))
    method = PredictionIntervals(n_draws=80, differences=differences)
    if method.why_not(estimate) is not None:
        return
    result = assess(estimate, method, level)
    assert (result.p_value <= 1 - level) == (0.0 not in result.interval)
    assert result.p_value >= result.smallest_p
    if estimate.att not in result.interval:
        assert any("average estimate lies outside" in note for note in result.notes)
    gap = estimate.paths["gap"].iloc[20:]
    if ((gap < result.band.lower) | (gap > result.band.upper)).any():
        assert any("outside its band" in note for note in result.notes)


def test_p_value_is_where_the_interval_reaches_zero():
    estimate = SyntheticControl().fit(block_panel(3, t=25, effect=1.0))
    p_value = assess(estimate).p_value
    assert 4 / 201 < p_value < 1
    assert 0.0 not in assess(estimate, level=1 - p_value - 1e-9).interval
    assert 0.0 in assess(estimate, level=1 - p_value + 1e-9).interval


def test_levels_nest_and_follow_a_change_of_units():
    panel = block_panel(7, n=9, t=28)
    estimate = SyntheticControl().fit(panel)
    narrow, wide = assess(estimate, level=0.8), assess(estimate, level=0.95)
    assert wide.interval.lower <= narrow.interval.lower
    assert narrow.interval.upper <= wide.interval.upper
    assert (wide.band.upper >= narrow.band.upper).all()
    scaled = SyntheticControl().fit(panel.with_outcomes(7 + 1000 * panel.Y))
    moved = assess(scaled, level=0.8)
    assert moved.p_value == pytest.approx(narrow.p_value, rel=1e-5)
    for now, then in ((moved.interval, narrow.interval), (moved.band, narrow.band)):
        np.testing.assert_allclose(now.lower, 1000 * np.asarray(then.lower), rtol=1e-5)
        np.testing.assert_allclose(now.upper, 1000 * np.asarray(then.upper), rtol=1e-5)


def test_turning_the_sign_turns_the_interval():
    # The draws turn as well, so the ends swap up to Monte Carlo error alone.
    panel = block_panel(7, n=9, t=28)
    method = PredictionIntervals(n_draws=3000, spread="published")
    one = assess(SyntheticControl().fit(panel), method).interval
    other = assess(SyntheticControl().fit(panel.with_outcomes(-panel.Y)), method).interval
    width = one.upper - one.lower
    assert other.lower == pytest.approx(-one.upper, abs=0.05 * width)
    assert other.upper == pytest.approx(-one.lower, abs=0.05 * width)


def digest():
    estimate = SyntheticControl().fit(block_panel(7, n=9, t=28))
    result = assess(estimate, seed=5)
    return hashlib.sha256(result.details["prediction"].to_numpy().tobytes()).hexdigest()


def test_same_seed_same_bits_in_another_process():
    code = (
        "import sys; sys.path[:0] = ['tests', '.', 'tests/inference']\n"
        "import test_prediction; print(test_prediction.digest())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == digest()
    other = assess(SyntheticControl().fit(block_panel(7, n=9, t=28)), seed=6)
    assert hashlib.sha256(other.details["prediction"].to_numpy().tobytes()).hexdigest() != digest()


def test_too_few_draws_for_the_level_are_said(germany):
    result = assess(germany, PredictionIntervals(n_draws=60), level=0.95)
    assert result.interval is None
    assert result.band is None
    assert "60 draws reach levels of at most 93.4%" in result.notes[0]
    assert result.p_value >= result.smallest_p == 4 / 61


def test_weights_that_all_count_as_known_are_named():
    panel = block_panel(0, n=15, t=20)
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(15, 20))
    Y[0] = Y[1:].mean(axis=0) + 0.1 * rng.normal(size=20)
    estimate = SyntheticControl().fit(panel.with_outcomes(Y))
    assert estimate.unit_weights.max() < 0.2
    result = assess(estimate)
    assert any("takes all weights as known" in note for note in result.notes)


def test_refusals_have_their_reason(prop99):
    method = PredictionIntervals()
    assert "not for Synthetic DID" in method.why_not(SyntheticDID().fit(prop99))
    assert "not for Difference" in method.why_not(DifferenceInDifferences().fit(prop99))
    penalized = SyntheticControl(pairwise_penalty=0.1).fit(prop99)
    assert "without predictors, penalty" in method.why_not(penalized)
    assert method.why_not(SyntheticControl(fit_to="each").fit(prop99)) is None
    two = SyntheticControl(fit_to="each").fit(block_panel(n_treated=2))
    assert "average of the treated" in method.why_not(two)
    short = SyntheticControl().fit(block_panel(t=8, n_post=4))
    assert "at least 5 periods before treatment, and there are 4" in method.why_not(short)
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 8:] = True
    staggered = SyntheticControl().fit(panel.reassign(W))
    assert "start in one period" in method.why_not(staggered)
    panel = block_panel(n=6, t=12)
    Y = panel.Y.copy()
    Y[0] = 0.4 * Y[1] + 0.6 * Y[2]
    exact = SyntheticControl().fit(panel.with_outcomes(Y))
    assert "exactly before treatment" in method.why_not(exact)
    with pytest.raises(ValueError, match="at least 20"):
        PredictionIntervals(n_draws=5)


def test_coverage_of_a_nominal_90_percent():
    # 150 draws of a stationary factor world without effect; the level is a lower bound, so at
    # least 90 % should be covered (two standard errors below is 85 %).
    rng = np.random.default_rng(4)
    panel = block_panel(n=8, t=40, n_post=2)
    loadings = np.vstack([np.full((1, 2), 1.0), rng.uniform(0.2, 1.8, (7, 2))])
    method = PredictionIntervals(n_draws=60, differences=False)
    covered = band = 0
    for _ in range(150):
        Y = loadings @ rng.normal(size=(2, 40)) + 0.5 * rng.normal(size=(8, 40))
        result = assess(SyntheticControl().fit(panel.with_outcomes(Y)), method)
        covered += 0.0 in result.interval
        band += result.band.lower.iloc[0] <= 0.0 <= result.band.upper.iloc[0]
    assert covered / 150 >= 0.85
    assert band / 150 >= 0.85


def test_what_the_interval_for_an_average_takes_is_said():
    several = SyntheticControl().fit(block_panel(seed=2, n=10, t=30, n_post=4))
    assert any(n.startswith("The interval for the average") for n in assess(several).notes)
    one = SyntheticControl().fit(block_panel(seed=2, n=10, t=30, n_post=1))
    assert not any(n.startswith("The interval for the average") for n in assess(one).notes)
