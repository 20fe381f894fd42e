"""Parametric bootstrap: the model is found again, errors are those of refits, levels are kept."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import NotApplicableError
from components.estimators import (
    DifferenceInDifferences,
    SyntheticControl,
    SyntheticDID,
)
from components.inference import ParametricBootstrap, silent
from components.inference.error_model import fit_error_model, moderated
from panels import block_panel

DID = DifferenceInDifferences()


def assess(estimate, method, level=0.95, seed=0):
    rng = np.random.default_rng(seed)
    return method.assess(estimate, level=level, rng=rng, progress=silent)


def world(rng, n=30, t=30, n_factors=2, rho=0.5, unequal=0.0):
    """Unit and period effects, factors that drift, and AR(1) errors of unit variance."""
    noise = rng.normal(size=(n, t))
    for s in range(1, t):
        noise[:, s] = rho * noise[:, s - 1] + np.sqrt(1 - rho**2) * noise[:, s]
    loadings = rng.normal(size=(n, n_factors))
    loadings[0] = loadings[1:7].mean(axis=0)
    factors = 0.5 * rng.normal(size=(n_factors, t)).cumsum(axis=1)
    spread = np.exp(unequal * rng.normal(size=(n, 1)))
    return rng.normal(size=(n, 1)) + rng.normal(size=t) + loadings @ factors + spread * noise


def test_the_model_is_found_again():
    rng = np.random.default_rng(3)
    seen = ~block_panel(n=60, t=50, n_treated=1, n_post=5).W
    found = [fit_error_model(world(rng, 60, 50, r), seen) for r in (0, 1, 2) for _ in range(4)]
    assert [model.n_factors for model in found] == [0] * 4 + [1] * 4 + [2] * 4
    phi = np.mean([model.autoregression for model in found], axis=0)
    np.testing.assert_allclose(phi, [0.5, 0.0], atol=0.04)
    levels = [model.variances.mean() for model in found]
    assert np.mean(levels) == pytest.approx(1.0, abs=0.06)


def test_drawn_errors_have_the_level_and_correlation_of_the_model():
    rng = np.random.default_rng(4)
    seen = ~block_panel(n=30, t=20).W
    model = fit_error_model(world(rng, 30, 20, 0, unequal=0.6), seen)
    errors = np.stack([model.draw(rng) - model.mean for _ in range(3000)])
    expected = model.variances * model.freedom / (model.freedom - 2)
    np.testing.assert_allclose(errors.var(axis=(0, 2)), expected, rtol=0.12)
    lag = (errors[:, :, 1:] * errors[:, :, :-1]).mean() / np.square(errors).mean()
    first, second = model.autoregression
    assert lag == pytest.approx(first / (1 - second), abs=0.03)


def test_moderated_variances():
    rng = np.random.default_rng(5)
    freedom = np.full(400, 8.0)
    equal = 2.0 * rng.chisquare(8, 400) / 8
    same, total = moderated(equal, freedom)
    assert np.ptp(same) < 0.4 * np.ptp(equal)
    assert same.mean() == pytest.approx(2.0, rel=0.1)
    assert (total > 60).all()
    # 1/sigma^2 ~ chi2(5) / (5 * 3)
    truth = 15.0 / rng.chisquare(5, 4000)
    drawn = truth * rng.chisquare(8, 4000) / 8
    better, total = moderated(drawn, np.full(4000, 8.0))
    assert total[0] - 8 == pytest.approx(5.0, rel=0.2)
    loss = [np.abs(np.log(guess / truth)).mean() for guess in (better, drawn)]
    assert loss[0] < loss[1]


def test_errors_are_refits_of_simulated_panels():
    panel = block_panel(n=12, t=16, n_post=3)
    estimate = SyntheticControl().fit(panel)
    method = ParametricBootstrap(n_draws=19, n_factors=1)
    result = assess(estimate, method, level=0.9, seed=7)
    model, rng = method._model(estimate), np.random.default_rng(7)
    for number in range(19):
        fit = SyntheticControl().fit(panel.with_outcomes(model.draw(rng)))
        assert result.draws[number] == pytest.approx(fit.att, rel=1e-9)
        if number == 4:
            assert fit.by_period().loc[2014] == pytest.approx(fit.effects[0, 14])
    sizes = np.sort(np.abs(result.draws))
    half = (result.interval.upper - result.interval.lower) / 2
    assert half == pytest.approx(sizes[-2])
    assert result.smallest_p == 0.05
    assert result.p_value == (1 + (np.abs(result.draws) >= abs(estimate.att)).sum()) / 20


def test_treated_units_go_on_as_the_estimator_says():
    panel = block_panel(n=12, t=16, n_post=3, effect=9.0)
    for estimator in (DID, SyntheticControl()):
        estimate = estimator.fit(panel)
        mean = ParametricBootstrap()._model(estimate).mean
        again = estimator.fit(panel.with_outcomes(mean))
        assert again.att == pytest.approx(0.0, abs=0.05)
    moved = DID.fit(panel.with_outcomes(panel.Y + 50.0 * panel.W))
    one, other = (ParametricBootstrap()._model(e).mean for e in (DID.fit(panel), moved))
    np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize(
    ("estimator", "n_factors", "unequal"), [(DID, 0, 0.5), (SyntheticDID(), 2, 0.0)]
)
def test_coverage_with_one_treated_unit(estimator, n_factors, unequal):
    # 40 panels, nominal 95 % (standard error 3.4 points). 120 of each: 92.5 to 97.5 %.
    rng = np.random.default_rng(8)
    panel = block_panel(n=30, t=30, n_post=5)
    covered = []
    for _ in range(40):
        Y = world(rng, n_factors=n_factors, unequal=unequal)
        result = assess(estimator.fit(panel.with_outcomes(Y)), ParametricBootstrap(39))
        covered.append(0.0 in result.interval)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.08)


def test_any_assignment():
    panel = block_panel(n=14, t=18, n_treated=4)
    W = panel.W.copy()
    W[:2, 8:12] = True
    W[2, 15:] = False
    Y = panel.Y.copy()
    Y[6, 3] = np.nan
    result = assess(DID.fit(panel.reassign(W).with_outcomes(Y)), ParametricBootstrap(39), 0.9)
    assert np.isfinite([result.interval.lower, result.interval.upper]).all()
    assert np.isfinite(result.band.lower).all()
    assert "coefficients" in result.notes[0]


def test_refusals_have_their_reason():
    method = ParametricBootstrap()
    assert "needs at least 5 units" in method.why_not(DID.fit(block_panel(n=4)))
    short = DID.fit(block_panel(t=12, n_post=9))
    assert "has 3 untreated cells" in method.why_not(short)
    panel = block_panel()
    exact = np.add.outer(np.arange(12.0), np.arange(15.0))
    with pytest.raises(NotApplicableError, match="no error is left"):
        assess(DID.fit(panel.with_outcomes(exact)), method)
    few = assess(DID.fit(panel), ParametricBootstrap(19), level=0.99)
    assert few.interval is None
    assert "19 draws give p-values of at least 0.05" in few.notes[1]
    with pytest.raises(ValueError, match="at least 19"):
        ParametricBootstrap(n_draws=5)


@pytest.mark.parametrize("estimator", [DID, SyntheticControl(), SyntheticDID()])
def test_errors_are_the_effects_of_refits(estimator):
    """In a complete block they are read off the gaps; here off each refit as for any design."""
    panel = block_panel(n=14, t=20, n_treated=2, n_post=4)
    estimate = estimator.fit(panel)
    method = ParametricBootstrap(n_draws=19)
    model = method._model(estimate)
    found, tables = method._errors(estimate, model, np.random.default_rng(1), silent)
    rng = np.random.default_rng(1)
    fits = [estimator.fit(panel.with_outcomes(model.draw(rng))) for _ in range(19)]
    np.testing.assert_allclose(found, [fit.att for fit in fits], atol=1e-10)
    for table, of in zip(tables, ("by_period", "by_event_time"), strict=True):
        slow = [getattr(fit, of)().dropna().to_numpy() for fit in fits]
        np.testing.assert_allclose(table, slow, atol=1e-10)
