"""Intervals and p-values computed again by slow loops written from the formulas."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.stats import t as student

import components.inference.placebo as placebo_module
from components.errors import NotApplicableError
from components.estimators import ESTIMATORS
from components.inference import METHODS, silent
from components.inference.base import detectable_by_t
from components.panel import Panel
from panels import block_panel


def assess(estimate, method, level=0.9, seed=0, **options):
    rng = np.random.default_rng(seed)
    return METHODS[method](**options).assess(estimate, level=level, rng=rng, progress=silent)


def simplex(X, y, *, intercept=False):
    """Weights on the simplex by non-negative least squares with a heavy row for their sum."""
    if intercept:
        X, y = X - X.mean(axis=0), y - y.mean()
    P = X - y[:, None]
    P = P / np.abs(P).max()
    heavy = 1e4
    w, _ = nnls(np.vstack([P, np.full(P.shape[1], heavy)]), np.r_[np.zeros(len(P)), heavy])
    return w / w.sum()


def sc_gap(donors, target, n_pre, *, intercept=False):
    gap = target - simplex(donors[:, :n_pre].T, target[:n_pre], intercept=intercept) @ donors
    return gap - gap[:n_pre].mean() if intercept else gap


def two_way(Y, seen):
    """Fit unit and period effects to the cells that are seen, by dummies."""
    n, t = Y.shape
    X = np.hstack([np.kron(np.eye(n), np.ones((t, 1))), np.kron(np.ones((n, 1)), np.eye(t))])
    use = seen.ravel()
    beta = np.linalg.lstsq(X[use], Y.ravel()[use], rcond=None)[0]
    return (X @ beta).reshape(n, t)


def with_gaps(share, seed=0, treated_too=False, n=14, t=16, n_post=4):
    panel = block_panel(seed=11, n=n, t=t, n_post=n_post, effect=1.0)
    Y = np.array(panel.Y)
    holes = np.random.default_rng(seed).random(Y.shape) < share
    holes[0] &= treated_too
    Y[holes] = np.nan
    return panel.with_outcomes(Y)


def did_gap(panel, row, rows):
    """Gap of one unit that counts as treated, other units of ``rows`` being its donors."""
    n_pre = panel.design.n_pre
    Y = panel.Y[rows]
    seen = np.isfinite(Y)
    own = rows.index(row)
    seen[own, n_pre:] = False
    fitted = two_way(np.where(seen, Y, 0.0), seen)
    return Y[own] - fitted[own]


@pytest.mark.parametrize("treated_too", [False, True])
@pytest.mark.parametrize("statistic", ["scaled_gap", "gap", "rmspe_ratio"])
def test_placebos_with_missing_cells_by_dummies(statistic, treated_too):
    panel = with_gaps(0.08, seed=2, treated_too=treated_too)
    n_pre, n = panel.design.n_pre, len(panel.units)
    own = did_gap(panel, 0, list(range(n)))
    others = list(range(1, n))
    placebos = np.array([did_gap(panel, row, others) for row in others])
    gaps = np.vstack([own, placebos])
    assert np.isnan(gaps).any()
    before = np.sqrt(np.nanmean(gaps[:, :n_pre] ** 2, axis=1))
    average = np.abs(np.nanmean(gaps[:, n_pre:], axis=1))
    after = np.sqrt(np.nanmean(gaps[:, n_pre:] ** 2, axis=1))
    sizes = {"scaled_gap": average / before, "gap": average, "rmspe_ratio": after / before}
    result = assess(ESTIMATORS["did"]().fit(panel), "placebo_in_space", 0.8, statistic=statistic)
    assert result.p_value == pytest.approx((sizes[statistic] >= sizes[statistic][0]).mean())
    scale = np.ones(n - 1) if statistic == "gap" else before[0] / before[1:]
    if statistic != "rmspe_ratio":
        half = np.sort(average[1:] * scale)[::-1][int(0.2 * n + 1e-9) - 1]
        centre = np.nanmean(own[n_pre:])
        ends = (result.interval.lower, result.interval.upper)
        assert ends == pytest.approx((centre - half, centre + half))
    for period in result.band.lower.index:
        column = panel.periods.get_loc(period)
        known = np.abs(placebos[:, column]) * scale
        known = np.sort(known[np.isfinite(known)])[::-1]
        half = known[int(0.2 * (len(known) + 1) + 1e-9) - 1]
        assert result.band.upper[period] == pytest.approx(own[column] + half)
    assert np.isfinite(result.detectable or 0.0)


def test_the_spread_of_placebos_with_missing_cells():
    panel = with_gaps(0.08, seed=3)
    n_pre, others = panel.design.n_pre, list(range(1, len(panel.units)))
    draws = [np.nanmean(did_gap(panel, row, others)[n_pre:]) for row in others]
    result = assess(ESTIMATORS["did"]().fit(panel), "placebo_variance")
    assert result.standard_error == pytest.approx(np.std(draws))
    assert np.isfinite(result.band.upper).all()


def test_a_placebo_without_an_outcome_after_treatment_is_left_out_and_counted():
    panel = with_gaps(0.0)
    Y = np.array(panel.Y)
    Y[5, panel.design.n_pre :] = np.nan
    result = assess(ESTIMATORS["did"]().fit(panel.with_outcomes(Y)), "placebo_in_space", 0.8)
    assert result.smallest_p == pytest.approx(1 / 13)
    assert any("1 placebos were left out because no outcome" in note for note in result.notes)


@pytest.mark.parametrize("limit", [None, 5])
@pytest.mark.parametrize("n_treated", [1, 2])
@pytest.mark.parametrize("key", ["sc", "sc_intercept"])
def test_placebo_groups_by_nnls(key, n_treated, limit):
    panel = block_panel(seed=5 + n_treated, n=12, t=18, n_treated=n_treated, n_post=4, effect=0.8)
    n_pre, donors = 14, panel.Y[n_treated:]
    intercept = key == "sc_intercept"
    own = sc_gap(donors, panel.Y[:n_treated].mean(axis=0), n_pre, intercept=intercept)
    groups = [list(group) for group in combinations(range(len(donors)), n_treated)]
    gaps = np.array(
        [
            sc_gap(np.delete(donors, g, 0), donors[g].mean(axis=0), n_pre, intercept=intercept)
            for g in groups
        ]
    )
    fit, fits = (np.sqrt((g[..., :n_pre] ** 2).mean(axis=-1)) for g in (own, gaps))
    kept = fits**2 <= (np.inf if limit is None else limit) * fit**2
    sizes = np.abs(gaps[kept][:, n_pre:].mean(axis=1)) / fits[kept]
    p_value = (1 + (sizes >= abs(own[n_pre:].mean()) / fit).sum()) / (1 + kept.sum())
    estimate = ESTIMATORS[key]().fit(panel)
    result = assess(estimate, "placebo_in_space", 0.8, max_mspe_ratio=limit)
    assert result.p_value == pytest.approx(p_value)
    size = np.sort(sizes * fit)[::-1][int(0.2 * (1 + kept.sum()) + 1e-9) - 1]
    assert result.interval.upper - estimate.att == pytest.approx(size, rel=1e-5)


def test_drawn_groups_agree_with_all_groups_within_their_error(monkeypatch):
    panel = block_panel(seed=9, n=16, t=14, n_treated=3, n_post=3, effect=0.4)
    estimate = ESTIMATORS["sc_intercept"]().fit(panel)
    whole = assess(estimate, "placebo_in_space").p_value
    monkeypatch.setattr(placebo_module, "MOST_ENUMERATED", 10)
    drawn = [assess(estimate, "placebo_in_space", seed=s, n_draws=150).p_value for s in range(12)]
    error = np.sqrt(whole * (1 - whole) / (150 * 12))
    assert abs(np.mean(drawn) - whole) < 3 * error + 1 / 150


def test_a_unit_that_jumps_like_the_treated_one_counts():
    panel = block_panel(seed=4, n=10, t=14, n_post=3, effect=4.0)
    twin = Panel(
        np.vstack([panel.Y, panel.Y[:1] + 7.0]),
        np.vstack([panel.W, np.zeros_like(panel.W[:1])]),
        panel.units.append(panel.units[:1] + "'"),
        panel.periods,
    )
    others = list(range(1, len(twin.units)))
    sizes = []
    for row in others:
        rest = [r for r in others if r != row]
        gap = twin.Y[row] - twin.Y[rest].mean(axis=0)
        sizes.append(abs(gap[-3:].mean() - gap[:-3].mean()))
    gap = twin.Y[0] - twin.Y[others].mean(axis=0)
    own = abs(gap[-3:].mean() - gap[:-3].mean())
    p_value = (1 + sum(size >= own for size in sizes)) / (1 + len(sizes))
    result = assess(ESTIMATORS["did"]().fit(twin), "placebo_in_space", 0.8, statistic="gap")
    assert result.p_value == pytest.approx(p_value)
    assert result.p_value >= 2 / 11


@pytest.mark.parametrize("statistic", ["scaled_gap", "gap", "rmspe_ratio"])
def test_ranks_of_perfect_fits_do_not_depend_on_level_and_scale(statistic):
    panel = block_panel(seed=3, n=41, t=8, n_post=3, effect=1.0)
    plain = None
    for level, scale in ((0.0, 1.0), (1e6, 1.0), (1e9, 1.0), (0.0, 1e6), (0.0, 1e-6)):
        moved = panel.with_outcomes(level + scale * panel.Y)
        estimate = ESTIMATORS["sc_intercept"]().fit(moved)
        assert estimate.pre_rmspe < 1e-5 * scale
        found = assess(estimate, "placebo_in_space", statistic=statistic).p_value
        plain = found if plain is None else plain
        assert found == plain


@pytest.mark.parametrize("key", ["did", "sc"])
def test_conditional_variance_of_one_cell_by_loops(key):
    panel = block_panel(seed=1, n=9, t=8, n_post=1, effect=0.8)
    Y, (n, t) = panel.Y, panel.shape
    e = np.zeros((n, t))
    for j, s in np.ndindex(n, t):
        if (j, s) == (0, t - 1):
            continue
        if key == "did":
            seen = np.ones((n, t), dtype=bool)
            seen[j, s] = seen[0, -1] = False
            e[j, s] = Y[j, s] - two_way(Y, seen)[j, s]
            continue
        rows = [k for k in range(n) if k != j and not (s == t - 1 and k == 0)]
        columns = [c for c in range(t) if c != s and not (c == t - 1 and 0 in (j, *rows))]
        e[j, s] = Y[j, s] - simplex(Y[np.ix_(rows, columns)].T, Y[j, columns]) @ Y[rows, s]
    squares = e**2
    own, across, core = squares[0, :-1].sum(), squares[1:, -1].sum(), squares[1:, :-1].sum()
    both = 1.0 / (1 / (n - 1) + 1 / (t - 1) + 1 / ((n - 1) * (t - 1)))
    expected = {
        "marginal": ((own + across + core) / (n * t - 1), n * t - 2),
        "time": (across / (n - 1), n - 1),
        "unit": (own / (t - 1), t - 1),
        "both": (own * across / core, both),
    }
    estimate = ESTIMATORS[key]().fit(panel)
    for given, (variance, df) in expected.items():
        result = assess(estimate, "conditional", 0.95, given=given, sided="two")
        half = student.ppf(0.975, df) * np.sqrt(variance)
        assert result.standard_error == pytest.approx(np.sqrt(variance), rel=1e-4)
        assert result.interval.upper - estimate.att == pytest.approx(half, rel=1e-4)


@pytest.mark.parametrize("key", ["did", "sc", "sc_intercept"])
def test_conditional_variance_of_a_block_by_loops(key):
    panel = block_panel(seed=3, n=8, t=24, n_post=3, effect=0.8)
    Y, n_pre = panel.Y, 21

    def errors(row, pool, before, after):
        if key == "did":
            gap = Y[row] - Y[pool].mean(axis=0)
            return gap[after] - gap[before].mean()
        intercept = key == "sc_intercept"
        gap = Y[row] - simplex(Y[pool][:, before].T, Y[row, before], intercept=intercept) @ Y[pool]
        return gap[after] - (gap[before].mean() if intercept else 0.0)

    rest = lambda row, first: [k for k in range(first, 8) if k != row]  # noqa: E731
    across = np.array([errors(j, rest(j, 1), range(n_pre), range(21, 24)) for j in range(1, 8)])
    length, starts = 2, range(11, 20)  # a quarter of the second half of the untreated periods
    ahead = np.array(
        [
            [errors(j, rest(j, 0), range(s), range(s, s + length)).mean() for s in starts]
            for j in range(8)
        ]
    )
    time = (across.mean(axis=1) ** 2).mean()
    grown = time / (across[:, :length].mean(axis=1) ** 2).mean()
    sizes = (ahead**2).mean(axis=1)
    table = assess(ESTIMATORS[key]().fit(panel), "conditional").details["conditional_intervals"]
    found = table.set_index("given")["variance"]
    assert found["time"] == pytest.approx(time, rel=1e-4)
    assert found["unit"] == pytest.approx(grown * sizes[0], rel=1e-4)
    assert found["both"] == pytest.approx(time * sizes[0] / sizes[1:].mean(), rel=1e-4)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("df", [2.0, 3.7, 9.0, 60.0])
def test_the_smallest_effect_is_found_in_four_of_five_cases(df, level):
    rng = np.random.default_rng(int(100 * df + 1000 * level))
    size = detectable_by_t(1.0, df, level)
    estimates = size + rng.standard_normal(100_000)
    errors = np.sqrt(rng.chisquare(df, 100_000) / df)
    found = np.abs(estimates) > student.ppf(0.5 + level / 2, df) * errors
    assert found.mean() == pytest.approx(0.8, abs=0.005)
    assert detectable_by_t(3.0, df, level) == pytest.approx(3.0 * size)


def test_what_counts_as_nothing_does_not_depend_on_the_level_of_outcomes():
    panel = block_panel(seed=22, n=9, t=26, n_post=3, effect=0.7)
    far = panel.with_outcomes(panel.Y + 1e6)
    for key in ("sc", "did"):
        near, moved = (ESTIMATORS[key]().fit(p) for p in (panel, far))
        one, other = (assess(e, "parametric", n_draws=19) for e in (near, moved))
        assert other.p_value == one.p_value
    further = panel.with_outcomes(panel.Y + 1e9)
    assert METHODS["prediction"]().why_not(ESTIMATORS["sc"]().fit(further)) is None
    trop = ESTIMATORS["trop"](lambda_unit=0.5, lambda_time=0.2, lambda_nn=1.0)
    reasons = [METHODS["jackknife_plus"]().why_not(trop.fit(p)) for p in (panel, further)]
    assert reasons[0] is not None
    assert reasons[0] == reasons[1]
    exact = panel.with_outcomes(np.add.outer(np.arange(9.0), np.arange(26.0)) + 1e6)
    with pytest.raises(NotApplicableError, match="no error is left"):
        assess(ESTIMATORS["did"]().fit(exact), "parametric", n_draws=19)
