"""Two-way effects against dense least squares, and errors against other programs."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics.twoway import (
    TwoWay,
    connected_components,
    fit_two_way,
    identified,
    regress_two_way,
)


def dummies(n, t):
    """One row per cell in row order, one column per unit and per period."""
    return np.hstack([np.kron(np.eye(n), np.ones((t, 1))), np.kron(np.ones((n, 1)), np.eye(t))])


def dense_fit(Y, weights):
    """Fitted values of weighted least squares on the dummies, by pseudo-inverse."""
    D, root = dummies(*Y.shape), np.sqrt(weights.ravel())
    outcome = np.where(weights > 0, Y, 0.0).ravel()
    return (D @ np.linalg.lstsq(D * root[:, None], outcome * root)[0]).reshape(Y.shape)


def tables():
    rng = np.random.default_rng(3)
    mask = rng.random((9, 6)) < 0.7
    split = np.zeros((8, 7), dtype=bool)
    split[:5, :3] = split[5:, 3:] = True
    block = np.ones((7, 5), dtype=bool)
    block[:2, 3:] = False
    hollow = mask.copy()
    hollow[4] = hollow[:, 2] = False
    staircase = np.eye(6, 7, dtype=bool) | np.eye(6, 7, 1, dtype=bool)
    return {
        "complete": np.ones((5, 4)),
        "product": np.outer(rng.random(6), rng.random(4)),
        "mask": mask,
        "wide mask": mask.T,
        "block": block,
        "weights": rng.random((8, 5)) * (rng.random((8, 5)) < 0.8),
        "weights over ten decades": 10.0 ** rng.uniform(-10, 0, (7, 6)),
        "two components": split,
        "empty row and column": hollow,
        "staircase": staircase,
        "single cell": np.eye(3, dtype=bool)[:1],
    }


@pytest.mark.parametrize("name", tables())
def test_fit_equals_dense_weighted_least_squares(name):
    weights = tables()[name].astype(float)
    Y = np.random.default_rng(1).normal(5, 2, weights.shape)
    expected = dense_fit(Y, weights)
    Y = np.where(weights > 0, Y, np.nan)
    alpha, beta = fit_two_way(Y, weights)
    fitted = alpha[:, None] + beta
    inside = identified(weights > 0)
    tolerance = 1e-6 if "decades" in name else 1e-10
    np.testing.assert_allclose(fitted[inside], expected[inside], atol=tolerance)
    assert np.isnan(alpha).tolist() == (~(weights > 0).any(axis=1)).tolist()
    assert np.isnan(beta).tolist() == (~(weights > 0).any(axis=0)).tolist()


@pytest.mark.parametrize("name", tables())
def test_residuals_are_orthogonal_to_every_dummy(name):
    weights = tables()[name].astype(float)
    Y = np.random.default_rng(2).normal(1e3, 1, weights.shape)
    weighted = weights * TwoWay.of(weights).residual(Y)
    np.testing.assert_allclose(weighted.sum(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(weighted.sum(axis=1), 0, atol=1e-9)


@pytest.mark.parametrize("name", tables())
def test_period_effects_of_each_component_sum_to_zero(name):
    mask = tables()[name] > 0
    _, periods = connected_components(mask)
    _, beta = fit_two_way(np.random.default_rng(2).normal(7, 1, mask.shape), mask)
    for label in range(periods.max() + 1):
        assert beta[periods == label].sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_identified_cells_are_those_in_the_row_space_of_the_observed_dummies(seed):
    rng = np.random.default_rng(seed)
    observed = rng.random((6, 5)) < rng.uniform(0.15, 0.5)
    D = dummies(6, 5)
    seen = D[observed.ravel()]
    rank = np.linalg.matrix_rank(seen) if len(seen) else 0
    expected = [np.linalg.matrix_rank(np.vstack([seen, row])) == rank for row in D]
    assert identified(observed).ravel().tolist() == expected


def test_complete_table_needs_no_weights():
    Y = np.random.default_rng(0).normal(size=(6, 4))
    for left, right in zip(fit_two_way(Y), fit_two_way(Y, np.ones_like(Y)), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-14)


def test_a_large_level_costs_no_digits_of_the_effects():
    rng = np.random.default_rng(0)
    Y, mask = rng.normal(size=(12, 9)), rng.random((12, 9)) < 0.8
    near, far = TwoWay.of(mask).residual(Y), TwoWay.of(mask).residual(Y + 1e9)
    np.testing.assert_allclose(far, near, atol=1e-6)


def test_proposition_99_clustered_error_is_that_of_pyfixest(prop99):
    result = regress_two_way(prop99.Y, prop99.W[None].astype(float), prop99.observed)
    assert result.coefficients[0] == pytest.approx(-27.349111, abs=1e-6)
    assert result.standard_errors[0] == pytest.approx(2.8024, abs=5e-5)
    # diff-diff counts 3 parameters where fixest counts 1 slope, 30 periods and 1 constant.
    assert result.standard_errors[0] * np.sqrt(1177 / 1206) == pytest.approx(2.7685, abs=5e-5)


def test_regression_equals_dense_least_squares_with_a_cluster_sandwich():
    rng = np.random.default_rng(4)
    n, t = 9, 7
    observed = rng.random((n, t)) < 0.85
    regressors, Y = rng.normal(size=(2, n, t)), rng.normal(size=(n, t))
    result = regress_two_way(np.where(observed, Y, np.nan), regressors, observed)

    unit = np.repeat(np.arange(n), t)[observed.ravel()]
    full = np.hstack([regressors.reshape(2, -1).T, dummies(n, t)[:, :-1]])[observed.ravel()]
    bread = np.linalg.inv(full.T @ full)
    slopes = bread @ full.T @ Y[observed]
    rest = Y[observed] - full @ slopes
    scores = np.array([full[unit == i].T @ rest[unit == i] for i in range(n)])
    cells = observed.sum()
    factor = n / (n - 1) * (cells - 1) / (cells - (2 + (t - 1) + 1))
    errors = np.sqrt(factor * np.diag(bread @ scores.T @ scores @ bread))
    np.testing.assert_allclose(result.coefficients, slopes[:2], atol=1e-10)
    np.testing.assert_allclose(result.standard_errors, errors[:2], atol=1e-10)


def test_a_regressor_that_the_effects_explain_has_no_coefficient():
    rng = np.random.default_rng(5)
    Y, x = rng.normal(size=(2, 6, 5))
    trend = np.broadcast_to(np.arange(5.0), (6, 5))
    observed = np.ones((6, 5), dtype=bool)
    result = regress_two_way(Y, np.array([trend, x, 3 * x + trend]), observed)
    alone = regress_two_way(Y, x[None], observed)
    assert np.isnan(result.coefficients).tolist() == [True, False, True]
    assert result.coefficients[1] == pytest.approx(alone.coefficients[0], abs=1e-12)
    assert result.standard_errors[1] == pytest.approx(alone.standard_errors[0], abs=1e-12)
