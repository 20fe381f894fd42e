"""The proximal map of the nuclear norm against plain SVDs."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics import nuclear
from components.numerics.nuclear import (
    singular_value_decomposition,
    soft_threshold_singular_values,
    soft_threshold_stack,
    spectral_norms,
)


def by_svd(Z, k):
    U, s, Vt = np.linalg.svd(Z, full_matrices=False)
    s = np.maximum(s - k, 0.0)
    return (U * s) @ Vt, int((s > 0).sum()), float(s.sum())


@pytest.mark.parametrize("shape", [(9, 5), (5, 9), (6, 6), (1, 4)])
@pytest.mark.parametrize("k", [0.0, 1e-7, 0.3, 1.5, 100.0])
def test_soft_threshold_is_that_of_the_svd(shape, k):
    Z = np.random.default_rng(0).normal(size=shape)
    L, rank, norm = soft_threshold_singular_values(Z, k)
    expected, expected_rank, expected_norm = by_svd(Z, k)
    np.testing.assert_allclose(L, expected, atol=1e-12)
    assert rank == expected_rank
    assert norm == pytest.approx(expected_norm, abs=1e-12)


def test_keeps_its_digits_where_singular_values_lie_far_apart():
    rng = np.random.default_rng(1)
    U, V = (np.linalg.qr(rng.normal(size=(8, 8)))[0] for _ in range(2))
    s = 10.0 ** -np.arange(8)
    for k in (5e-3, 5e-6):
        L, rank, _ = soft_threshold_singular_values((U * s) @ V.T, k)
        np.testing.assert_allclose(L, (U * np.maximum(s - k, 0.0)) @ V.T, atol=2e-12)
        assert rank == (s > k).sum()


def test_stack_equals_one_by_one_whatever_its_orientation():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(6, 7, 4)) * np.array([1.0, 1e-3, 1e3, 0.0, 1.0, 1.0])[:, None, None]
    k = np.array([0.5, 1e-4, 1e-3, 1.0, 50.0, 1e-9])
    for stack in (Z, Z.swapaxes(1, 2)):
        L, rank, norm = soft_threshold_stack(stack, k)
        for b in range(len(k)):
            expected = by_svd(stack[b], k[b])
            np.testing.assert_allclose(L[b], expected[0], atol=1e-12 * max(1, abs(Z[b]).max()))
            assert rank[b] == expected[1]
            assert norm[b] == pytest.approx(expected[2], rel=1e-9, abs=1e-12)
        np.testing.assert_allclose(
            spectral_norms(stack), np.linalg.norm(stack, 2, axis=(1, 2)), rtol=1e-12
        )


def test_a_driver_that_does_not_settle_is_replaced(monkeypatch):
    def fails(*args, **kwargs):
        raise np.linalg.LinAlgError

    Z = np.random.default_rng(3).normal(size=(5, 3))
    expected = np.linalg.svd(Z, compute_uv=False)
    monkeypatch.setattr(nuclear.np.linalg, "svd", fails)
    U, s, Vt = singular_value_decomposition(Z)
    np.testing.assert_allclose(s, expected)
    np.testing.assert_allclose((U * s) @ Vt, Z, atol=1e-12)
