"""The number behind each finding, computed again from its definition on a random panel."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls
from scipy.stats import t as student

from components.diagnostics import placebo_units
from components.diagnostics.backdating import Backdating
from components.diagnostics.catalog import DIAGNOSTICS
from components.estimators import ESTIMATORS
from components.inference.base import silent
from panels import block_panel

N_PRE, N = 15, 14
PANEL = block_panel(seed=4, n=N, t=20, n_post=5, effect=1.0)
KEYS = ("sc", "sc_intercept", "sdid")
FITS = {key: ESTIMATORS[key]().fit(PANEL) for key in KEYS}


def look(key, estimate, **options):
    diagnostic = DIAGNOSTICS[key](**options)
    assert diagnostic.why_not(estimate) is None
    return diagnostic.examine(estimate, None, silent)


def simplex(X, y, *, intercept):
    if intercept:
        X, y = X - X.mean(axis=0), y - y.mean()
    P = (X - y[:, None]) / np.abs(X - y[:, None]).max()
    w, _ = nnls(np.vstack([P, np.full(P.shape[1], 1e4)]), np.r_[np.zeros(len(P)), 1e4])
    return w / w.sum()


def gaps_before(key):
    """Gap of every unit to the best weights of the never-treated others before treatment."""
    rows = []
    for i in range(N):
        pool = [k for k in range(1, N) if k != i]
        before = PANEL.Y[:, :N_PRE]
        w = simplex(before[pool].T, before[i], intercept=key != "sc")
        gap = before[i] - w @ before[pool]
        rows.append(gap - gap.mean() if key != "sc" else gap)
    return np.array(rows)


def levels(key):
    """Weights over the periods before treatment with which a series is put at its level."""
    estimate = FITS[key]
    if key == "sdid":
        return estimate.time_weights.to_numpy()
    return np.full(N_PRE, 1.0 / N_PRE) if key == "sc_intercept" else np.zeros(N_PRE)


@pytest.mark.parametrize("key", KEYS)
def test_fit_and_concentration(key):
    estimate, lam = FITS[key], levels(key)
    donors, target = PANEL.Y[1:], PANEL.Y[0]
    w = estimate.unit_weights.to_numpy()
    own, plain = target - w @ donors, target - donors.mean(axis=0)
    sizes = [
        np.sqrt(np.mean((g[:N_PRE] - g[:N_PRE] @ lam * (key != "sc")) ** 2)) for g in (own, plain)
    ]
    found = look("fit", estimate).details
    assert [found["rmspe"], found["plain_rmspe"]] == pytest.approx(sizes)
    found = look("concentration", estimate).details
    assert found["largest"] == pytest.approx(w.max())
    assert found["effective_donors"] == pytest.approx(1.0 / sum(x * x for x in w))


@pytest.mark.parametrize("key", KEYS)
def test_reach_noise_and_correlation(key):
    gaps, estimate = gaps_before(key), FITS[key]
    steps = np.diff(gaps, axis=1)
    ratio = np.sqrt((gaps**2).mean(axis=1)) / np.sqrt((steps**2 / 2).mean(axis=1))
    found = look("support", estimate).details
    assert found["ratio"] == pytest.approx(ratio[0], rel=1e-4)
    assert found["share_as_far"] == pytest.approx((ratio >= ratio[0]).mean())
    x = np.arange(N_PRE)
    left = np.array([g - np.polyval(np.polyfit(x, g, 1), x) for g in gaps])
    logs = np.log(np.sqrt((left**2).sum(axis=1) / (N_PRE - 2)))
    apart, df = logs[0] - logs[1:].mean(), N - 2
    error = logs[1:].std(ddof=1) * np.sqrt(1.0 + 1.0 / (N - 1))
    found = look("noise", estimate).details
    assert found["ratio"] == pytest.approx(np.exp(apart), rel=1e-4)
    assert found["p_value"] == pytest.approx(2 * student.sf(abs(apart) / error, df), rel=1e-3)
    centred = gaps - gaps.mean(axis=1, keepdims=True)
    r = (centred[:, 1:] * centred[:, :-1]).sum() / (centred**2).sum()
    found = look("autocorrelation", estimate).details
    assert found["correlation"] == pytest.approx(r + (1 + 3 * r) / N_PRE, rel=1e-4)


@pytest.mark.parametrize("key", KEYS[:2])
def test_placebo_units_and_earlier_dates(key):
    intercept, estimate = key == "sc_intercept", FITS[key]

    def gap(i, pool, n_pre, last):
        Y = PANEL.Y[:, :last]
        w = simplex(Y[pool][:, :n_pre].T, Y[i, :n_pre], intercept=intercept)
        g = Y[i] - w @ Y[pool]
        return g - g[:n_pre].mean() if intercept else g

    def everyone(n_pre, last):
        rows = [gap(0, list(range(1, N)), n_pre, last)]
        rows += [gap(i, [k for k in range(1, N) if k != i], n_pre, last) for i in range(1, N)]
        return np.array(rows)

    gaps = everyone(N_PRE, 20)
    ratio = np.sqrt((gaps[:, N_PRE:] ** 2).mean(axis=1) / (gaps[:, :N_PRE] ** 2).mean(axis=1))
    found = look("placebo_units", estimate).details
    assert found["ratio"] == pytest.approx(ratio[0], rel=1e-4)
    assert found["rank"] == (ratio >= ratio[0]).sum()
    assert found["p_value"] == pytest.approx((ratio >= ratio[0]).mean())
    for name, back in (("backdating", 5), ("anticipation", 3)):
        gaps = everyone(N_PRE - back, N_PRE)
        effect = gaps[:, N_PRE - back :].mean(axis=1)
        size = np.abs(effect) / np.sqrt((gaps[:, : N_PRE - back] ** 2).mean(axis=1))
        found = look(name, estimate).details
        assert found["effect"] == pytest.approx(effect[0], rel=1e-4, abs=1e-6)
        assert found["p_value"] == pytest.approx((size >= size[0]).mean())


@pytest.mark.parametrize("key", KEYS)
def test_reacting_donors_by_normal_equations(key):
    donors, stop, jumps, scaled = PANEL.Y[1:], 20, [], []
    for j in range(N - 1):
        rest = np.delete(donors, j, axis=0)
        moves = rest - rest.mean(axis=0)
        moves = moves - moves.mean(axis=1, keepdims=True)
        _, vectors = np.linalg.eigh(moves.T @ moves)
        X, y = np.c_[np.ones(20), vectors[:, -2:]], donors[j] - rest.mean(axis=0)
        gram = np.linalg.inv(X[:N_PRE].T @ X[:N_PRE])
        gap = y - X @ (gram @ X[:N_PRE].T @ y[:N_PRE])
        at = X[N_PRE:stop].mean(axis=0)
        jumps.append(gap[N_PRE:stop].mean())
        scaled.append(jumps[-1] / np.sqrt(1.0 / (stop - N_PRE) + at @ gram @ at))
    middle = np.median(scaled)
    surprise = (scaled - middle) / (1.4826 * np.median(np.abs(scaled - middle)))
    found = look("contamination", FITS[key])
    table = found.table.set_index("unit").loc[list(PANEL.units[1:])]
    np.testing.assert_allclose(table["reaction"], jumps, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(table["surprise"], surprise, rtol=1e-6, atol=1e-9)
    carrying = int((FITS[key].unit_weights > 0.01).sum())
    assert found.details["limit"] == pytest.approx(student.isf(0.05 / carrying / 2, N_PRE - 3))


def test_a_tie_counts_against_the_treated_unit(monkeypatch):
    table = pd.DataFrame(
        {
            "rank": [1, 2, 3, 4],
            "unit": ["d", "a", "b", "c"],
            "treated": [False, True, False, False],
            "pre_rmspe": [1.0, 1.0, 1.0, 1.0],
            "average_gap": [9.0, 5.0, 5.0, 1.0],
            "statistic": [9.0, 5.0, 5.0, 1.0],
        }
    )
    said = SimpleNamespace(details={"ranking": table})
    stub = SimpleNamespace(assess=lambda *_, **__: said, why_not=lambda _: None)
    monkeypatch.setattr(placebo_units, "RANKS", stub)
    found = placebo_units.PlaceboUnits().examine(FITS["sc"], None, silent)
    assert found.details["rank"] == 3
    assert found.details["p_value"] == pytest.approx(3 / 4)
    assert found.table["rank"].tolist() == [1, 3, 3, 4]


def test_a_p_value_equal_to_one_minus_the_level_is_a_warning():
    # One in ten is rarer than one minus 90 %, which is a little less than 0.1 in binary.
    panel = block_panel(seed=2, n=10, t=20, n_post=4, effect=1.0)
    Y = np.array(panel.Y)
    Y[0, 11:] += 40.0
    estimate = ESTIMATORS["did"]().fit(panel.with_outcomes(Y))
    found = Backdating(level=0.9).examine(estimate, None, silent)
    assert found.details["p_value"] == pytest.approx(0.1)
    assert found.verdict in {"bad", "caution"}


@pytest.mark.parametrize(("p", "level", "verdict"), [(0.1, 0.9, "caution"), (0.02, 0.9, "good")])
def test_several_outcomes_on_the_grid_of_p_values(p, level, verdict):
    uncertainty = SimpleNamespace(p_value=p, level=level)
    found = DIAGNOSTICS["multiplicity"](outcomes=5).examine(FITS["sc"], uncertainty, silent)
    assert found.verdict == verdict
    assert found.table["holm_p_value"].tolist() == pytest.approx([5 * p, 4 * p, 3 * p, 2 * p, p])
