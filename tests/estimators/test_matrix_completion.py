"""Matrix completion: printed numbers, special cases and invariances."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.errors import SpecError
from components.estimators.did import DifferenceInDifferences
from components.estimators.matrix_completion import MatrixCompletion
from components.numerics.lowrank import complete
from components.numerics.lowrank_path import cross_validate, draw_folds
from components.numerics.twoway import fit_two_way
from components.panel import Panel
from panels import block_panel

MC = MatrixCompletion()
QUICK = MatrixCompletion(n_penalties=15, n_folds=3)


def switching_panel(seed=0, n=16, t=14, missing=0.05):
    """Simulate two factors with noise, treatment that switches on and off, and holes."""
    rng = np.random.default_rng(seed)
    W = rng.random((n, t)) < 0.2
    W[0] = False
    Y = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)) + rng.normal(0, 0.3, (n, t))
    Y += rng.normal(10, 3, (n, 1)) + rng.normal(0, 2, t) + 2.0 * W
    Y[rng.random((n, t)) < missing] = np.nan
    return Panel(Y, W, pd.RangeIndex(n), pd.RangeIndex(t))


@pytest.mark.parametrize(
    ("penalty", "att", "rank", "nuclear_norm"),
    [
        (0.1, -20.55118, 4, 406.4132),
        (0.03, -19.98959, 12, 676.2297),
        (0.01, -19.82271, 24, 886.4521),
        (0.003, -19.71323, 30, 996.6467),
    ],
)
def test_proposition_99_at_fixed_penalties(prop99, penalty, att, rank, nuclear_norm):
    estimate = MatrixCompletion(penalty=penalty).fit(prop99)
    assert estimate.att == pytest.approx(att, abs=1e-5)
    assert estimate.details["rank"] == rank
    assert estimate.details["nuclear_norm"] == pytest.approx(nuclear_norm, abs=1e-4)
    assert estimate.details["singular_values"].sum() == pytest.approx(nuclear_norm, abs=1e-4)
    # R's copy of the data holds single-precision numbers.
    single = MatrixCompletion(penalty=penalty).fit(prop99.with_outcomes(prop99.Y.astype("f4")))
    assert single.details["penalty_max"] == pytest.approx(0.5693777765, abs=1e-10)
    assert estimate.notes == ()


def test_proposition_99_with_cross_validation(prop99):
    """R's mcnnm_cv: lambda .0226835, -19.99641 (100 lambdas); .0197009, -20.21813 (20)."""
    estimate = MC.fit(prop99)
    details = estimate.details
    step = 1000 ** (1 / 39)
    assert 1 / step <= details["penalty"] / 0.0226835 <= step
    assert estimate.att == pytest.approx(-19.99641, abs=0.25)
    assert estimate.att == pytest.approx(-20.21813, abs=0.25)
    best = np.nanargmin(details["cv_errors"])
    assert details["penalty"] == details["cv_penalties"][best]
    assert 3 < np.sqrt(details["cv_errors"][best]) < 6
    assert (details["cv_standard_errors"][: best + 1] > 0).all()


def test_any_seed_gives_nearly_the_same_effect_on_proposition_99(prop99):
    effects = [replace(MC, seed=seed).fit(prop99).att for seed in range(8)]
    assert np.abs(np.array(effects) - -19.92).max() < 0.1


def test_one_standard_error_penalises_no_less(prop99):
    careful = MatrixCompletion(rule="one_se").fit(prop99).details
    assert careful["penalty"] > MC.fit(prop99).details["penalty"]
    within = (
        careful["cv_errors"]
        <= (careful["cv_errors"] + careful["cv_standard_errors"])[
            np.nanargmin(careful["cv_errors"])
        ]
    )
    assert careful["penalty"] == careful["cv_penalties"][within].max()


@pytest.mark.parametrize("penalty", [1e6, np.inf])
def test_a_large_penalty_leaves_difference_in_differences(penalty):
    for panel in (block_panel(n_treated=2), switching_panel()):
        estimate = MatrixCompletion(penalty=penalty).fit(panel)
        expected = DifferenceInDifferences().fit(panel)
        np.testing.assert_allclose(estimate.Y0, expected.Y0, atol=1e-10)
        assert "that of difference in differences" in estimate.notes[0]


def test_two_by_two_by_hand():
    W = np.array([[0, 1], [0, 0]])
    for dtype in (np.uint8, np.int64, np.float32):
        Y = np.array([[10, 18], [20, 25]], dtype)
        estimate = MC.fit(Panel(Y, W, pd.Index(["a", "b"]), pd.Index([0, 1])))
        assert estimate.att == pytest.approx(3, abs=1e-12)
        assert "fit the untreated cells exactly" in estimate.notes[0]


@pytest.mark.parametrize("value", [0.0, 5.0, 1e9])
def test_a_constant_outcome_has_no_effect(value):
    panel = block_panel()
    estimate = MC.fit(panel.with_outcomes(np.full(panel.shape, value)))
    assert estimate.att == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("estimator", [MC, DifferenceInDifferences()])
@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (9, 2), (3, 3), (30, 6), (6, 30)])
@pytest.mark.parametrize("fill", ["noise", "zero", "identical rows", "collinear"])
def test_small_and_degenerate_panels_give_finite_effects_without_a_warning(estimator, shape, fill):
    rng = np.random.default_rng(0)
    n, t = shape
    rows = {
        "noise": rng.normal(size=shape),
        "zero": np.zeros(shape),
        "identical rows": np.tile(rng.normal(size=t), (n, 1)),
        "collinear": np.outer(rng.normal(size=n), rng.normal(size=t)),
    }
    for n_treated, n_post in ((1, 1), (n - 1, 1), (1, t - 1)):
        W = np.zeros(shape, dtype=bool)
        W[:n_treated, t - n_post :] = True
        panel = Panel(rows[fill], W, pd.RangeIndex(n), pd.RangeIndex(t))
        assert estimator.why_not(panel) is None
        estimate = estimator.fit(panel)
        assert np.isfinite(estimate.Y0).all()
        if fill in {"zero", "identical rows"}:
            np.testing.assert_allclose(estimate.effects, 0, atol=1e-12)


def test_factors_are_recovered_where_parallel_trends_fail():
    rng = np.random.default_rng(0)
    n, t = 60, 50
    W = rng.random((n, t)) < 0.15
    Y = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)) + rng.normal(0, 0.1, (n, t)) + W
    panel = Panel(Y, W, pd.RangeIndex(n), pd.RangeIndex(t))
    ours = MC.fit(panel).effects[W] - 1
    theirs = DifferenceInDifferences().fit(panel).effects[W] - 1
    assert np.sqrt(np.mean(ours**2)) < 0.2
    assert np.sqrt(np.mean(theirs**2)) > 0.7


def test_singular_values_and_holes_and_notes_are_consistent():
    panel = switching_panel(3)
    W = panel.W.copy()
    W[5] = True
    estimate = QUICK.fit(panel.reassign(W))
    assert np.isnan(estimate.Y0[5]).all()
    assert "no counterfactual" in estimate.notes[0]
    assert len(estimate.details["singular_values"]) == estimate.details["rank"]
    cells = W & panel.observed
    cells[5] = False
    assert estimate.n_cells == cells.sum()


def test_options_out_of_range_are_refused():
    for wrong in (
        {"penalty": 0.0},
        {"penalty": np.nan},
        {"n_penalties": 1},
        {"n_folds": 0},
        {"keep": 1.0},
        {"rule": "best"},
        {"seed": -1},
    ):
        with pytest.raises(SpecError, match=next(iter(wrong))):
            MatrixCompletion(**wrong)


def test_says_why_not():
    panel = block_panel()
    assert MC.why_not(panel) is None
    assert MC.why_not(switching_panel()) is None
    assert "No cell is treated" in MC.why_not(panel.reassign(np.zeros_like(panel.W)))


@pytest.mark.parametrize("panel", [block_panel(n_treated=2), switching_panel(2)])
class TestInvariance:
    def test_treated_outcomes_are_never_looked_at(self, panel):
        shift = np.where(panel.W, np.random.default_rng(0).normal(0, 1e3, panel.shape), 0)
        before, after = QUICK.fit(panel), QUICK.fit(panel.with_outcomes(panel.Y + shift))
        rows = panel.design.treated
        np.testing.assert_array_equal(after.Y0[rows], before.Y0[rows])
        cells = panel.W & panel.observed
        np.testing.assert_allclose((after.effects - before.effects)[cells], shift[cells])

    def test_unit_and_period_constants_change_no_effect(self, panel):
        rng = np.random.default_rng(1)
        n, t = panel.shape
        moved = panel.Y + rng.normal(0, 50, (n, 1)) + rng.normal(0, 50, t)
        left, right = QUICK.fit(panel), QUICK.fit(panel.with_outcomes(moved))
        np.testing.assert_allclose(right.effects[panel.W], left.effects[panel.W], atol=1e-6)

    @pytest.mark.parametrize("scale", [1e-9, -1.0, 1e9])
    @pytest.mark.parametrize("level", [0.0, 100.0])
    def test_the_unit_of_measure_scales_the_effect(self, panel, scale, level):
        moved = QUICK.fit(panel.with_outcomes(scale * (panel.Y + level)))
        still = QUICK.fit(panel)
        assert moved.att == pytest.approx(scale * still.att, rel=1e-6)
        penalties = moved.details["penalty"], abs(scale) * still.details["penalty"]
        assert penalties[0] == pytest.approx(penalties[1], rel=1e-9)

    def test_the_order_of_units_and_periods_does_not_matter(self, panel):
        rng = np.random.default_rng(5)
        n, t = panel.shape
        rows, columns = rng.permutation(n), rng.permutation(t)
        moved = Panel(
            panel.Y[np.ix_(rows, columns)],
            panel.W[np.ix_(rows, columns)],
            panel.units,
            panel.periods,
        )
        expected = QUICK.fit(panel).Y0[np.ix_(rows, columns)]
        np.testing.assert_allclose(QUICK.fit(moved).Y0, expected, atol=1e-6)

    def test_same_panel_same_bits_and_no_global_random_state(self, panel):
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        left, right = QUICK.fit(panel), QUICK.fit(panel)
        np.testing.assert_array_equal(left.Y0, right.Y0)
        np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002

    def test_layout_and_precision_of_the_input(self, panel):
        Y = np.asfortranarray(panel.Y)
        Y.flags.writeable = False
        assert QUICK.fit(panel.with_outcomes(Y)).att == QUICK.fit(panel).att
        single = QUICK.fit(panel.with_outcomes(panel.Y.astype(np.float32)))
        assert single.att == pytest.approx(QUICK.fit(panel).att, abs=2e-5)


def cps_worlds(published):
    """Rank-four world fitted to CPS log wages: mean, and covariance of each unit's noise."""
    panel = Panel.from_long(published("cps.csv"), unit="state", time="year", outcome="log_wage")
    Y = (panel.Y - panel.Y.mean()) / panel.Y.std()
    U, s, Vt = np.linalg.svd(Y, full_matrices=False)
    L = (U[:, :4] * s[:4]) @ Vt[:4]
    E = Y - L
    now, one, two = E[:, 2:], E[:, 1:-1], E[:, :-2]
    cross = np.sum(one * two)
    moments = [[np.sum(one * one), cross], [cross, np.sum(two * two)]]
    phi = np.linalg.solve(moments, [np.sum(one * now), np.sum(two * now)])
    lags = [1.0, phi[0] / (1 - phi[1])]
    while len(lags) < len(Y.T):
        lags.append(phi[0] * lags[-1] + phi[1] * lags[-2])
    correlation = np.array(lags)[np.abs(np.subtract.outer(np.arange(40), np.arange(40)))]
    size = np.linalg.norm(E.T @ E / len(Y)) / np.linalg.norm(correlation)
    return L, size * correlation


def test_treatment_that_switches_on_and_off_in_the_cps(published):
    """No true effect; cell errors by penalty (times the number of cells) as tabulated.

    The table averages 8 panels of its own draws: 1 % Monte Carlo error on either side.
    """
    L, covariance = cps_worlds(published)
    rng = np.random.default_rng(123)
    errors = []
    for _ in range(8):
        W = rng.random(L.shape) < 0.2
        Y = L + rng.multivariate_normal(np.zeros(40), covariance, size=50)
        panel = Panel(Y, W, pd.RangeIndex(50), pd.RangeIndex(40))
        fits = [DifferenceInDifferences().fit(panel)]
        cells = (~W).sum()
        fits += [MatrixCompletion(k / cells).fit(panel) for k in (0.3, 0.6, 1.0, 1.5, 2.5, 4.0)]
        errors.append([np.mean(fit.effects[W] ** 2) for fit in fits])
    rmse = np.sqrt(np.mean(errors, axis=0))
    expected = [0.1451, 0.1235, 0.1199, 0.1170, 0.1157, 0.1218, 0.1349]
    np.testing.assert_allclose(rmse, expected, rtol=0.02)
    assert rmse.argmin() == 4


SIMULTANEOUS = {
    "DID": [21.63, 21.62, 19.53, 17.46, 14.40],
    "MC": [21.73, 18.90, 14.51, 11.07, 6.38],
}
STAGGERED = {
    "DID": [23.73, 22.49, 20.94, 18.57, 16.56],
    "MC": [19.23, 16.76, 14.59, 11.71, 10.68],
}


def never_treated_did(Y, observed):
    """DID as the paper's code defines it: the path of the never-treated, moved to own level."""
    donors = Y[observed.all(axis=1)]
    level = [Y[i, seen].mean() - donors[:, seen].mean() for i, seen in enumerate(observed)]
    return donors.mean(axis=0) + np.array(level)[:, None]


def california_errors(prop99, staggered, runs, estimate):
    """RMSE over masked cells of the 38 other states, averaged over runs (Athey et al. 2021)."""
    Y = prop99.Y[~prop99.design.treated]
    (n, t), n_treated = Y.shape, 35 if staggered else 8
    rng = np.random.default_rng(0)
    errors = np.empty((runs, 5))
    for run in range(runs):
        rows = rng.permutation(n)[:n_treated]
        for j, start in enumerate(int(np.ceil(t * (2 * k + 1) / 10)) for k in range(5)):
            observed = np.ones(Y.shape, dtype=bool)
            for k, row in enumerate(rows):
                observed[row, start + (t - start) * k // n_treated * staggered :] = False
            rest = (Y - estimate(Y, observed))[~observed]
            errors[run, j] = np.sqrt(np.mean(rest**2))
    return errors.mean(axis=0), errors.std(axis=0, ddof=1)


def _agrees(ours, spread, runs, printed):
    # Three standard errors of the difference: ours over `runs`, theirs over 10 draws.
    return (np.abs(ours - printed) <= 3 * spread * np.sqrt(1 / runs + 1 / 10)).all()


@pytest.mark.parametrize(("staggered", "printed"), [(False, SIMULTANEOUS), (True, STAGGERED)])
def test_california_designs_of_the_paper_did(prop99, staggered, printed):
    ours, spread = california_errors(prop99, staggered, 400, never_treated_did)
    np.testing.assert_allclose(ours, printed["DID"], rtol=0.15)
    assert _agrees(ours, spread, 400, printed["DID"])


@pytest.mark.skipif("PANELSCOPE_SLOW" not in os.environ, reason="half a minute: PANELSCOPE_SLOW=1")
@pytest.mark.parametrize(("staggered", "printed"), [(False, SIMULTANEOUS), (True, STAGGERED)])
def test_california_designs_of_the_paper_mc(prop99, staggered, printed):
    def mc(Y, observed):
        folds = draw_folds(Y, observed, 5, 0.8, np.random.default_rng(0))
        curve = cross_validate(Y, observed, folds, 40)
        return complete(Y, observed, curve.penalties[curve.best]).fitted

    def did(Y, observed):
        alpha, beta = fit_two_way(Y, observed)
        return alpha[:, None] + beta

    ours, spread = california_errors(prop99, staggered, 20, mc)
    np.testing.assert_allclose(ours, printed["MC"], rtol=0.15)
    assert _agrees(ours, spread, 20, printed["MC"])
    assert (ours < california_errors(prop99, staggered, 20, did)[0]).all()
