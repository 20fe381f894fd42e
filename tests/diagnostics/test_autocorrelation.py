"""Errors that last: the correlation is right, and methods that mind are warned about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.diagnostics.autocorrelation import Autocorrelation, lag_one
from components.estimators import DifferenceInDifferences, SyntheticControlIntercept
from components.inference import (
    Conformal,
    CrossFittedTTest,
    JackknifePlus,
    PlaceboVariance,
    silent,
)
from components.simulation.coverage_designs import DESIGNS
from components.simulation.coverage_worlds import lasting_errors

DID, SCI = DifferenceInDifferences(), SyntheticControlIntercept()


def finding(rho, method, estimator=DID, seed=0):
    panel = replace(DESIGNS["few after"], rho=rho).draw(np.random.default_rng(seed))
    estimate = estimator.fit(panel)
    uncertainty = None
    if method is not None:
        uncertainty = method.assess(
            estimate, level=0.95, rng=np.random.default_rng(0), progress=silent
        )
    assert Autocorrelation().why_not(estimate) is None
    return Autocorrelation().examine(estimate, uncertainty, silent)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("length", [12, 40])
def test_the_correlation_is_free_of_the_bias_of_short_series(rho, length):
    errors = lasting_errors(np.random.default_rng(1), (6000, length), rho)
    assert lag_one(errors) == pytest.approx(rho, abs=0.04)


def test_holes_are_left_out():
    errors = lasting_errors(np.random.default_rng(2), (3000, 30), 0.5)
    errors[np.random.default_rng(3).random(errors.shape) < 0.2] = np.nan
    assert lag_one(errors) == pytest.approx(0.5, abs=0.05)
    assert np.isnan(lag_one(np.ones((3, 10))))
    assert np.isnan(lag_one(np.full((3, 10), np.nan)))
    alternating = np.full((2, 12), np.nan)
    alternating[:, ::2] = np.random.default_rng(0).normal(size=(2, 6))
    assert np.isnan(lag_one(alternating))


@pytest.mark.parametrize("method", [Conformal(), JackknifePlus()], ids=lambda m: m.card.key)
def test_methods_that_learn_from_periods_are_warned_about(method):
    strong = finding(0.9, method, SCI)
    assert strong.verdict == "bad"
    assert "placebo variance" in strong.advice
    assert finding(0.0, method, SCI).verdict == "good"


@pytest.mark.parametrize(
    "method", [PlaceboVariance(), CrossFittedTTest(), None], ids=["units", "blocks", "none"]
)
def test_methods_that_do_not_mind_are_not(method):
    found = finding(0.9, method)
    assert found.verdict == "good"
    assert found.advice == ""
    if method is not None:
        assert "does not mind" in found.sentence


def test_nothing_left_is_unknown():
    panel = DESIGNS["few after"].draw(np.random.default_rng(0))
    flat = np.add.outer(np.arange(12.0), np.arange(panel.shape[1]) % 3)
    estimate = DID.fit(panel.with_outcomes(flat))
    assert Autocorrelation().examine(estimate, None, silent).verdict == "unknown"
