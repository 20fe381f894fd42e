"""Distances, closed form and left-out cells of the triply robust estimator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.numerics.trop_blocks import BlockProblem
from components.numerics.trop_cells import CellProblem, Penalties
from components.numerics.trop_scores import LeaveOneCellOut, placebo_groups, untreated_cells
from components.numerics.trop_solver import solve_stack
from components.numerics.trop_treated import impute
from components.numerics.trop_weights import UnitDistances, block_unit_distances
from trop_reference import distance, least_squares, proximal_gradient

FREE = Penalties(0.0, 0.0, np.inf)


def table(seed=0, n=9, t=8):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) + rng.normal(size=(1, t)) + 0.5 * rng.normal(size=(n, t))


def block(n=9, t=8, treated=1, post=3):
    W = np.zeros((n, t), dtype=bool)
    W[:treated, t - post :] = True
    return W


def staggered(n=9, t=8):
    W = np.zeros((n, t), dtype=bool)
    W[0, 5:], W[1, 3:], W[2, 3:] = True, True, True
    return W


def scattered(n=9, t=8):
    return np.random.default_rng(5).random((n, t)) < 0.25


DESIGNS = {"block": block(), "staggered": staggered(), "scattered": scattered()}


def problem(Y, seen, X=None, distance="levels"):
    """Leave out every untreated cell and predict every other one."""
    rows, columns = np.indices(Y.shape).reshape(2, -1)
    X = np.zeros((0, *Y.shape)) if X is None else X
    return CellProblem(Y, seen, rows, columns, X, distance)


@pytest.mark.parametrize("kind", ["levels", "demeaned"])
def test_distances_are_those_of_a_loop(kind):
    Y, seen = table() + 100.0, ~scattered()
    seen[3] = False
    seen[3, 2] = True  # one period says nothing about how far apart units are
    rows, columns = np.indices(Y.shape).reshape(2, -1)
    found = UnitDistances.of(Y, seen, kind).to(rows, columns)
    for c, (i, t) in enumerate(zip(rows, columns, strict=True)):
        expected = [
            distance(Y, seen, j, i, t, demeaned=kind == "demeaned") if j != i else 0.0
            for j in range(len(Y))
        ]
        if i == 3:
            expected = np.zeros(len(Y))
        np.testing.assert_allclose(found[c], expected, atol=1e-7)


def test_block_distances_are_to_the_treated_average():
    Y, treated = table(), block(treated=2).any(axis=1)
    average = Y[treated, :5].mean(axis=0)
    everything = np.ones(Y.shape, dtype=bool)
    found = block_unit_distances(Y, everything, treated, 5)
    np.testing.assert_allclose(found, np.sqrt(((Y[:, :5] - average) ** 2).mean(axis=1)))
    found = block_unit_distances(Y, everything, treated, 5, "demeaned")
    np.testing.assert_allclose(found, (Y[:, :5] - average).std(axis=1))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("unit", "time"), [(0.0, 0.0), (0.7, 0.3), (6.0, 2.0)])
def test_closed_form_is_weighted_least_squares(design, unit, time):
    Y, seen = table(), ~DESIGNS[design]
    cells = problem(Y, seen)
    index, penalties = np.arange(Y.size), Penalties(unit, time, np.inf)
    found = cells.predict([penalties] * Y.size, index)
    weights = cells.stack([penalties] * Y.size, index).weights
    for c, (i, t) in enumerate(zip(cells.rows, cells.columns, strict=True)):
        assert weights[c, i, t] == 0.0
        expected, _ = least_squares(Y, weights[c], cells.X)
        assert found[c] == pytest.approx(expected[i, t], abs=1e-8)


def test_one_treated_cell_is_a_weighted_double_difference():
    Y = table()
    cells = CellProblem(
        Y, np.ones(Y.shape, bool), np.array([2]), np.array([5]), np.zeros((0, 9, 8))
    )
    penalties = [Penalties(0.8, 0.3, np.inf)]
    omega, theta = (w[0].copy() for w in cells.weights(penalties, np.array([0])))
    omega[2] = theta[5] = 0.0
    omega, theta = omega / omega.sum(), theta / theta.sum()
    expected = Y[2] @ theta + omega @ Y[:, 5] - omega @ Y @ theta
    assert cells.predict(penalties, np.array([0]))[0] == pytest.approx(expected, abs=1e-12)


def test_digits_survive_weights_that_lie_far_apart():
    Y, index = table(), np.arange(72)
    cells = problem(Y, ~block())
    steep = [Penalties(200.0, 20.0, np.inf)] * 72
    found = cells.predict(steep, index)
    # In the limit the nearest unit and the nearest period are all that counts.
    i, t = 4, 2
    j = int(np.argsort(cells.distances[i * 8 + t])[1])
    assert found[i * 8 + t] == pytest.approx(
        (Y[i, 1] + Y[i, 3]) / 2 + Y[j, t] - (Y[j, 1] + Y[j, 3]) / 2, abs=1e-6
    )


def test_cells_without_a_link_are_unknown():
    Y, seen = table(n=6, t=6), np.ones((6, 6), dtype=bool)
    seen[:3, 3:] = seen[3:, :3] = False
    cells = problem(Y, seen)
    for penalties in (FREE, Penalties(0.5, 0.5, np.inf), Penalties(0.5, 0.5, 0.2)):
        found = cells.predict([penalties] * 36, np.arange(36), tolerance=1e-6).reshape(6, 6)
        linked = np.isfinite(found)
        assert not linked[:3, 3:].any()
        assert linked[:3, :3].all()
        assert linked[3:, 3:].all()


@pytest.mark.parametrize("design", DESIGNS)
def test_low_rank_cells_are_the_optimum(design):
    Y, seen = table(), ~DESIGNS[design]
    cells, penalties = problem(Y, seen), Penalties(0.7, 0.3, 0.25)
    index = np.arange(3, Y.size, 11)
    found = cells.predict([penalties] * len(index), index, tolerance=1e-10)
    weights = cells.stack([penalties] * len(index), index).weights
    for value, w, c in zip(found, weights, index, strict=True):
        fit, _, _ = proximal_gradient(np.where(seen, Y, 0.0), w, 0.25, cells.X)
        assert value == pytest.approx(fit[cells.rows[c], cells.columns[c]], abs=1e-6)


def test_covariates_are_fitted_without_a_penalty():
    rng = np.random.default_rng(8)
    Y, X = table(), rng.normal(size=(2, 9, 8))
    bent = Y + 3.0 * X[0] - 2.0 * X[1]
    index = np.arange(0, 72, 7)
    for nn in (np.inf, 0.3):
        penalties = [Penalties(0.0, 0.3, nn)] * len(index)
        one = problem(Y, ~block(), X).predict(penalties, index, tolerance=1e-10)
        other = problem(bent, ~block(), X).predict(penalties, index, tolerance=1e-10)
        at = X[:, index // 8, index % 8]
        np.testing.assert_allclose(other, one + 3.0 * at[0] - 2.0 * at[1], atol=1e-7)


@pytest.mark.parametrize("unit", [0.0, 0.6])
@pytest.mark.parametrize("time", [0.0, 0.4])
@pytest.mark.parametrize("nn", [np.inf, 0.2])
def test_shared_fits_are_those_of_each_cell(unit, time, nn):
    Y, W = table(), staggered()
    rows, columns = np.nonzero(W)
    cells = CellProblem(Y, ~W, rows, columns, np.zeros((0, 9, 8)))
    penalties = Penalties(unit, time, nn)
    done = impute(cells, penalties, tolerance=1e-10)
    each = cells.predict([penalties] * len(rows), np.arange(len(rows)), tolerance=1e-10)
    np.testing.assert_allclose(done.outcomes[W], each, atol=1e-7)
    assert np.isfinite(done.outcomes[:3]).all()
    assert np.isnan(done.outcomes[3:]).all()
    distinct = (3 if unit else 1) * (5 if time else 1)
    assert len(done.solution.rank) == (W.sum() if unit and time else distinct)


@pytest.mark.parametrize("nn", [np.inf, 0.2])
def test_block_forms_are_their_objectives(nn):
    Y, W = table(), block(treated=2)
    omega = np.exp(-0.5 * block_unit_distances(Y, np.ones(Y.shape, bool), W.any(axis=1), 5))
    theta = np.exp(-0.3 * np.abs(np.arange(8) - 6.5))
    weights, none = np.outer(omega, theta), np.zeros((0, 9, 8))
    arguments = Y, np.ones(Y.shape, bool), np.array([[0, 1]]), 5, none
    penalties, first = [Penalties(0.5, 0.3, nn)], np.array([0])

    masked = BlockProblem(*arguments).effects(penalties, first, tolerance=1e-10)[0]
    if np.isinf(nn):
        fit, _ = least_squares(Y, weights * ~W, none)
    else:
        fit, _, _ = proximal_gradient(Y, weights * ~W, nn, none)
    assert masked == pytest.approx((Y - fit)[W].mean(), abs=1e-6)

    tau = BlockProblem(*arguments, common_effect=True)
    found = tau.effects(penalties, first, tolerance=1e-10)[0]
    D = W[None].astype(float)
    if np.isinf(nn):
        _, slopes = least_squares(Y, weights, D)
    else:
        _, _, slopes = proximal_gradient(Y, weights, nn, D)
    assert found == pytest.approx(slopes[0], abs=1e-6)


@pytest.mark.parametrize(("n", "t"), [(16, 12), (10, 14)])
@pytest.mark.parametrize("k", [0, 1])
def test_classes_of_lines_give_what_single_lines_give(monkeypatch, n, t, k):
    monkeypatch.setattr("components.numerics.trop_regressions.LINES_FROM", 1)
    rng = np.random.default_rng(11)
    Y, X = table(n=n, t=t) + rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)), np.zeros((0, n, t))
    if k:
        X = rng.normal(size=(1, n, t))
    W, everything = block(n=n, t=t, treated=2, post=3), np.ones((n, t), dtype=bool)
    rows, columns = np.nonzero(everything)
    groups = np.array([[0, 1], [4, 2]])
    stacks = [
        CellProblem(Y, ~W, rows, columns, X).stack(
            [Penalties(0.5, 0.2, 0.1)] * 5, np.array([0, t - 1, t, 5 * t + 3, n * t - 1])
        ),
        *(
            BlockProblem(Y, everything, groups, t - 3, X, common).stack(
                [Penalties(0.4, 0.3, 0.1), Penalties(500.0, 0.0, 0.2)], np.arange(2)
            )
            for common in (False, True)
        ),
    ]
    for stack in stacks:
        assert stack.units is not None
        lines = stack.units
        own = np.take_along_axis(lines.cross, lines.member[:, :, None], axis=1)
        np.testing.assert_array_equal(lines.scale[:, :, None] * own, stack.weights)
        single = solve_stack(replace(stack, units=None, periods=None), tolerance=1e-9)
        together = solve_stack(stack, tolerance=1e-9)
        assert single.rank.max() >= 2
        np.testing.assert_allclose(together.values, single.values, atol=1e-7)
        np.testing.assert_allclose(together.slopes, single.slopes, atol=1e-7)


def test_left_out_cells_are_even_and_do_not_depend_on_the_order_of_rows():
    Y, seen = table(n=12, t=10), ~block(n=12, t=10)
    none = np.zeros(0, dtype=int)
    cells = CellProblem(Y, seen, none, none, np.zeros((0, 12, 10)))
    assert len(untreated_cells(cells, 1000, np.random.default_rng(0)).rows) == seen.sum()

    few = untreated_cells(cells, 39, np.random.default_rng(0))
    assert len(few.rows) == 39
    assert set(np.bincount(few.rows, minlength=12)) <= {2, 3, 4}
    assert np.bincount(few.columns, minlength=10).min() >= 1

    order = np.random.default_rng(1).permutation(12)
    turned = CellProblem(Y[order], seen[order], none, none, np.zeros((0, 12, 10)))
    other = untreated_cells(turned, 39, np.random.default_rng(0), order)
    assert sorted(zip(order[other.rows], other.columns, strict=True)) == sorted(
        zip(few.rows, few.columns, strict=True)
    )


def test_cells_that_nothing_predicts_are_not_left_out():
    Y, seen = table(n=6, t=5), np.ones((6, 5), dtype=bool)
    seen[2, 1:] = False  # seen once: without that cell its level is unknown
    none = np.zeros(0, dtype=int)
    cells = CellProblem(Y, seen, none, none, np.zeros((0, 6, 5)))
    kept = untreated_cells(cells, 1000, np.random.default_rng(0))
    assert 2 not in kept.rows
    assert len(kept.rows) == 25
    errors = LeaveOneCellOut(kept).errors([FREE], np.arange(25), tolerance=1e-6)
    assert errors.shape == (1, 25)
    assert np.isfinite(errors).all()


def test_placebo_groups_enumerate_single_units():
    rng = np.random.default_rng(0)
    assert placebo_groups(5, 1, 100, rng).tolist() == [[0], [1], [2], [3], [4]]
    few = placebo_groups(50, 1, 20, rng)
    assert len(np.unique(few)) == 20
    pairs = placebo_groups(6, 2, 30, rng)
    assert pairs.shape == (30, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
