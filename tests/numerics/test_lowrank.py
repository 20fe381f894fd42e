"""Nuclear-norm completion: optimality, a slow solver, and the folds of R's MCPanel."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics.lowrank import complete, penalty_max
from components.numerics.lowrank_path import Curve, cross_validate, draw_folds
from components.numerics.twoway import TwoWay, fit_two_way


def noisy_factors(seed=0, shape=(14, 11), noise=0.3, share=0.8):
    rng = np.random.default_rng(seed)
    n, t = shape
    Y = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)) + rng.normal(0, noise, shape)
    Y += rng.normal(size=(n, 1)) + rng.normal(size=t)
    return Y, rng.random(shape) < share


def cyclic_descent(Y, observed, penalty, steps, tolerance=-np.inf, start=None):
    """The algorithm of MCPanel: means, means, shrink; until the objective falls no further."""
    n = observed.sum()
    L, alpha, beta = start or (np.zeros(Y.shape), np.zeros(len(Y)), np.zeros(len(Y.T)))
    data = np.where(observed, Y, 0.0)

    def objective(norm):
        return np.sum(((data - L - alpha[:, None] - beta) * observed) ** 2) / n + penalty * norm

    before = objective(np.linalg.norm(L, "nuc"))
    for _ in range(steps):
        alpha = ((data - L - beta) * observed).sum(axis=1) / observed.sum(axis=1)
        beta = ((data - L - alpha[:, None]) * observed).sum(axis=0) / observed.sum(axis=0)
        filled = (data - L - alpha[:, None] - beta) * observed + L
        U, s, Vt = np.linalg.svd(filled, full_matrices=False)
        s = np.maximum(s - penalty * n / 2, 0)
        L = (U * s) @ Vt
        after = objective(s.sum())
        if 0 <= (before - after) / before < tolerance:
            break
        before = after
    return L, alpha, beta


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("shape", [(14, 11), (7, 20)])
def test_the_optimum_satisfies_the_subgradient_conditions(share, shape):
    Y, observed = noisy_factors(shape=shape)
    penalty = share * penalty_max(Y, observed)
    fit = complete(Y, observed, penalty)
    rest = np.where(observed, Y - fit.fitted, 0.0)
    gradient = 2 * rest / observed.sum()
    assert np.linalg.norm(gradient, 2) <= penalty * (1 + 1e-6)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-12)
    assert 0 < fit.rank < min(shape)
    U, _, Vt = np.linalg.svd(fit.L)
    U, Vt = U[:, : fit.rank], Vt[: fit.rank]
    np.testing.assert_allclose(U.T @ gradient @ Vt.T, penalty * np.eye(fit.rank), atol=1e-6)
    assert fit.settled
    assert abs(fit.gap) < 1e-8
    assert fit.excess < 1e-6


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_the_optimum_equals_that_of_a_slow_solver(share):
    Y, observed = noisy_factors(seed=2)
    penalty = share * penalty_max(Y, observed)
    L, alpha, beta = cyclic_descent(Y, observed, penalty, steps=20_000)
    fit = complete(np.where(observed, Y, np.nan), observed, penalty)
    np.testing.assert_allclose(fit.fitted, L + alpha[:, None] + beta, atol=1e-7)
    assert fit.nuclear_norm == pytest.approx(np.linalg.norm(L, "nuc"), abs=1e-7)


def test_complete_data_have_a_closed_form():
    Y, _ = noisy_factors()
    observed = np.ones(Y.shape, dtype=bool)
    centred = Y - Y.mean(axis=0) - Y.mean(axis=1, keepdims=True) + Y.mean()
    U, s, Vt = np.linalg.svd(centred, full_matrices=False)
    penalty = 0.3 * penalty_max(Y, observed)
    shrunk = np.maximum(s - penalty * Y.size / 2, 0)
    fit = complete(Y, observed, penalty)
    np.testing.assert_allclose(fit.L, (U * shrunk) @ Vt, atol=1e-10)


def test_the_low_rank_part_vanishes_exactly_from_the_largest_penalty_on():
    Y, observed = noisy_factors()
    top = penalty_max(Y, observed)
    assert complete(Y, observed, 0.999 * top).rank == 1
    alpha, beta = fit_two_way(Y, observed)
    for penalty in (top, 5 * top, np.inf):
        fit = complete(Y, observed, penalty)
        assert fit.rank == 0
        np.testing.assert_allclose(fit.fitted, alpha[:, None] + beta, atol=1e-12)


def test_units_and_periods_without_data_stay_empty_and_change_nothing():
    Y, observed = noisy_factors()
    padded = np.pad(Y, ((0, 1), (1, 0)), constant_values=np.nan)
    mask = np.pad(observed, ((0, 1), (1, 0)), constant_values=False)
    penalty = 0.2 * penalty_max(Y, observed)
    assert penalty_max(padded, mask) == pytest.approx(penalty / 0.2, rel=1e-12)
    fit = complete(padded, mask, penalty)
    np.testing.assert_allclose(fit.fitted[:-1, 1:], complete(Y, observed, penalty).fitted)
    assert np.isnan(fit.fitted[-1]).all()
    assert np.isnan(fit.fitted[:, 0]).all()


def test_effects_that_fit_exactly_leave_nothing_to_penalise():
    Y = np.arange(5.0)[:, None] + 1e6 * np.linspace(0, 1, 4)
    observed = np.ones((5, 4), dtype=bool)
    observed[0, 3] = False
    assert penalty_max(Y, observed) == 0.0
    folds = draw_folds(Y, observed, 3, 0.8, np.random.default_rng(0))
    assert cross_validate(Y, observed, folds, 5) is None
    np.testing.assert_allclose(complete(Y, observed, 1.0).fitted, Y, atol=1e-8)


def minstd_bernoulli(size, p):
    """Draw as C++'s bernoulli_distribution from a default-seeded minstd_rand0, as MCPanel does."""
    state, draws, span = 1, np.empty(size), 2147483646
    for i in range(size):
        state = state * 16807 % 2147483647
        low = state - 1
        state = state * 16807 % 2147483647
        draws[i] = (low + (state - 1) * span) / span**2
    return draws < p


@pytest.mark.parametrize(
    ("num_lam", "penalty", "stopped"), [(20, 0.0197009, -20.21813), (100, 0.0226835, -19.99641)]
)
def test_the_folds_of_mcpanel_choose_the_penalty_of_mcpanel(prop99, num_lam, penalty, stopped):
    """R's mcnnm_cv on Proposition 99, with the treated unit in the last row.

    The penalty is R's to all printed digits. R's estimates at it are where its stopping rule (a
    relative fall of 1e-5) ends the cyclic descent; the optimum lies .28 and .04 packs off.
    """
    order = np.argsort(prop99.design.treated, kind="stable")
    Y, observed = prop99.Y[order], ~prop99.W[order]
    folds = minstd_bernoulli(5 * Y.size, 0.8).reshape(5, *Y.shape) & observed
    curve = cross_validate(Y, observed, folds, num_lam - 1)
    assert curve.penalties[curve.best] == pytest.approx(penalty, abs=5e-8)
    assert np.sqrt(curve.errors[curve.best]) == pytest.approx(4.55624, abs=0.005)

    alpha, beta = fit_two_way(Y, observed)
    point = (np.zeros(Y.shape), alpha, beta)
    for step in curve.penalties[: curve.best + 1]:
        point = cyclic_descent(Y, observed, step, 1000, tolerance=1e-5, start=point)
    fitted = point[0] + point[1][:, None] + point[2]
    assert (Y - fitted)[~observed].mean() == pytest.approx(stopped, abs=2e-4)
    optimum = (Y - complete(Y, observed, curve.penalties[curve.best]).fitted)[~observed].mean()
    assert optimum == pytest.approx({20: -19.93528, 100: -19.95789}[num_lam], abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_stopping_early_chooses_what_the_whole_path_chooses(seed):
    Y, observed = noisy_factors(seed, shape=(20, 16), noise=0.4 + 0.2 * seed)
    folds = draw_folds(Y, observed, 5, 0.8, np.random.default_rng(seed))
    early, whole = (cross_validate(Y, observed, folds, 40, patience) for patience in (6, 40))
    assert np.isnan(early.errors).any()
    assert np.isfinite(whole.errors).all()
    assert early.best == whole.best
    tried = np.isfinite(early.errors)
    np.testing.assert_array_equal(early.errors[tried], whole.errors[tried])


def test_the_path_is_accurate_enough_to_find_the_smallest_error():
    Y, observed = noisy_factors(1, shape=(20, 16))
    folds = draw_folds(Y, observed, 5, 0.8, np.random.default_rng(0))
    curve = cross_validate(Y, observed, folds, 40)
    exact = np.array(
        [
            np.mean(
                [
                    np.mean((Y - complete(Y, fold, penalty).fitted)[observed & ~fold] ** 2)
                    for fold in folds
                ]
            )
            for penalty in curve.penalties[np.isfinite(curve.errors)]
        ]
    )
    np.testing.assert_allclose(curve.errors[: len(exact)], exact, rtol=2e-3)
    assert exact.argmin() == curve.best


def test_folds_follow_their_units_when_rows_and_columns_move():
    Y, observed = noisy_factors()
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(len(Y)), rng.permutation(len(Y.T))
    folds = draw_folds(Y, observed, 4, 0.7, np.random.default_rng(9))
    moved = draw_folds(
        -3 * Y[np.ix_(rows, columns)] + 7,
        observed[np.ix_(rows, columns)],
        4,
        0.7,
        np.random.default_rng(9),
    )
    np.testing.assert_array_equal(moved, folds[:, rows[:, None], columns])
    share = folds.sum() / (4 * observed.sum())
    assert 0.6 < share < 0.8
    assert not folds[:, ~observed].any()


def test_one_standard_error_takes_the_largest_penalty_that_is_about_as_good():
    curve = Curve(
        np.array([8.0, 4.0, 2.0, 1.0]),
        np.array([9.0, 5.4, 5.0, np.nan]),
        np.array([1.0, 1.0, 0.5, np.nan]),
    )
    assert (curve.best, curve.one_standard_error) == (2, 1)


def test_held_out_cells_that_no_training_cell_identifies_are_not_scored():
    Y, observed = noisy_factors()
    fold = observed.copy()
    fold[3] = False
    alone = cross_validate(Y, observed, fold[None], 5)
    assert alone is None
    fold[0, np.flatnonzero(observed[0])[0]] = False
    curve = cross_validate(Y, observed, fold[None], 5)
    rest = Y - complete(Y, fold, curve.penalties[0]).fitted
    cell = (0, int(np.flatnonzero(observed[0])[0]))
    assert curve.errors[0] == pytest.approx(rest[cell] ** 2, rel=1e-9)
    assert np.isnan(curve.standard_errors).all()


def test_effects_are_the_exact_least_squares_effects_of_what_the_low_rank_part_leaves():
    Y, observed = noisy_factors(5)
    fit = complete(Y, observed, 0.1 * penalty_max(Y, observed))
    rest = TwoWay.of(observed).residual(Y - fit.L)
    np.testing.assert_allclose(np.where(observed, Y - fit.fitted, 0), rest, atol=1e-12)
