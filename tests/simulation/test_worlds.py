"""Worlds from data: the truth is what they say, and nothing comes of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import DataError
from components.estimators import DifferenceInDifferences
from components.simulation.assignment import RandomBlock
from components.simulation.factor_model import FactorWorld
from components.simulation.masks import BernoulliSwitching, StaggeredMask
from components.simulation.worlds import MaskedWorld, PlaceboWorld

N, T = 15, 12
ASSIGNMENTS = {
    "block": RandomBlock(N, T, 3, 4),
    "switching": BernoulliSwitching(N, T),
    "staggered": StaggeredMask(N, T, 5, 6),
}


@pytest.fixture(params=ASSIGNMENTS)
def assignment(request):
    return ASSIGNMENTS[request.param]


@pytest.fixture
def Y():
    rng = np.random.default_rng(2)
    return rng.normal(20.0, 3.0, (N, 1)) + rng.normal(size=(N, T)).cumsum(axis=1)


@pytest.fixture(params=["placebo", "placebo in units", "masked"])
def world(request, Y, assignment):
    if request.param == "masked":
        return MaskedWorld(Y, assignment, effect=1.5)
    model = FactorWorld.calibrated(Y)
    return PlaceboWorld(model, assignment, effect=1.5, in_units=request.param.endswith("units"))


def test_truth_is_known(world):
    panel, effects = world.draw(np.random.default_rng(0))
    without, zeros = world.without_effect().draw(np.random.default_rng(0))
    np.testing.assert_array_equal(panel.W, without.W)
    assert not zeros.any()
    np.testing.assert_allclose(panel.Y - without.Y, effects, atol=1e-12)
    np.testing.assert_array_equal(effects, 1.5 * panel.W)


def test_equal_streams_give_equal_panels(world):
    one, two = (world.draw(np.random.default_rng(9))[0] for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != world.draw(np.random.default_rng(10))[0].fingerprint


def test_hidden_outcomes_are_the_real_ones(Y):
    panel, _ = MaskedWorld(Y, ASSIGNMENTS["block"]).draw(np.random.default_rng(0))
    np.testing.assert_array_equal(panel.Y, Y)
    with pytest.raises(DataError, match="1 cells are empty"):
        MaskedWorld(np.where(Y[0, 0] == Y, np.nan, Y), ASSIGNMENTS["block"])


def test_without_noise_and_factors_the_effect_is_found_exactly(Y):
    model = FactorWorld.calibrated(Y).without("noise", "interactive")
    for effect in (0.0, 2.0):
        world = PlaceboWorld(model, ASSIGNMENTS["block"], effect=effect)
        panel, _ = world.draw(np.random.default_rng(0))
        assert DifferenceInDifferences().fit(panel).att == pytest.approx(effect, abs=1e-10)
