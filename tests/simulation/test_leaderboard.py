"""The leaderboard: printed spreads, paired noise, ties, and zero in, zero out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.estimators import ESTIMATORS, TROP
from components.inference import EventStudyErrors, PlaceboVariance
from components.simulation.factor_model import FactorWorld
from components.simulation.leaderboard import Trial, cheap_interval, held, ranking
from components.simulation.placebo_assignments import CalibratedWorlds, PlaceboAssignments
from components.simulation.replicate import replicate
from panels import block_panel

# METHODS: standard deviation of all 38 placebo effects on Proposition 99, exact solutions.
SPREADS = {"did": 17.2868, "sc": 10.6330, "sc_intercept": 10.0692}


@pytest.mark.parametrize("key", SPREADS)
def test_placebo_errors_on_proposition_99_spread_as_published(prop99, key):
    scheme = PlaceboAssignments.of(prop99)
    errors = replicate(Trial(scheme, ESTIMATORS[key]()), scheme.most)[:, 0]
    assert scheme.most == 38
    assert errors.std() == pytest.approx(SPREADS[key], abs=1e-3)


def test_estimators_get_the_same_panels(panel):
    worlds = CalibratedWorlds.of(panel)
    did = ESTIMATORS["did"]()
    again = [replicate(Trial(worlds, did), 4) for _ in range(2)]
    assert again[0].tobytes() == again[1].tobytes()
    # DID is matrix completion with a penalty that leaves nothing of the low-rank part.
    same = replicate(Trial(worlds, ESTIMATORS["mc"](penalty=1e6)), 4)[:, 0]
    np.testing.assert_allclose(same, again[0][:, 0], atol=1e-6)


def errors_of(n, spread, seed, shared=None):
    rng = np.random.default_rng(seed)
    own = rng.normal(0, spread, n)
    return np.column_stack([own if shared is None else shared + own, np.full(n, np.nan)])


def test_the_noise_of_a_paired_difference_is_that_of_the_jackknife():
    common = np.random.default_rng(1).normal(0, 2, 80)
    draws = {"a": errors_of(80, 1.0, 2, common), "b": errors_of(80, 1.5, 3, common)}
    table = ranking(draws).set_index("key")
    second = table.index[1]

    def difference(keep):
        rms = {key: np.sqrt(np.mean(draws[key][keep, 0] ** 2)) for key in draws}
        return rms[second] - rms[table.index[0]]

    everyone = np.arange(80)
    left = np.array([difference(everyone != i) for i in everyone])
    slow = np.sqrt(79 / 80 * np.sum((left - left.mean()) ** 2))
    assert table.loc[second, "behind"] == pytest.approx(difference(everyone >= 0), rel=1e-12)
    assert table.loc[second, "behind_error"] == pytest.approx(slow, rel=0.05)
    alone = np.hypot(*table["rmse_error"])
    assert table.loc[second, "behind_error"] < 0.8 * alone


def test_winners_within_noise_are_tied_and_the_rest_is_not():
    draws = {
        "close": errors_of(200, 1.02, 1),
        "best": errors_of(200, 0.98, 2),
        "far": errors_of(200, 3.0, 3),
    }
    table = ranking(draws)
    assert table["rmse"].is_monotonic_increasing
    assert table["tied"].tolist() == [True, True, False]
    assert table["place"].tolist() == [1, 1, 3]
    few = ranking({key: values[:6] for key, values in draws.items()})
    assert few["tied"].all()


def test_how_often_two_equally_good_ones_are_told_apart():
    wrong = [
        not ranking({"a": errors_of(60, 1, 2 * i), "b": errors_of(60, 1, 2 * i + 1)})["tied"].all()
        for i in range(300)
    ]
    assert np.mean(wrong) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert np.mean(wrong) > 0.01


def test_an_estimator_that_never_ran_is_left_out():
    nothing = np.full((5, 2), np.nan)
    table = ranking({"ran": errors_of(5, 1, 0), "never": nothing})
    assert table["key"].tolist() == ["ran"]
    assert ranking({"never": nothing}).empty


def additive_world(rng, n=24, t=20):
    """Only unit and period effects and independent noise: DID is unbiased, its interval valid."""
    panel = block_panel(n=n, t=t, n_post=5)
    return CalibratedWorlds(
        FactorWorld(
            additive=rng.normal(size=(n, 1)) + rng.normal(size=(1, t)),
            interactive=np.zeros((n, t)),
            covariance=0.25 * np.eye(t),
            ar=(0.0, 0.0),
            left=np.ones((n, 1)),
        ),
        panel.with_outcomes(np.zeros(panel.shape)).reassign(np.zeros_like(panel.W)),
        panel.W[panel.design.treated],
    )


def test_no_effect_in_no_effect_out():
    """Known truth: variance of a double difference of independent noise."""
    n, t, n_post, variance = 24, 20, 5, 0.25
    draws = replicate(Trial(additive_world(np.random.default_rng(0)), ESTIMATORS["did"]()), 300)
    error, covered = draws.T
    truth = np.sqrt(variance * (1 / n_post + 1 / (t - n_post)) * (1 + 1 / (n - 1)))
    table = ranking({"did": draws}).iloc[0]
    assert abs(error.mean()) < 3 * table["bias_error"]
    assert abs(table["rmse"] - truth) < 3 * table["rmse_error"]
    assert abs(covered.mean() - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 300)


def test_cheap_intervals_are_those_named():
    assert isinstance(cheap_interval(ESTIMATORS["sdid"]()), PlaceboVariance)
    assert isinstance(cheap_interval(ESTIMATORS["sun_abraham"]()), EventStudyErrors)
    assert cheap_interval(ESTIMATORS["mc"]()) is None
    assert cheap_interval(TROP()) is None
    assert cheap_interval(ESTIMATORS["sdid"](ridge_scale=2.0)) is None


def test_tuning_is_held(panel):
    chosen = held(ESTIMATORS["mc"]().fit(panel))
    assert chosen.penalty is not None
    assert held(ESTIMATORS["did"]().fit(panel)) == ESTIMATORS["did"]()
    staggered = panel.reassign(
        (np.arange(12)[:, None] < 2)
        & (np.arange(15) >= np.where(np.arange(12) < 1, 8, 11)[:, None])
    )
    for key in ("sc", "sc_intercept", "sdid"):
        assert held(ESTIMATORS[key]().fit(staggered)) == ESTIMATORS[key]()
    assert isinstance(ranking({}), pd.DataFrame)
