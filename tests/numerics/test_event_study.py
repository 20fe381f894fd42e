"""Joint bands, group-time effects and imputation variances against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from components.numerics import event_study
from components.numerics.event_study import multiplier_critical_value, sup_t, wald_test
from components.numerics.group_time import average, long_differences
from components.numerics.imputation import Cells, imputation_averages, lead_coefficients
from components.numerics.saturated import saturated_regression
from components.numerics.twoway import fit_two_way, identified, regress_two_way


def rng():
    return np.random.default_rng(20)


def staggered(seed=0, n=40, t=7, missing=0.0, start=None):
    """Outcomes and first treated columns, with never-treated units in the last fifth."""
    draw = np.random.default_rng(seed)
    if start is None:
        start = draw.choice([2, 3, min(5, t), t], n)
        start[-(n // 5) :] = t
    Y = draw.normal(size=(n, t)).cumsum(axis=1) + draw.normal(size=(n, 1))
    Y += (np.arange(t) >= start[:, None]) * draw.normal(1, 0.5, (n, 1))
    return np.where(draw.random((n, t)) < missing, np.nan, Y), start


# --- critical values and the joint test -------------------------------------------------------


def test_sup_t_of_one_coefficient_is_the_normal_quantile():
    assert sup_t(np.array([[4.0]]), 0.95, rng()) == pytest.approx(norm.ppf(0.975), abs=1e-12)


def test_sup_t_of_independent_coefficients():
    exact = norm.ppf((1 + 0.95 ** (1 / 6)) / 2)
    assert sup_t(np.diag([1e-8, 1, 2, 3, 4, 1e8]), 0.95, rng(), 40_000) == pytest.approx(
        exact, abs=0.03
    )


def test_sup_t_of_copies_of_one_coefficient_is_pointwise():
    V = np.outer([1.0, 2.0, -3.0], [1.0, 2.0, -3.0])
    assert sup_t(V, 0.9, rng(), 40_000) == pytest.approx(norm.ppf(0.95), abs=0.03)


def test_sup_t_leaves_out_what_has_no_variance():
    V = np.full((3, 3), np.nan)
    V[0, 0], V[1, :], V[:, 1] = 2.0, 0.0, 0.0
    assert sup_t(V, 0.95, rng()) == pytest.approx(norm.ppf(0.975))
    assert np.isnan(sup_t(np.zeros((2, 2)), 0.95, rng()))


def test_multiplier_bootstrap_agrees_with_sup_t_for_many_clusters():
    psi = rng().normal(size=(1500, 8)) @ rng().normal(size=(8, 8))
    bootstrap = multiplier_critical_value(psi, 0.95, rng(), 9_999)
    assert bootstrap == pytest.approx(sup_t(psi.T @ psi, 0.95, rng(), 40_000), abs=0.05)


def test_multiplier_bootstrap_repeats_with_its_seed_and_skips_empty_columns():
    psi = rng().normal(size=(50, 3))
    padded = np.column_stack([psi, np.zeros(50), np.full(50, np.nan)])
    value = multiplier_critical_value(psi, 0.95, rng())
    assert value == multiplier_critical_value(padded, 0.95, rng())
    assert np.isnan(multiplier_critical_value(np.zeros((50, 2)), 0.95, rng()))


def test_draws_in_chunks_are_the_same_draws(monkeypatch):
    psi = rng().normal(size=(30, 4))
    one = multiplier_critical_value(psi, 0.95, rng(), 500), sup_t(psi.T @ psi, 0.95, rng(), 500)
    monkeypatch.setattr(event_study, "_CHUNK", 1_000)
    other = multiplier_critical_value(psi, 0.95, rng(), 500), sup_t(psi.T @ psi, 0.95, rng(), 500)
    assert one == pytest.approx(other, rel=1e-12)


def test_wald_statistic_by_its_formula():
    psi, theta = rng().normal(size=(60, 4)), np.array([0.1, -2.0, 3.0, 0.5])
    statistic = theta @ np.linalg.solve(psi.T @ psi, theta)
    test = wald_test(np.append(theta, np.nan), np.column_stack([psi, np.zeros(60)]))
    assert (test.df, test.statistic) == (4, pytest.approx(statistic))
    assert test.p_value == pytest.approx(chi2.sf(statistic, 4))
    rescaled = wald_test(1e9 * theta, 1e9 * psi)
    assert rescaled.statistic == pytest.approx(statistic)


@pytest.mark.parametrize("psi", [np.ones((30, 2)), np.eye(3), np.zeros((30, 2))])
def test_wald_test_is_nan_where_the_covariance_is_singular(psi):
    assert np.isnan(wald_test(np.ones(psi.shape[1]), psi).p_value)


# --- effects by cohort and period --------------------------------------------------------------


def slow_att(Y, start, g, t, omega, *, never, universal):
    """ATT(g,t) by loops, with a weight for each unit."""
    T = Y.shape[1]
    base = g - 1 if universal or t >= g else t - 1
    means = []
    for treated in (True, False):
        total = weight = 0.0
        for i in range(len(Y)):
            if treated:
                enters = start[i] == g
            else:
                enters = start[i] == T if never else start[i] > max(t, base) and start[i] != g
            change = Y[i, t] - Y[i, base]
            if enters and np.isfinite(change):
                total, weight = total + omega[i] * change, weight + omega[i]
        means.append(total / weight if weight else np.nan)
    return means[0] - means[1]


@pytest.mark.parametrize("never", [True, False])
@pytest.mark.parametrize("universal", [True, False])
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_group_time_effects_by_loops(never, universal, missing):
    Y, start = staggered(missing=missing)
    effects = long_differences(Y, start, never=never, universal=universal)
    expected = [
        slow_att(Y, start, g, t, np.ones(len(Y)), never=never, universal=universal)
        for g, t in zip(effects.cohorts, effects.periods, strict=True)
    ]
    np.testing.assert_allclose(effects.att, expected, atol=1e-12)
    assert len(effects.att) == 3 * (7 if universal else 6)


def test_standard_error_of_one_effect_is_that_of_a_difference_of_means():
    Y, start = staggered()
    effects = long_differences(Y, start, never=True, universal=False)
    k = np.flatnonzero((effects.cohorts == 3) & (effects.periods == 5))[0]
    change = Y[:, 5] - Y[:, 2]
    groups = [change[start == 3], change[start == 7]]
    expected = np.sqrt(sum(group.var() / len(group) for group in groups))
    assert effects.standard_errors[k] == pytest.approx(expected)


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_influence_is_the_derivative_in_the_weight_of_a_unit(missing):
    Y, start = staggered(n=25, missing=missing)
    options = {"never": False, "universal": False}
    effects = long_differences(Y, start, **options)
    dynamic = average(effects, effects.event_times, np.ones(len(effects.att), dtype=bool))

    def slow(event_time, omega):
        total = weight = 0.0
        for k in np.flatnonzero(effects.event_times == event_time):
            g, t = effects.cohorts[k], effects.periods[k]
            att = slow_att(Y, start, g, t, omega, **options)
            share = omega[effects.members[:, k]].sum()
            if share and np.isfinite(att):
                total, weight = total + share * att, weight + share
        return total / weight

    for e in (-1, 0, 2):
        place = np.flatnonzero(dynamic.labels == e)[0]
        assert dynamic.att[place] == pytest.approx(slow(e, np.ones(25)))
        for i in range(25):
            up, down = np.ones(25), np.ones(25)
            up[i], down[i] = 1 + 1e-5, 1 - 1e-5
            slope = (slow(e, up) - slow(e, down)) / 2e-5
            assert dynamic.influence[i, place] == pytest.approx(slope, abs=1e-7)


def test_always_treated_cohorts_have_nan_and_take_no_part():
    Y, start = staggered()
    late = start.copy()
    late[:3] = 0
    for effects in (
        long_differences(Y, late, never=True, universal=False),
        saturated_regression(Y, late).effects,
    ):
        own = effects.cohorts == 0
        assert np.isnan(effects.att[own]).all()
        assert not effects.influence[:, own].any()
        assert not effects.influence[:3].any()
        assert np.isnan(effects.Y0[:3]).all()


def test_one_treated_unit_or_one_control_has_no_standard_error():
    Y, start = staggered(start=np.array([2] + [4] * 10 + [7] * 29))
    effects = long_differences(Y, start, never=True, universal=False)
    np.testing.assert_array_equal(np.isnan(effects.standard_errors), effects.cohorts == 2)
    mixed = average(effects, effects.event_times, effects.event_times >= 0)
    # Event times 3 and 4 are seen in the single unit of cohort 2 alone.
    np.testing.assert_array_equal(np.isnan(mixed.standard_errors), mixed.labels >= 3)


# --- the saturated regression ------------------------------------------------------------------


def dense_saturated(Y, start):
    """Coefficients and clustered covariance from one regression with all dummies."""
    N, T = Y.shape
    rows, columns = np.nonzero(np.isfinite(Y))
    unit, period = np.eye(N)[rows], np.eye(T)[columns][:, 1:]
    pairs = [(g, t) for g in np.unique(start[start < T]) for t in range(T) if t != g - 1]
    dummies = np.array([(start[rows] == g) & (columns == t) for g, t in pairs], dtype=np.float64).T
    X = np.hstack([dummies, unit, period])
    y = Y[rows, columns]
    beta, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    assert rank == X.shape[1]
    bread = np.linalg.inv(X.T @ X)
    scores = np.array([X[rows == i].T @ (y - X @ beta)[rows == i] for i in range(N)])
    K = len(pairs) + T
    factor = N / (N - 1) * (len(y) - 1) / (len(y) - K)
    V = factor * bread @ scores.T @ scores @ bread
    return pairs, beta[: len(pairs)], V[: len(pairs), : len(pairs)]


@pytest.mark.parametrize("missing", [0.0, 0.12, 0.4])
@pytest.mark.parametrize(("n", "t"), [(40, 7), (300, 6)])
def test_saturated_regression_is_the_regression_with_all_dummies(n, t, missing):
    Y, start = staggered(seed=3, n=n, t=t, missing=missing)
    Y, start = Y[np.isfinite(Y).any(axis=1)], start[np.isfinite(Y).any(axis=1)]
    regression = saturated_regression(Y, start)
    pairs, beta, V = dense_saturated(Y, start)
    place = {
        (g, t): k
        for k, (g, t) in enumerate(
            zip(regression.effects.cohorts, regression.effects.periods, strict=True)
        )
    }
    order = [place[pair] for pair in pairs]
    np.testing.assert_allclose(regression.effects.att[order], beta, atol=1e-10)
    psi = regression.effects.influence[:, order]
    np.testing.assert_allclose(regression.factor * psi.T @ psi, V, atol=1e-10)
    reference = regression.effects.event_times == -1
    np.testing.assert_allclose(regression.effects.att[reference], 0.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_saturated_regression_solves_its_equations_whatever_the_gaps(seed):
    # A pseudoinverse took rounding for a direction of its own on some of these patterns.
    Y, start = staggered(seed=seed, n=400, t=5, missing=0.1)
    effects = saturated_regression(Y, start).effects
    _, controls = fit_two_way(Y[start == 5], np.isfinite(Y[start == 5]))
    for g in np.unique(start[start < 5]):
        _, own = fit_two_way(Y[start == g], np.isfinite(Y[start == g]))
        change = own - controls
        found = effects.att[effects.cohorts == g]
        np.testing.assert_allclose(found, change - change[g - 1], atol=1e-10)
    np.testing.assert_allclose(effects.influence.sum(axis=0), 0.0, atol=1e-12)


def test_saturated_regression_equals_long_differences_without_missing_cells():
    Y, start = staggered(seed=4)
    one = saturated_regression(Y, start).effects
    other = long_differences(Y, start, never=True, universal=True)
    np.testing.assert_allclose(one.att, other.att, atol=1e-12)
    np.testing.assert_allclose(one.influence, other.influence, atol=1e-12)
    np.testing.assert_allclose(one.Y0, other.Y0, atol=1e-12)


def test_a_period_without_link_to_the_reference_has_no_effect():
    Y, start = staggered(seed=5)
    Y[np.ix_(start == 3, [2])] = np.nan
    effects = saturated_regression(Y, start).effects
    np.testing.assert_array_equal(np.isnan(effects.att), effects.cohorts == 3)


# --- imputation --------------------------------------------------------------------------------


def dense_imputation(Y, untreated, cells, w, X):
    """Estimate and clustered standard error through the weights v on every cell."""
    N, T = Y.shape

    def design(rows, columns):
        effects = [np.eye(N)[rows], np.eye(T)[columns], *(x[rows, columns][:, None] for x in X)]
        return np.hstack(effects)

    r0, c0 = np.nonzero(untreated)
    Z0, Z1 = design(r0, c0), design(cells.rows, cells.columns)
    theta = np.linalg.pinv(Z0) @ Y[r0, c0]
    tau = Y[cells.rows, cells.columns] - Z1 @ theta
    v0 = -Z0 @ np.linalg.pinv(Z0.T @ Z0) @ Z1.T @ w
    assert v0 @ Y[r0, c0] + w @ Y[cells.rows, cells.columns] == pytest.approx(w @ tau)
    rest = Y[r0, c0] - Z0 @ theta
    total = np.zeros(N)
    np.add.at(total, r0, v0 * rest)
    for group in np.unique(cells.groups):
        own = cells.groups == group
        if (w[own] ** 2).sum() > 0:
            mean = (w[own] ** 2 * tau[own]).sum() / (w[own] ** 2).sum()
            np.add.at(total, cells.rows[own], w[own] * (tau[own] - mean))
    return w @ tau, total


def imputation_case(n, t, missing, p, seed=6):
    draw = np.random.default_rng(seed)
    Y, start = staggered(seed, n, t, missing)
    X = draw.normal(size=(p, n, t))
    untreated = np.isfinite(Y) & (np.arange(t) < start[:, None])
    treated = np.isfinite(Y) & (np.arange(t) >= start[:, None]) & identified(untreated)
    rows, columns = np.nonzero(treated)
    groups = np.unique(np.c_[start[rows], columns], axis=0, return_inverse=True)[1]
    weights = np.vstack([np.full(len(rows), 1 / len(rows)), draw.normal(size=(2, len(rows)))])
    weights[2, ::2] = 0.0
    return Y, untreated, Cells(rows, columns, groups), weights, X


@pytest.mark.parametrize(("n", "t"), [(30, 7), (7, 20)])
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("p", [0, 2])
def test_imputation_variance_by_its_weights(n, t, missing, p):
    Y, untreated, cells, weights, X = imputation_case(n, t, missing, p)
    fast = imputation_averages(Y, untreated, cells, weights, X)
    for k, w in enumerate(weights):
        att, influence = dense_imputation(Y, untreated, cells, w, X)
        assert fast.att[k] == pytest.approx(att, abs=1e-9)
        np.testing.assert_allclose(fast.influence[:, k], influence, atol=1e-9)


def test_cells_without_treated_ones_give_empty_averages():
    Y, _ = staggered()
    none = Cells(*(np.zeros(0, dtype=np.int64),) * 3)
    fit = imputation_averages(Y, np.ones(Y.shape, dtype=bool), none, np.zeros((2, 0)))
    np.testing.assert_array_equal(fit.att, [0.0, 0.0])
    assert not fit.influence.any()


def test_a_covariate_that_the_effects_explain_changes_nothing():
    Y, untreated, cells, weights, _ = imputation_case(30, 7, 0.1, 0)
    idle = np.tile(np.arange(30.0)[:, None], (1, 7))
    one = imputation_averages(Y, untreated, cells, weights)
    other = imputation_averages(Y, untreated, cells, weights, idle[None])
    np.testing.assert_allclose(other.influence, one.influence, atol=1e-10)
    np.testing.assert_allclose(other.att, one.att, atol=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_leads_are_a_regression_on_untreated_cells(missing):
    Y, untreated, *_ = imputation_case(30, 7, missing, 0)
    times = np.where(untreated, np.arange(7) - staggered(6, 30, 7)[1][:, None], 0)
    leads = (times == np.array([-3, -2, -1])[:, None, None]).astype(float)
    fit = lead_coefficients(Y, leads, untreated)
    slow = regress_two_way(Y, leads, untreated)
    np.testing.assert_allclose(fit.att, slow.coefficients, atol=1e-10)
    groups, cells = int(untreated.any(axis=1).sum()), int(untreated.sum())
    spare = cells - 3 - int(untreated.any(axis=0).sum())
    factor = groups / (groups - 1) * (cells - 1) / spare
    np.testing.assert_allclose(
        np.sqrt(factor) * fit.standard_errors, slow.standard_errors, atol=1e-10
    )


def test_a_lead_that_the_effects_explain_is_nan():
    Y, untreated, *_ = imputation_case(30, 7, 0.0, 0)
    idle = np.tile(np.arange(7.0), (30, 1))
    fit = lead_coefficients(Y, idle[None], untreated)
    assert np.isnan(fit.att).all()
    assert not fit.influence.any()
