from __future__ import annotations

import numpy as np
import pytest

from components.numerics.simplex import simplex_fit
from components.numerics.simplex_dual import project_simplex
from components.numerics.simplex_lockstep import SimplexBatch
from components.numerics.simplex_many import resampled_fits, ridge_fits, simplex_fits
from components.numerics.simplex_nnls import nearest_by_nnls, nearest_by_nnls_many
from components.numerics.simplex_pivoting import pivoted
from components.numerics.simplex_problems import second_moments


def donors(n, t, seed=0, kind="walk"):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(t, n)).cumsum(axis=0) + rng.normal(0, 2, n)
    if kind == "duplicated":
        A[:, 1] = A[:, 0]
    elif kind == "constant":
        A[:] = rng.normal(size=n)
    elif kind == "identical":
        A[:] = 3.0
    return A


@pytest.mark.parametrize("kind", ["walk", "duplicated", "constant", "identical"])
@pytest.mark.parametrize(("n", "t"), [(15, 20), (30, 6), (130, 40), (2, 5)])
@pytest.mark.parametrize("intercept", [True, False])
def test_leaving_each_donor_out_equals_fitting_one_by_one(n, t, kind, intercept):
    A = donors(n, t, kind=kind)
    together = simplex_fits(A, A.T, np.arange(n)[:, None], intercept=intercept)
    for j in range(min(n, 40)):
        alone = simplex_fit(np.delete(A, j, axis=1), A[:, j], intercept=intercept).weights
        assert together[j, j] == 0.0
        np.testing.assert_allclose(np.delete(together[j], j), alone, atol=1e-8)


def test_many_targets_without_barred_donors():
    A = donors(20, 25)
    targets = np.random.default_rng(1).normal(size=(7, 25)).cumsum(axis=1)
    together = simplex_fits(A, targets)
    for row, target in enumerate(targets):
        np.testing.assert_allclose(together[row], simplex_fit(A, target).weights, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize(("n", "t"), [(12, 20), (40, 8), (60, 70)])
def test_lock_step_alone_is_exact(n, t, scale):
    A = scale * donors(n, t, seed=2)
    barred = np.arange(n)[:, None]
    weights, sure = SimplexBatch(A, A.T.copy(), np.zeros(n), barred=barred).solve()
    assert sure.all()
    for j in range(n):
        alone = simplex_fit(np.delete(A, j, axis=1), A[:, j])
        assert alone.unique
        np.testing.assert_allclose(np.delete(weights[j], j), alone.weights, atol=1e-8)


def test_lock_step_is_not_sure_where_other_weights_fit_as_well():
    A = donors(30, 6)
    inside = A @ np.random.default_rng(0).dirichlet(np.ones(30), size=4).T
    outside = A[:, :4] + 100.0
    targets = np.vstack([inside.T, outside.T])
    _, sure = SimplexBatch(A, targets, np.zeros(8)).solve()
    assert not sure[:4].any()
    assert sure[4:].all()


@pytest.mark.parametrize("ridge", [1e-8, 1e-3, 0.1, 10.0])
@pytest.mark.parametrize(("n", "t"), [(12, 20), (40, 8), (70, 65)])
def test_multiplicities_are_copies_of_donors(n, t, ridge):
    rng = np.random.default_rng(3)
    A = donors(n, t)
    targets = rng.normal(size=(6, t)).cumsum(axis=1)
    mass = rng.multinomial(n, np.full(n, 1 / n), size=6).astype(float)
    rho = np.full(6, ridge * t)
    together = ridge_fits(A, targets, rho, mass)
    for row in range(6):
        copies = np.repeat(np.arange(n), mass[row].astype(int))
        alone = simplex_fit(A[:, copies], targets[row], rho[row], intercept=True).weights
        summed = np.bincount(copies, alone, n)
        np.testing.assert_allclose(together[row], summed, atol=1e-7)


@pytest.mark.parametrize(("n", "t"), [(30, 8), (9, 20), (150, 12)])
def test_resampled_rows_are_copies_of_rows(n, t):
    rng = np.random.default_rng(4)
    A = donors(t, n, seed=5)
    target = A @ rng.dirichlet(np.ones(t)) + rng.normal(size=n)
    mass = rng.multinomial(n, np.full(n, 1 / n), size=8).astype(float)
    rho = np.full(8, n * 1e-12)
    together = resampled_fits(A, target, rho, mass)
    for row in range(8):
        copies = np.repeat(np.arange(n), mass[row].astype(int))
        alone = simplex_fit(A[copies], target[copies], rho[row], intercept=True).weights
        np.testing.assert_allclose(A[copies] @ together[row], A[copies] @ alone, atol=1e-6)


def test_block_pivots_change_nothing_but_the_way(monkeypatch):
    rng = np.random.default_rng(6)
    A = donors(18, 60, seed=7)
    target = A @ rng.dirichlet(np.ones(18)) + rng.normal(size=60)
    mass = rng.multinomial(60, np.full(60, 1 / 60), size=9).astype(float)
    targets = np.broadcast_to(target, mass.shape)
    batch = SimplexBatch(A, targets, np.full(9, 1e-10), mass=mass, intercept=True)
    expected, sure = batch.solve()
    assert sure.all()
    start = np.full((9, 18), 1 / 18)
    assert (np.abs(pivoted(batch.centred(), start) - expected).max(axis=1) < 1e-9).sum() >= 8
    for limit in (0, 1, 12):
        monkeypatch.setattr("components.numerics.simplex_pivoting.MAX_PIVOTS", limit)
        monkeypatch.setattr("components.numerics.simplex_lockstep.GRAM_CELLS", 18**2 * (1 + limit))
        weights, sure = batch.solve(start, pivots=True)
        assert sure.all()
        np.testing.assert_allclose(weights, expected, atol=1e-10)


def test_second_moments_are_sums_of_outer_products():
    rng = np.random.default_rng(2)
    X, mass = rng.normal(size=(7, 4)), rng.integers(0, 3, (5, 7)).astype(float)
    expected = np.einsum("bi,ij,ik->bjk", mass, X, X)
    np.testing.assert_allclose(second_moments(X, mass), expected, atol=1e-12)


def test_nearest_points_of_many_targets():
    A = donors(12, 6, seed=3)
    targets = np.vstack([A.T[:5], np.zeros((1, 6))])
    barred = np.append(np.arange(5), 0)[:, None]
    together = nearest_by_nnls_many(A, targets, barred)
    for row, target in enumerate(targets):
        others = np.delete(A, barred[row], axis=1)
        alone = nearest_by_nnls(others - target[:, None])
        np.testing.assert_allclose(np.delete(together[row], barred[row]), alone, atol=1e-12)
    # A target that is a donor itself gets that donor.
    np.testing.assert_allclose(nearest_by_nnls(A - A[:, [4]]) @ A.T, A[:, 4])


def test_projection_on_the_simplex():
    rng = np.random.default_rng(0)
    for _ in range(50):
        z = rng.normal(0, rng.choice([0.01, 1.0, 1e3]), size=(3, 8))
        w = project_simplex(z)
        np.testing.assert_allclose(w.sum(axis=1), 1.0)
        # Optimality: z - w is largest, and equal, where w is positive.
        left = np.where(w > 0, z - w, np.nan)
        np.testing.assert_allclose(np.nanmax(left, axis=1), np.nanmin(left, axis=1))
        assert (z <= np.nanmax(left, axis=1)[:, None] + w + 1e-9).all()


def test_projection_with_multiplicities_is_projection_of_copies():
    rng = np.random.default_rng(1)
    z = rng.normal(size=6)
    m = np.array([1.0, 3.0, 2.0, 1.0, 4.0, 1.0])
    copies = np.repeat(np.arange(6), m.astype(int))
    expected = np.bincount(copies, project_simplex(z[copies]))
    np.testing.assert_allclose(project_simplex(z, m), expected)
    barred = np.array([1.0, 0.0, 2.0, 1.0, 4.0, 1.0])
    without = project_simplex(np.where(barred > 0, z, -np.inf), barred)
    assert without[1] == 0.0
    assert without.sum() == pytest.approx(1.0)
