"""Teaching worlds: known truth, and the lesson is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.errors import SpecError
from components.estimators import (
    DifferenceInDifferences,
    SyntheticControl,
    SyntheticControlIntercept,
)
from components.simulation.teaching import WORLDS, Anticipation, Spillover

KEYS = list(WORLDS)
DRAWS = 30


def errors(world, estimator, n=DRAWS):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n):
        panel, effects = world.draw(rng)
        found.append(estimator.fit(panel).att - effects[panel.W].mean())
    return np.array(found)


@pytest.mark.parametrize("key", KEYS)
def test_truth_is_known_and_nothing_comes_of_nothing(key):
    world = WORLDS[key]()
    panel, effects = world.draw(np.random.default_rng(4))
    without, zeros = world.without_effect().draw(np.random.default_rng(4))
    np.testing.assert_array_equal(panel.W, without.W)
    assert not zeros.any()
    np.testing.assert_allclose(panel.Y - without.Y, effects, atol=1e-12)
    np.testing.assert_array_equal(effects[panel.W], world.effect)
    assert panel.W.any(axis=1).sum() == world.n_treated
    assert panel.design.n_pre == world.n_periods - world.n_post


@pytest.mark.parametrize("key", KEYS)
def test_equal_streams_give_equal_panels(key):
    one, two = (WORLDS[key]().draw(np.random.default_rng(1))[0] for _ in range(2))
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("effect", [0.0, 2.0])
@pytest.mark.parametrize("key", ["parallel", "unequal_noise"])
def test_centred_where_trends_are_parallel(key, effect):
    found = errors(WORLDS[key](effect=effect), DifferenceInDifferences())
    assert abs(found.mean()) < 4.0 * found.std() / np.sqrt(DRAWS)


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_drift_is_taken_for_an_effect_unless_donors_drift_too(effect):
    world = WORLDS["diverging"](effect=effect)
    fooled, matched = errors(world, DifferenceInDifferences()), errors(world, SyntheticControl())
    assert fooled.mean() > 0.8
    assert abs(matched.mean()) < 0.2


def test_matching_the_past_sees_the_shocks_coming():
    world = WORLDS["interactive"]()
    blind = errors(world, DifferenceInDifferences())
    seeing = errors(world, SyntheticControlIntercept())
    assert np.sqrt(np.mean(seeing**2)) < 0.5 * np.sqrt(np.mean(blind**2))


def test_spillover_hides_its_share():
    world = Spillover(noise=0.0)
    expected = -world.effect * world.share * world.n_neighbours / 35
    assert errors(world, DifferenceInDifferences(), 3) == pytest.approx(expected)
    assert errors(replace(world, effect=0.0), DifferenceInDifferences(), 3) == pytest.approx(0.0)


def test_anticipation_hides_its_share():
    world = Anticipation(noise=0.0)
    expected = -world.effect * world.share * world.lead / (world.n_periods - world.n_post)
    assert errors(world, DifferenceInDifferences(), 3) == pytest.approx(expected)


def test_no_method_tells_a_new_shock_from_an_effect():
    world = WORLDS["regime_change"]()
    for estimator in (DifferenceInDifferences(), SyntheticControl(), SyntheticControlIntercept()):
        assert errors(world, estimator).mean() > 0.5 * world.size


def test_unequal_noise_is_unequal():
    panel, _ = WORLDS["unequal_noise"](n_units=200).draw(np.random.default_rng(0))
    rest = panel.Y - panel.Y.mean(axis=0) - panel.Y.mean(axis=1, keepdims=True)
    spread = rest.std(axis=1)
    assert spread.max() > 4.0 * spread.min()


def test_worlds_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="negative"):
        WORLDS["parallel"](noise=-1.0)
    with pytest.raises(SpecError, match="neighbours"):
        Spillover(n_neighbours=36)
    with pytest.raises(SpecError, match="lead of 22"):
        Anticipation(lead=22)
