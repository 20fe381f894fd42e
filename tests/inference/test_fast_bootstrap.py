"""The bootstrap of an estimator that refits all samples at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.estimators import SyntheticDID
from components.estimators.base import FastBootstrap
from components.inference import UnitBootstrap, silent
from components.inference.refits import refit
from components.numerics.sdid import noise_level
from panels import block_panel


def test_samples_equal_refits_at_the_regularisation_of_the_panel():
    panel = block_panel(n=22, n_treated=6)
    estimator = SyntheticDID()
    assert isinstance(estimator, FastBootstrap)
    result = UnitBootstrap(n_draws=12).assess(
        estimator.fit(panel), level=0.95, rng=np.random.default_rng(4), progress=silent
    )
    rng = np.random.default_rng(4)
    whole = noise_level(panel.Y[6:, :10])
    for draw in result.draws:
        rows = np.concatenate([rng.choice(np.arange(6), 6), rng.choice(np.arange(6, 22), 16)])
        held = replace(estimator, ridge_scale=whole / noise_level(panel.Y[rows[6:], :10]))
        assert draw == pytest.approx(refit(held, panel, rows).att, abs=1e-6)


def test_bands_have_the_periods_and_event_times_of_the_estimate():
    panel = block_panel(n=22, n_treated=6)
    estimate = SyntheticDID().fit(panel)
    result = UnitBootstrap(n_draws=40).assess(
        estimate, level=0.9, rng=np.random.default_rng(0), progress=silent
    )
    assert list(result.band.lower.index) == list(range(2010, 2015))
    assert list(result.event_band.lower.index) == list(range(-10, 5))
    np.testing.assert_allclose(
        (result.band.upper - result.band.lower).to_numpy(),
        (result.event_band.upper - result.event_band.lower).to_numpy()[10:],
    )
    assert estimate.att in result.interval


def test_staggered_designs_are_refitted_one_by_one():
    panel = block_panel(n=24, n_treated=8)
    W = panel.W.copy()
    W[:4, 7:] = True
    panel = panel.reassign(W)
    estimate = SyntheticDID().fit(panel)
    result = UnitBootstrap(n_draws=20).assess(
        estimate, level=0.9, rng=np.random.default_rng(0), progress=silent
    )
    assert np.isfinite(result.standard_error)
    assert estimate.att in result.interval
