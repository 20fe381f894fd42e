from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import linprog, minimize
from scipy.stats import norm, truncnorm

from components.numerics import honest_bounds
from components.numerics.honest_bounds import (
    Coefficients,
    accepts,
    breakdown,
    relative_interval,
    relative_parts,
    smoothness_interval,
)

# Benzarti and Carloni (2019), effects on profits, as BCdata_EventStudy in the R package HonestDiD:
# four years before the base, four from the reform on.
BETA = np.array(
    [
        0.006696351804, 0.02934503369, -0.006472972222, 0.0730149895,
        0.1959611177, 0.3120639026, 0.2395415455, 0.1260425001,
    ]
)  # fmt: skip
LOWER = [
    [8.428358124e-4],
    [4.768686777e-4, 6.425420288e-4],
    [2.618051076e-4, 3.987425007e-4, 5.229949602e-4],
    [2.354220342e-4, 2.435515198e-4, 2.11768609e-4, 3.089595411e-4],
    [1.676371467e-4, 2.201960306e-4, 1.840722252e-4, 1.197866077e-4, 3.59970436e-4],
    [1.128707663e-4, 1.804591159e-4, 1.45852784e-4, 1.334081317e-4, 2.478818642e-4, 4.263949813e-4],
    [
        1.992816215e-5, 3.84376508e-5, 7.005197403e-5, 1.016335009e-4, 1.749579242e-4,
        2.171437809e-4, 4.886697861e-4,
    ],
    [
        -1.368265366e-4, -2.960421989e-5, 5.952994979e-5, 1.079051726e-4, 1.654256921e-4,
        2.892747871e-4, 3.805322049e-4, 7.61739444e-4,
    ],
]  # fmt: skip
SIGMA = np.zeros((8, 8))
for i, entries in enumerate(LOWER):
    SIGMA[i, : i + 1] = SIGMA[: i + 1, i] = entries
BC = Coefficients(BETA, SIGMA, 4, np.array([1.0, 0.0, 0.0, 0.0]))


def test_the_interval_under_parallel_trends_is_that_of_honestdid():
    assert BC.parallel(0.95) == pytest.approx((0.15877494, 0.23314729), abs=1e-8)


@pytest.mark.parametrize(
    ("M", "lower", "upper"),
    [
        (0.0, 0.1314113, 0.2161696),
        (0.01, 0.1549653, 0.2703845),
        (0.02, 0.1773011, 0.3159565),
        (0.03, 0.1894045, 0.3485478),
        (0.1, 0.1194440, 0.4185082),
        (0.2, 0.0194440, 0.5185082),
    ],
)
def test_fixed_length_intervals_are_those_of_honestdid(M, lower, upper):
    """The R package simulates the folded normal quantile and searches 100 lengths: 1e-3."""
    found = smoothness_interval(BC, M, 0.95)
    assert found == pytest.approx((lower, upper), abs=1e-3)
    assert found[1] - found[0] == pytest.approx(upper - lower, abs=1.5e-4)


@pytest.mark.parametrize(
    ("M", "lower", "upper"),
    [(0.5, 0.1181295, 0.2715839), (1.0, 0.0672313, 0.3186837), (1.5, 0.0132943, 0.3695820)],
)
def test_relative_magnitudes_are_those_of_honestdid(M, lower, upper):
    """The R package gives the outermost points of a grid with steps of 0.00076 that it accepts."""
    found = relative_interval(BC, M, 0.95)
    assert lower - 8e-4 <= found[0] <= lower + 1e-4
    assert upper - 1e-4 <= found[1] <= upper + 8e-4


def largest(program, y):
    """The dual of: the smallest eta, over nuisance directions, with y - X tau <= eta sigma."""
    right = np.eye(program.shape[1])[0]
    found = linprog(-y, A_eq=program.T, b_eq=right, bounds=(0.0, None), method="highs")
    return -found.fun, found.x


def conditional_test(study, A, d, theta, alpha):
    """The conditional test of Andrews, Roth and Pakes by linear programmes; True where it rejects.

    The ends of the truncation are found by moving the statistic until other multipliers win.
    """
    n, target = study.n_pre, study.target
    rows = np.abs(A[:, n:]).max(axis=1) > 0.0
    A, d = A[rows], d[rows]
    y = A @ study.beta - d - A[:, n:] @ target / (target @ target) * theta
    sigma = A @ study.sigma @ A.T
    program = np.column_stack([np.sqrt(np.diag(sigma)), A[:, n:] @ null_space(target[None])])
    eta, gamma = largest(program, y)
    if eta <= 0.0:
        return False
    variance = gamma @ sigma @ gamma
    lean = sigma @ gamma / variance
    ends = []
    for far in (eta - 100.0, eta + 100.0):
        x = far
        for _ in range(50):
            value, best = largest(program, y - lean * eta + lean * x)
            if value - x <= 1e-8 * (1.0 + abs(x)):
                break
            x = -(best @ (y - lean * eta)) / (best @ lean - 1.0)
        ends.append(x if abs(x - far) > 1e-6 else np.sign(far - eta) * np.inf)
    s = np.sqrt(variance)
    return eta > max(0.0, truncnorm.ppf(1 - alpha, ends[0] / s, ends[1] / s) * s)


def smooth(n, m, M):
    """Rows of the second differences of trends that are zero in the base."""
    rows = []
    for place in range(1, n + m):
        row = np.zeros(n + m + 1)
        row[place - 1 : place + 2] = 1.0, -2.0, 1.0
        rows.append(np.delete(row, n))
    A = np.array(rows + [-row for row in rows])
    return A, np.full(len(A), M)


@pytest.mark.parametrize(
    ("M", "lower", "upper"), [(0.1, 0.1195045, 0.4180257), (0.2, 0.0203013, 0.5179737)]
)
def test_the_slow_reference_has_the_ends_of_honestdid(M, lower, upper):
    for end, inwards in ((lower, 1.5e-3), (upper, -1.5e-3)):
        assert not conditional_test(BC, *smooth(4, 4, M), end + inwards, 0.05)
        assert conditional_test(BC, *smooth(4, 4, M), end - inwards, 0.05)


def relative(study, M):
    """Rows of the relative magnitudes, one block for each step and sign."""
    n, m = study.n_pre, study.n_post
    D = np.delete(np.diff(np.eye(n + m + 1), axis=0), n, axis=1)
    for step in range(n):
        for sign in (1.0, -1.0):
            A = np.vstack([D[n:] - M * sign * D[step], -D[n:] - M * sign * D[step]])
            yield A, np.zeros(2 * m)


@pytest.mark.parametrize(
    ("target", "M"),
    [((1, 0, 0, 0), 0.4), ((0.25, 0.25, 0.25, 0.25), 1.3), ((0, 0, 0.5, -0.5), 0.4)],
)
def test_the_closed_form_agrees_with_linear_programming(monkeypatch, target, M):
    monkeypatch.setattr(honest_bounds, "FIRST_STAGE", 0.0)
    study = Coefficients(BETA, SIGMA, 4, np.array(target, dtype=float))
    parts = [replace(part, critical=np.inf) for part in relative_parts(study, M, 0.95)]
    found, expected = [], []
    for theta in study.point + study.error * np.linspace(-25, 25, 11):
        found.append(accepts(study, parts, theta, 0.95))
        expected.append(
            any(not conditional_test(study, A, d, theta, 0.05) for A, d in relative(study, M))
        )
    assert found == expected
    assert any(found)
    assert not all(found)


def worst_bias(free, n, m, target, M):
    """Largest bias of an affine estimator over smooth trends, by a linear programme."""
    A, d = smooth(n, m, M)
    weights = np.r_[free, target]
    found = linprog(-weights, A_ub=A, b_ub=d, bounds=(None, None))
    return np.inf if found.status == 3 else -found.fun


def half_length(bias, deviation, level):
    low, high = 0.0, bias + 10 * deviation
    for _ in range(80):
        middle = (low + high) / 2
        inside = norm.cdf(middle, bias, deviation) - norm.cdf(-middle, bias, deviation)
        low, high = (middle, high) if inside < level else (low, middle)
    return high


def test_no_affine_estimator_has_a_shorter_interval():
    """A search over the weights before treatment, with the bias by linear programming."""
    n, m, target, M = 3, 2, np.array([0.5, 0.5]), 0.02
    rng = np.random.default_rng(3)
    root = rng.normal(size=(n + m, n + m)) * 0.02
    study = Coefficients(rng.normal(size=n + m), root @ root.T + 1e-4 * np.eye(n + m), n, target)
    lower, upper = smoothness_interval(study, M, 0.95)
    times = np.r_[-3.0, -2.0, -1.0, 1.0, 2.0]

    def length(two):
        last = (times[n:] @ target + times[:2] @ two) / 1.0  # a linear trend has no bias
        free = np.r_[two, last]
        weights = np.r_[free, target]
        deviation = np.sqrt(weights @ study.sigma @ weights)
        return half_length(worst_bias(free, n, m, target, M), deviation, 0.95)

    options = {"xatol": 1e-5, "fatol": 1e-8}
    found = minimize(length, np.array([-0.2, 0.2]), method="Nelder-Mead", options=options).fun
    assert (upper - lower) / 2 == pytest.approx(found, rel=1e-5)


def test_the_breakdown_value_is_where_zero_enters():
    worst = breakdown(BC, 0.95, relative=True, most=4.0)
    assert not accepts(BC, relative_parts(BC, worst, 0.95), 0.0, 0.95)
    assert accepts(BC, relative_parts(BC, worst + 0.03, 0.95), 0.0, 0.95)
    smoothly = breakdown(BC, 0.95, relative=False, most=1.0)
    assert smoothness_interval(BC, smoothly, 0.95)[0] > 0 > smoothness_interval(BC, 0.23, 0.95)[0]


def test_without_a_conclusion_nothing_can_break():
    none = Coefficients(np.r_[BETA[:4], np.zeros(4)], SIGMA, 4, BC.target)
    assert np.isnan(breakdown(none, 0.95, relative=True, most=2.0))


def test_the_set_covers_when_trends_differ_as_much_as_allowed():
    """The step after treatment equals the largest one before: the worst that M = 1 allows."""
    rng, n_draws = np.random.default_rng(1), 400
    delta = np.array([-0.2, -0.1, 0.1, 0.2])  # base between the second and the third
    sigma = 0.03**2 * (np.eye(4) + 0.5)
    target, covered = np.array([1.0, 0.0]), 0
    root = np.linalg.cholesky(sigma)
    for _ in range(n_draws):
        beta = delta + root @ rng.normal(size=4)
        study = Coefficients(beta, sigma, 2, target)
        covered += accepts(study, relative_parts(study, 1.0, 0.9), 0.0, 0.9)
    # 90 % or more of 400: fewer than 346 would have a probability below one in a hundred.
    assert covered >= 346
