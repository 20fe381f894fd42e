"""A counterfactual built up step by step: the steps end at it, and each is what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.analysis import run, sample_spec, words_of
from components.analysis.buildup import NAMES, build_up, step_sentence
from components.estimators import ESTIMATORS
from components.estimators.trop import TROP
from components.panel import Panel
from panels import block_panel

FIXED = TROP(lambda_unit=0.5, lambda_time=0.2, lambda_nn=0.5)


def estimate_of(key, panel):
    estimator = FIXED if key == "trop" else ESTIMATORS[key]()
    return estimator.fit(panel)


@pytest.mark.parametrize("n_treated", [1, 3])
@pytest.mark.parametrize("key", ESTIMATORS)
def test_the_last_step_is_the_counterfactual(key, n_treated):
    estimate = estimate_of(key, block_panel(n_treated=n_treated))
    steps = build_up(estimate)
    np.testing.assert_allclose(steps[-1].path, estimate.paths["counterfactual"], atol=1e-9)
    assert steps[-1].att == pytest.approx(estimate.att)
    assert [step.kind for step in steps] == [k for k in NAMES if k in {s.kind for s in steps}]


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("did", ["average", "level"]),
        ("sc", ["average", "weighted"]),
        ("sc_intercept", ["average", "weighted", "level"]),
        ("sdid", ["average", "weighted", "level"]),
        ("trop", ["average", "weighted", "level", "factors"]),
        ("mc", ["average", "level", "factors"]),
    ],
)
def test_each_estimator_has_its_own_steps(key, kinds):
    assert [step.kind for step in build_up(estimate_of(key, block_panel()))] == kinds


def test_the_level_step_of_trop_is_trop_without_factors(panel):
    step = next(s for s in build_up(FIXED.fit(panel)) if s.kind == "level")
    plain = replace(FIXED, lambda_nn=np.inf).fit(panel)
    n_pre = panel.design.n_pre
    np.testing.assert_allclose(step.path[n_pre:], plain.paths["counterfactual"][n_pre:], atol=1e-6)
    assert step.att == pytest.approx(plain.att, abs=1e-6)


def test_the_level_step_of_matrix_completion_is_difference_in_differences(panel):
    step = next(s for s in build_up(estimate_of("mc", panel)) if s.kind == "level")
    assert step.att == pytest.approx(estimate_of("did", panel).att)


def test_there_are_no_steps_without_one_date_or_with_gaps(panel):
    Y = panel.Y.copy()
    Y[4, 3] = np.nan
    assert build_up(ESTIMATORS["did"]().fit(panel.with_outcomes(Y))) == ()
    W = panel.W.copy()
    W[5, -2:] = True
    staggered = Panel(panel.Y, W, panel.units, panel.periods, outcome="y")
    assert build_up(ESTIMATORS["did"]().fit(staggered)) == ()


def test_the_sentences_have_the_numbers(prop99):
    spec = sample_spec("prop99").with_(estimator=ESTIMATORS["sdid"](), inference=None)
    result, words = run(spec, prop99), words_of(spec)
    steps = build_up(result.estimate)
    donors, weighted, level = (step_sentence(step, result, words) for step in steps)
    off = prop99.Y[~prop99.design.treated].mean(axis=0) - prop99.Y[prop99.design.treated][0]
    assert f"on average {off[:19].mean():.1f} packs above California before 1989" in donors
    assert "All 38 states count the same" in donors
    assert "27 of 38 states carry weight" in weighted
    assert "The path moves down by 25.3 packs as a whole" in level
    assert "in the periods that carry weight" in level
    assert step_sentence(steps[-1], result, words, is_last=True).endswith("Effect −15.6.")
