"""Jackknife and bootstrap over units: by hand, and as often right as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from components.estimators import (
    DifferenceInDifferences,
    MatrixCompletion,
    SyntheticControl,
    SyntheticDID,
)
from components.inference import Jackknife, UnitBootstrap, silent
from panels import block_panel

DID = DifferenceInDifferences()


def assess(estimate, method, level=0.95, seed=0):
    return method.assess(estimate, level=level, rng=np.random.default_rng(seed), progress=silent)


def did_by_hand(Y, n_treated, n_pre):
    change = Y[:, n_pre:].mean(axis=1) - Y[:, :n_pre].mean(axis=1)
    return change[:n_treated].mean() - change[n_treated:].mean()


def test_jackknife_of_did_by_hand():
    panel = block_panel(n=14, n_treated=6)
    result = assess(DID.fit(panel), Jackknife())
    left = [did_by_hand(np.delete(panel.Y, row, axis=0), 6 - (row < 6), 10) for row in range(14)]
    error = np.sqrt(13 / 14 * np.sum((left - np.mean(left)) ** 2))
    assert result.standard_error == pytest.approx(error)
    half = student.ppf(0.975, 5) * error
    assert result.interval.upper - result.interval.lower == pytest.approx(2 * half)


def test_jackknife_of_synthetic_did_as_published():
    # diff-diff 3.13.0, SyntheticDiD(variance_method="jackknife") on this panel: Algorithm 3 of
    # Arkhangelsky et al. with the weights where Frank-Wolfe stops. Printed digits: 2.1795024260744
    # and 0.1330128229753.
    panel = block_panel(n=20, n_treated=6)
    estimate = SyntheticDID(solver="frank_wolfe").fit(panel)
    result = assess(estimate, Jackknife())
    assert estimate.att == pytest.approx(2.1795024260744165, abs=1e-10)
    assert result.standard_error == pytest.approx(0.1330128229752521, abs=1e-10)


def test_fixed_weights_by_hand():
    panel = block_panel(n=14, n_treated=5)
    estimate = SyntheticDID().fit(panel)
    omega, lam = estimate.unit_weights.to_numpy(), estimate.time_weights.to_numpy()
    result = assess(estimate, Jackknife(weights="fixed"))
    contrast = np.r_[-lam, np.full(5, 0.2)]
    by_unit = panel.Y @ contrast
    for row in range(14):
        own = np.delete(by_unit[:5], row) if row < 5 else by_unit[:5]
        w = omega.copy()
        if row >= 5:
            w[row - 5] = 0.0
        expected = own.mean() - w / w.sum() @ by_unit[5:]
        assert result.draws[row] == pytest.approx(expected, rel=1e-10)
    half = (result.band.upper - result.band.lower).to_numpy() / 2
    assert (half > 0).all()
    assert result.band.lower.index.tolist() == list(range(2010, 2015))
    same = assess(estimate, Jackknife())
    assert same.standard_error == result.standard_error
    refitted = assess(estimate, Jackknife(weights="refitted"))
    assert refitted.standard_error != pytest.approx(result.standard_error, rel=0.01)


def test_fixed_weights_are_refused_where_weights_do_not_give_the_estimate():
    panel = block_panel(n=20, n_treated=6)
    for estimator in (SyntheticControl(), MatrixCompletion(penalty=0.1)):
        reason = Jackknife(weights="fixed").why_not(estimator.fit(panel))
        assert "Choose refitted weights" in reason
    assert Jackknife(weights="fixed").why_not(DID.fit(panel)) is None


def test_bootstrap_of_did_is_close_to_the_formula():
    # For DID the variance is that of two independent means of unit changes.
    panel = block_panel(n=40, n_treated=15, t=12)
    change = panel.Y[:, 7:].mean(axis=1) - panel.Y[:, :7].mean(axis=1)
    error = np.sqrt(change[:15].var() / 15 + change[15:].var() / 25)
    result = assess(DID.fit(panel), UnitBootstrap(n_draws=800))
    assert result.standard_error == pytest.approx(error, rel=0.09)


@pytest.mark.parametrize("method", [Jackknife(), UnitBootstrap(n_draws=60)])
def test_one_answer_and_nesting(method):
    panel = block_panel(n=20, n_treated=7)
    for effect in (0.0, 0.4, 3.0):
        estimate = DID.fit(panel.with_outcomes(panel.Y + (effect - 2.0) * panel.W))
        for level in (0.8, 0.95):
            result = assess(estimate, method, level)
            assert (result.p_value <= 1 - level) == (0.0 not in result.interval)
            assert estimate.att in result.interval
            assert (result.band.lower <= result.band.upper).all()
            assert result.event_band.lower.index[-1] == 4
        assert assess(estimate, method, 0.8).interval.upper <= result.interval.upper


@pytest.mark.parametrize("method", [Jackknife(), UnitBootstrap(n_draws=40)])
def test_coverage_with_unequal_variances(method):
    # 200 draws, a smoke test: 95 % within [90.5, 98.5].
    rng = np.random.default_rng(2)
    panel = block_panel(n=24, t=6, n_treated=10, n_post=2)
    spread = np.r_[np.full(10, 2.0), np.ones(14)][:, None]
    covered = 0
    for _ in range(200):
        Y = rng.normal(size=(24, 6)) * spread + rng.normal(size=(24, 1))
        covered += 0.0 in assess(DID.fit(panel.with_outcomes(Y)), method).interval
    assert 0.905 <= covered / 200 <= 0.99


@pytest.mark.parametrize("method", [Jackknife(), UnitBootstrap()])
@pytest.mark.parametrize("estimator", [DID, SyntheticControl(), SyntheticDID()])
def test_few_treated_units_are_refused_with_the_reason(method, estimator):
    assert "1 treated unit: its intervals" in method.why_not(estimator.fit(block_panel()))
    two = estimator.fit(block_panel(n_treated=2))
    assert "2 treated units" in method.why_not(two)
    assert method.why_not(DID.fit(block_panel(n=20, n_treated=6))) is None


def test_same_seed_same_bits():
    estimate = DID.fit(block_panel(n=20, n_treated=7))
    one, same, other = (assess(estimate, UnitBootstrap(n_draws=20), seed=s) for s in (1, 1, 2))
    assert one.draws.tobytes() == same.draws.tobytes()
    assert one.draws.tobytes() != other.draws.tobytes()


def test_tuning_from_the_data_is_held_in_refits():
    panel = block_panel(n=16, n_treated=6, t=10, n_post=3)
    estimate = MatrixCompletion(n_penalties=8).fit(panel)
    held = estimate.estimator.tuned(estimate)
    assert held.penalty == estimate.details["penalty"]
    assert held.fit(panel).att == pytest.approx(estimate.att, rel=1e-6)
    result = assess(estimate, Jackknife())
    expected = held.fit(panel.take(np.delete(np.arange(16), 3))).att
    assert result.draws[3] == pytest.approx(expected, rel=1e-9)


def test_bands_by_period_need_five_units_behind_them():
    panel = block_panel(n=20, n_treated=8)
    W = panel.W.copy()
    W[:3, 6:] = True
    W[5:8, 12:] = False
    estimate = DID.fit(panel.reassign(W))
    result = assess(estimate, Jackknife())
    behind = W.sum(axis=0)
    assert set(behind[6:].tolist()) == {3, 5, 8}
    assert list(result.band.lower.index) == list(panel.periods[behind >= 5])
    assert np.isfinite(result.band.lower).all()
    thin = int((behind[6:] < 5).sum())
    assert any(f"{thin} of 9 treated periods have no band" in note for note in result.notes)
