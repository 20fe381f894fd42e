"""Curves of staggered and on/off designs, and whole treatment paths dealt out anew."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from components.analysis import run, sample_spec
from components.analysis.choices import ALL, WITH, Choice
from components.analysis.curve_test import curve_test, in_common
from components.analysis.curve_words import OWN, with_declared
from components.analysis.curve_worlds import Fits
from components.analysis.path_fits import fit_paths
from components.analysis.path_placebos import deal, n_assignments, path_curves, why_no_paths
from components.analysis.specification import (
    choices,
    curve,
    fit_choice,
    is_quick,
    placebo_curves,
    placebo_places,
    why_no_placebos,
)
from components.errors import NotApplicableError
from components.estimators import ESTIMATORS
from components.inference import silent
from components.panel import Panel
from panels import block_panel


def with_paths(panel: Panel, *paths: tuple[int, int, int]) -> Panel:
    """Treat rows from a first period up to, not including, a last one."""
    W = np.zeros(panel.shape, dtype=bool)
    for row, first, last in paths:
        W[row, first:last] = True
    return panel.reassign(W)


STAGGERED = with_paths(
    block_panel(seed=6, n=13, t=14, n_treated=0), (0, 8, 14), (1, 10, 14), (2, 10, 14)
)
ON_OFF = with_paths(block_panel(seed=7, n=11, t=13, n_treated=0), (0, 6, 9), (1, 8, 13), (2, 7, 8))
ALL_TREATED = with_paths(
    block_panel(seed=9, n=6, t=12, n_treated=0), *((row, 5 + row, 12) for row in range(6))
)
EARLY = with_paths(block_panel(seed=7, n=8, t=10, n_treated=0), (0, 0, 3), (1, 4, 7), (2, 8, 10))
PANELS = {"staggered": STAGGERED, "on and off": ON_OFF, "all treated": ALL_TREATED, "early": EARLY}


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())
def test_every_batched_fit_is_that_of_the_estimator(panel):
    every = choices(panel, in_logs=False)
    table = curve(panel, False)
    assert is_quick(panel)
    assert len(table) == len(every) > 1
    weighted = panel.design.kind == "staggered" and panel.design.n_controls > 0
    assert set(table["estimator"]) == set(ESTIMATORS) & (
        {"did", "sc", "sc_intercept", "sdid"} if weighted else {"did"}
    )
    rng = np.random.default_rng(0)
    for place in rng.choice(len(every), min(60, len(every)), replace=False):
        effect, ratio, n_donors, n_pre = fit_choice(panel, every[place])
        row = table.iloc[place]
        assert row["effect"] == pytest.approx(effect, rel=1e-6, abs=1e-8)
        assert row["ratio"] == pytest.approx(ratio, rel=1e-5)
        assert (row["n_donors"], row["n_pre"]) == (n_donors, n_pre)
    plain = table[(table["donors"] == ALL) & (table["start"] == ALL)]
    plain = plain[(plain["end"] == "up to treatment") & (plain["transform"] == "levels")]
    for key, effect in plain.set_index("estimator")["effect"].items():
        assert effect == pytest.approx(ESTIMATORS[key]().fit(panel).att, abs=1e-8)


@pytest.mark.parametrize("panel", [STAGGERED, ON_OFF], ids=["staggered", "on and off"])
def test_a_deal_is_fitted_as_a_panel_with_that_treatment(panel):
    every = choices(panel, in_logs=False)
    takers, enumerated = deal(panel.W, 5, 3)
    assert not enumerated
    fits = fit_paths(panel, every, takers, silent)
    rng = np.random.default_rng(1)
    for place in rng.choice(len(every), 25, replace=False):
        number = int(rng.integers(len(takers)))
        W = np.zeros(panel.shape, dtype=bool)
        for row, unit in enumerate(takers[number]):
            W[unit] = panel.W[row]
        effect, ratio, *_ = fit_choice(panel.reassign(W), every[place])
        assert fits.effects[number, place] == pytest.approx(effect, rel=1e-6, abs=1e-8)
        assert fits.ratios[number, place] == pytest.approx(ratio, rel=1e-5)


def test_all_deals_are_every_other_assignment_once():
    W = np.zeros((5, 4), dtype=bool)
    W[1, 2:] = W[3, 3:] = W[4, 3:] = True
    slow = {tuple(W[list(order)].ravel()) for order in permutations(range(5))}
    assert n_assignments(W) == len(slow) == 30
    takers, enumerated = deal(W, 29, 0)
    assert enumerated
    found = set()
    for order in takers:
        other = np.zeros_like(W)
        other[order] = W
        found.add(tuple(other.ravel()))
    assert len(found) == len(takers) == 29
    assert found == slow - {tuple(W.ravel())}


def test_draws_follow_the_seed_and_reach_every_unit():
    one, two, other = (deal(STAGGERED.W, 99, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.sort(one, axis=1), np.tile(np.arange(13), (99, 1)))
    counts = np.bincount(deal(STAGGERED.W, 800, 2)[0][:, 0], minlength=13)
    assert abs(counts - 800 / 13).max() < 4.5 * np.sqrt(800 / 13)


def test_designs_that_say_too_little_are_refused_with_the_number():
    small = with_paths(block_panel(n=4, t=8, n_treated=0), (0, 4, 8), (1, 6, 8))
    assert "only 11 other ways" in why_no_placebos(small)
    Y = np.array(STAGGERED.Y)
    Y[3, 3] = np.nan
    assert "without gaps" in why_no_paths(STAGGERED.with_outcomes(Y))
    assert why_no_placebos(STAGGERED) is None
    assert why_no_placebos(ON_OFF) is None


def test_the_whole_curve_has_placebos_without_the_choices_that_need_the_assignment():
    X = np.random.default_rng(3).normal(size=STAGGERED.shape).cumsum(axis=1)
    panel = Panel(
        Y=STAGGERED.Y + X,
        W=STAGGERED.W,
        units=STAGGERED.units,
        periods=STAGGERED.periods,
        X={"x": X},
    )
    every = choices(panel, in_logs=True)
    places = placebo_places(panel, True)
    assert any(choice.covariates == WITH for choice in every)
    assert all(every[place].covariates != WITH for place in places)
    few = [Choice("did"), Choice("sc")]
    fits = path_curves(panel, few, 0, silent)
    assert fits.effects.shape == (99, 2)
    assert np.isfinite(fits.effects).all()
    with pytest.raises(AssertionError):
        path_curves(panel, [Choice("did", covariates=WITH)], 0, silent)


def test_curves_are_matched_by_the_number_of_the_choice():
    table = curve(ON_OFF, False)
    spec = sample_spec("onoff").with_(estimator=ESTIMATORS["did"](), inference=None)
    marked = with_declared(table, run(spec, ON_OFF))
    marked = pd.concat([marked, marked.iloc[:1].assign(donors=OWN, place=len(table))])
    places = np.arange(1, len(table), 2)
    values = np.tile(places.astype(float), (3, 1))
    own, fits = in_common(marked, Fits(values, values, places, places), places)
    np.testing.assert_array_equal(fits.effects[0], own["place"])
    assert set(own["place"]) == set(places.tolist())


def test_nothing_to_compare_with_is_refused():
    panel = with_paths(block_panel(n=4, t=6, n_treated=0), *((row, 0, 6) for row in range(4)))
    with pytest.raises(NotApplicableError, match="No estimator of the curve"):
        choices(panel, in_logs=False)


def test_placebo_curves_of_an_on_off_design_come_from_deals():
    fits = placebo_curves(ON_OFF, True, 0)
    assert fits.effects.shape == (99, len(choices(ON_OFF, in_logs=True)))


def null_p_values(n_panels: int, n_draws: int, effect: float = 0.0) -> np.ndarray:
    """Give the p-values of the three summaries on staggered panels with a known effect."""
    W = np.zeros((12, 10), dtype=bool)
    W[0, 5:] = W[1, 6:] = W[2, 6:] = W[3, 8:] = True
    some = [Choice(key, end=end) for end in ("up to treatment", "stops early")
            for key in ("did", "sc", "sc_intercept")]  # fmt: skip
    p_values = []
    for seed in range(n_panels):
        rng = np.random.default_rng([seed, 77])
        panel = block_panel(seed=seed, n=12, t=10, n_treated=0, effect=0.0)
        panel = panel.reassign(W[rng.permutation(12)])
        panel = panel.with_outcomes(panel.Y + effect * panel.W)
        takers = np.vstack([np.arange(12), deal(panel.W, n_draws, seed)[0]])
        fits = fit_paths(panel, some, takers, silent)
        rest = Fits(fits.effects[1:], fits.ratios[1:], fits.n_donors, fits.n_pre)
        test = curve_test(fits.effects[0], fits.ratios[0], rest)
        p_values.append(test["p_value"].to_numpy())
    return np.array(p_values)


def test_the_size_is_held_where_chance_dealt_the_paths():
    values = null_p_values(80, 19)
    assert values.min() >= 0.05 - 1e-9
    for level in (0.05, 0.1, 0.5):
        error = np.sqrt(level * (1.0 - level) / len(values))
        assert (values <= level + 1e-9).mean(axis=0).max() < level + 3.0 * error


def test_a_large_effect_is_seen():
    values = null_p_values(10, 39, effect=25.0)
    assert np.median(values[:, 0]) <= 0.05
