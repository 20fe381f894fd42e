from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.numerics.simplex import simplex_least_squares
from tests.reference_solvers import duality_gap, objective

SHAPES = ("generic", "collinear", "duplicated", "constant", "walk", "inside", "trend", "outlier")


def problem(shape, rows, donors, seed, scale, offset=0.0):
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
    return scale * (A + offset), scale * (b + offset)


def allowed(A, b, relative, best):
    size = np.abs(A - b[:, None]).max() + 1e-3 * np.abs(A).max()
    return relative * best + 1e-13 * len(b) * size**2


@settings(max_examples=300, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    rows=st.integers(2, 60),
    donors=st.integers(1, 60),
    seed=st.integers(0, 10**6),
    exponent=st.integers(-9, 9),
    offset=st.sampled_from([0.0, 10.0, 1e3]),
    ridge=st.sampled_from([0.0, 1e-12, 1e-6, 1e-3, 0.1, 1.0, 100.0]),
    intercept=st.booleans(),
)
def test_the_weights_are_optimal(shape, rows, donors, seed, exponent, offset, ridge, intercept):
    scale = 10.0**exponent
    A, b = problem(shape, rows, donors, seed, scale, offset)
    rho = ridge * rows * scale**2
    w, converged = simplex_least_squares(A, b, rho, intercept=intercept)
    assert converged
    assert w.min() >= 0.0
    assert w.sum() == pytest.approx(1.0, abs=1e-12)
    reached = objective(A, b, w, rho, intercept=intercept)
    gap = duality_gap(A, b, w, rho, intercept=intercept)
    assert gap <= allowed(A, b, 1e-8, reached)
