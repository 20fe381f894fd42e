from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.estimators.sdid import SyntheticDID
from components.numerics.sdid import (
    noise_level,
    noise_levels,
    sdid_gaps,
)
from components.numerics.simplex import simplex_least_squares
from components.numerics.simplex_frank_wolfe import frank_wolfe
from panels import block_panel
from refits import read, refitted, with_start


def with_covariates(panel, seed=0):
    X = np.random.default_rng(seed).normal(size=(2, *panel.shape))
    return replace(panel, X={"a": X[0], "b": X[1]})


VERSIONS = [
    SyntheticDID(),
    SyntheticDID(ridge_scale=0.05),
    SyntheticDID(ridge_scale=0.0),
    SyntheticDID(noise="demeaned"),
    SyntheticDID(covariates=("a", "b")),
    SyntheticDID(solver="frank_wolfe"),
]


@pytest.mark.parametrize("estimator", VERSIONS, ids=repr)
@pytest.mark.parametrize("n_treated", [1, 3])
def test_placebos_equal_refits(estimator, n_treated):
    panel = with_covariates(block_panel(n=11, n_treated=n_treated))
    groups = np.array([[4, 6, 9], [3, 5, 10], [8, 7, 4]])[:, :n_treated]
    together = estimator.placebo_gaps(panel, groups)
    for row, group in enumerate(groups):
        expected = refitted(estimator, panel, np.sort(group))
        np.testing.assert_allclose(together[row], expected, atol=1e-8)


@pytest.mark.parametrize(
    "corner", [{"n": 40, "t": 9}, {"n": 4, "t": 30}, {"n": 3, "t": 7}, {"n": 80, "t": 100}]
)
def test_placebos_equal_refits_in_corners(corner):
    panel = block_panel(**corner)
    groups = np.arange(1, min(corner["n"], 15))[:, None]
    together = SyntheticDID().placebo_gaps(panel, groups)
    for row, group in enumerate(groups):
        expected = refitted(SyntheticDID(), panel, group)
        np.testing.assert_allclose(together[row], expected, atol=1e-7)


def test_the_estimate_is_the_weighted_double_difference():
    panel = block_panel(n_treated=3)
    estimate = SyntheticDID().fit(panel)
    omega, lam = estimate.unit_weights.to_numpy(), estimate.time_weights.to_numpy()
    rows = np.append(-omega, np.full(3, 1 / 3))
    columns = np.append(-lam, np.full(5, 1 / 5))
    order = [*range(3, 12), 0, 1, 2]
    assert estimate.att == pytest.approx(rows @ panel.Y[order] @ columns)
    # Every treated unit has a level of its own: its gap is zero where the time weights lie.
    gaps = estimate.effects[:3, :10] @ lam
    np.testing.assert_allclose(gaps, 0.0, atol=1e-10)


@pytest.mark.parametrize("n_treated", [1, 3])
def test_weights_solve_the_published_problems(n_treated):
    panel = block_panel(n_treated=n_treated)
    estimate = SyntheticDID().fit(panel)
    C, t0 = panel.Y[n_treated:], 10
    sigma = np.diff(C[:, :t0]).std(ddof=1)
    zeta = (n_treated * 5) ** 0.25 * sigma
    omega, _ = simplex_least_squares(
        C[:, :t0].T, panel.Y[:n_treated, :t0].mean(axis=0), t0 * zeta**2, intercept=True
    )
    np.testing.assert_allclose(estimate.unit_weights, omega)
    lam, _ = simplex_least_squares(
        C[:, :t0], C[:, t0:].mean(axis=1), len(C) * (1e-6 * sigma) ** 2, intercept=True
    )
    np.testing.assert_allclose(estimate.time_weights, lam)


def test_early_stopping_reproduces_the_published_digits(prop99):
    # R synthdid 0.0.9 on the same file: METHODS B.1.
    estimate = SyntheticDID(solver="frank_wolfe").fit(prop99)
    assert estimate.att == pytest.approx(-15.60383, abs=1e-5)
    curve = [-4.845, -4.326, -8.654, -8.419, -12.546, -16.106]
    curve += [-18.906, -19.350, -20.884, -22.782, -25.945, -24.485]
    np.testing.assert_allclose(estimate.by_period().dropna(), curve, atol=6e-4)
    assert any("Frank-Wolfe" in note for note in estimate.notes)


def test_enumerated_placebos_of_proposition_99(prop99):
    controls = prop99.Y[~prop99.design.treated]
    before = controls[:, :19]
    mass = 1.0 - np.eye(38)
    held = np.full(38, noise_level(before))
    # METHODS B.1 holds the noise level of the whole panel, as synthdid does ...
    gaps = sdid_gaps(controls, controls, 19, mass, 12**0.25 * held, held)
    assert gaps[:, 19:].mean(axis=1).std() == pytest.approx(9.3712, abs=1e-4)
    # ... a refit on the placebo's own panel measures it there.
    groups = np.flatnonzero(~prop99.design.treated)[:, None]
    again = SyntheticDID().placebo_gaps(prop99, groups)
    assert again[:, 19:].mean(axis=1).std() == pytest.approx(9.3684, abs=1e-4)


def test_the_basque_country_and_germany(published):
    basque = read(published, "basque.csv", "region", "year", "gdpcap")
    assert SyntheticDID().fit(basque).att == pytest.approx(-0.793415, abs=1e-5)
    estimate = SyntheticDID().fit(with_start(basque, 1975))
    assert estimate.att == pytest.approx(-0.770114, abs=1e-5)
    assert estimate.time_weights[1974] == pytest.approx(1.0, abs=1e-5)
    germany = read(published, "german_reunification.csv", "country", "year", "gdp")
    germany = with_start(germany.with_outcomes(germany.Y / 1000), 1991)
    estimate = SyntheticDID().fit(germany)
    assert estimate.att == pytest.approx(-1.823156, abs=1e-5)
    assert estimate.time_weights[1987] == pytest.approx(0.14744, abs=1e-5)


def test_noise_levels_of_samples():
    rng = np.random.default_rng(0)
    before = 1e6 + rng.normal(size=(9, 7)).cumsum(axis=1)
    assert noise_level(before) == pytest.approx(np.diff(before).std(ddof=1))
    mass = rng.multinomial(9, np.full(9, 1 / 9), size=5).astype(float)
    for row, count in enumerate(mass):
        sample = np.diff(np.repeat(before, count.astype(int), axis=0))
        assert noise_levels(before, mass)[row] == pytest.approx(sample.std(ddof=1))
        left = sample - sample.mean(axis=0)
        demeaned = np.sqrt((left**2).sum() / (8 * 6))
        assert noise_levels(before, mass, demeaned=True)[row] == pytest.approx(demeaned)
    assert noise_level(before[:, :1]) == 0.0
    assert noise_level(before[:1], demeaned=True) == 0.0


def test_shocks_to_all_units_move_the_published_version_only(panel):
    shocks = np.random.default_rng(3).normal(0, 3, panel.shape[1])
    moved = panel.with_outcomes(panel.Y + shocks)
    robust = SyntheticDID(noise="demeaned")
    assert robust.fit(moved).att == pytest.approx(robust.fit(panel).att, abs=1e-6)
    published = SyntheticDID()
    assert abs(published.fit(moved).att - published.fit(panel).att) > 1e-3


def test_covariates_are_taken_out():
    panel = with_covariates(block_panel(n=20, t=20))
    loaded = panel.with_outcomes(panel.Y + 3.0 * panel.X["a"] - 2.0 * panel.X["b"])
    estimator = SyntheticDID(covariates=("a", "b"))
    plain, adjusted = estimator.fit(panel), estimator.fit(loaded)
    assert adjusted.att == pytest.approx(plain.att, abs=1e-9)
    change = adjusted.details["covariate_coefficients"] - plain.details["covariate_coefficients"]
    assert change["a"] == pytest.approx(3.0)
    assert change["b"] == pytest.approx(-2.0)
    np.testing.assert_allclose(adjusted.effects[panel.W], plain.effects[panel.W], atol=1e-9)


def test_a_covariate_without_content_hardly_moves_proposition_99(prop99):
    noise = np.random.default_rng(0).normal(size=prop99.shape)
    panel = replace(prop99, X={"noise": noise, "flat": np.ones(prop99.shape)})
    # Clarke et al.'s Stata command moves from -15.604 to -15.750 with a pure-noise covariate.
    assert SyntheticDID(covariates=("noise",)).fit(panel).att == pytest.approx(-15.6, abs=0.5)
    flat = SyntheticDID(covariates=("flat",)).fit(panel)
    assert flat.att == pytest.approx(SyntheticDID().fit(prop99).att)
    assert flat.details["covariate_coefficients"]["flat"] == 0.0


def test_covariates_that_cannot_be_used_are_named(panel):
    X = panel.Y.copy()
    X[2, 3] = np.nan
    holed = replace(panel, X={"a": X})
    assert "no covariate 'b'; it has: a" in SyntheticDID(covariates=("b",)).why_not(holed)
    assert "unit 02, 2003" in SyntheticDID(covariates=("a",)).why_not(holed)


def curve(controls, average, n_treated, sigma, solver):
    """An effect curve by one call of the solver for each kind of weights."""
    before, after = controls[:, :10], controls[:, 10:].mean(axis=1)
    zeta = (n_treated * 5) ** 0.25 * sigma
    if solver == "exact":
        tiny = len(before) * (1e-6 * sigma) ** 2
        omega, _ = simplex_least_squares(before.T, average[:10], 10 * zeta**2, intercept=True)
        lam, _ = simplex_least_squares(before, after, tiny, intercept=True)
    else:
        stop = 1e-5 * sigma
        omega = frank_wolfe(before.T, average[:10], zeta, stop, intercept=True)
        lam = frank_wolfe(before, after, 1e-6 * sigma, stop, intercept=True)
    gap = average - omega @ controls
    return gap - lam @ gap[:10]


@pytest.mark.parametrize("solver", ["exact", "frank_wolfe"])
def test_bootstrap_samples_are_fits_on_their_units(solver):
    panel = block_panel(n=14, n_treated=4)
    rng = np.random.default_rng(0)
    counts = rng.multinomial(14, np.full(14, 1 / 14), size=20)
    counts = counts[(counts[:, :4].sum(axis=1) > 0)][:8]
    together = SyntheticDID(solver=solver).bootstrap_gaps(panel, counts)
    C, treated = panel.Y[4:], panel.Y[:4]
    sigma = noise_level(C[:, :10])
    for row, count in enumerate(counts):
        rest = np.repeat(C, count[4:], axis=0)
        average = np.repeat(treated, count[:4], axis=0).mean(axis=0)
        expected = curve(rest, average, 4, sigma, solver)
        np.testing.assert_allclose(together[row], expected, atol=1e-9)


@pytest.mark.parametrize("solver", ["exact", "frank_wolfe"])
@pytest.mark.parametrize("noise", ["published", "demeaned"])
def test_held_placebos_keep_the_noise_level_of_the_panel(solver, noise):
    panel = block_panel(n=13, n_treated=2)
    groups = np.array([[4, 6], [3, 5], [12, 7]])
    together = SyntheticDID(solver=solver, noise=noise).held_placebo_gaps(panel, groups)
    sigma = noise_level(panel.Y[2:, :10], demeaned=noise == "demeaned")
    for row, group in enumerate(groups):
        rest = np.delete(panel.Y, [0, 1, *group], axis=0)
        expected = curve(rest, panel.Y[group].mean(axis=0), 2, sigma, solver)
        np.testing.assert_allclose(together[row], expected, atol=1e-9)


@pytest.mark.parametrize(("n", "t"), [(60, 40), (30, 50)])
def test_many_samples_equal_single_solutions(n, t):
    rng = np.random.default_rng(8)
    Y = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)) + rng.normal(size=(n, t))
    held = np.ones(30)
    placebos = np.ones((30, n))
    placebos[np.arange(30), np.arange(30)] = 0.0
    samples = rng.multinomial(n, np.full(n, 1 / n), size=30).astype(float)
    for mass in (placebos, samples):
        together = sdid_gaps(Y, Y[:30], t - 5, mass, 2.0 * held, held)
        alone = [
            sdid_gaps(Y, Y[[b]], t - 5, mass[[b]], 2.0 * held[:1], held[:1])[0] for b in range(30)
        ]
        np.testing.assert_allclose(together, alone, atol=1e-9)
        for b in range(0, 30, 10):
            copies = np.repeat(Y, mass[b].astype(int), axis=0)
            before, after = copies[:, : t - 5], copies[:, t - 5 :].mean(axis=1)
            target = Y[b, : t - 5]
            omega, _ = simplex_least_squares(before.T, target, (t - 5) * 4.0, intercept=True)
            lam, _ = simplex_least_squares(before, after, len(copies) * 1e-12, intercept=True)
            gap = Y[b] - omega @ copies
            np.testing.assert_allclose(together[b], gap - lam @ gap[: t - 5], atol=1e-9)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="ridge_scale"):
        SyntheticDID(ridge_scale=-1.0)


def test_a_single_period_before_treatment_is_named():
    estimate = SyntheticDID().fit(block_panel(n=6, t=4, n_post=3))
    assert any("single period" in note for note in estimate.notes)
