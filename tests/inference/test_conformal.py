"""Conformal inference: against a slow re-implementation, and the null it is fitted under."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy.optimize import nnls

from components.estimators import DifferenceInDifferences, SyntheticControl, SyntheticDID
from components.inference import Conformal, silent
from components.inference.inversion import invert
from components.inference.placements import all_choices, drawn_choices, shifts
from components.panel import Panel
from panels import block_panel


def assess(estimate, level=0.95, method=None):
    method = method or Conformal()
    return method.assess(estimate, level=level, rng=np.random.default_rng(0), progress=silent)


def slow_p(panel, effect, statistic="average"):
    """Fit SC on all periods with scipy's NNLS and rank the treated block among cyclic shifts."""
    treated, n_pre = panel.design.treated, panel.design.n_pre
    y = panel.Y[treated].mean(axis=0).copy()
    y[n_pre:] -= effect
    X = panel.Y[~treated]
    A = (X - y).T
    scale = np.abs(A).max()
    raw, _ = nnls(np.vstack([A, np.full(len(X), scale)]), np.r_[np.zeros(len(y)), scale])
    residual = y - raw / raw.sum() @ X
    if statistic == "size":
        residual = np.abs(residual)
    sizes = [abs(np.roll(residual, -shift)[n_pre:].mean()) for shift in range(len(y))]
    return np.mean(np.array(sizes) >= sizes[0] - 1e-9)


@pytest.mark.parametrize("statistic", ["average", "size"])
def test_p_value_equals_a_slow_refit(prop99, statistic):
    found = assess(SyntheticControl().fit(prop99), method=Conformal(statistic=statistic))
    assert found.p_value == pytest.approx(slow_p(prop99, 0.0, statistic))


def slow_residual(panel, effect, statistic):
    """Residuals of difference in differences fitted to all periods under an effect."""
    treated = panel.design.treated
    gap = panel.Y[treated].mean(axis=0) - panel.Y[~treated].mean(axis=0)
    gap[panel.design.n_pre :] -= effect
    residual = gap - gap.mean()
    return np.abs(residual) if statistic == "size" else residual


@pytest.mark.parametrize("statistic", ["average", "size"])
@pytest.mark.parametrize("effect", [0.0, 4.0])
def test_all_choices_of_periods_equal_a_loop(statistic, effect):
    panel = block_panel(seed=4, n=9, t=13, n_post=3, effect=effect)
    residual = slow_residual(panel, 0.0, statistic)
    own = abs(residual[10:].sum())
    larger = [
        abs(residual[list(choice)].sum()) >= own - 1e-9 for choice in combinations(range(13), 3)
    ]
    method = Conformal(statistic=statistic, permutations="iid")
    found = assess(DifferenceInDifferences().fit(panel), method=method)
    assert found.p_value == pytest.approx(np.mean(larger))
    assert found.smallest_p == pytest.approx(1 / comb(13, 3))
    assert found.n_random == 0
    end = slow_residual(panel, found.interval.upper - 1e-4, statistic)
    shares = [
        abs(end[list(c)].sum()) >= abs(end[10:].sum()) - 1e-9 for c in combinations(range(13), 3)
    ]
    assert np.mean(shares) > 0.05


def test_drawn_choices_come_near_all_of_them(prop99):
    # 141 million choices of 12 of 31 periods: 5,000 are drawn, with their error said.
    estimate = DifferenceInDifferences().fit(prop99)
    found = assess(estimate, method=Conformal(permutations="iid", statistic="size"))
    residual = slow_residual(prop99, 0.0, "size")
    rng, own = np.random.default_rng(5), residual[19:].sum()
    draws = np.array([rng.permutation(residual)[:12].sum() for _ in range(20_000)])
    assert found.n_random == 5000
    share = np.mean(draws >= own - 1e-9)
    assert found.p_value == pytest.approx(share, abs=4 * np.sqrt(0.25 / 5000))
    assert any("drawn at random" in note for note in found.notes)
    assert found.smallest_p == pytest.approx(1 / 5001)


def test_the_first_place_is_the_truth_and_all_are_as_large():
    truth = [0.0] * 5 + [1.0] * 2
    rng = np.random.default_rng(0)
    for places in (shifts(7, 2), all_choices(7, 2), drawn_choices(7, 2, 50, rng)):
        assert places[:, 0].tolist() == truth
        assert (places.sum(axis=0) == 2.0).all()
    assert len(np.unique(all_choices(7, 2), axis=1).T) == comb(7, 2)


def test_effects_of_changing_sign_are_seen_by_size_alone():
    panel = block_panel(seed=1, n=12, t=40, n_post=4)
    swing = panel.with_outcomes(panel.Y + panel.W * np.where(np.arange(40) % 2, 30.0, -30.0))
    estimate = DifferenceInDifferences().fit(swing)
    assert assess(estimate, method=Conformal(statistic="size")).p_value == pytest.approx(1 / 40)
    assert assess(estimate).p_value > 0.05


def test_ends_of_the_interval_are_where_the_slow_p_value_crosses(prop99):
    interval = assess(SyntheticControl().fit(prop99), level=0.9).interval
    for end, inward in ((interval.lower, 1), (interval.upper, -1)):
        step = 0.02 * (interval.upper - interval.lower)
        assert slow_p(prop99, end + inward * 1e-6) > 0.1
        assert slow_p(prop99, end - inward * step) <= 0.1


def test_band_of_one_period_equals_a_slow_search():
    panel = block_panel(seed=3, n=10, t=24, n_post=3, effect=5.0)
    band = assess(SyntheticControl().fit(panel), level=0.9).band
    one = panel.window(np.r_[np.arange(21), 22])
    grid = np.linspace(band.lower.iloc[1] - 2, band.upper.iloc[1] + 2, 401)
    kept = grid[[slow_p(one, effect) > 0.1 for effect in grid]]
    spacing = grid[1] - grid[0]
    assert band.lower.iloc[1] == pytest.approx(kept[0], abs=spacing)
    assert band.upper.iloc[1] == pytest.approx(kept[-1], abs=spacing)


def test_size_under_the_null_is_kept():
    # White noise, no effect, DID: residuals are exchangeable, so p <= 0.1 in 2 of 20 shifts.
    rng = np.random.default_rng(11)
    panel = block_panel(n=15, t=20, n_post=4)
    rejected = 0
    for _ in range(400):
        estimate = DifferenceInDifferences().fit(panel.with_outcomes(rng.normal(size=(15, 20))))
        model = Conformal(n_grid=3)
        rejected += assess(estimate, level=0.5, method=model).p_value <= 0.1 + 1e-9
    assert rejected / 400 == pytest.approx(0.1, abs=0.045)


def test_zero_is_excluded_only_with_a_small_p_value(prop99):
    for estimator in (DifferenceInDifferences(), SyntheticControl()):
        for level in (0.8, 0.9, 0.95):
            result = assess(estimator.fit(prop99), level=level)
            if 0.0 not in result.interval:
                assert result.p_value <= 1 - level + 1e-9


def test_levels_nest(prop99):
    estimate = SyntheticControl().fit(prop99)
    narrow, wide = assess(estimate, level=0.8), assess(estimate, level=0.95)
    assert wide.interval.lower <= narrow.interval.lower <= narrow.interval.upper
    assert narrow.interval.upper <= wide.interval.upper
    assert (wide.band.lower <= narrow.band.lower + 1e-6).all()


def test_too_few_periods_for_the_level_is_said():
    result = assess(DifferenceInDifferences().fit(block_panel(t=12, n_post=3)), level=0.95)
    assert result.band is None
    assert any("10 periods give p-values of at least 0.100" in note for note in result.notes)


def test_refusals_have_their_reason(prop99):
    assert "treats all periods alike" in Conformal().why_not(SyntheticDID().fit(prop99))
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 8:] = True
    estimate = DifferenceInDifferences().fit(panel.reassign(W))
    assert "start in one period" in Conformal().why_not(estimate)


def test_the_published_german_interval_holds_its_weights(published):
    # pysyncon's conformal interval (1991: 279.10 [43.1, 515.1]; 2000: -2620.73 [-2856.8, -2384.7])
    # keeps the weights of the fit before treatment, so that its half-width is the largest gap
    # there. Panelscope fits under each hypothetical effect instead: weights from before treatment
    # alone cover 80 % where 95 % is said (TRUST: conformal with weights fitted on pre only).
    table = published("german_reunification.csv")
    Y = table.pivot_table("gdp", "country", "year")
    weights = {
        "Austria": 0.414522,
        "USA": 0.216250,
        "Japan": 0.163161,
        "Switzerland": 0.107655,
        "Netherlands": 0.098412,
    }
    gap = Y.loc["West Germany"] - sum(Y.loc[name] * w for name, w in weights.items())
    half = gap.loc[:1989].abs().max()
    ends = [gap[1991] - half, gap[1991] + half, gap[2000] - half, gap[2000] + half]
    np.testing.assert_allclose(ends, [43.1, 515.1, -2856.8, -2384.7], atol=0.06)


def test_germany_without_predictors_equals_a_slow_refit(published):
    table = published("german_reunification.csv")
    table["treated"] = ((table["country"] == "West Germany") & (table["year"] > 1990)).astype(int)
    panel = Panel.from_long(
        table, unit="country", time="year", outcome="gdp", treatment="treated"
    ).window(np.arange(36))
    method = Conformal(statistic="size")
    result = assess(SyntheticControl().fit(panel), level=0.9, method=method)
    # Zero itself is rejected, effects on both sides of it are not, and all of that is said.
    own = slow_p(panel, 0.0, "size")
    assert own == pytest.approx(1 / 36)
    assert result.p_value == pytest.approx(5 / 36)
    kept = [slow_p(panel, effect, "size") for effect in np.linspace(0.0, 3000.0, 13)]
    assert max(kept) >= 5 / 36 - 1e-9
    assert any("has p = 0.028" in note for note in result.notes)
    lower, upper = result.interval.lower, result.interval.upper
    assert slow_p(panel, lower + 1e-4, "size") > 0.1
    assert slow_p(panel, upper - 1e-4, "size") > 0.1
    assert slow_p(panel, lower - 20.0, "size") <= 0.1
    assert slow_p(panel, upper + 20.0, "size") <= 0.1


def test_p_value_and_interval_agree_where_kept_effects_have_a_hole():
    # Effects near -2 and near 2 are kept, those between are not: zero lies inside the interval
    # around them, and the p-value says so.
    def p_values(effects):
        return np.where(np.abs(np.abs(effects) - 2.0) <= 0.5, 0.5, 0.01)

    found = invert(p_values, 100, 0.95, 0.1, 6.0, 81)
    assert found.bounds == pytest.approx((-2.5, 2.5), abs=1e-3)
    assert found.p_value == 0.5
    one_side = invert(
        lambda e: np.where(np.abs(e - 2.0) <= 0.5, 0.5, 0.01), 100, 0.95, 2.0, 6.0, 81
    )
    assert one_side.bounds == pytest.approx((1.5, 2.5), abs=1e-3)
    assert one_side.p_value == 0.01
