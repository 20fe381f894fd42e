"""Reach of the donors: distance to their hull, and where it warns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from components.diagnostics.support import Reach
from components.estimators import (
    DifferenceInDifferences,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import silent
from components.simulation.coverage_designs import DESIGNS

SC, SCI = SyntheticControl(), SyntheticControlIntercept()


def finding(panel, estimator=SC):
    estimate = estimator.fit(panel)
    assert Reach().why_not(estimate) is None
    return Reach().examine(estimate, None, silent)


def outside(level=5.0, seed=0):
    world = replace(DESIGNS["outside"], treated_level=level)
    return world.draw(np.random.default_rng(seed), 0.0)


def test_the_distance_is_that_to_the_hull():
    panel = outside(1.0)
    n_pre = panel.design.n_pre
    target, donors = panel.Y[0, :n_pre], panel.Y[1:, :n_pre]

    def loss(z):
        weights = np.exp(z - z.max())
        return np.square(target - weights @ donors / weights.sum()).mean()

    best = minimize(loss, np.zeros(len(donors)), method="BFGS", options={"maxiter": 3000}).fun
    table = finding(panel).table
    assert table["distance"].iloc[0] == pytest.approx(np.sqrt(best), rel=1e-3)


def test_a_unit_above_all_donors_is_out_of_reach():
    found = finding(outside())
    assert found.verdict == "bad"
    assert found.details["beyond_all_donors"] > 0.9
    assert "beyond every single donor" in found.sentence
    assert "with intercept" in found.advice


def test_with_an_intercept_levels_do_not_matter():
    for estimator in (SCI, SyntheticDID()):
        assert finding(outside(), estimator).verdict == "good"


def test_a_path_that_no_donor_has_is_out_of_reach_for_all():
    panel = outside(0.0)
    wave = np.zeros(panel.shape)
    wave[0] = 8.0 * np.sin(np.arange(panel.shape[1]) / 5.0)
    odd = panel.with_outcomes(panel.Y + wave)
    for estimator in (SC, SCI):
        found = finding(odd, estimator)
        assert found.verdict == "bad"
        assert "matrix completion" in found.advice


def test_noise_alone_is_no_distance():
    panel = replace(DESIGNS["noisier"], treated_noise=5.0).draw(np.random.default_rng(1), 0.0)
    assert finding(panel, SCI).verdict == "good"


def test_a_unit_inside_the_hull_is_reached():
    panel = DESIGNS["long"].draw(np.random.default_rng(0))
    found = finding(panel)
    assert found.verdict == "good"
    exact = panel.Y.copy()
    exact[0] = exact[1:4].mean(axis=0)
    assert finding(panel.with_outcomes(exact)).details["ratio"] == 0.0


def test_several_treated_units_are_taken_by_their_middle_one():
    world = replace(DESIGNS["outside"], n_treated=3)
    found = finding(world.draw(np.random.default_rng(0)))
    assert found.verdict in {"bad", "caution"}
    assert "3 treated units" in found.sentence


def test_where_it_does_not_apply_it_says_so():
    dated = DESIGNS["three dates"].draw(np.random.default_rng(0))
    assert "start in one period" in Reach().why_not(SCI.fit(dated))
    assert "parallel" in Reach().why_not(DifferenceInDifferences().fit(outside()))


def test_scale_and_shift_change_nothing():
    panel = outside(1.0)
    other = panel.with_outcomes(7.0 + 1e-6 * panel.Y)
    one, two = finding(panel), finding(other)
    assert one.details["ratio"] == pytest.approx(two.details["ratio"], rel=1e-5)
    assert one.verdict == two.verdict


def test_of_many_units_some_are_compared():
    world = replace(DESIGNS["outside"], n_units=260, n_pre=12)
    found = finding(world.draw(np.random.default_rng(0)))
    assert found.verdict in {"bad", "caution"}
    assert found.table["distance"].notna().sum() == 201
