"""Noise of the treated: against a slow reference, and where it warns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from components.diagnostics.noise import NoiseRatio
from components.diagnostics.unit_gaps import compare, jitter, unit_gaps, weighted_gaps, wobble
from components.estimators import (
    DifferenceInDifferences,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import (
    ConditionalVariance,
    CrossFittedTTest,
    PlaceboInSpace,
    PlaceboVariance,
    silent,
)
from components.panel import Panel
from components.simulation.coverage_designs import DESIGNS

DID, SC, SCI = DifferenceInDifferences(), SyntheticControl(), SyntheticControlIntercept()


def finding(panel, estimator, method):
    estimate = estimator.fit(panel)
    uncertainty = None
    if method is not None:
        uncertainty = method.assess(
            estimate, level=0.95, rng=np.random.default_rng(0), progress=silent
        )
    assert NoiseRatio().why_not(estimate) is None
    return NoiseRatio().examine(estimate, uncertainty, silent)


def noisier(times=4.0, seed=0):
    return replace(DESIGNS["noisier"], treated_noise=times).draw(np.random.default_rng(seed), 0.0)


@pytest.mark.parametrize("estimator", [DID, SC, SCI], ids=lambda e: e.card.key)
def test_gaps_equal_refits_one_by_one(estimator):
    panel = noisier()
    gaps = unit_gaps(estimator.fit(panel))
    n_pre, controls = panel.design.n_pre, np.flatnonzero(~panel.design.treated)
    for row in (controls[0], controls[7]):
        W = np.zeros(len(controls))
        W[np.flatnonzero(controls == row)[0]] = 1
        block = panel.take(controls)
        placebo = block.reassign(W[:, None] * (np.arange(panel.shape[1]) >= n_pre) > 0)
        expected = estimator.fit(placebo).paths["gap"].to_numpy()[:n_pre]
        if estimator is DID:  # the unit itself has a part in the fitted period effects there
            expected = expected * len(controls) / (len(controls) - 1)
        np.testing.assert_allclose(gaps[row], expected, atol=1e-6)
    own = estimator.fit(panel).paths["gap"].to_numpy()[:n_pre]
    if estimator is not DID:
        np.testing.assert_allclose(gaps[0], own, atol=1e-6)


def test_the_comparison_is_a_t_test():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=7), rng.normal(size=12)
    reference = ttest_ind(x, y)
    found = compare(x, y)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert found.df == 17
    assert found.reach() == pytest.approx(np.ptp(reference.confidence_interval()) / 2)
    assert compare(x[:1], y).df == 11
    assert compare(x, y[:3]) is None
    assert compare(x, np.ones(9)) is not None
    assert compare(np.ones(1), np.ones(9)) is None


def test_jitter_is_the_noise_whatever_drifts():
    rng = np.random.default_rng(3)
    noise = 2.0 * rng.standard_normal((200, 60))
    drifting = noise + np.linspace(0, 30, 60)
    for measure in (jitter, wobble):
        assert measure(drifting).mean() == pytest.approx(2.0, rel=0.06)
    line = np.polynomial.Polynomial.fit(np.arange(60), drifting[0], 1)(np.arange(60))
    assert wobble(drifting)[0] == pytest.approx(np.sqrt(np.square(drifting[0] - line).sum() / 58))
    drifting[:, 3:58] = np.nan
    assert np.isfinite(wobble(drifting)).all()
    assert np.isnan(wobble(drifting[:, 1:])).all()


def test_noisier_treated_unit_is_bad_for_methods_that_take_noise_as_equal():
    found = finding(noisier(), SyntheticDID(), PlaceboVariance())
    assert found.verdict == "bad"
    assert found.details["ratio"] == pytest.approx(4.0, rel=0.5)
    assert "too short" in found.sentence
    assert "given the unit" in found.advice
    assert finding(noisier(0.1), DID, PlaceboVariance()).verdict == "bad"
    assert "too long" in finding(noisier(0.1), DID, PlaceboVariance()).sentence


@pytest.mark.parametrize(
    "method",
    [
        PlaceboInSpace(),
        ConditionalVariance(given="unit"),
        CrossFittedTTest(),
    ],
    ids=lambda m: m.card.key,
)
def test_methods_with_the_units_own_noise_are_not_warned_about(method):
    found = finding(noisier(), DID, method)
    assert found.verdict == "good"
    assert "allows for that" in found.sentence


@pytest.mark.parametrize(
    "method",
    [PlaceboInSpace(statistic="gap"), ConditionalVariance(given="time"), None],
    ids=["gap", "time", "none"],
)
def test_methods_without_are(method):
    assert finding(noisier(), DID, method).verdict in {"bad", "caution"}


def test_equal_noise_is_good_and_any_assignment_will_do():
    panel = DESIGNS["three dates"].draw(np.random.default_rng(2))
    found = finding(panel, DID, None)
    assert found.verdict == "good"
    assert len(found.table) == 120
    assert "no sign" in found.sentence


def test_scale_and_shift_change_nothing():
    panel = noisier(2.0)
    other = panel.with_outcomes(100.0 + 1e6 * panel.Y)
    for estimator in (DID, SC):
        one, two = (finding(p, estimator, None).details for p in (panel, other))
        assert one["ratio"] == pytest.approx(two["ratio"], rel=1e-6)


def test_units_without_noise_are_unknown_and_few_units_refused():
    t = np.arange(20.0)
    Y = np.add.outer(np.arange(8.0), t)
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 15:] = True
    panel = Panel(Y=Y, W=W, units=pd.RangeIndex(8), periods=pd.RangeIndex(20))
    assert finding(panel, DID, None).verdict == "unknown"
    assert "never-treated" in NoiseRatio().why_not(DID.fit(panel.take(np.arange(5))))
    assert "periods before" in NoiseRatio().why_not(DID.fit(panel.window(np.arange(12, 20))))
    assert weighted_gaps(panel, intercept=True) == pytest.approx(0.0, abs=1e-6)
