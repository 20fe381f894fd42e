"""Callaway-Sant'Anna, Sun-Abraham and imputation event studies: printed numbers and promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.errors import NotApplicableError, SpecError
from components.estimators.callaway_santanna import CallawaySantAnna
from components.estimators.did import DifferenceInDifferences
from components.estimators.event_study import bjs_event_study, event_study
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.sun_abraham import SunAbraham
from components.numerics.event_study import sup_t
from components.panel import Panel
from panels import block_panel

ESTIMATORS = {
    "never": CallawaySantAnna(),
    "not yet": CallawaySantAnna(controls="not_yet"),
    "universal": CallawaySantAnna(base_period="universal"),
    "sun_abraham": SunAbraham(),
}
# The R package did prints four decimals.
PRINTED = 6e-5


@pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS.keys())
def estimator(request):
    return request.param


@pytest.fixture(scope="module")
def mpdta(published):
    return Panel.from_long(
        published("mpdta.csv"),
        unit="countyreal", time="year", outcome="lemp", treatment="treated",
    )  # fmt: skip


def staggered_panel(seed=0, n=30, t=8, starts=(3, 4, 6), missing=0.0):
    """Random walks with unit effects; a third never treated, effects differing by unit."""
    rng = np.random.default_rng(seed)
    start = np.r_[np.full(n // 3, t), rng.choice(starts, n - n // 3)]
    Y = rng.normal(size=(n, t)).cumsum(axis=1) + rng.normal(5, 2, (n, 1))
    W = np.arange(t) >= start[:, None]
    Y += W * rng.normal(2, 1, (n, 1))
    Y[rng.random((n, t)) < missing] = np.nan
    return Panel(Y, W, pd.Index([f"u{i:02d}" for i in range(n)]), pd.RangeIndex(2000, 2000 + t))


# --- numbers in print --------------------------------------------------------------------------

# Callaway and Sant'Anna's minimum wage example as the vignette of did prints it.
GROUP_TIME = {
    (2004, 2004): -0.0105, (2004, 2005): -0.0704, (2004, 2006): -0.1373, (2004, 2007): -0.1008,
    (2006, 2004): 0.0065, (2006, 2005): -0.0028, (2006, 2006): -0.0046, (2006, 2007): -0.0412,
    (2007, 2004): 0.0305, (2007, 2005): -0.0027, (2007, 2006): -0.0311, (2007, 2007): -0.0261,
}  # fmt: skip


def test_minimum_wage_by_cohort_and_period(mpdta):
    table = CallawaySantAnna().fit(mpdta).details["group_time"].set_index(["group", "period"])
    assert table["att"].to_dict() == pytest.approx(GROUP_TIME, abs=PRINTED)


def test_minimum_wage_averages(mpdta):
    estimate = CallawaySantAnna().fit(mpdta)
    dynamic = estimate.details["event_study"].loc[0:, "att"]
    np.testing.assert_allclose(dynamic, [-0.0199, -0.0510, -0.1373, -0.1008], atol=PRINTED)
    np.testing.assert_allclose(
        estimate.details["group"]["att"], [-0.0797, -0.0229, -0.0261], atol=PRINTED
    )
    overall = estimate.details["overall"]
    np.testing.assert_allclose(overall["att"], [-0.03995, -0.0772, -0.0310], atol=PRINTED)
    assert estimate.att == pytest.approx(-0.03995, abs=1e-5)
    # Printed standard errors of the dynamic average lie between .020 and .022: did bootstraps.
    assert overall.loc["dynamic", "standard_error"] == pytest.approx(0.0205, abs=0.0015)


def test_minimum_wage_standard_errors(mpdta):
    # diff-diff 3.13, CallawaySantAnna, analytic: six digits.
    details = CallawaySantAnna().fit(mpdta).details
    assert details["overall"].loc["simple", "standard_error"] == pytest.approx(0.012034, abs=1e-6)
    np.testing.assert_allclose(
        details["event_study"]["standard_error"],
        [0.015034, 0.013292, 0.014236, 0.011826, 0.016893, 0.036436, 0.034359],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        details["group"]["standard_error"], [0.026368, 0.016703, 0.016655], atol=1e-6
    )
    not_yet = CallawaySantAnna(controls="not_yet").fit(mpdta)
    assert not_yet.att == pytest.approx(-0.039764, abs=1e-6)
    assert not_yet.details["overall"].loc["simple", "standard_error"] == pytest.approx(
        0.012052, abs=1e-6
    )


@pytest.mark.parametrize("base_period", ["varying", "universal"])
def test_minimum_wage_pre_test_does_not_depend_on_the_base(mpdta, base_period):
    test = CallawaySantAnna(base_period=base_period).fit(mpdta).details["pre_test"]
    assert (test.df, test.p_value) == (5, pytest.approx(0.16812, abs=1e-5))


def test_minimum_wage_simultaneous_critical_value(mpdta):
    # About 2.66 in print, from 1000 draws: the 95% quantile of so many varies by .04.
    study = event_study(CallawaySantAnna().fit(mpdta))
    rng = np.random.default_rng(0)
    assert study.critical_value(0.95, rng, 9_999) == pytest.approx(2.66, abs=0.06)
    assert sup_t(study.covariance, 0.95, rng) == pytest.approx(2.66, abs=0.06)


def test_minimum_wage_by_the_saturated_regression(mpdta):
    # The R package fixest: -.039951 (.011796); by event time pyfixest 0.60.
    estimate = SunAbraham().fit(mpdta)
    assert estimate.att == pytest.approx(-0.039951, abs=1e-6)
    overall = estimate.details["overall"].loc["simple", "standard_error"]
    assert overall == pytest.approx(0.011796, abs=1e-6)
    table = estimate.details["event_study"].drop(index=-1)
    np.testing.assert_allclose(
        table["att"],
        [0.003306, 0.025022, 0.024459, -0.019932, -0.050957, -0.137259, -0.100811],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        table["standard_error"],
        [0.024555, 0.018154, 0.014267, 0.011858, 0.016871, 0.036589, 0.034504],
        atol=1e-6,
    )


def test_minimum_wage_by_imputation(mpdta):
    # The R package didimputation; standard errors by event time from diff-diff 3.13.
    study = event_study(DifferenceInDifferences().fit(mpdta))
    assert study.att == pytest.approx(-0.047710, abs=1e-6)
    assert study.standard_error == pytest.approx(0.013222, abs=1e-6)
    after = study.table.loc[0:]
    np.testing.assert_allclose(
        after["att"], [-0.031067, -0.052235, -0.136078, -0.104707], atol=1e-6
    )
    np.testing.assert_allclose(
        after["standard_error"], [0.013577, 0.018812, 0.035342, 0.033766], atol=1e-6
    )
    assert after["n_cells"].tolist() == [191, 60, 20, 20]


# --- promises ----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_tables_and_matrix_give_the_same_effects(estimator, missing):
    estimate = estimator.fit(staggered_panel(missing=missing))
    overall, study = estimate.details["overall"], estimate.details["event_study"]
    assert overall.loc["simple", "att"] == pytest.approx(estimate.att)
    after = estimate.by_event_time().loc[0:]
    np.testing.assert_allclose(study.loc[0:, "att"], after, atol=1e-12)
    table = estimate.details["group_time"].query("event_time >= 0")
    for cohort in estimate.panel.design.cohorts:
        effects = estimate.effects[cohort.rows, cohort.start :]
        own = table[table["group"] == estimate.panel.periods[cohort.start]]
        np.testing.assert_allclose(own["att"], np.nanmean(effects, axis=0), atol=1e-12)
        np.testing.assert_array_equal(own["n_units"], np.isfinite(effects).sum(axis=0))


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_never_looks_at_treated_outcomes(estimator, missing):
    panel = staggered_panel(missing=missing)
    path = np.linspace(-50, 100, panel.shape[1])
    moved = estimator.fit(panel.with_outcomes(panel.Y + path * panel.W))
    np.testing.assert_allclose(moved.Y0, estimator.fit(panel).Y0, atol=1e-9)


@pytest.mark.parametrize("key", ["never", "not yet", "universal", "sun_abraham"])
def test_never_looks_at_a_single_treated_outcome(key):
    panel = staggered_panel()
    noise = np.random.default_rng(1).normal(0, 50, panel.shape) * panel.W
    moved = ESTIMATORS[key].fit(panel.with_outcomes(panel.Y + noise))
    np.testing.assert_allclose(moved.Y0, ESTIMATORS[key].fit(panel).Y0, atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_levels_and_common_shocks_change_nothing_and_scale_scales(estimator, missing):
    panel = staggered_panel(missing=missing)
    one = estimator.fit(panel)
    rng = np.random.default_rng(2)
    moved = panel.Y + rng.normal(0, 9, (30, 1)) + rng.normal(0, 9, 8)
    for Y, factor in ((moved, 1.0), (-1e6 * panel.Y, -1e6), (1e-6 * panel.Y + 3, 1e-6)):
        other = estimator.fit(panel.with_outcomes(Y))
        np.testing.assert_allclose(
            other.details["event_study"]["att"] / factor,
            one.details["event_study"]["att"],
            atol=1e-8,
        )
        np.testing.assert_allclose(
            other.details["overall"]["standard_error"] / abs(factor),
            one.details["overall"]["standard_error"],
            rtol=1e-6,
        )


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_order_of_units_does_not_matter(estimator, missing):
    panel = staggered_panel(missing=missing)
    one = estimator.fit(panel)
    other = estimator.fit(panel.take(np.random.default_rng(3).permutation(30)))
    pd.testing.assert_frame_equal(
        other.details["event_study"], one.details["event_study"], atol=1e-10
    )
    assert other.details["pre_test"].p_value == pytest.approx(one.details["pre_test"].p_value)


def test_same_effects_with_one_cohort_as_difference_in_differences_from_the_last_period():
    panel = block_panel(n_treated=4)
    last = panel.window(np.arange(panel.design.n_pre - 1, panel.shape[1]))
    expected = DifferenceInDifferences().fit(last).att
    for estimator in ESTIMATORS.values():
        assert estimator.fit(panel).att == pytest.approx(expected)


def test_missing_base_period_is_named_and_not_filled():
    panel = staggered_panel()
    cohort = panel.design.cohorts[0]
    Y = panel.Y.copy()
    Y[cohort.rows[0], cohort.start - 1] = np.nan
    estimate = CallawaySantAnna().fit(panel.with_outcomes(Y))
    assert np.isnan(estimate.Y0[cohort.rows[0]]).all()
    name = f"{panel.units[cohort.rows[0]]}, {panel.periods[cohort.start]}"
    assert any(note.startswith("5 treated cells") and name in note for note in estimate.notes)
    kept = np.delete(np.arange(30), cohort.rows[0])
    assert estimate.att == pytest.approx(CallawaySantAnna().fit(panel.take(kept)).att)


def test_units_treated_from_the_start_are_named_and_left_out(estimator):
    panel = staggered_panel()
    W = panel.W.copy()
    W[10] = True
    always = panel.reassign(W)
    estimate = estimator.fit(always)
    assert np.isnan(estimate.Y0[10]).all()
    assert any("from the first period on" in note and "u10" in note for note in estimate.notes)
    kept = np.delete(np.arange(30), 10)
    assert estimate.att == pytest.approx(estimator.fit(panel.take(kept)).att)
    table = estimate.details["group_time"]
    assert table.loc[table["group"] == 2000, "att"].isna().all()


def test_a_unit_treated_alone_has_no_standard_error_of_its_own(estimator):
    panel = staggered_panel(starts=(4, 6))
    W = panel.W.copy()
    W[-1] = np.arange(8) >= 2
    estimate = estimator.fit(panel.reassign(W))
    table = estimate.details["group_time"]
    alone = table[(table["group"] == 2002) & (table["event_time"] >= 0)]
    assert alone["standard_error"].isna().all()
    assert alone["att"].notna().all()
    assert any(note.startswith("First treated alone: u29.") for note in estimate.notes)
    assert np.isfinite(estimate.details["overall"]["standard_error"]).all()
    # Event times 4 and 5 are seen in that unit alone.
    assert estimate.details["event_study"].loc[4:, "standard_error"].isna().all()


def test_one_treated_unit_has_effects_but_no_error_and_no_pre_test(estimator, panel):
    estimate = estimator.fit(panel)
    assert np.isfinite(estimate.att)
    assert estimate.details["overall"]["standard_error"].isna().all()
    assert np.isnan(estimate.details["pre_test"].p_value)
    assert np.isnan(event_study(estimate).critical_value(0.95, np.random.default_rng(0)))


def test_few_treated_units_are_said_to_be_few(estimator):
    notes = estimator.fit(block_panel(n_treated=3)).notes
    assert any(note.startswith("Only 3 units are treated") for note in notes)


def test_without_never_treated_units_the_last_cohort_has_no_effect():
    panel = staggered_panel()
    panel = panel.take(panel.design.treated)
    assert "not-yet-treated" in (CallawaySantAnna().why_not(panel) or "")
    assert SunAbraham().why_not(panel) is not None
    estimator = CallawaySantAnna(controls="not_yet")
    assert estimator.why_not(panel) is None
    estimate = estimator.fit(panel)
    last = panel.design.cohorts[-1]
    assert np.isnan(estimate.Y0[:, last.start :]).all()
    assert np.isfinite(estimate.effects[panel.W & (np.arange(8) < last.start)]).all()
    assert any("no counterfactual" in note for note in estimate.notes)


def reversing(panel):
    W = panel.W.copy()
    W[:, -1] = False
    return panel.reassign(W)


def untreated(panel):
    return panel.reassign(np.zeros(panel.shape, dtype=bool))


def all_from_the_start(panel):
    return panel.reassign(np.repeat(panel.design.treated[:, None], 8, axis=1))


def without_base(panel):
    Y = panel.Y.copy()
    Y[panel.design.treated] = np.where(panel.W, panel.Y, np.nan)[panel.design.treated]
    return panel.with_outcomes(Y)


@pytest.mark.parametrize("change", [reversing, untreated, all_from_the_start, without_base])
def test_designs_without_an_effect_are_refused_in_a_sentence(estimator, change):
    reason = estimator.why_not(change(staggered_panel()))
    assert reason
    assert reason.endswith(".")


def test_options_are_checked_and_shown():
    with pytest.raises(SpecError, match="controls = 'none'"):
        CallawaySantAnna(controls="none")
    assert repr(CallawaySantAnna()) == "CallawaySantAnna(controls='never', base_period='varying')"


# --- reading an event study off any estimate ----------------------------------------------------


def test_event_study_of_an_estimate_is_its_own(estimator):
    estimate = estimator.fit(staggered_panel())
    study = event_study(estimate)
    pd.testing.assert_frame_equal(study.table, estimate.details["event_study"])
    assert study.standard_error == estimate.details["overall"].loc["simple", "standard_error"]
    errors = np.sqrt(np.diag(study.covariance))
    known = study.table["standard_error"].notna().to_numpy()
    np.testing.assert_allclose(errors[known], study.table["standard_error"][known])


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_imputation_event_study_averages_the_effects_of_the_estimate(missing):
    panel = staggered_panel(missing=missing)
    estimate = DifferenceInDifferences().fit(panel)
    study = event_study(estimate)
    assert study.att == pytest.approx(estimate.att)
    np.testing.assert_allclose(study.table.loc[0:, "att"], estimate.by_event_time().loc[0:])
    assert study.table.loc[0:, "n_cells"].sum() == estimate.n_cells
    assert study.table.index.tolist() == list(range(-5, 5))
    assert np.isfinite(study.table["standard_error"]).all()
    assert 0.0 < study.pre_test.p_value < 1.0


def test_imputation_event_study_with_covariates_uses_them():
    panel = staggered_panel()
    x = np.random.default_rng(4).normal(size=panel.shape)
    panel = Panel(panel.Y + 3 * x, panel.W, panel.units, panel.periods, X={"x": x})
    plain, adjusted = bjs_event_study(panel), bjs_event_study(panel, covariates=("x",))
    estimate = DifferenceInDifferences(covariates=("x",)).fit(panel)
    assert adjusted.att == pytest.approx(estimate.att)
    assert event_study(estimate).standard_error == adjusted.standard_error
    assert adjusted.standard_error < plain.standard_error


def test_leads_leave_the_earliest_period_to_compare_with():
    panel = staggered_panel()
    assert bjs_event_study(panel, leads=99).table.index.min() == -5
    assert bjs_event_study(panel, leads=2).table.index.min() == -2
    assert bjs_event_study(panel, leads=0).table.index.min() == 0


def test_leads_do_not_see_effects():
    panel = staggered_panel()
    moved = panel.with_outcomes(panel.Y + 100.0 * panel.W)
    one, other = bjs_event_study(panel), bjs_event_study(moved)
    pd.testing.assert_frame_equal(other.table.loc[:-1], one.table.loc[:-1])


def test_event_study_where_treatment_ends_counts_treated_cells_only():
    panel = reversing(staggered_panel())
    study = bjs_event_study(panel)
    assert study.table.loc[0:, "n_cells"].sum() == panel.W.sum()
    assert any("ends again" in note for note in study.notes)


def test_cells_without_counterfactual_are_counted():
    panel = staggered_panel()
    W = panel.W.copy()
    W[:, -1] = True
    study = bjs_event_study(panel.reassign(W))
    assert any(note.startswith("30 treated cells") for note in study.notes)
    with pytest.raises(NotApplicableError, match="No cell is treated"):
        bjs_event_study(untreated(panel))


def test_event_study_of_another_estimator_has_no_standard_error():
    estimate = MatrixCompletion(penalty=0.1).fit(staggered_panel())
    study = event_study(estimate)
    assert study.table["standard_error"].isna().all()
    np.testing.assert_allclose(study.table["att"], estimate.by_event_time())
    assert study.table.loc[0:, "n_cells"].sum() == estimate.n_cells
    assert np.isnan(study.critical_value(0.95, np.random.default_rng(0)))
    assert "no standard error" in study.notes[-1]


def test_standard_errors_match_the_spread_of_the_estimates():
    # 400 panels: the ratio has a Monte Carlo error of 3.5%.
    rng = np.random.default_rng(11)
    start = np.repeat([8, 3, 5], [40, 30, 30])
    W = np.arange(8) >= start[:, None]
    found = {"cs": [], "sa": [], "bjs": []}
    for _ in range(400):
        Y = rng.normal(size=(100, 8)).cumsum(axis=1) + W * rng.normal(1, 1, (100, 1))
        panel = Panel(Y, W, pd.RangeIndex(100), pd.RangeIndex(8))
        for name, study in (
            ("cs", event_study(CallawaySantAnna().fit(panel))),
            ("sa", event_study(SunAbraham().fit(panel))),
            ("bjs", bjs_event_study(panel)),
        ):
            found[name].append((study.att, study.standard_error))
    for pairs in found.values():
        att, errors = np.array(pairs).T
        assert errors.mean() / att.std() == pytest.approx(1.0, abs=0.1)
        assert att.mean() == pytest.approx(1.0, abs=3 * att.std() / 20)
        # Coverage from 400 draws has a Monte Carlo error of 1.1 points.
        assert np.mean(np.abs(att - 1.0) < 1.96 * errors) == pytest.approx(0.95, abs=0.035)
