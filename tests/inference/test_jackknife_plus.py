"""Jackknife+ over periods: by hand, exact ranks, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from components.estimators import (
    DifferenceInDifferences,
    MatrixCompletion,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import silent
from components.inference.jackknife_plus import JackknifePlus
from panels import block_panel


def assess(estimate, level=0.9, conservative=False):
    method = JackknifePlus(conservative)
    return method.assess(estimate, level=level, rng=np.random.default_rng(0), progress=silent)


def slow(panel):
    """Refit SC with scipy's NNLS without each period before treatment."""
    n_pre = panel.design.n_pre
    y, X = panel.Y[panel.design.treated].mean(axis=0), panel.Y[~panel.design.treated]
    gaps = []
    for out in range(n_pre):
        keep = np.delete(np.arange(n_pre), out)
        A = (X - y)[:, keep].T
        scale = np.abs(A).max()
        raw, _ = nnls(np.vstack([A, np.full(len(X), scale)]), np.r_[np.zeros(n_pre - 1), scale])
        gaps.append(y - raw / raw.sum() @ X)
    gaps = np.array(gaps)
    return gaps[:, n_pre:], np.abs(np.diag(gaps[:, :n_pre]))


def test_proposition_99_by_hand(prop99):
    gaps, errors = slow(prop99)
    estimate = SyntheticControl().fit(prop99)
    result = assess(estimate)
    # 19 periods at 90 %: floor(0.1 * 20) = 2, the second smallest and the second largest.
    lower = np.sort(gaps - errors[:, None], axis=0)[1]
    upper = np.sort(gaps + errors[:, None], axis=0)[-2]
    np.testing.assert_allclose(result.band.lower, lower, atol=1e-6)
    np.testing.assert_allclose(result.band.upper, upper, atol=1e-6)
    means = gaps.mean(axis=1)
    assert result.interval.lower == pytest.approx(np.sort(means - errors)[1], abs=1e-6)
    wide = assess(estimate, conservative=True)
    reach = np.sort(errors)[-2]
    np.testing.assert_allclose(wide.band.lower, gaps.min(axis=0) - reach, atol=1e-6)
    np.testing.assert_allclose(wide.band.upper, gaps.max(axis=0) + reach, atol=1e-6)
    assert result.smallest_p == pytest.approx(1 / 20)


def test_intercept_and_time_weights_belong_to_the_prediction():
    # Of DID without period s the error there is known: T0 / (T0 - 1) times the residual.
    panel = block_panel()
    gap = panel.Y[0] - panel.Y[1:].mean(axis=0)
    residual = gap[:10] - gap[:10].mean()
    table = assess(DifferenceInDifferences().fit(panel), 0.8).details["left_out"]
    np.testing.assert_allclose(table["error"], np.abs(residual) * 10 / 9, atol=1e-9)
    sdid = SyntheticDID().fit(panel)
    errors = assess(sdid, 0.8).details["left_out"]["error"].to_numpy()
    rest = panel.window(np.delete(np.arange(15), 3))
    again = SyntheticDID().fit(rest)
    donors = again.unit_weights.to_numpy() @ panel.Y[1:]
    level = again.time_weights.to_numpy() @ (panel.Y[0] - donors)[np.delete(np.arange(10), 3)]
    assert errors[3] == pytest.approx(abs(panel.Y[0, 3] - donors[3] - level), abs=1e-8)


@given(
    seed=st.integers(0, 10_000),
    effect=st.floats(-6, 6),
    level=st.sampled_from([0.5, 0.8, 0.9, 0.95]),
    conservative=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_one_answer(seed, effect, level, conservative):
    estimate = SyntheticControlIntercept().fit(block_panel(seed, t=16, effect=effect))
    result = assess(estimate, level, conservative)
    rejected = result.p_value <= 1 - level + 1e-9
    if result.interval is None:
        assert level == 0.95
        assert not rejected
        assert "11 periods before treatment give p-values of at least 0.083" in result.notes[0]
        return
    assert rejected == (0.0 not in result.interval)
    if estimate.att not in result.interval:
        assert "lies outside" in result.notes[0]


def test_levels_nest_and_follow_a_change_of_units(prop99):
    estimate = SyntheticControl().fit(prop99)
    narrow, wide = assess(estimate, 0.8), assess(estimate, 0.95)
    assert wide.interval.lower <= narrow.interval.lower
    assert (wide.band.upper >= narrow.band.upper).all()
    careful = assess(estimate, 0.8, conservative=True)
    assert (careful.band.upper >= narrow.band.upper - 1e-12).all()
    assert (careful.band.lower <= narrow.band.lower + 1e-12).all()
    scaled = SyntheticControl().fit(prop99.with_outcomes(7 - 1000 * prop99.Y))
    turned = assess(scaled, 0.8)
    assert turned.interval.lower == pytest.approx(-1000 * narrow.interval.upper, rel=1e-6)
    np.testing.assert_allclose(turned.band.upper, -1000 * narrow.band.lower, rtol=1e-6)
    assert "sure to cover in 60%" in narrow.sentence
    assert "sure to cover in 80%" in careful.sentence


@pytest.mark.parametrize(("conservative", "least"), [(False, 0.85), (True, 0.9)])
def test_coverage_in_a_stationary_world(conservative, least):
    # One later period, 200 draws, nominal 90 % (standard error 2 points).
    rng = np.random.default_rng(3)
    panel = block_panel(n=7, t=20, n_post=1)
    loadings = rng.uniform(0.5, 1.5, (7, 2))
    covered = 0
    for _ in range(200):
        Y = loadings @ rng.normal(size=(2, 20)) + rng.normal(size=(7, 20))
        estimate = SyntheticControl().fit(panel.with_outcomes(Y))
        covered += 0.0 in assess(estimate, 0.9, conservative).interval
    assert least <= covered / 200 <= 0.985


def test_refusals_have_their_reason(prop99):
    method = JackknifePlus()
    by_predictors = SyntheticControl(predictors=("packs_per_capita[1980..1988]",)).fit(prop99)
    assert "come from predictors" in method.why_not(by_predictors)
    completed = MatrixCompletion(penalty=1.0).fit(block_panel())
    assert "weighted average of donors" in method.why_not(completed)
    short = SyntheticControl().fit(block_panel(t=6, n_post=3))
    assert "at least 4 periods before treatment, and there are 3" in method.why_not(short)
    for estimator in (DifferenceInDifferences(), SyntheticControl(), SyntheticDID()):
        assert method.why_not(estimator.fit(prop99)) is None


def test_what_the_interval_for_an_average_takes_is_said_with_its_size():
    rng = np.random.default_rng(3)
    panel = block_panel(n=10, t=44, n_post=4)
    quick = panel.with_outcomes(rng.normal(size=(10, 44)))
    lasting = panel.with_outcomes(
        np.where(np.arange(10)[:, None] == 0, np.sin(np.arange(44) / 15.0), 0.0)
        + 0.01 * rng.normal(size=(10, 44))
    )
    for outcome, words in ((quick, "wider than an average needs"), (lasting, "errors last")):
        estimate = DifferenceInDifferences().fit(outcome)
        note = next(n for n in assess(estimate).notes if n.startswith("The interval for the"))
        assert words in note
        signed = np.array(
            [
                gap - np.delete(estimate.paths["gap"].iloc[:40].to_numpy(), s).mean()
                for s, gap in enumerate(estimate.paths["gap"].iloc[:40])
            ]
        )
        means = np.array([signed[s : s + 4].mean() for s in range(37)])
        ratio = np.sqrt((means**2).mean() / (signed**2).mean())
        assert f"are {ratio:.2f} times" in note
    one = DifferenceInDifferences().fit(block_panel(n=10, t=30, n_post=1))
    assert not any("average" in note for note in assess(one).notes)
    few = DifferenceInDifferences().fit(block_panel(n=10, t=30, n_post=15))
    assert any("Unless errors last" in note for note in assess(few).notes)
