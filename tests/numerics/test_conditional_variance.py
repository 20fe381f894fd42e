"""Conditional variance: closed forms against refits, iteration and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from components.numerics.conditional_variance import (
    GIVEN,
    Target,
    cell_variances,
    degrees_of_freedom,
    fitted_variances,
    independent_windows,
    multiplicative_fit,
)
from components.numerics.error_spread import spread_tests
from components.numerics.leave_one_out import leave_one_out, one_cell_masked
from components.numerics.twoway import fit_two_way


def refitted(Y, seen):
    """Leave one cell out at a time by a fit of its own."""
    errors = np.full(Y.shape, np.nan)
    for j, s in np.argwhere(seen):
        rest = seen.copy()
        rest[j, s] = False
        alpha, beta = fit_two_way(Y, rest)
        errors[j, s] = Y[j, s] - alpha[j] - beta[s]
    return errors


def slow_variances(errors, i, t):
    """Write the four averages of C.2 as loops."""
    cells = [(j, s) for j in range(errors.shape[0]) for s in range(errors.shape[1])]
    cells.remove((i, t))
    square = {cell: errors[cell] ** 2 for cell in cells}
    mean = lambda kept: np.mean([square[cell] for cell in kept])  # noqa: E731
    unit = mean([c for c in cells if c[0] == i])
    time = mean([c for c in cells if c[1] == t])
    rest = mean([c for c in cells if c[0] != i and c[1] != t])
    return np.array([mean(cells), time, unit, unit * time / rest])


@pytest.mark.parametrize("shape", [(9, 5), (4, 11)])
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_leaving_one_cell_out_equals_refitting(shape, share):
    rng = np.random.default_rng(2)
    Y = 1e3 + rng.normal(size=shape).cumsum(axis=1)
    seen = rng.random(shape) < share
    np.testing.assert_allclose(leave_one_out(Y, seen), refitted(Y, seen), rtol=1e-8, atol=1e-9)


def test_complete_table_has_the_known_factor():
    Y = np.random.default_rng(0).normal(size=(7, 6))
    residual = Y - Y.mean(1, keepdims=True) - Y.mean(0) + Y.mean()
    np.testing.assert_allclose(leave_one_out(Y, np.ones_like(Y, bool)), residual * 42 / 30)


def test_a_cell_that_alone_connects_its_unit_has_no_error():
    seen = np.ones((4, 5), dtype=bool)
    seen[2, 1:] = False
    errors = leave_one_out(np.random.default_rng(0).normal(size=(4, 5)), seen)
    assert np.isnan(errors[2]).all()
    assert np.isfinite(errors[[0, 1, 3]][:, 1:]).all()


def test_many_tables_with_one_masked_cell():
    rng = np.random.default_rng(4)
    Y, rows, columns = rng.normal(size=(3, 6, 7)), np.array([0, 5, 2]), np.array([6, 3, 0])
    errors = one_cell_masked(Y, rows, columns)
    for b, (i, t) in enumerate(zip(rows, columns, strict=True)):
        seen = np.ones((6, 7), dtype=bool)
        own = refitted(Y[b], seen)[i, t]
        seen[i, t] = False
        slow = refitted(Y[b], seen)
        slow[i, t] = own
        np.testing.assert_allclose(errors[b], slow, rtol=1e-9, atol=1e-12)


def test_four_variances_equal_plain_loops():
    rng = np.random.default_rng(5)
    errors = rng.normal(size=(4, 8, 5)) * np.exp(rng.normal(size=(4, 8, 1)))
    rows, columns = np.array([0, 3, 7, 2]), np.array([4, 0, 2, 2])
    found = cell_variances(errors, rows, columns)
    for b in range(4):
        np.testing.assert_allclose(found[:, b], slow_variances(errors[b], rows[b], columns[b]))


def test_own_error_of_the_cell_does_not_count():
    errors = np.random.default_rng(6).normal(size=(1, 8, 5))
    moved = errors.copy()
    moved[0, 3, 2] = 1e6
    cell = np.array([3]), np.array([2])
    np.testing.assert_array_equal(cell_variances(errors, *cell), cell_variances(moved, *cell))


def test_product_form_is_the_poisson_fit_with_one_missing_cell():
    errors = np.random.default_rng(7).normal(size=(9, 6))
    errors[4, 3] = np.nan
    closed = cell_variances(np.nan_to_num(errors)[None], np.array([4]), np.array([3]))[3, 0]
    assert fitted_variances(errors)[4, 3] == pytest.approx(closed, rel=1e-10)


def test_poisson_fit_with_many_missing_cells_equals_a_general_optimiser():
    rng = np.random.default_rng(8)
    errors = rng.normal(size=(6, 5)) * np.exp(rng.normal(size=(6, 1)))
    errors[rng.random((6, 5)) < 0.3] = np.nan
    seen, squares = np.isfinite(errors), np.nan_to_num(errors) ** 2

    def loss(logs):
        fitted = logs[:6, None] + logs[6:]
        return float((np.exp(fitted) - squares * fitted)[seen].sum())

    best = minimize(loss, np.zeros(11), method="BFGS", options={"gtol": 1e-9})
    expected = np.exp(best.x[:6, None] + best.x[6:])
    np.testing.assert_allclose(fitted_variances(errors), expected, rtol=1e-4)


def test_empty_rows_and_columns_and_separate_parts_have_no_variance():
    errors = np.full((6, 6), np.nan)
    errors[:2, :2], errors[2:5, 2:5] = 1.0, 2.0
    fitted = fitted_variances(errors)
    np.testing.assert_allclose(fitted[:2, :2], 1.0)
    np.testing.assert_allclose(fitted[2:5, 2:5], 4.0)
    assert np.isnan(fitted[5]).all()
    assert np.isnan(fitted[:, 5]).all()
    assert np.isnan(fitted[:2, 2:5]).all()


def test_a_unit_without_errors_of_any_size():
    errors = np.ones((4, 5))
    errors[2] = 0.0
    a, _ = multiplicative_fit(errors)
    assert a[2] == 0.0
    np.testing.assert_allclose(fitted_variances(errors)[[0, 1, 3]], 1.0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(1e-8, 1e8),
    n=st.integers(3, 9),
    t=st.integers(3, 9),
)
def test_variances_scale_with_the_square_of_the_outcome(seed, scale, n, t):
    errors = np.random.default_rng(seed).normal(size=(1, n, t))
    one = cell_variances(errors, np.array([0]), np.array([0]))
    np.testing.assert_allclose(
        cell_variances(scale * errors, np.array([0]), np.array([0])), scale**2 * one, rtol=1e-9
    )
    np.testing.assert_allclose(
        fitted_variances(scale * errors[0]), scale**2 * fitted_variances(errors[0]), rtol=1e-8
    )


def test_degrees_of_freedom():
    expected = [49 + 39 + 49 * 39 - 1, 49, 39, 1 / (1 / 49 + 1 / 39 + 1 / (49 * 39))]
    np.testing.assert_allclose(degrees_of_freedom(49, 39), expected)


def test_what_overlapping_windows_are_worth():
    assert independent_windows(np.arange(10), 1) == 10
    assert independent_windows(np.arange(0, 12, 3), 3) == 4
    # The squares of overlapping averages of white noise vary as those of so many independent ones.
    z = np.random.default_rng(9).normal(size=(200_000, 12))
    windows = np.stack([z[:, s : s + 4].mean(axis=1) for s in range(9)])
    mean_square = np.square(windows).mean(axis=0)
    worth = 2 * mean_square.mean() ** 2 / mean_square.var()
    assert independent_windows(np.arange(9), 4) == pytest.approx(worth, rel=0.02)


def target_of_one_cell(errors, i, t):
    controls = np.delete(np.arange(len(errors)), i)
    base = np.delete(errors, t, axis=1)
    across = errors[controls, t][None]
    return Target(
        base=base,
        treated=np.array([i]),
        controls=controls,
        shares=np.ones(1),
        across=across,
        yardstick=np.square(across).mean(axis=1),
        windows=np.full(len(errors), float(base.shape[1])),
        donors=float(len(controls)),
    )


def test_a_target_of_one_cell_is_the_closed_form():
    errors = np.random.default_rng(10).normal(size=(8, 6))
    variances, freedom = target_of_one_cell(errors, 2, 5).variances()
    np.testing.assert_allclose(variances, slow_variances(errors, 2, 5))
    np.testing.assert_allclose(freedom, degrees_of_freedom(7, 5))


def test_several_treated_units_average_and_share_their_donors():
    rng = np.random.default_rng(11)
    base, across = rng.normal(size=(10, 6)), rng.normal(size=(1, 7))
    target = Target(
        base=base,
        treated=np.arange(3),
        controls=np.arange(3, 10),
        shares=np.full(3, 1 / 3),
        across=np.repeat(across, 3, axis=0),
        yardstick=np.full(3, np.square(across).mean()),
        windows=np.full(10, 6.0),
        donors=7.0,
    )
    variances, freedom = target.variances()
    shared = (1 + 3 / 7) / (1 + 1 / 7)
    own = np.square(base[:3]).mean(axis=1)
    rest = np.square(base[3:]).mean()
    time = np.square(across).mean()
    expected = [
        (np.square(base).sum() + np.square(across).sum()) / 67 / 3,
        time / 3,
        own.sum() / 9,
        time * own.sum() / rest / 9,
    ]
    np.testing.assert_allclose(variances, shared * np.array(expected))
    worth = own.sum() ** 2 / (own**2 / 6).sum()
    np.testing.assert_allclose(freedom[2], worth)
    np.testing.assert_allclose(freedom[3], 1 / (1 / worth + 1 / 7 + 1 / 42))


@pytest.mark.parametrize(("unit_spread", "time_spread"), [(0, 0), (1.5, 0), (0, 1.5)])
def test_spread_tests_find_what_differs_and_keep_their_size(unit_spread, time_spread):
    rng = np.random.default_rng(12)
    found = np.zeros(2)
    for _ in range(300):
        logs = unit_spread * rng.normal(size=(20, 1)) + time_spread * rng.normal(size=15)
        errors = np.exp(logs / 2) * rng.normal(size=(20, 15))
        found += [test.p_value < 0.05 for test in spread_tests(errors)]
    found /= 300
    for share, spread in zip(found, (unit_spread, time_spread), strict=True):
        if spread:
            assert share > 0.99
        else:
            assert 0.01 <= share <= 0.09  # 0.05 and three Monte Carlo errors of 0.0126


def test_names_of_the_four():
    assert GIVEN == ("marginal", "time", "unit", "both")
