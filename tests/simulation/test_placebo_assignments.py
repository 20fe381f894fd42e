"""Placebo assignments and calibrated worlds: shaped like the design, blind to treated outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from components.estimators import ESTIMATORS
from components.panel import Panel
from components.simulation.factor_model import FactorWorld
from components.simulation.leaderboard import Trial
from components.simulation.placebo_assignments import (
    CalibratedWorlds,
    PlaceboAssignments,
    untreated_filled,
    why_no_placebos,
    why_no_worlds,
)
from components.simulation.replicate import one
from panels import block_panel


def with_design(kind, n=14, t=16):
    panel = block_panel(n=n, t=t)
    W = np.zeros(panel.shape, dtype=bool)
    if kind == "block":
        W[:2, 11:] = True
    elif kind == "staggered":
        W[0, 8:] = W[1, 8:] = W[2, 12:] = True
    else:
        W[0, 6:9] = W[1, 8:10] = W[1, 13:15] = W[2, 5:7] = True
    return panel.reassign(W)


@pytest.fixture(params=["block", "staggered", "reversing"])
def own(request):
    return with_design(request.param)


@pytest.fixture(params=[1e9, np.nan], ids=["absurd", "missing"])
def poisoned(own, request):
    return own.with_outcomes(np.where(own.W, request.param, own.Y))


@pytest.mark.parametrize("kind", [PlaceboAssignments, CalibratedWorlds])
def test_outcomes_of_treated_cells_never_enter(own, poisoned, kind):
    clean, dirty = kind.of(own), kind.of(poisoned)
    for number in range(5):
        draws = [
            scheme.draw(number, np.random.default_rng([3, number])) for scheme in (clean, dirty)
        ]
        seen = ~np.isnan(draws[1].Y)
        assert seen.any()
        assert draws[0].Y[seen].tobytes() == draws[1].Y[seen].tobytes()
        assert np.array_equal(draws[0].W, draws[1].W)
        assert np.nanmax(np.abs(draws[1].Y)) < 1e6
    if kind is PlaceboAssignments:
        assert clean.identity == dirty.identity


def test_errors_are_the_same_bits_whatever_the_treated_cells_hold(own):
    absurd = own.with_outcomes(np.where(own.W, 1e9, own.Y))
    for kind in (PlaceboAssignments, CalibratedWorlds):
        for estimator in (ESTIMATORS["did"](), ESTIMATORS["mc"](penalty=0.05)):
            errors = [one(Trial(kind.of(panel), estimator), 2) for panel in (own, absurd)]
            assert errors[0].tobytes() == errors[1].tobytes()
            assert abs(errors[0][0]) < 100.0


def test_the_assignment_keeps_its_shape_and_moves_to_never_treated_units(own):
    scheme = PlaceboAssignments.of(own)
    wanted = sorted(map(tuple, own.W[own.design.treated].tolist()))
    never = set(own.units[~own.design.treated])
    chosen = set()
    for number in range(20):
        panel = scheme.draw(number, np.random.default_rng(number))
        treated = panel.design.treated
        assert sorted(map(tuple, panel.W[treated].tolist())) == wanted
        assert set(panel.units[treated]) <= never
        assert panel.design.kind == own.design.kind
        rows = own.units.get_indexer(panel.units)
        cells = panel.W & panel.observed
        assert cells.any()
        assert not (own.W[rows] & panel.observed).any()
        assert np.array_equal(panel.Y[cells], own.Y[rows][cells])
        chosen |= set(panel.units[treated])
    assert len(chosen) > own.design.n_treated


def test_one_treated_unit_is_replaced_by_every_other_one_in_turn(panel):
    scheme = PlaceboAssignments.of(panel, seed=4)
    assert scheme.most == panel.design.n_controls
    rng = np.random.default_rng(0)
    units = [
        next(iter(drawn.units[drawn.design.treated]))
        for drawn in (scheme.draw(number, rng) for number in range(scheme.most))
    ]
    assert sorted(units) == sorted(panel.units[~panel.design.treated])
    assert units != sorted(units)


def test_donors_are_left_where_most_units_are_treated():
    panel = block_panel(n=20, n_treated=14)
    scheme = PlaceboAssignments.of(panel)
    assert scheme.size == 6 * 14 // 20
    drawn = scheme.draw(0, np.random.default_rng(0))
    assert drawn.shape[0] == 6
    assert drawn.design.n_treated == 4


def noise_of(world):
    return np.sqrt(np.trace(world.covariance) / len(world.covariance)) * world.scale


@pytest.mark.parametrize("seed", range(3))
def test_a_world_is_as_noisy_as_if_nobody_had_been_treated(seed):
    panel = block_panel(seed, n=40, t=30, n_treated=20, n_post=15, effect=2.0)
    untouched = FactorWorld.calibrated(panel.Y - 2.0 * panel.W, 4)
    assert noise_of(CalibratedWorlds.of(panel).world) == pytest.approx(noise_of(untouched), rel=0.1)
    # Filled cells have no noise, so that without the correction worlds would be too quiet.
    filled = FactorWorld.calibrated(untreated_filled(panel)[0], 4)
    assert noise_of(filled) < 0.96 * noise_of(untouched)


def test_a_world_without_a_part_keeps_its_draws_and_assignments(panel):
    worlds = CalibratedWorlds.of(panel)
    whole, less = (
        scheme.draw(0, np.random.default_rng(5))
        for scheme in (worlds, worlds.without("no_interactive"))
    )
    assert np.array_equal(whole.W, less.W)
    np.testing.assert_allclose(
        whole.Y - less.Y, worlds.world.scale * worlds.world.interactive, atol=1e-9
    )
    assert worlds.identity != worlds.without("no_interactive").identity


def test_gaps_stay_where_they_are(panel):
    Y = np.array(panel.Y)
    Y[5, 3] = np.nan
    gappy = panel.with_outcomes(Y)
    drawn = CalibratedWorlds.of(gappy).draw(0, np.random.default_rng(0))
    assert np.array_equal(drawn.observed, gappy.observed)


def test_no_comes_with_a_reason(panel):
    two = panel.take(np.arange(3))
    assert "2 units were never treated" in why_no_placebos(two)
    assert "3 units" in why_no_worlds(two)
    nobody = panel.reassign(np.zeros_like(panel.W))
    assert why_no_placebos(nobody) == why_no_worlds(nobody) == "No cell is treated."
    always = panel.reassign(np.arange(panel.shape[0])[:, None] < np.full(panel.shape[1], 1))
    assert "no untreated cell" in why_no_worlds(always)
    flat = panel.with_outcomes(np.ones(panel.shape))
    assert why_no_worlds(flat) == "All untreated outcomes are equal."
    assert why_no_placebos(panel) is None
    assert why_no_worlds(panel) is None
    assert isinstance(panel, Panel)
