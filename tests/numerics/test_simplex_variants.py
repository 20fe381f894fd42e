"""The variants: a price on each donor, early stopping, ridge correction, elastic net, V."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from components.numerics.augmentation import augmented_weights, choose_ridge, ridge_grid
from components.numerics.elastic_net import choose_elastic_net, elastic_net
from components.numerics.predictor_weights import choose_predictor_weights
from components.numerics.simplex import simplex_fit, simplex_least_squares
from components.numerics.simplex_frank_wolfe import frank_wolfe
from components.numerics.simplex_penalized import choose_penalty, penalized_fit


def world(n=12, t=15, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(t, n)).cumsum(axis=0) + rng.normal(0, 1, n)
    return A, A @ rng.dirichlet(np.ones(n)) + rng.normal(0, 0.5, t)


def penalized_objective(A, b, penalty, w):
    prices = np.square(A - b[:, None]).sum(axis=0)
    return np.square(b - A @ w).sum() + penalty * prices @ w


@pytest.mark.parametrize("penalty", [1e-4, 0.01, 0.3, 5.0])
@pytest.mark.parametrize(("n", "t"), [(10, 15), (30, 4), (40, 2)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_penalized_weights_are_optimal(n, t, penalty, scale):
    A, b = world(n, t)
    fit = penalized_fit(scale * A, scale * b, penalty)
    assert fit.converged
    assert fit.weights.sum() == pytest.approx(1.0)
    prices = np.square(A - b[:, None]).sum(axis=0)
    slope = 2 * A.T @ (A @ fit.weights - b) + penalty * prices
    gap = slope @ fit.weights - slope.min()
    assert gap <= 1e-8 * penalized_objective(A, b, penalty, fit.weights)
    # Abadie and L'Hour (2021), theorem 1: at most one more donor than there are predictors.
    assert (fit.weights > 0).sum() <= t + 1


def test_penalty_goes_from_synthetic_control_to_the_nearest_donor():
    A, b = world()
    free, _ = simplex_least_squares(A, b)
    np.testing.assert_allclose(penalized_fit(A, b, 0.0).weights, free)
    np.testing.assert_allclose(penalized_fit(A, b, 1e-10).weights, free, atol=1e-6)
    nearest = np.square(A - b[:, None]).sum(axis=0).argmin()
    assert penalized_fit(A, b, 1e6).weights[nearest] == pytest.approx(1.0)


def test_penalty_is_chosen_by_predicting_donors():
    A, _ = world(10, 20)
    penalty, errors = choose_penalty(A.T[:, :15], A.T[:, 15:])
    by_hand = []
    for j in range(10):
        w = penalized_fit(np.delete(A[:15], j, 1), A[:15, j], penalty).weights
        by_hand.append(np.square(A[15:, j] - np.delete(A[15:], j, 1) @ w).mean())
    assert errors.min() == pytest.approx(np.mean(by_hand))


def test_frank_wolfe_comes_near_the_optimum_and_stays_above_it():
    A, b = world(20, 30)
    exact, _ = simplex_least_squares(A, b, 30 * 0.3**2, intercept=True)
    early = frank_wolfe(A, b, 0.3, 1e-5, intercept=True)

    def value(w):
        gap = (A @ w - b) - (A @ w - b).mean()
        return gap @ gap + 30 * 0.3**2 * (w @ w)

    assert early.sum() == pytest.approx(1.0)
    assert value(exact) <= value(early) <= 1.01 * value(exact)


def test_ridge_correction_by_its_formula():
    A, b = world()
    before = A.T
    w, _ = simplex_least_squares(A, b)
    X = before - before.mean(axis=0)
    for ridge in (1e-3, 1.0, 1e3):
        change = X @ np.linalg.solve(X.T @ X + ridge * np.eye(15), b - w @ before)
        moved = augmented_weights(before, b, w, ridge)
        np.testing.assert_allclose(moved, w + change, atol=1e-9)
        assert moved.sum() == pytest.approx(1.0)


def test_ridge_correction_between_its_ends():
    A, b = world(30, 6)
    before = A.T
    w, _ = simplex_least_squares(A, b + 3.0)
    np.testing.assert_allclose(augmented_weights(before, b + 3.0, w, 1e12), w, atol=1e-9)
    perfect = augmented_weights(before, b + 3.0, w, 1e-12)
    np.testing.assert_allclose(perfect @ before, b + 3.0, atol=1e-8)
    ridge, ridges, errors = choose_ridge(before, b + 3.0)
    np.testing.assert_array_equal(ridges, ridge_grid(before))
    assert ridge >= ridges[errors.argmin()]


@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_elastic_net_is_optimal(mix, penalty):
    A, b = world(8, 25)
    w, converged = elastic_net(A, b, penalty, mix)
    assert converged
    X, y = A - A.mean(axis=0), b - b.mean()

    def value(halves):
        v = halves[:8] - halves[8:]
        fit = np.square(y - X @ v).sum()
        return fit + penalty * ((1 - mix) / 2 * v @ v + mix * halves.sum())

    other = minimize(value, np.zeros(16), bounds=[(0, None)] * 16, method="L-BFGS-B")
    mine = value(np.concatenate([np.maximum(w, 0), np.maximum(-w, 0)]))
    assert mine <= other.fun * (1 + 1e-9)


def test_elastic_net_is_tuned_on_donors():
    A, _ = world(10, 24)
    penalty, mix, errors = choose_elastic_net(A.T[:, :18], A.T[:, 18:])
    by_hand = []
    level = A[:18].mean(axis=0)
    for j in range(10):
        others = np.delete(A, j, 1)
        w, _ = elastic_net(others[:18], A[:18, j], penalty, mix)
        gap = (A[18:, j] - level[j]) - (others[18:] - np.delete(level, j)) @ w
        by_hand.append(np.square(gap).mean())
    assert errors.min() == pytest.approx(np.mean(by_hand), rel=1e-2)


def test_predictor_search_finds_the_predictor_that_matters():
    rng = np.random.default_rng(0)
    loading = rng.normal(size=20)
    noise = rng.normal(size=(3, 20))
    X = np.vstack([loading, noise])
    Z = np.outer(np.linspace(1, 3, 12), loading)
    found = choose_predictor_weights(X[:, 1:], X[:, 0], Z[:, 1:], Z[:, 0])
    assert found.loss == pytest.approx(0.0, abs=1e-6)
    assert found.bound <= found.loss + 1e-12
    assert len(found.starts) == 2 + 4 + 8


def test_predictor_loss_lies_between_its_bound_and_equal_weights():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4, 15))
    Z = rng.normal(size=(10, 15)) + rng.normal(size=(10, 4)) @ X
    found = choose_predictor_weights(X[:, 1:], X[:, 0], Z[:, 1:], Z[:, 0])
    equal = simplex_fit(X[:, 1:], X[:, 0]).weights
    assert found.bound <= found.loss <= np.square(Z[:, 0] - Z[:, 1:] @ equal).mean()
    assert found.v.sum() == pytest.approx(1.0)
