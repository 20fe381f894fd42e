"""Every world is simulated without an effect first, and what is found agrees with its truth."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from components.errors import SpecError
from components.estimators import DifferenceInDifferences
from components.simulation.teaching import WORLDS
from components.simulation.world_study import WHO, WorldStudy, study_world


class Shown:
    def __init__(self):
        self.tables, self.shares = [], []

    def __call__(self, share):
        self.shares.append(share)

    def show(self, table):
        self.tables.append(table)


@pytest.mark.parametrize("world", WORLDS)
def test_the_case_without_an_effect_comes_first_and_is_shown(world):
    shown = Shown()
    table = study_world(WorldStudy(world, effect=3.0, draws=4, seed=1), shown)
    (first,) = shown.tables
    assert set(first["effect"]) == {0.0}
    pd.testing.assert_frame_equal(table[table["effect"] == 0.0], first)
    assert list(table["effect"].unique()) == [0.0, 3.0]
    assert list(table["estimator"]) == [*WHO, *WHO]
    assert shown.shares == sorted(shown.shares)
    assert shown.shares[-1] == 1.0
    quick = table["estimator"] != "mc"
    assert table.loc[quick, "found"].between(0.0, 1.0).all()
    assert table.loc[~quick, "found"].isna().all()


def test_numbers_are_those_of_a_plain_loop():
    study = WorldStudy("diverging", effect=1.0, draws=5, seed=3)
    table = study_world(study).set_index(["estimator", "effect"])
    for effect in (0.0, 1.0):
        errors, atts = [], []
        for number in range(5):
            rng = np.random.default_rng([3, crc32(b"diverging"), number])
            panel, effects = WORLDS["diverging"](effect=effect).draw(rng)
            treated = panel.W.any(axis=1)
            pre = ~panel.W.any(axis=0)
            change = panel.Y[:, ~pre].mean(axis=1) - panel.Y[:, pre].mean(axis=1)
            atts.append(change[treated].mean() - change[~treated].mean())
            errors.append(atts[-1] - effects[panel.W].mean())
        row = table.loc[("did", effect)]
        assert row["estimate"] == pytest.approx(np.mean(atts))
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_an_effect_moves_linear_estimates_by_itself():
    table = study_world(WorldStudy("regime_change", effect=2.5, draws=6))
    wide = table.pivot_table(index="estimator", columns="effect", values="estimate")
    np.testing.assert_allclose(wide.loc["did", 2.5] - wide.loc["did", 0.0], 2.5)
    assert DifferenceInDifferences().card.key == "did"


def test_the_lesson_of_two_worlds():
    calm = study_world(WorldStudy("parallel", draws=25)).set_index(["estimator", "effect"])
    for key in ("did", "sdid"):
        row = calm.loc[(key, 0.0)]
        assert abs(row["bias"]) < 4.0 * row["estimate_error"]
        assert calm.loc[(key, 2.0), "found"] > 0.9
    shock = study_world(WorldStudy("regime_change", draws=8)).set_index(["estimator", "effect"])
    assert (shock.loc[["did", "sdid"]].xs(0.0, level="effect")["found"] > 0.9).all()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"world": "flat"}, "world"),
        ({"effect": 0.0}, "effect"),
        ({"effect": float("nan")}, "effect"),
        ({"draws": 1}, "draws"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_had_is_named(changes, word):
    with pytest.raises(SpecError, match=f"The {word} of a study"):
        WorldStudy(**changes)
