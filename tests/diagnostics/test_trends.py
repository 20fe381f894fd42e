"""Trend before treatment: against slow references, and where it warns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from components.diagnostics.trends import Trends
from components.estimators import (
    DifferenceInDifferences,
    MatrixCompletion,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import silent
from components.numerics.slopes import lasting, slopes_of
from components.simulation.coverage_designs import DESIGNS

DID = DifferenceInDifferences()


def finding(panel, estimator=DID):
    estimate = estimator.fit(panel)
    assert Trends().why_not(estimate) is None
    return Trends().examine(estimate, None, silent)


def drawn(name, seed=0, effect=1.0, **changes):
    return replace(DESIGNS[name], **changes).draw(np.random.default_rng(seed), effect)


@pytest.mark.parametrize(
    "estimator",
    [DID, SyntheticControlIntercept(), SyntheticDID(), MatrixCompletion(penalty=0.02)],
    ids=lambda e: e.card.key,
)
def test_a_drifting_unit_is_bad(estimator):
    found = finding(drawn("drifting", treated_trend=0.3), estimator)
    assert found.verdict == "bad"
    # The weighted donors follow a part of it where they can.
    assert 0.1 < found.details["slope"] < 0.36
    assert found.advice


def test_the_slope_is_that_of_the_treated_less_the_others():
    panel = drawn("drifting", treated_trend=0.3)
    n_pre = panel.design.n_pre
    before = panel.Y[:, :n_pre]
    slopes = slopes_of(before, lasting(before[1:]))
    own, others = slopes[0], slopes[1:]
    found = finding(panel)
    # Controls are compared with the other controls, which takes nothing off on average.
    assert found.details["slope"] == pytest.approx(own - others.mean(), rel=1e-9)
    span = (n_pre + panel.design.n_post) / 2
    assert found.details["drift"] == pytest.approx(found.details["slope"] * span)


def test_units_that_start_at_different_dates():
    straight = finding(drawn("three dates"))
    assert straight.verdict in {"good", "unknown"}
    found = finding(drawn("three dates", treated_trend=0.3))
    assert found.verdict == "bad"
    assert found.details["slope"] == pytest.approx(0.3, abs=0.06)
    assert "leave out the dates" in found.advice


def test_one_date_is_the_same_either_way():
    panel = drawn("half", seed=3)
    dated = replace(DESIGNS["half"], dates=(4,)).draw(np.random.default_rng(3))
    assert finding(panel).details["slope"] == pytest.approx(finding(dated).details["slope"])


def test_what_could_not_be_seen_is_said():
    quiet = finding(drawn("half", seed=1, effect=0.0))
    assert quiet.verdict == "unknown"
    assert "could have gone unnoticed" in quiet.sentence
    large = finding(drawn("half", seed=1, effect=50.0))
    assert large.verdict == "good"
    assert "would have been noticed" in large.sentence
    assert large.advice == ""


def test_common_trends_change_nothing():
    panel = drawn("drifting")
    moved = panel.with_outcomes(panel.Y + 3.0 * np.arange(panel.shape[1]))
    assert finding(moved).details["p_value"] == pytest.approx(
        finding(panel).details["p_value"], abs=1e-8
    )


def test_treatment_that_ends_is_refused():
    panel = drawn("alike")
    W = panel.W.copy()
    W[0, -1] = False
    assert "ends again" in Trends().why_not(DID.fit(panel.reassign(W)))


def test_the_drift_of_a_half_is_seen_behind_weights():
    """20 donors and eight periods: weights could follow it, so the plain means are compared."""
    panel = drawn("drifting half", treated_trend=0.4)
    found = finding(panel, SyntheticDID())
    assert found.verdict == "caution"  # never bad: the weights may be right
    assert found.details["p_value"] < 0.001
    assert found.details["slope"] == finding(panel).details["slope"]
    assert "20 donors can follow such a drift over 8 periods" in found.sentence
    assert "earlier date" in found.advice
    # With more periods than donors the weights are taken at their word.
    longer = drawn("drifting half", treated_trend=0.4, n_pre=24)
    assert "can follow" not in finding(longer, SyntheticDID()).sentence
    assert "can follow" not in finding(drawn("drifting"), SyntheticDID()).sentence


def test_the_drift_of_a_half_is_found_nearly_as_often_as_it_can_be():
    """A 5 % test that knew the errors' covariance would find it in 94 % of panels, this in 93."""
    n, n_pre, rho, drift = 20, 8, 0.8, 0.2
    X = np.column_stack([np.ones(n_pre), np.arange(n_pre)])
    R = rho ** np.abs(np.subtract.outer(np.arange(n_pre), np.arange(n_pre)))
    error = np.sqrt(np.linalg.inv(X.T @ np.linalg.solve(R, X))[1, 1] * 2 / n)
    assert norm.sf(norm.ppf(0.975) - drift / error) == pytest.approx(0.94, abs=0.005)
    rng = np.random.default_rng(6)
    seen, alarms = (
        np.mean(
            [
                Trends().examine(SyntheticDID().fit(world.draw(rng, 0.0)), None, silent).verdict
                == "caution"
                for _ in range(200)
            ]
        )
        for world in (DESIGNS["drifting half"], DESIGNS["half"])
    )
    assert seen >= 0.87
    assert alarms <= 0.1
