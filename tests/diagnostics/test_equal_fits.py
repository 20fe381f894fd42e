"""Other weights that fit as well: the ends are the true ends, by two independent solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from components.diagnostics import Diagnostic
from components.diagnostics.equal_fits import EqualFits, equal_range, weights_table
from components.errors import SpecError
from components.estimators import ESTIMATORS
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.synthetic_control import SyntheticControl
from components.inference import silent
from components.inference.base import Interval, Uncertainty
from components.inference.placebo import PlaceboInSpace
from components.numerics.ball_programs import largest_in_ball
from components.numerics.equal_fits import highest_in_ball
from components.numerics.simplex import simplex_fit
from panels import block_panel

KEYS = ("sc", "sc_intercept", "sdid")


def slsqp(P, start, costs, radius):
    found = minimize(
        lambda w: -costs @ w,
        start,
        jac=lambda _: -costs,
        bounds=[(0.0, 1.0)] * len(costs),
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": lambda w: np.ones(len(w))},
            {
                "type": "ineq",
                "fun": lambda w: radius**2 - np.square(P @ w).sum(),
                "jac": lambda w: -2.0 * P.T @ (P @ w),
            },
        ],
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-14},
    )
    assert abs(found.x.sum() - 1.0) < 1e-9
    assert np.linalg.norm(P @ found.x) <= radius * (1.0 + 1e-9)
    return float(costs @ found.x)


@pytest.mark.parametrize("shape", [(14, 6), (8, 12), (5, 20)])
@pytest.mark.parametrize("margin", [0.01, 0.05, 0.5])
def test_the_ends_agree_with_slsqp_and_the_dual_gap_is_nothing(shape, margin):
    rng = np.random.default_rng(4)
    for _ in range(4):
        A, b = rng.normal(size=shape), rng.normal(2.0, 1.0, shape[0])
        best = simplex_fit(A, b).weights
        P, costs = A - b[:, None], rng.normal(3.0, 2.0, shape[1])
        radius = (1.0 + margin) * float(np.linalg.norm(P @ best))
        end = highest_in_ball(P, best, costs, radius)
        assert end.weights.min() >= 0.0
        assert end.weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert np.linalg.norm(P @ end.weights) <= radius * (1.0 + 1e-9)
        assert 0.0 <= end.gap <= 1e-8
        if np.linalg.norm(P[:, costs.argmax()]) <= radius:  # nothing in the simplex is higher
            assert end.value == pytest.approx(costs.max(), abs=1e-12)
        else:
            assert end.value == pytest.approx(slsqp(P, best, costs, radius), abs=2e-6)


def test_the_ends_agree_with_the_ball_programs_of_prediction_intervals():
    rng = np.random.default_rng(9)
    A, b = rng.normal(size=(9, 7)), rng.normal(2.0, 1.0, 9)
    best, costs = simplex_fit(A, b).weights, rng.normal(size=7)
    P = A - b[:, None]
    # Their ball has its own centre on its edge: start from weights that lie on the edge of ours.
    corner = np.eye(7)[int(np.square(P).sum(axis=0).argmax())]
    edge = best + 0.1 * (corner - best)
    radius = float(np.linalg.norm(P @ edge))
    other = float(costs @ edge) + largest_in_ball(A, -(P @ edge)[None], edge, costs[None])[0, 0]
    assert highest_in_ball(P, best, costs, radius).value == pytest.approx(other, abs=1e-8)


def test_a_ball_that_holds_the_best_corner_ends_there():
    rng = np.random.default_rng(1)
    P, costs = rng.normal(size=(6, 4)), np.array([1.0, 5.0, 2.0, 3.0])
    end = highest_in_ball(P, np.full(4, 0.25), costs, 100.0)
    np.testing.assert_array_equal(end.weights, [0, 1, 0, 0])
    assert end.value == 5.0


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("n_treated", [1, 2])
def test_the_range_holds_the_estimate_and_its_weights_give_its_ends(key, n_treated):
    panel = block_panel(seed=2, n=10, t=16, n_treated=n_treated)
    estimate = ESTIMATORS[key]().fit(panel)
    found = equal_range(estimate, 0.05)
    assert found.lowest <= estimate.att <= found.highest
    assert found.gap < 1e-8
    average = panel.Y[panel.design.treated].mean(axis=0)
    t0, own = panel.design.n_pre, estimate.unit_weights.to_numpy()
    controls = panel.Y[~panel.design.treated]

    def fit(weights):
        gap = (average - weights @ controls)[:t0]
        return np.linalg.norm(gap if key == "sc" else gap - gap.mean())

    for weights, path, effect in (
        (found.lowest_weights, found.lowest_path, found.lowest),
        (found.highest_weights, found.highest_path, found.highest),
    ):
        assert (average - path)[t0:].mean() == pytest.approx(effect, abs=1e-9)
        inside = 1.05 * fit(own) - fit(weights)
        assert inside == pytest.approx(0.0, abs=1e-6) or weights.max() == 1.0
        assert inside >= -1e-6


@pytest.mark.parametrize("key", KEYS)
def test_a_wider_margin_gives_a_wider_range_and_none_gives_the_estimate_of_sc(key):
    estimate = ESTIMATORS[key]().fit(block_panel(seed=2, n=10, t=16))
    ranges = [equal_range(estimate, margin) for margin in (0.0, 0.01, 0.1, 1.0)]
    widths = [found.highest - found.lowest for found in ranges]
    assert widths == sorted(widths)
    if key != "sdid":
        assert widths[0] < 1e-4 * widths[2] + 1e-6


def test_perfect_fits_are_compared_among_themselves():
    panel = block_panel(seed=5, n=20, t=9, n_post=4)
    Y = np.array(panel.Y)
    Y[0, :5] = Y[1:, :5].mean(axis=0)
    panel = panel.with_outcomes(Y)
    estimate = ESTIMATORS["sc"]().fit(panel)
    found = equal_range(estimate, 0.05)
    assert found.perfect
    assert found.highest - found.lowest > 0.1
    for weights in (found.lowest_weights, found.highest_weights):
        np.testing.assert_allclose(weights @ panel.Y[1:, :5], Y[0, :5], atol=1e-7)


def test_a_staggered_design_adds_its_cohorts_up():
    panel = block_panel(seed=6, n=12, t=14, n_treated=0)
    W = np.zeros(panel.shape, dtype=bool)
    W[0, 8:] = W[1:3, 10:] = True
    panel = panel.reassign(W)
    estimate = ESTIMATORS["sdid"]().fit(panel)
    found = equal_range(estimate, 0.05)
    shares = estimate.details["cohorts"]["share"].to_numpy()
    parts = []
    for cohort in panel.design.cohorts:
        keep = ~panel.design.treated
        keep[cohort.rows] = True
        parts.append(equal_range(ESTIMATORS["sdid"]().fit(panel.take(keep)), 0.05))
    assert found.lowest == pytest.approx(shares @ [part.lowest for part in parts])
    assert found.highest == pytest.approx(shares @ [part.highest for part in parts])
    assert found.lowest_path is None


def test_proposition_99(prop99):
    estimate = ESTIMATORS["sc"]().fit(prop99)
    finding = EqualFits().examine(estimate, None, silent)
    assert finding.verdict == "good"  # the range is narrow, though donors outnumber periods
    assert "38 donors and 19 periods" in finding.sentence
    found = finding.details["range"]
    treated = prop99.design.treated
    gaps = prop99.Y[~treated][:, :19].T - prop99.Y[treated][0, :19][:, None]
    costs = prop99.Y[~treated][:, 19:].mean(axis=1)
    own = estimate.unit_weights.to_numpy()
    radius = 1.05 * float(np.linalg.norm(gaps @ own))
    observed = prop99.Y[treated][0, 19:].mean()
    assert found.highest == pytest.approx(observed + slsqp(gaps, own, -costs, radius), abs=1e-3)
    assert found.lowest == pytest.approx(observed - slsqp(gaps, own, costs, radius), abs=1e-3)


def test_a_sign_that_rests_on_the_choice_is_bad():
    panel = block_panel(seed=3, n=24, t=9, n_post=4, effect=0.0)
    estimate = ESTIMATORS["sc"]().fit(panel)
    found = equal_range(estimate, 1.0)
    assert found.lowest < 0.0 < found.highest
    sure = Uncertainty(PlaceboInSpace(), 0.95, interval=Interval(0.1, 9.0, 0.95))
    assert EqualFits(1.0).examine(estimate, sure, silent).verdict == "bad"
    assert EqualFits(1.0).examine(estimate, None, silent).verdict == "caution"


def test_few_donors_that_decide_little_are_good():
    panel = block_panel(seed=2, n=5, t=40, n_post=5, effect=30.0)
    finding = EqualFits(0.01).examine(ESTIMATORS["sc"]().fit(panel), None, silent)
    assert finding.verdict == "good"
    assert finding.advice == ""


@pytest.mark.parametrize(
    "estimator",
    [
        ESTIMATORS["did"](),
        ESTIMATORS["mc"](),
        SyntheticControl(augment=True),
        SyntheticControlIntercept(weights="elastic_net", penalty=1.0),
    ],
    ids=lambda e: repr(e)[:30],
)
def test_methods_without_such_weights_are_refused_with_a_reason(estimator):
    estimate = estimator.fit(block_panel())
    assert EqualFits().why_not(estimate)


def test_it_is_a_diagnostic_and_its_table_is_sorted():
    assert isinstance(EqualFits(), Diagnostic)
    estimate = ESTIMATORS["sc"]().fit(block_panel())
    table = weights_table(estimate, equal_range(estimate, 0.05))
    assert table[["weight", "lowest", "highest"]].max(axis=1).is_monotonic_decreasing
    np.testing.assert_allclose(table[["weight", "lowest", "highest"]].sum(), 1.0)
    with pytest.raises(SpecError, match="margin"):
        EqualFits(-0.1)
