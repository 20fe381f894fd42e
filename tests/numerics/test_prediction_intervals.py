"""The pieces of prediction intervals: each against a slow reference, and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from components.numerics.ball_programs import largest_in_ball
from components.numerics.prediction_intervals import (
    Fit,
    in_sample_draws,
    later_errors,
    regression_quantile,
)


def problem(seed, n_periods=8, n_donors=6, n_sets=3, n_directions=4):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n_periods, n_donors)) + rng.normal(size=(n_periods, 1)) * 3 + 20
    weights = rng.dirichlet(np.full(n_donors, 0.5))
    slack = np.where(weights < 0.05, 0.0, weights)
    centres = rng.normal(size=(n_sets, n_periods)) * rng.uniform(0.02, 0.4)
    directions = Z[:1] + rng.normal(size=(n_directions, n_donors))
    return Z, centres, slack, directions


def slowly(Z, g, slack, c):
    """Solve one program by SLSQP from several starts inside the simplex."""
    c = c - c.mean()
    best = 0.0
    for seed in range(4):
        start = np.random.default_rng(seed).dirichlet(np.ones(len(c))) * slack.sum() - slack
        found = minimize(
            lambda d: -c @ d,
            start * 1e-3 * seed,
            jac=lambda _: -c,
            bounds=[(-s, None) for s in slack],
            constraints=[
                {"type": "eq", "fun": np.sum, "jac": np.ones_like},
                {
                    "type": "ineq",
                    "fun": lambda d: g @ g - np.sum((Z @ d - g) ** 2),
                    "jac": lambda d: -2.0 * (Z @ d - g) @ Z,
                },
            ],
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-13},
        )
        allowed = np.sum((Z @ found.x - g) ** 2) <= g @ g * (1 + 1e-7) + 1e-12
        if allowed and abs(found.x.sum()) < 1e-9:
            best = max(best, c @ found.x)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_programs_equal_a_slow_solver(seed):
    Z, centres, slack, directions = problem(seed)
    values = largest_in_ball(Z, centres, slack, directions)
    for s, g in enumerate(centres):
        for k, c in enumerate(directions):
            assert values[s, k] == pytest.approx(slowly(Z, g, slack, c), rel=2e-5, abs=2e-6)


def test_a_large_ball_leaves_the_best_corner():
    Z, centres, slack, directions = problem(1)
    values = largest_in_ball(Z, centres * 1e6, slack, directions)
    toward = np.ones((len(centres), 1)) * (
        slack.sum() * directions.max(axis=1) - directions @ slack
    )
    # A corner is in the ball unless it lies on the other side of its centre.
    assert (values <= toward + 1e-9).all()
    assert np.isclose(values, toward).any()


@pytest.mark.parametrize("seed", range(4))
def test_more_donors_than_periods_equal_a_slow_solver(seed):
    Z, centres, slack, directions = problem(seed, 5, 18, 2, 2)
    values = largest_in_ball(Z, centres, slack, directions)
    for s, g in enumerate(centres):
        for k, c in enumerate(directions):
            assert values[s, k] == pytest.approx(slowly(Z, g, slack, c), rel=2e-5, abs=2e-6)


@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=25, deadline=None)
def test_programs_follow_scale_shift_and_order(seed, scale):
    Z, centres, slack, directions = problem(seed)
    values = largest_in_ball(Z, centres, slack, directions)
    shocks = np.random.default_rng(seed).normal(size=(len(Z), 1)) * 5
    order = np.random.default_rng(seed + 1).permutation(Z.shape[1])
    other = largest_in_ball(
        scale * (Z + shocks)[:, order], scale * centres, slack[order], scale * directions[:, order]
    )
    np.testing.assert_allclose(other, scale * values, rtol=1e-6, atol=1e-8 * scale)
    assert (values >= 0).all()


def test_no_room_is_no_uncertainty():
    Z, centres, slack, directions = problem(2)
    assert (largest_in_ball(Z, centres, 0.0 * slack, directions) == 0.0).all()
    assert (largest_in_ball(Z[:, :1], centres, slack[:1], directions[:, :1]) == 0.0).all()
    twins = np.repeat(Z[:, :1], 3, axis=1)
    assert (largest_in_ball(twins, centres, slack[:3], np.ones((1, 3))) == 0.0).all()


def test_twin_donors_and_no_noise_do_no_harm():
    Z, centres, slack, directions = problem(3)
    doubled = largest_in_ball(
        np.hstack([Z, Z]), centres, np.r_[slack, 0 * slack], np.hstack([directions, directions])
    )
    once = largest_in_ball(Z, centres, slack, directions)
    np.testing.assert_allclose(doubled, once, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(largest_in_ball(Z, 0 * centres, slack, directions), 0.0, atol=1e-4)


@pytest.mark.parametrize("tau", [0.25, 0.75])
def test_quantile_regression_is_optimal(tau):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(25, 2)), np.ones(25)])
    y = rng.standard_t(3, size=25)

    def loss(fitted):
        return np.sum(np.maximum(tau * (y - fitted), (tau - 1) * (y - fitted)))

    fitted = regression_quantile(X, y, tau, X)
    best = loss(X @ minimize(lambda b: loss(X @ b), np.zeros(3), method="Nelder-Mead").x)
    assert loss(fitted) <= best + 1e-9
    # An exact fit passes through as many points as it has coefficients.
    assert (np.abs(y - fitted) < 1e-9).sum() == 3


def test_quantile_without_regressors_is_the_sample_quantile():
    y = np.array([3.0, 1.0, 2.0, 10.0])
    later = np.ones((2, 1))
    # Both 1 and 2 minimise the loss at 0.25: the middle is taken, so that signs may be turned.
    assert regression_quantile(np.ones((4, 1)), y, 0.25, later).tolist() == [1.5, 1.5]
    assert regression_quantile(np.ones((4, 1)), -y, 0.75, later).tolist() == [-1.5, -1.5]


def fit(seed=0, n=30, n_donors=5, n_later=4, differences=True):
    rng = np.random.default_rng(seed)
    donors = rng.normal(size=(n + n_later, n_donors)).cumsum(axis=0) + 30
    weights = np.array([0.5, 0.3, 0.2, 0.0, 0.0])[:n_donors]
    residuals = rng.normal(size=n) * 0.2
    return Fit(donors[:n], donors[n:], residuals, weights, differences)


def test_mean_and_spread_by_hand():
    one = fit(differences=False)
    kept = one.kept
    X = np.column_stack([one.before[:, kept], np.ones(30)])
    later = np.column_stack([one.later[:, kept], np.ones(4)])
    mean, spread = later_errors(one)
    slopes = np.linalg.lstsq(X, one.residuals, rcond=None)[0]
    left = one.residuals - X @ slopes
    logs = np.exp(0.5 * later @ np.linalg.lstsq(X, np.log(left**2), rcond=None)[0])
    np.testing.assert_allclose(mean, later @ slopes, atol=1e-9)
    assert (spread <= logs * (1 + 1e-9)).all()
    assert (np.isclose(spread, logs) | (spread < logs)).all()


def test_few_periods_leave_a_constant():
    one = fit(n=12)
    before, later = one.designs()
    assert before.shape == (11, 1)
    assert later.shape == (4, 1)
    mean, spread = later_errors(one)
    np.testing.assert_allclose(mean, one.residuals[1:].mean())
    assert np.ptp(spread) == 0.0


def test_the_simulated_noise_has_the_spread_of_the_residuals():
    # With one direction that only two donors span, the bound is a ball's: 2 (Zd)'g / |Zd|^2.
    one = fit(n_donors=2)
    one = Fit(one.before, one.later, one.residuals, np.array([0.5, 0.5]), False)
    noise = np.random.default_rng(0).normal(size=(4000, 30)) * 1e-3
    _, upper = in_sample_draws(one, one.later[:1], noise)
    design, _ = one.designs()
    left = one.residuals - design @ np.linalg.lstsq(design, one.residuals, rcond=None)[0]
    way = one.before[:, 1] - one.before[:, 0]
    pull = 2 * (noise * np.abs(left) * np.sqrt(30 / 29)) @ way / (way @ way)
    gain = one.later[0, 0] - one.later[0, 1]
    np.testing.assert_allclose(upper[:, 0], np.maximum(gain * pull, 0.0), rtol=1e-5, atol=1e-9)
