from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from components.numerics.simplex import simplex_fit, simplex_least_squares
from reference_solvers import duality_gap, objective, projected_gradient

SHAPES = ("generic", "collinear", "duplicated", "constant", "walk", "inside", "trend", "outlier")


def problem(shape, rows, donors, seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rows, donors))
    b = A.mean(axis=1) + rng.normal(size=rows)
    if shape == "collinear":
        A = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, donors))
    elif shape == "duplicated":
        A[:, donors // 2 :] = A[:, : donors - donors // 2]
    elif shape == "constant":
        A[:] = rng.normal(size=(1, donors))
    elif shape == "walk":
        A, b = A.cumsum(axis=0), b.cumsum()
    elif shape == "inside":
        b = A @ rng.dirichlet(np.ones(donors))
    elif shape == "trend":
        A += 50.0 * np.arange(rows)[:, None]
        b += 50.0 * np.arange(rows)
    elif shape == "outlier":
        A[:, 0] += 1e4
    return A, b


def floor(A, b):
    """What rounding of the data can do to the objective."""
    size = np.abs(A - b[:, None]).max() + 1e-3 * np.abs(A).max()
    return 1e-13 * len(b) * size**2


problems = {
    "shape": st.sampled_from(SHAPES),
    "rows": st.integers(2, 60),
    "donors": st.integers(1, 60),
    "seed": st.integers(0, 10**6),
    "ridge": st.sampled_from([0.0, 1e-12, 1e-6, 1e-3, 0.1, 1.0, 100.0]),
    "intercept": st.booleans(),
}


@settings(max_examples=300, deadline=None)
@given(
    **problems,
    exponent=st.integers(-9, 9),
    offset=st.sampled_from([0.0, 10.0, 1e3]),
)
def test_no_weights_fit_better(shape, rows, donors, seed, ridge, intercept, exponent, offset):
    A, b = problem(shape, rows, donors, seed)
    A, b = 10.0**exponent * (A + offset), 10.0**exponent * (b + offset)
    rho = ridge * rows * 100.0**exponent
    w, converged = simplex_least_squares(A, b, rho, intercept=intercept)
    assert converged
    assert w.min() >= 0.0
    assert w.sum() == pytest.approx(1.0, abs=1e-12)
    reached = objective(A, b, w, rho, intercept=intercept)
    gap = duality_gap(A, b, w, rho, intercept=intercept)
    assert gap <= 1e-8 * reached + floor(A, b)


@settings(max_examples=15, deadline=None)
@given(**problems)
def test_the_slow_solver_finds_nothing_better(shape, rows, donors, seed, ridge, intercept):
    A, b = problem(shape, rows, donors, seed)
    rho = ridge * rows
    w, _ = simplex_least_squares(A, b, rho, intercept=intercept)
    slow = projected_gradient(A, b, rho, intercept=intercept, steps=1000)
    reached = objective(A, b, w, rho, intercept=intercept)
    other = objective(A, b, slow, rho, intercept=intercept)
    assert reached <= other * (1.0 + 1e-8) + floor(A, b)


@pytest.mark.parametrize("seed", range(5))
def test_sequential_quadratic_programming_agrees(seed):
    A, b = problem("walk", 25, 12, seed)
    w, _ = simplex_least_squares(A, b)
    start = np.full(12, 1 / 12)
    other = minimize(
        lambda v: np.square(A @ v - b).sum(),
        start,
        jac=lambda v: 2 * A.T @ (A @ v - b),
        bounds=[(0, 1)] * 12,
        constraints={"type": "eq", "fun": lambda v: v.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    x = np.maximum(other.x, 0) / np.maximum(other.x, 0).sum()
    np.testing.assert_allclose(w, x, atol=1e-5)
    assert objective(A, b, w) <= objective(A, b, x) * (1 + 1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12, -1.0])
@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_weights_do_not_depend_on_the_unit_of_measure(scale, ridge):
    A, b = problem("walk", 30, 20, 1)
    one, _ = simplex_least_squares(A, b, ridge, intercept=True)
    other, converged = simplex_least_squares(scale * A, scale * b, ridge * scale**2, intercept=True)
    assert converged
    np.testing.assert_allclose(other, one, atol=1e-9)


def test_one_donor_carries_all():
    assert simplex_least_squares(np.ones((3, 1)), np.zeros(3)) == (np.ones(1), True)


@pytest.mark.parametrize("level", [0.0, 0.1, 1e9])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_donors_that_are_all_alike_share_evenly(level, intercept, ridge):
    A = np.full((7, 4), level)
    fit = simplex_fit(A, np.arange(7.0), ridge, intercept=intercept)
    np.testing.assert_allclose(fit.weights, 0.25)
    assert fit.converged
    assert fit.unique == (ridge > 0)


def test_duplicated_donors_share_their_weight():
    A, b = problem("walk", 20, 6, 3)
    alone = simplex_fit(A, b)
    top = int(alone.weights.argmax())
    twice = simplex_fit(np.column_stack([A, A[:, top]]), b)
    assert alone.unique
    assert not twice.unique
    np.testing.assert_allclose(twice.weights[[top, 6]], alone.weights[top] / 2, atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_of_many_optimal_weights_the_most_even_ones_are_taken(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, 30))
    b = A @ rng.dirichlet(np.full(30, 3.0))
    fit = simplex_fit(A, b)
    assert not fit.unique
    assert np.abs(A @ fit.weights - b).max() < 1e-11
    limit, _ = simplex_least_squares(A, b, 1e-7)
    np.testing.assert_allclose(fit.weights, limit, atol=1e-5)
    order = rng.permutation(30)
    np.testing.assert_allclose(simplex_fit(A[:, order], b).weights, fit.weights[order], atol=1e-9)


def test_the_constant_is_free():
    A, b = problem("walk", 20, 8, 2)
    one, _ = simplex_least_squares(A, b, intercept=True)
    levels = np.random.default_rng(0).normal(0, 10, 8)
    other, _ = simplex_least_squares(A + levels, b - 5.0, intercept=True)
    np.testing.assert_allclose(other, one, atol=1e-9)


def test_a_large_ridge_makes_weights_even():
    A, b = problem("walk", 20, 8, 2)
    w, _ = simplex_least_squares(A, b, 1e9)
    np.testing.assert_allclose(w, 1 / 8, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("rows", "donors"), [(60, 700), (8, 400), (2, 350)])
@pytest.mark.parametrize("ridge", [0.0, 1e-9, 1e-2])
def test_hundreds_of_donors(shape, rows, donors, ridge):
    A, b = problem(shape, rows, donors, 0)
    w, converged = simplex_least_squares(A, b, ridge * rows)
    assert converged
    reached = objective(A, b, w, ridge * rows)
    assert duality_gap(A, b, w, ridge * rows) <= 1e-8 * reached + floor(A, b)
