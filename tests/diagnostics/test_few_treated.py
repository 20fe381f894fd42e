"""Number of treated units: the verdict depends on the inference method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.diagnostics.few_treated import RELIES_ON_MANY, FewTreated
from components.estimators import DifferenceInDifferences, SyntheticDID
from components.inference import (
    METHODS,
    EventStudyErrors,
    Jackknife,
    PlaceboVariance,
    UnitBootstrap,
    silent,
)
from components.simulation.coverage_designs import DESIGNS


def finding(n, method, estimator=None):
    panel = replace(DESIGNS["half"], n_treated=n).draw(np.random.default_rng(0))
    estimate = (estimator or DifferenceInDifferences()).fit(panel)
    uncertainty = method.assess(estimate, level=0.95, rng=np.random.default_rng(0), progress=silent)
    assert FewTreated().why_not(estimate) is None
    return FewTreated().examine(estimate, uncertainty, silent)


@pytest.mark.parametrize(
    ("method", "n", "verdict"),
    [
        (EventStudyErrors(n_draws=99), 5, "caution"),
        (EventStudyErrors(n_draws=99), 8, "caution"),
        (EventStudyErrors(n_draws=99), 12, "good"),
        (Jackknife(), 5, "caution"),
        (Jackknife(), 12, "good"),
    ],
)
def test_methods_that_learn_from_the_treated_need_many(method, n, verdict):
    found = finding(n, method)
    assert found.verdict == verdict
    assert str(n) in found.sentence
    assert bool(found.advice) == (verdict != "good")


def test_the_bootstrap_needs_many_too():
    assert finding(5, UnitBootstrap(n_draws=50), SyntheticDID()).verdict == "caution"


@pytest.mark.parametrize("n", [1, 5])
def test_methods_that_learn_from_the_untreated_do_not(n):
    assert finding(n, PlaceboVariance(n_draws=30)).verdict == "good"


def test_without_a_method_nothing_can_need_more():
    panel = DESIGNS["alike"].draw(np.random.default_rng(0))
    found = FewTreated().examine(DifferenceInDifferences().fit(panel), None, silent)
    assert found.verdict == "good"
    assert found.sentence.startswith("1 unit is treated")


def test_the_methods_it_names_exist():
    assert set(RELIES_ON_MANY) <= set(METHODS)
