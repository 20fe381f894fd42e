"""Power in worlds like a published panel: expected errors, and what factors do to the variances."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics.leave_one_out import leave_one_out
from components.simulation.factor_model import FactorWorld
from components.simulation.power_factor import draw, simulate, squared_errors


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(16, 1)) + rng.normal(size=(16, 2)) @ rng.normal(size=(2, 12)).cumsum(1)
    return FactorWorld.calibrated(Y + 0.7 * rng.normal(size=(16, 12)), rank=3)


def test_expected_squared_errors_are_those_of_simulated_panels(world):
    rng = np.random.default_rng(1)
    seen = np.ones(world.shape, dtype=bool)
    squares = np.mean([leave_one_out(world.draw(rng), seen) ** 2 for _ in range(6000)], axis=0)
    np.testing.assert_allclose(squares, squared_errors(world), rtol=0.12)


def test_draws_are_in_units_of_the_mean_error(world):
    draws = draw(world, 6000, np.random.default_rng(2))
    assert np.square(draws.errors).mean() == pytest.approx(1.0, abs=0.06)
    assert draws.truth.mean() == pytest.approx(1.0, abs=0.03)
    # Marginal: the mean squared error of all other cells, whichever cell is treated.
    assert draws.variances[0].mean() == pytest.approx(1.0, abs=0.03)


def test_without_factors_tests_keep_their_size_and_with_them_on_average_only(world):
    panel = world.draw(np.random.default_rng(5))
    tables = simulate(panel, (0.0, 2.0), 4000, seed=1)
    assert set(tables.curves["kind"]) == {"without factors", "rank four"}
    size = tables.curves.query("effect == 0").set_index(["kind", "given"])["power"]
    assert size["without factors", "marginal"] == pytest.approx(0.05, abs=0.02)
    figures = tables.behaviour.set_index(["kind", "given", "figure"])["value"]
    quiet, noisy = (figures["rank four", "marginal", f"size, {t}"] for t in ("quiet", "noisy"))
    assert quiet < 0.02
    assert noisy > 0.07
