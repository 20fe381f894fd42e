"""Slopes by generalized least squares, and how long deviations last."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from components.numerics.slopes import lasting, slopes_of
from components.simulation.coverage_worlds import lasting_errors


def slow_slope(y, rho):
    """Whiten by a Cholesky factor and regress by least squares."""
    time = np.flatnonzero(np.isfinite(y))
    R = np.array([[rho ** abs(s - t) for s in time] for t in time])
    root = np.linalg.inv(np.linalg.cholesky(R))
    X = np.column_stack([np.ones(len(time)), time])
    return np.linalg.lstsq(root @ X, root @ y[time], rcond=None)[0][1]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.98])
def test_slopes_are_generalized_least_squares_with_holes(rho):
    gaps = np.random.default_rng(0).normal(size=(6, 14))
    gaps[1, [2, 5, 9]] = np.nan
    gaps[3, [2, 5, 9]] = np.nan
    gaps[4, 2:] = np.nan
    gaps[5] = np.nan
    slopes = slopes_of(gaps, rho)
    for row in range(4):
        assert slopes[row] == pytest.approx(slow_slope(gaps[row], rho))
        if rho == 0.0:
            seen = np.isfinite(gaps[row])
            straight = linregress(np.flatnonzero(seen), gaps[row, seen])
            assert slopes[row] == pytest.approx(straight.slope)
    assert np.isnan(slopes[4:]).all()


def test_a_line_is_found_whatever_the_weights():
    line = 3.0 + 0.25 * np.arange(9.0)
    for rho in (0.0, 0.6, 0.98):
        assert slopes_of(line[None], rho)[0] == pytest.approx(0.25)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_the_correlation_is_found_in_few_periods(rho):
    rng = np.random.default_rng(1)
    panels = [lasting_errors(rng, (40, 8), rho) for _ in range(60)]
    common, levels = rng.normal(size=8), 5.0 * rng.normal(size=(40, 1))
    found = [lasting(panel + common + levels) for panel in panels]
    # Zero is the least that is tried, so that noise around it is all on one side.
    assert np.mean(found) == pytest.approx(rho, abs=0.06)


def test_holes_and_nothing_to_see():
    rng = np.random.default_rng(2)
    panel = lasting_errors(rng, (200, 20), 0.7)
    holes = np.where(rng.uniform(size=panel.shape) < 0.2, np.nan, panel)
    assert lasting(holes) == pytest.approx(lasting(panel), abs=0.05)
    assert lasting(np.ones((5, 9))) == 0.0
    assert lasting(np.full((5, 9), np.nan)) == 0.0
