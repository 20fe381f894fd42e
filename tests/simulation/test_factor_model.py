"""The factor model: calibrated as published, drawn as published."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import DataError, SpecError
from components.simulation.factor_model import DROPPED, FactorWorld, autoregression

N, T = 12, 20


@pytest.fixture
def Y():
    rng = np.random.default_rng(3)
    level = rng.normal(5.0, 2.0, (N, 1)) + rng.normal(size=(1, T)).cumsum(axis=1)
    return level + rng.normal(size=(N, 2)) @ rng.normal(size=(2, T)) + rng.normal(size=(N, T))


@pytest.fixture
def cps(published):
    table = published("cps_rounded.csv")
    return table.pivot_table(index="state", columns="year", values="log_wage").to_numpy()


def test_sizes_in_print(cps):
    """METHODS of the published code, CPS log wage: every printed digit."""
    shares = FactorWorld.calibrated(cps).shares()
    assert shares["additive"] == pytest.approx(0.9917274, abs=5e-8)
    assert shares["interactive"] == pytest.approx(0.0996703, abs=5e-8)
    assert shares["noise"] == pytest.approx(0.0979115, abs=5e-8)
    assert shares["ar1"] == pytest.approx(0.00966, abs=5e-6)
    assert shares["ar2"] == pytest.approx(-0.05710, abs=5e-6)


def test_parts_add_up_to_a_matrix_of_the_rank(Y):
    world = FactorWorld.calibrated(Y, rank=3)
    assert np.linalg.matrix_rank(world.systematic, tol=1e-8) == 3
    assert np.abs(world.interactive.mean(axis=0)).max() < 1e-12
    assert np.abs(world.interactive.mean(axis=1)).max() < 1e-12
    F = world.additive
    assert np.abs(F - F[:, :1] - F[:1] + F[0, 0]).max() < 1e-12
    rest = (Y - Y.mean()) / Y.std() - world.systematic
    assert np.abs(rest @ np.linalg.svd(world.systematic)[2][:3].T).max() < 1e-10


def test_covariance_has_the_size_and_the_correlations_of_the_rest(Y):
    world = FactorWorld.calibrated(Y)
    rest = (Y - Y.mean()) / Y.std() - world.systematic
    size = np.linalg.norm(rest.T @ rest / N)
    assert np.linalg.norm(world.covariance) == pytest.approx(size)
    r = world.covariance[0] / world.covariance[0, 0]
    one, two = world.ar
    assert r[1] == pytest.approx(one + two * r[1])
    for lag in range(2, T):
        assert r[lag] == pytest.approx(one * r[lag - 1] + two * r[lag - 2])
    assert np.linalg.eigvalsh(world.covariance).min() > 0.0


def test_autoregression_is_pooled_least_squares(Y):
    E = Y - Y.mean()
    X = np.column_stack([E[:, 1:-1].ravel(), E[:, :-2].ravel()])
    expected = np.linalg.lstsq(X, E[:, 2:].ravel())[0]
    assert autoregression(E) == pytest.approx(tuple(expected))


def test_draws_are_those_of_numpy(Y):
    world = FactorWorld.calibrated(Y)
    replayed = world.draw(np.random.RandomState(7))
    published = np.random.RandomState(7).multivariate_normal(np.zeros(T), world.covariance, size=N)
    np.testing.assert_allclose(replayed, world.systematic + published, atol=1e-12)
    np.testing.assert_array_equal(replayed, world.draw(np.random.RandomState(7)))
    ours = world.draw(np.random.default_rng(7))
    np.testing.assert_array_equal(ours, world.draw(np.random.default_rng(7)))


def test_drawn_noise_has_the_covariance(Y):
    world = FactorWorld.calibrated(Y)
    rng = np.random.default_rng(0)
    noise = np.concatenate([world.draw(rng) - world.systematic for _ in range(1500)])
    found = noise.T @ noise / len(noise)
    scale = world.covariance[0, 0]
    assert np.abs(found - world.covariance).max() < 6.0 * scale / np.sqrt(len(noise))


def test_back_to_the_unit_of_measure(Y):
    world = FactorWorld.calibrated(Y).variant("no_noise")
    drawn = world.in_units(world.draw(np.random.default_rng(0)))
    U, s, V = np.linalg.svd(Y - Y.mean(), full_matrices=False)
    np.testing.assert_allclose(drawn, (U[:, :4] * s[:4]) @ V[:4] + Y.mean(), atol=1e-10)


@pytest.mark.parametrize("name", DROPPED)
def test_variants_leave_out_what_they_say(Y, name):
    base = FactorWorld.calibrated(Y)
    world = base.variant(name)
    shares = world.shares()
    for part in ("additive", "interactive", "noise"):
        assert (shares[part] == 0.0) == (part in DROPPED[name])
    off_diagonal = world.covariance - np.diag(np.diag(world.covariance))
    quiet = {"autocorrelation", "noise"} & set(DROPPED[name])
    assert (np.abs(off_diagonal).max() == 0.0) == bool(quiet)
    np.testing.assert_array_equal(world.left, base.left)


def test_units_can_be_repeated(Y):
    world = FactorWorld.calibrated(Y)
    more = world.of_units(np.array([3, 3, 0, 5, 11]))
    assert more.shape == (5, T)
    np.testing.assert_array_equal(more.systematic[0], world.systematic[3])
    assert more.draw(np.random.default_rng(0)).shape == (5, T)


def test_an_explosive_rest_still_gives_a_covariance():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(10, 15)) * 1.6 ** np.arange(15)
    world = FactorWorld.calibrated(Y, rank=1)
    assert np.linalg.eigvalsh(world.covariance).min() > -1e-9 * np.trace(world.covariance)


def test_rounded_coefficients_are_those_of_the_other_paper(cps):
    assert FactorWorld.calibrated(cps, ar_digits=2).ar == (0.01, -0.06)


def test_what_cannot_be_fitted_is_refused(Y):
    holed = Y.copy()
    holed[0, 0] = np.nan
    for wrong, text in ((holed, "1 cells are empty"), (Y[:4], "too small"), (Y * 0.0, "equal 0")):
        with pytest.raises(DataError, match=text):
            FactorWorld.calibrated(wrong)
    with pytest.raises(SpecError, match="rank 12"):
        FactorWorld.calibrated(Y, rank=12)
    with pytest.raises(SpecError, match="no variant"):
        FactorWorld.calibrated(Y).variant("none")
