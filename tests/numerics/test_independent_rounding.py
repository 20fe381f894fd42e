"""A constant added to all outcomes changes no weight, and what rounding leaves is no difference."""

from __future__ import annotations

import numpy as np
import pytest

from components.estimators import ESTIMATORS
from components.numerics.rounding import rounding_of
from components.numerics.simplex import simplex_fit
from panels import block_panel


@pytest.mark.parametrize("level", [1e3, 1e5, 1e7, 1e9])
@pytest.mark.parametrize("intercept", [False, True])
def test_the_most_even_of_perfect_fits_does_not_depend_on_the_level(level, intercept):
    rng = np.random.default_rng(4)
    donors = rng.normal(size=(6, 30))
    target = donors @ rng.dirichlet(np.full(30, 5.0))
    plain = simplex_fit(donors, target, intercept=intercept)
    moved = simplex_fit(donors + level, target + level, intercept=intercept)
    assert not plain.unique
    assert not moved.unique
    np.testing.assert_allclose(moved.weights, plain.weights, atol=1e-7 + 1e-13 * level)


def slow_most_even(donors, target):
    """Minimise the sum of squares over the perfect fits by a textbook solver."""
    from scipy.optimize import minimize

    n = donors.shape[1]
    rows = donors - donors.mean(axis=0) - (target - target.mean())[:, None]
    found = minimize(
        lambda w: w @ w,
        np.full(n, 1.0 / n),
        jac=lambda w: 2.0 * w,
        bounds=[(0.0, 1.0)] * n,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1.0},
            {"type": "eq", "fun": lambda w: (rows @ w)[:-1]},
        ],
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    return found.x


def test_the_most_even_perfect_fit_far_from_zero_is_that_of_a_textbook_solver():
    rng = np.random.default_rng(5)
    donors = rng.normal(size=(5, 14))
    target = donors @ rng.dirichlet(np.full(14, 4.0)) + 3.0
    found = simplex_fit(donors + 1e6, target + 1e6, intercept=True).weights
    np.testing.assert_allclose(found, slow_most_even(donors, target), atol=1e-5)


@pytest.mark.parametrize("key", ["sc", "sc_intercept", "sdid", "did"])
@pytest.mark.parametrize("n", [20, 41])
def test_effects_do_not_depend_on_the_level_of_outcomes(key, n):
    panel = block_panel(seed=3, n=n, t=8, n_post=3, effect=1.0)
    plain = ESTIMATORS[key]().fit(panel).att
    for level in (1e5, 1e9):
        moved = ESTIMATORS[key]().fit(panel.with_outcomes(panel.Y + level)).att
        assert moved == pytest.approx(plain, abs=1e-9 + 1e-14 * level)


def test_rounding_follows_the_range_and_only_far_out_the_level():
    Y = np.array([[0.0, 2.0], [np.nan, 5.0]])
    assert rounding_of(Y) == pytest.approx(5e-9)
    assert rounding_of(Y + 1e3) == pytest.approx(5e-9)
    assert rounding_of(Y + 1e9) == pytest.approx(64 * np.finfo(float).eps * (1e9 + 5))
    assert rounding_of(40 * Y) == pytest.approx(40 * rounding_of(Y))
