"""The contest and its worlds, recomputed: no look at treated outcomes, and the moments claimed."""

from __future__ import annotations

import numpy as np
import pytest

from components.analysis import AnalysisSpec, compare
from components.analysis.disagreement import board_of
from components.data import Roles
from components.simulation.assignment import ChanceBlock
from components.simulation.factor_model import FactorWorld
from components.simulation.leaderboard import ranking
from components.simulation.masks import MarkovSwitching
from components.simulation.placebo_assignments import CalibratedWorlds, PlaceboAssignments
from components.simulation.teaching import WORLDS
from panels import block_panel


def designs():
    block = block_panel(seed=2, n=8, t=9, n_treated=2, n_post=2)
    switching = np.zeros_like(block.W)
    switching[0, 4:6] = switching[1, 6:8] = True
    return {"block": block, "on and off": block.reassign(switching)}


@pytest.mark.parametrize("kind", ["block", "on and off"])
def test_no_digit_of_a_contest_depends_on_treated_outcomes(kind, monkeypatch):
    monkeypatch.setattr(compare, "ROUNDS", (6,))
    monkeypatch.setattr(compare, "FIRST", 4)
    monkeypatch.setattr(compare, "GLANCE", 3)
    monkeypatch.setattr(compare, "MOST_PLACEBOS", 6)
    monkeypatch.setattr(compare, "VARIANT_DRAWS", 2)
    whole = compare.entrants_of

    def without_trop(spec, panel):  # whose tuning takes long, and sees untreated cells alone
        return {key: one for key, one in whole(spec, panel).items() if key != "trop"}

    monkeypatch.setattr(compare, "entrants_of", without_trop)
    panel = designs()[kind]
    shocks = 1e6 * np.random.default_rng(0).standard_normal(panel.shape) * panel.W
    spec = AnalysisSpec(source="sha256:0", columns=Roles("u", "t", "y", "w"), inference=None)
    one, other = (compare.contest(spec, p) for p in (panel, panel.with_outcomes(panel.Y + shocks)))
    assert one.shares == other.shares
    for name in ("draws", "variants"):
        here, there = getattr(one, name), getattr(other, name)
        assert here.keys() == there.keys()
        for judge, found in here.items():
            for key, errors in found.items():
                assert errors.tobytes() == there[judge][key].tobytes(), (judge, key)
    effects = [entrant.att for entrant in one.here.values()]
    assert not np.allclose(effects, [entrant.att for entrant in other.here.values()])
    board = board_of(one, "placebos").set_index("key")
    for key, errors in one.draws["placebos"].items():
        assert board.loc[key, "rmse"] == pytest.approx(np.sqrt(np.mean(errors[:, 0] ** 2)))
        assert board.loc[key, "bias"] == pytest.approx(np.mean(errors[:, 0]))


def test_estimators_that_differ_by_rounding_alone_are_tied():
    errors = np.random.default_rng(3).normal(size=(200, 2))
    errors[:, 1] = np.nan
    worse = np.column_stack([errors[:, 0] * 1.5, errors[:, 1]])
    table = ranking({"one": errors, "same": errors * (1.0 + 1e-12), "worse": worse})
    found = table.set_index("key")["tied"].to_dict()
    assert found == {"one": True, "same": True, "worse": False}


def test_a_calibrated_world_follows_the_published_recipe_and_draws_its_moments():
    Y = block_panel(seed=1, n=24, t=14, n_treated=3, n_post=4, effect=0.0).Y
    n, t = Y.shape
    world = FactorWorld.calibrated(Y, 3)
    Z = (Y - Y.mean()) / Y.std()
    L = np.zeros_like(Z)
    values, vectors = np.linalg.eigh(Z.T @ Z)
    for v in vectors[:, np.argsort(-values)[:3]].T:
        L += np.outer(Z @ v, v)
    rest = Z - L
    F = np.array([[L[i].mean() + L[:, s].mean() - L.mean() for s in range(t)] for i in range(n)])
    lags = [(rest[i, s], rest[i, s - 1], rest[i, s - 2]) for i in range(n) for s in range(2, t)]
    now, one, two = np.array(lags).T
    phi = np.linalg.solve([[one @ one, one @ two], [one @ two, two @ two]], [one @ now, two @ now])
    r = [1.0, phi[0] / (1.0 - phi[1])]
    for _ in range(2, t):
        r.append(phi[0] * r[-1] + phi[1] * r[-2])
    R = np.array([[r[abs(a - b)] for b in range(t)] for a in range(t)])
    covariance = R * np.linalg.norm(rest.T @ rest / n) / np.linalg.norm(R)
    np.testing.assert_allclose(world.additive, F, atol=1e-10)
    np.testing.assert_allclose(world.interactive, L - F, atol=1e-10)
    np.testing.assert_allclose(world.covariance, covariance, atol=1e-12)
    np.testing.assert_allclose(world.ar, phi, atol=1e-10)
    rng = np.random.default_rng(0)
    noise = np.array([world.draw(rng) for _ in range(2000)]) - world.systematic
    seen = np.einsum("bit,bis->ts", noise, noise) / (2000 * n)
    variance = np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2
    assert np.abs((seen - covariance) / np.sqrt(variance / (2000 * n))).max() < 4.5
    assert np.sqrt((F**2).mean()) == pytest.approx(world.shares()["additive"])


def test_assignments_hit_units_and_cells_as_often_as_they_say():
    rng = np.random.default_rng(1)
    panel = block_panel(seed=1, n=20, t=10, n_treated=3, n_post=3)
    for scheme, units in ((CalibratedWorlds.of(panel), 20), (PlaceboAssignments.of(panel), 17)):
        drawn = [scheme.draw(i, np.random.default_rng(i)).W.any(axis=1) for i in range(1500)]
        share = np.mean(drawn, axis=0)
        error = np.sqrt(3 / units * (1 - 3 / units) / 1500)
        assert np.abs(share - 3 / units).max() < 4 * error
    chances = np.r_[np.full(8, 0.3), np.full(12, 0.05)]
    block = ChanceBlock(chances, 9, 3, 2)
    W = np.array([block.draw(rng) for _ in range(4000)])
    slow = np.zeros(20)
    for _ in range(4000):
        rows = [i for i in range(20) if rng.random() < chances[i]] or [int(rng.integers(20))]
        slow[rng.permutation(rows)[:3]] += 1 / 4000
    assert not W[:, :, :-2].any()
    assert np.abs(W[:, :, -1].mean(axis=0) - slow).max() < 4 * np.sqrt(2 * 0.25 * 0.75 / 4000)
    switching = MarkovSwitching(60, 40, stay=0.6, enter=0.1)
    W = np.array([switching.draw(rng) for _ in range(60)])
    before, after = W[:, :, :-1], W[:, :, 1:]
    assert W.mean() == pytest.approx(0.1 / (0.1 + 0.4), abs=0.01)
    assert after[before].mean() == pytest.approx(0.6, abs=0.01)
    assert after[~before].mean() == pytest.approx(0.1, abs=0.006)


@pytest.mark.parametrize("key", WORLDS)
def test_the_true_effects_are_what_treatment_adds(key):
    for seed in range(5):
        with_, without = (
            world.draw(np.random.default_rng(seed))
            for world in (WORLDS[key](), WORLDS[key]().without_effect())
        )
        np.testing.assert_allclose(with_[0].Y - without[0].Y, with_[1], atol=1e-12)
        assert not without[1].any()
        assert with_[1][with_[0].W].mean() == pytest.approx(2.0)
