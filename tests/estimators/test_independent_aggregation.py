"""Averages read off a counterfactual, added up cell by cell in any design, with missing cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.analysis.run import Result
from components.analysis.spec import AnalysisSpec
from components.analysis.words import Words, relative
from components.data import Roles
from components.estimators import ESTIMATORS
from components.panel import Panel

CHEAP = {
    "trop": {"lambda_unit": 0.5, "lambda_time": 0.2, "lambda_nn": float("inf")},
    "mc": {"penalty": 0.05},
}
UNITS, PERIODS = 12, 14


def panel_of(kind, missing, seed):
    rng = np.random.default_rng(seed)
    Y = 10 + rng.normal(size=(UNITS, 1)) + rng.normal(size=(1, PERIODS)).cumsum(axis=1)
    Y = Y + rng.normal(size=(UNITS, PERIODS))
    W = np.zeros(Y.shape, dtype=bool)
    for unit in range(4):
        start = {"block": 9, "staggered": rng.integers(6, 13), "reversing": rng.integers(4, 10)}
        first = start[kind]
        W[unit, first : first + (rng.integers(1, 4) if kind == "reversing" else PERIODS)] = True
    if missing:
        Y[rng.random(Y.shape) < 0.08] = np.nan
    units = pd.Index([f"u{i}" for i in range(UNITS)])
    return Panel(Y, W, units, pd.RangeIndex(PERIODS))


def estimates():
    for kind in ("block", "staggered", "reversing"):
        for missing in (False, True):
            panel = panel_of(kind, missing, seed=7 + missing)
            for key, cls in ESTIMATORS.items():
                estimator = cls(**CHEAP.get(key, {}))
                if estimator.why_not(panel) is None:
                    yield pytest.param(
                        estimator.fit(panel), id=f"{key} {kind} {'gaps' if missing else 'full'}"
                    )


def cells(estimate):
    """Give each treated cell that has an effect, and that effect."""
    panel = estimate.panel
    return {
        (i, t): panel.Y[i, t] - estimate.Y0[i, t]
        for i in range(UNITS)
        for t in range(PERIODS)
        if panel.W[i, t] and np.isfinite(panel.Y[i, t]) and np.isfinite(estimate.Y0[i, t])
    }


def mean_where(found, condition):
    values = [effect for cell, effect in found.items() if condition(*cell)]
    return float(np.mean(values)) if values else float("nan")


@pytest.mark.parametrize("estimate", list(estimates()))
def test_every_average_is_one_over_its_own_treated_cells(estimate):
    found = cells(estimate)
    total = sum(found.values())
    assert estimate.n_cells == len(found)
    assert estimate.total == pytest.approx(total)
    assert estimate.att == pytest.approx(total / len(found))
    assert estimate.cumulative().dropna().iloc[-1] == pytest.approx(total)
    base = np.mean([estimate.Y0[cell] for cell in found])
    assert estimate.relative_effect == pytest.approx(estimate.att / base)
    first = estimate.panel.W.argmax(axis=1)
    by_period, by_unit, by_time = (
        estimate.by_period(),
        estimate.by_unit(),
        estimate.by_event_time().loc[0:],
    )
    slow = [mean_where(found, lambda _, t, at=at: t == at) for at in range(PERIODS)]
    np.testing.assert_allclose(by_period, slow)
    slow = [mean_where(found, lambda i, _, at=at: i == at) for at in range(4)]
    np.testing.assert_allclose(by_unit, slow)
    slow = [mean_where(found, lambda i, t, at=at: t - first[i] == at) for at in by_time.index]
    np.testing.assert_allclose(by_time, slow)
    if "cohorts" in estimate.details:
        table = estimate.details["cohorts"]
        assert (table["share"] * table["att"]).sum() == pytest.approx(estimate.att)
        assert table["share"].sum() == pytest.approx(1.0)


def test_percent_effects_leave_out_cells_without_an_outcome():
    Y = np.array([[10.0, 10.0, 12.0, np.nan], [10.0, 10.0, 10.0, 90.0], [10.0, 10.0, 10.0, 90.0]])
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 2:] = True
    panel = Panel(Y, W, pd.Index(list("abc")), pd.RangeIndex(4))
    estimate = ESTIMATORS["did"]().fit(panel)
    assert estimate.relative_effect == pytest.approx(0.2)
    spec = AnalysisSpec(source="sha256:0", columns=Roles("u", "t", "y", "w"))
    words = Words("t", "y", "", ("unit", "units"))
    assert relative(Result(spec, estimate, None), words) == pytest.approx(0.2)
    logs = replace(words, in_logs=True)
    assert relative(Result(spec, estimate, None), logs) == pytest.approx(np.exp(2.0) - 1.0)
