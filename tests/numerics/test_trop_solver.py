"""Weighted effects and weighted nuclear-norm regressions against slow, plain solvers."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics import trop_solver
from components.numerics.trop_effects import components_stack, effects_stack
from components.numerics.trop_factors import Stack
from components.numerics.trop_scores import vanishing_penalties
from components.numerics.trop_solver import solve_in_chunks, solve_stack
from trop_reference import least_squares, objective, proximal_gradient


def problems(seed=0, size=4, n=9, t=7, k=0, penalty=0.3, holes=0.2):
    """Random tables with a rank-two part, uneven weights and holes; every cell is a probe."""
    rng = np.random.default_rng(seed)
    Y = rng.normal(size=(size, n, 2)) @ rng.normal(size=(size, 2, t))
    Y += rng.normal(size=(size, n, 1)) + rng.normal(size=(size, 1, t)) + 5.0
    Y += 0.3 * rng.normal(size=Y.shape)
    weights = np.exp(-2 * rng.random((size, n, 1))) * np.exp(-3 * rng.random((size, 1, t)))
    weights = weights * (rng.random(Y.shape) > holes)
    weights[:, 0], weights[:, :, 0] = 0.7, 0.4  # every unit and period stays connected
    rows, columns = (np.tile(a.ravel(), (size, 1)) for a in np.indices((n, t)))
    X = rng.normal(size=(size, k, n, t))
    return Stack(Y, weights, np.full(size, penalty), X, rows, columns)


@pytest.mark.parametrize(("n", "t"), [(9, 7), (5, 11)])
@pytest.mark.parametrize("k", [0, 2])
def test_effects_are_least_squares(n, t, k):
    stack = problems(n=n, t=t, k=k)
    found = effects_stack(stack.Y, stack.weights, stack.X)
    fitted = found.fitted(stack.X)
    for b in range(len(stack.Y)):
        expected, slopes = least_squares(stack.Y[b], stack.weights[b], stack.X[b])
        np.testing.assert_allclose(fitted[b], expected, atol=1e-10)
        np.testing.assert_allclose(found.slopes[b], slopes, atol=1e-10)


def test_effects_are_known_only_within_a_component():
    weights = np.zeros((1, 4, 5))
    weights[0, :2, :2], weights[0, 2:, 2:4] = 1.0, 1.0
    units, periods = components_stack(weights > 0)
    assert units.tolist() == [[0, 0, 1, 1]]
    assert periods.tolist() == [[0, 0, 1, 1, -1]]
    Y = np.random.default_rng(0).normal(size=(1, 4, 5))
    found = effects_stack(Y, weights, np.zeros((1, 0, 4, 5)))
    rows, columns = np.array([[0, 0, 3, 3]]), np.array([[1, 2, 2, 4]])
    assert found.linked(rows, columns).tolist() == [[True, False, True, False]]
    expected, _ = least_squares(Y[0, :2, :2], np.ones((2, 2)), np.zeros((0, 2, 2)))
    np.testing.assert_allclose(found.fitted(np.zeros((1, 0, 4, 5)))[0, :2, :2], expected)


@pytest.mark.parametrize(("n", "t"), [(9, 7), (5, 11)])
@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("penalty", [0.02, 0.3, 2.0])
def test_low_rank_fits_are_the_optimum(n, t, k, penalty):
    stack = problems(n=n, t=t, k=k, penalty=penalty, size=2)
    found = solve_stack(stack, tolerance=1e-10)
    for b in range(2):
        Y, w, X = stack.Y[b], stack.weights[b], stack.X[b]
        fit, L, slopes = proximal_gradient(Y, w, penalty, X)
        np.testing.assert_allclose(found.values[b].reshape(n, t), fit, atol=2e-6)
        np.testing.assert_allclose(found.slopes[b], slopes, atol=2e-6)
        assert found.rank[b] == np.linalg.matrix_rank(L, tol=1e-6)
        assert found.certificate[b] <= 1.0 + 1e-6
        assert found.rank[b] == 0 or found.certificate[b] == pytest.approx(1.0, abs=1e-6)
        # Weak duality bounds the optimum from below without any solver.
        Z = 2 * w * (Y - found.values[b].reshape(n, t))
        lower = (Z * Y).sum() - np.divide(Z**2, 4 * w, out=np.zeros_like(Z), where=w > 0).sum()
        assert lower == pytest.approx(objective(Y, w, penalty, fit, L), rel=1e-6)


def test_beyond_the_vanishing_penalty_fits_are_two_way():
    stack = problems(size=3)
    limits = vanishing_penalties(stack)
    for factor, ranks in ((1.001, [0, 0, 0]), (0.99, [1, 1, 1])):
        at = Stack(stack.Y, stack.weights, factor * limits, stack.X, stack.rows, stack.columns)
        found = solve_stack(at, tolerance=1e-10)
        assert found.rank.tolist() == ranks
    effects = effects_stack(stack.Y, stack.weights, stack.X).fitted(stack.X)
    endless = Stack(stack.Y, stack.weights, np.full(3, np.inf), stack.X, stack.rows, stack.columns)
    found = solve_stack(endless, tolerance=1e-10)
    np.testing.assert_allclose(found.values, effects.reshape(3, -1))
    assert found.sweeps.tolist() == [0, 0, 0]


def test_what_has_no_weight_is_not_looked_at():
    stack = problems()
    moved = stack.Y + 1e6 * (stack.weights == 0)
    other = Stack(moved, stack.weights, stack.penalty, stack.X, stack.rows, stack.columns)
    one, two = (solve_stack(s, tolerance=1e-10) for s in (stack, other))
    np.testing.assert_allclose(two.values, one.values, atol=1e-8)


def test_pieces_give_the_same_as_the_whole(monkeypatch):
    stack, shares = problems(size=7), []
    whole = solve_stack(stack, tolerance=1e-10)
    monkeypatch.setattr("components.numerics.trop_solver.CHUNK", 2 * stack.Y[0].size)
    pieces = solve_in_chunks(
        stack.take, 7, stack.Y[0].size, tolerance=1e-10, progress=shares.append
    )
    np.testing.assert_allclose(pieces.values, whole.values, atol=1e-8)
    assert shares == pytest.approx([2 / 7, 4 / 7, 6 / 7, 1.0])


def test_blocks_and_lapack_give_the_same(monkeypatch):
    stack = problems(size=5, penalty=0.05, k=1)
    expected = solve_stack(stack, tolerance=1e-10).values
    for name, value in (("BLOCK", 1), ("SMALL_SYSTEM", 1)):
        monkeypatch.setattr(f"components.numerics.trop_regressions.{name}", value)
        np.testing.assert_allclose(solve_stack(stack, tolerance=1e-10).values, expected, atol=1e-8)


def test_adds_the_directions_that_the_certificate_misses(monkeypatch):
    start = trop_solver._start
    # Begin with one factor only: without the certificate the fit would stay at rank one.
    monkeypatch.setattr(trop_solver, "_start", lambda *args: start(*args)[:, [0, -1]])
    stack = problems(penalty=0.1, size=2)
    found = solve_stack(stack, tolerance=1e-10)
    for b in range(2):
        fit, L, _ = proximal_gradient(stack.Y[b], stack.weights[b], 0.1, stack.X[b])
        assert found.rank[b] == np.linalg.matrix_rank(L, tol=1e-6) > 1
        np.testing.assert_allclose(found.values[b], fit.ravel(), atol=2e-6)
    assert (found.certificate <= 1.0 + 1e-6).all()
