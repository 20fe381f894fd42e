"""The honesty meter: placebos by hand, and a recalibrated interval that keeps its level."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import NotApplicableError
from components.estimators import DifferenceInDifferences, SyntheticControl, SyntheticDID
from components.inference import (
    EventStudyErrors,
    Jackknife,
    JackknifePlus,
    PlaceboInSpace,
    PlaceboVariance,
    silent,
)
from components.inference.base import detectable_by_draws, detectable_by_t
from components.inference.honesty import honesty, why_no_honesty
from components.inference.pseudo_treatments import pseudo_treatments
from components.inference.recalibration import recalibrated
from components.inference.verdict import verdict
from panels import block_panel

DID = DifferenceInDifferences()


def assess(estimate, method, level=0.9):
    rng = np.random.default_rng(0)
    return method.assess(estimate, level=level, rng=rng, progress=silent)


def test_each_placebo_is_a_fit_without_the_treated_and_without_itself(prop99):
    estimate = SyntheticControl().fit(prop99)
    honest = honesty(estimate, PlaceboVariance(), 0.9)
    assert honest.n == 38
    row = honest.placebos.iloc[11]
    donors = prop99.take(~prop99.design.treated)
    W = np.zeros(donors.shape, dtype=bool)
    W[11, 19:] = True
    by_hand = SyntheticControl().fit(donors.reassign(W))
    interval = assess(by_hand, PlaceboVariance()).interval
    assert row["placebo"] == str(donors.units[11])
    assert row["effect"] == pytest.approx(by_hand.att)
    assert (row["lower"], row["upper"]) == pytest.approx((interval.lower, interval.upper))
    assert donors.units[11] not in by_hand.unit_weights.index
    assert honest.coverage == np.mean(
        (honest.placebos["lower"] <= 0) & (honest.placebos["upper"] >= 0)
    )
    # What happened to the treated unit plays no part.
    Y = prop99.Y.copy()
    Y[prop99.design.treated] += 1e4
    moved = honesty(SyntheticControl().fit(prop99.with_outcomes(Y)), PlaceboVariance(), 0.9)
    np.testing.assert_allclose(moved.placebos["upper"], honest.placebos["upper"], atol=1e-7)


def test_band_coverage_by_hand(prop99):
    estimate = SyntheticDID().fit(prop99)
    honest = honesty(estimate, PlaceboVariance(), 0.9, n_placebos=6, seed=2)
    assert honest.n == 6
    donors = prop99.take(~prop99.design.treated)
    held = []
    for name in honest.placebos["placebo"]:
        W = np.zeros(donors.shape, dtype=bool)
        W[donors.units.get_loc(name), 19:] = True
        band = assess(SyntheticDID().fit(donors.reassign(W)), PlaceboVariance()).band
        held.append(((band.lower <= 0) & (band.upper >= 0)).mean())
    share, error = honest.band_coverage
    assert share == pytest.approx(np.mean(held))
    assert error == pytest.approx(np.std(held, ddof=1) / np.sqrt(6))


def test_recalibrated_interval_is_the_placebo_test_in_units_of_its_width(prop99):
    estimate = SyntheticControl().fit(prop99)
    plain = assess(estimate, PlaceboVariance())
    honest = honesty(estimate, PlaceboVariance(), 0.9)
    again = recalibrated(plain, honest)
    ratios = np.abs(honest.placebos["effect"]) / (
        (honest.placebos["upper"] - honest.placebos["lower"]) / 2
    )
    factor = np.sort(ratios)[-3]  # 39 ranks at 90 % leave out three
    half = (plain.interval.upper - plain.interval.lower) / 2
    assert again.interval.upper - estimate.att == pytest.approx(factor * half)
    own = abs(estimate.att) / half
    assert again.p_value == pytest.approx((1 + (ratios >= own).sum()) / 39)
    assert again.smallest_p == pytest.approx(1 / 39)
    widths = (again.band.upper - again.band.lower) / (plain.band.upper - plain.band.lower)
    factors = np.sort(honest.by_period.abs().to_numpy(), axis=0)[-3]
    np.testing.assert_allclose(widths, factors)


@pytest.mark.parametrize("effect", [-3.0, 0.0, 0.6])
def test_recalibrated_p_and_interval_give_one_answer(effect):
    panel = block_panel(n=26, effect=effect)
    estimate = DID.fit(panel)
    for level in (0.8, 0.9, 0.95):
        honest = honesty(estimate, PlaceboVariance(), level)
        again = recalibrated(assess(estimate, PlaceboVariance(), level), honest)
        assert (again.p_value <= 1 - level + 1e-9) == (0.0 not in again.interval)
        assert again.detectable > 0
    assert (
        recalibrated(
            assess(estimate, PlaceboVariance(), 0.99), honesty(estimate, PlaceboVariance(), 0.99)
        )
        is None
    )


def test_an_interval_that_promises_too_much_is_found_out_and_mended():
    # Prediction errors of a random walk grow, those left out of a jackknife+ do not.
    rng = np.random.default_rng(6)
    panel = block_panel(n=24, t=16, n_post=5)
    mended, shares = [], []
    for _ in range(12):
        Y = rng.normal(size=(24, 16)).cumsum(axis=1)
        estimate = DID.fit(panel.with_outcomes(Y))
        honest = honesty(estimate, JackknifePlus(), 0.8)
        shares.append(honest.coverage)
        again = recalibrated(assess(estimate, JackknifePlus(), 0.8), honest)
        mended.append(0.0 in again.interval)
    assert np.mean(shares) < 0.73
    assert np.mean(mended) == pytest.approx(0.8, abs=0.25)


def test_staggered_designs_use_the_same_dates():
    panel = block_panel(n=40, n_treated=24)
    W = panel.W.copy()
    W[:9, 7:] = True
    panel = panel.reassign(W)
    chosen = pseudo_treatments(panel, 5, np.random.default_rng(1))
    assert chosen.size == round(16 * 24 / 40)
    rows = {tuple(row) for row in panel.W[panel.design.treated]}
    for number in range(5):
        placebo = chosen.at(number)
        assert placebo.design.n_treated == chosen.size
        assert {tuple(row) for row in placebo.W[placebo.design.treated]} <= rows
    estimate = DID.fit(panel)
    honest = honesty(estimate, EventStudyErrors(n_draws=99), 0.9, 25)
    assert honest.simultaneous
    assert honest.n + honest.without == 25
    again = recalibrated(assess(estimate, EventStudyErrors(n_draws=99)), honest)
    times = again.event_band.lower.index
    widths = (again.event_band.upper - again.event_band.lower).to_numpy()
    plain = assess(estimate, EventStudyErrors(n_draws=99)).event_band
    before = (plain.upper - plain.lower).reindex(times).to_numpy()
    ratio = (widths / before)[np.isfinite(widths)]
    np.testing.assert_allclose(ratio, ratio[0])


def test_what_cannot_be_tried_is_said():
    two = DID.fit(block_panel(n=3))
    assert "2 units were never treated" in why_no_honesty(two)
    with pytest.raises(NotApplicableError, match="never treated"):
        honesty(two, PlaceboInSpace(), 0.9)
    many = DID.fit(block_panel(n=12, n_treated=6))
    with pytest.raises(NotApplicableError, match="No placebo of this panel"):
        honesty(many, Jackknife(), 0.9)
    # 12 units allow 90 % for the treated, 11 do not for a placebo among them.
    edge = DID.fit(block_panel(n=10))
    with pytest.raises(NotApplicableError, match="8 placebos give p-values"):
        honesty(edge, PlaceboInSpace(), 0.9)


def test_progress_and_seed():
    estimate = DID.fit(block_panel(n=30, n_treated=3))
    shares = []
    one = honesty(estimate, PlaceboVariance(40), 0.9, 8, seed=1, progress=shares.append)
    assert shares == pytest.approx(np.arange(1, 9) / 8)
    same, other = (honesty(estimate, PlaceboVariance(40), 0.9, 8, seed=s) for s in (1, 2))
    assert one.placebos.equals(same.placebos)
    assert not one.placebos["lower"].equals(other.placebos["lower"])


def test_the_smallest_effect_that_would_be_found():
    # Simulated: a t interval finds it in four of five cases, but for the spread of the spread.
    rng = np.random.default_rng(9)
    assert detectable_by_t(2.0, np.inf, 0.95) == pytest.approx(2.0 * (1.959964 + 0.841621))
    errors = rng.normal(size=4001)
    effect = detectable_by_draws(1.96, errors)
    assert np.mean(np.abs(effect + rng.normal(size=20_000)) > 1.96) == pytest.approx(0.8, abs=0.02)


def test_three_verdicts():
    panel = block_panel(n=30)
    base = DID.fit(panel).att
    answers = {}
    for effect in (0.0, 1.2, 9.0):
        estimate = DID.fit(panel.with_outcomes(panel.Y + (effect - base) * panel.W))
        result = assess(estimate, PlaceboVariance())
        answers[effect] = verdict(result)
        half = (result.interval.upper - result.interval.lower) / 2
        assert answers[effect].beyond == pytest.approx(effect + half)
        assert answers[effect].detectable == result.detectable
    assert answers[0.0].kind == "nothing larger"
    assert answers[9.0].kind == "effect"
    wide = verdict(assess(DID.fit(panel.with_outcomes(panel.Y)), PlaceboVariance()), margin=1e-3)
    assert wide.kind in {"cannot tell", "effect"}
    se = assess(DID.fit(panel), PlaceboVariance()).standard_error
    between = DID.fit(panel.with_outcomes(panel.Y + (1.2 * se - base) * panel.W))
    assert verdict(assess(between, PlaceboVariance())).kind == "cannot tell"
    ratio = assess(DID.fit(panel), PlaceboInSpace(statistic="rmspe_ratio"))
    assert verdict(ratio).beyond is None
