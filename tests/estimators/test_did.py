"""Difference in differences: printed numbers, any assignment, and its short cuts."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.estimators.base import FastPlacebos, NullModel
from components.estimators.did import DifferenceInDifferences
from components.numerics.twoway import fit_two_way
from components.panel import Panel
from panels import block_panel

DID = DifferenceInDifferences()


def switching_panel(seed=0, n=10, t=12, missing=0.1):
    """Simulate parallel paths with an effect of 1 to 3 that switches on and off, and holes."""
    rng = np.random.default_rng(seed)
    W = rng.random((n, t)) < 0.25
    W[0] = False
    effects = rng.uniform(1, 3, (n, t)) * W
    Y = rng.normal(10, 3, (n, 1)) + rng.normal(0, 2, t) + effects
    holes = rng.random((n, t)) < missing
    panel = Panel(np.where(holes, np.nan, Y), W, pd.RangeIndex(n), pd.RangeIndex(t))
    return panel, effects


def two_by_two(dtype=float):
    """Give treated 10 -> 18 and control 20 -> 25: an effect of 3 by hand."""
    W = np.array([[0, 1], [0, 0]])
    return Panel(np.array([[10, 18], [20, 25]], dtype), W, pd.Index(["a", "b"]), pd.Index([0, 1]))


def test_two_by_two_by_hand():
    estimate = DID.fit(two_by_two())
    assert estimate.att == pytest.approx(3, abs=1e-12)
    assert estimate.Y0[0].tolist() == pytest.approx([10, 15])
    assert estimate.details["twfe"] == pytest.approx(3, abs=1e-12)


def test_proposition_99(prop99):
    """Arkhangelsky et al. (2021), table 1: -27.3; the exact double difference is -27.349111."""
    estimate = DID.fit(prop99)
    assert estimate.att == pytest.approx(-27.349111, abs=1e-5)
    assert estimate.details["twfe"] == pytest.approx(estimate.att, abs=1e-9)
    gaps = estimate.by_period().dropna()
    assert gaps.iloc[[0, -1]].tolist() == pytest.approx([-12.904, -36.175], abs=5e-4)
    assert estimate.notes == ()
    assert estimate.unit_weights.to_numpy() == pytest.approx(np.full(38, 1 / 38))
    assert estimate.time_weights.to_numpy() == pytest.approx(np.full(19, 1 / 19))


@pytest.mark.parametrize(("start", "att"), [(1970, -0.430804), (1975, -0.532997)])
def test_basque_country(published, start, att):
    table = published("basque.csv")
    table["on"] = (table.region.str.startswith("Basque") & (table.year >= start)).astype(int)
    panel = Panel.from_long(table, unit="region", time="year", outcome="gdpcap", treatment="on")
    assert DID.fit(panel).att == pytest.approx(att, abs=1e-6)


def test_german_reunification(published):
    table = published("german_reunification.csv")
    table["on"] = ((table.country == "West Germany") & (table.year > 1990)).astype(int)
    panel = Panel.from_long(table, unit="country", time="year", outcome="gdp", treatment="on")
    assert DID.fit(panel).att / 1000 == pytest.approx(0.436427, abs=1e-6)


def test_minimum_wages_give_the_imputation_estimates_of_borusyak_jaravel_and_spiess(published):
    """R didimputation on mpdta; fixest gives -.0365 for the regression coefficient."""
    panel = Panel.from_long(
        published("mpdta.csv"), unit="countyreal", time="year", outcome="lemp", treatment="treated"
    )
    estimate = DID.fit(panel)
    assert estimate.att == pytest.approx(-0.047710, abs=1e-6)
    effects = estimate.by_event_time()[[0, 1, 2, 3]]
    assert effects.tolist() == pytest.approx([-0.031067, -0.052235, -0.136078, -0.104707], abs=1e-6)
    assert estimate.details["twfe"] == pytest.approx(-0.0365, abs=5e-5)
    assert "-0.036549" in estimate.notes[0]
    assert estimate.unit_weights is None
    assert estimate.time_weights is None


def test_parallel_paths_are_recovered_whatever_the_assignment_and_the_holes():
    panel, effects = switching_panel()
    estimate = DID.fit(panel)
    cells = panel.W & panel.observed
    np.testing.assert_allclose(estimate.effects[cells], effects[cells], atol=1e-10)
    assert estimate.n_cells == cells.sum()
    assert "two-way regression" in estimate.notes[0]


def test_the_counterfactual_is_the_fit_on_untreated_cells_in_rows_of_treated_units_only():
    panel, _ = switching_panel(3)
    alpha, beta = fit_two_way(panel.Y, panel.observed & ~panel.W)
    Y0 = DID.fit(panel).Y0
    treated = panel.design.treated
    assert not treated.all()
    np.testing.assert_allclose(Y0[treated], (alpha[:, None] + beta)[treated], atol=1e-12)
    np.testing.assert_array_equal(Y0[~treated], panel.Y[~treated])


def test_the_regression_coefficient_is_that_of_dense_least_squares():
    panel, _ = switching_panel(1)
    n, t = panel.shape
    dummies = np.hstack([np.kron(np.eye(n), np.ones((t, 1))), np.kron(np.ones((n, 1)), np.eye(t))])
    design = np.column_stack([panel.W.ravel(), dummies])[panel.observed.ravel()]
    expected = np.linalg.lstsq(design, panel.Y[panel.observed])[0][0]
    assert DID.fit(panel).details["twfe"] == pytest.approx(expected, abs=1e-10)


def test_a_unit_without_an_untreated_cell_is_left_out_and_named():
    base = block_panel(n_treated=2)
    W = base.W.copy()
    W[1] = True
    panel = base.reassign(W)
    estimate = DID.fit(panel)
    assert np.isnan(estimate.Y0[1]).all()
    assert estimate.n_cells == 5
    assert "15 treated cells have no counterfactual" in estimate.notes[0]
    assert "unit 01, 2000" in estimate.notes[0]
    alone = base.take(np.arange(12) != 1)
    assert estimate.att == pytest.approx(DID.fit(alone).att, abs=1e-12)


def test_a_hole_in_a_treated_unit_costs_only_its_own_cell():
    base = block_panel(seed=4)
    Y = base.Y.copy()
    Y[0, -1] = np.nan
    estimate, complete = DID.fit(base.with_outcomes(Y)), DID.fit(base)
    np.testing.assert_allclose(estimate.Y0[0], complete.Y0[0], atol=1e-12)
    assert np.isnan(estimate.effects[0, -1])
    assert estimate.att == pytest.approx(np.mean(complete.effects[0, -5:-1]), abs=1e-12)
    assert estimate.notes == ()


def reasons():
    base = block_panel()
    everywhere, always, late = base.W.copy(), np.zeros_like(base.W), base.W.copy()
    everywhere[:, -5:] = True
    always[0] = True
    unseen = np.where(base.W, np.nan, base.Y)
    late[0] = False
    late[0, -5:] = True
    apart = np.where(np.arange(12)[:, None] == 0, base.Y, np.nan)
    apart[1:, -5:] = base.Y[1:, -5:]
    return {
        "none": (base.reassign(np.zeros_like(base.W)), "No cell is treated"),
        "all": (base.reassign(np.ones_like(base.W)), "Every observed cell is treated"),
        "always": (base.reassign(always), "from its first observed period on"),
        "everywhere": (base.reassign(everywhere), "No untreated unit is observed .* 2010"),
        "unobserved": (base.with_outcomes(unseen), "No treated cell has an outcome"),
        "apart": (base.with_outcomes(apart), "No treated cell is connected"),
    }


@pytest.mark.parametrize("name", reasons())
def test_says_why_not(name):
    panel, reason = reasons()[name]
    assert re.search(reason, DID.why_not(panel))


def test_has_nothing_against_any_identified_design():
    for panel in (block_panel(), two_by_two(), switching_panel()[0]):
        assert DID.why_not(panel) is None


class TestInvariance:
    def test_treated_outcomes_are_never_looked_at(self):
        panel, _ = switching_panel(2)
        shift = np.where(panel.W, np.random.default_rng(0).normal(0, 1e3, panel.shape), 0)
        before, after = DID.fit(panel), DID.fit(panel.with_outcomes(panel.Y + shift))
        rows = panel.design.treated
        np.testing.assert_allclose(after.Y0[rows], before.Y0[rows], atol=1e-10)
        cells = panel.W & panel.observed
        np.testing.assert_allclose((after.effects - before.effects)[cells], shift[cells])

    def test_unit_and_period_constants_change_no_effect(self):
        panel, _ = switching_panel(2)
        rng = np.random.default_rng(1)
        moved = panel.Y + rng.normal(0, 50, (10, 1)) + rng.normal(0, 50, 12)
        left, right = DID.fit(panel), DID.fit(panel.with_outcomes(moved))
        np.testing.assert_allclose(right.effects[panel.W], left.effects[panel.W], atol=1e-9)

    @pytest.mark.parametrize("scale", [1e-12, 1e-9, -1.0, 1e9, 1e12])
    @pytest.mark.parametrize("level", [0.0, 100.0])
    def test_the_unit_of_measure_scales_the_effect(self, scale, level):
        panel, _ = switching_panel(2)
        att = DID.fit(panel.with_outcomes(scale * (panel.Y + level))).att
        assert att == pytest.approx(scale * DID.fit(panel).att, rel=1e-9)

    def test_the_order_of_units_and_periods_does_not_matter(self):
        panel, _ = switching_panel(2)
        rng = np.random.default_rng(5)
        rows, columns = rng.permutation(10), rng.permutation(12)
        moved = Panel(
            panel.Y[np.ix_(rows, columns)],
            panel.W[np.ix_(rows, columns)],
            panel.units,
            panel.periods,
        )
        expected = DID.fit(panel).Y0[np.ix_(rows, columns)]
        np.testing.assert_allclose(DID.fit(moved).Y0, expected, atol=1e-10)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float16])
    def test_number_types_do_not_matter(self, dtype):
        assert DID.fit(two_by_two(dtype)).att == pytest.approx(3, abs=1e-12)

    def test_memory_layout_does_not_matter_and_inputs_stay_as_they_are(self):
        panel = block_panel()
        Y = np.asfortranarray(panel.Y)
        Y.flags.writeable = False
        wide = np.repeat(panel.Y, 2, axis=1)[:, ::2]
        for outcomes in (Y, wide):
            before = outcomes.copy()
            assert DID.fit(panel.with_outcomes(outcomes)).att == DID.fit(panel).att
            np.testing.assert_array_equal(outcomes, before)


class TestCovariates:
    def panel(self):
        base, _ = switching_panel(7)
        rng = np.random.default_rng(8)
        x, z = rng.normal(size=(2, *base.shape))
        panel = replace(base, X={"x": x, "z": z, "unit level": x[:, :1] + 0 * x})
        return panel, panel.with_outcomes(panel.Y + 2 * x - 3 * z)

    def test_slopes_are_recovered_and_their_part_removed(self):
        plain, panel = self.panel()
        estimate = DifferenceInDifferences(("x", "z")).fit(panel)
        assert estimate.details["slopes"].to_dict() == pytest.approx({"x": 2, "z": -3}, abs=1e-9)
        expected = DID.fit(plain).effects[panel.W]
        np.testing.assert_allclose(estimate.effects[panel.W], expected, atol=1e-8)
        assert "slopes of the covariates" in estimate.notes[0]

    def test_slopes_are_not_fitted_on_treated_cells(self):
        _, panel = self.panel()
        other = panel.with_outcomes(panel.Y + 10 * panel.W * panel.X["x"])
        left, right = (DifferenceInDifferences(("x", "z")).fit(p) for p in (panel, other))
        rows = panel.design.treated
        np.testing.assert_allclose(left.Y0[rows], right.Y0[rows], atol=1e-10)

    def test_a_covariate_without_own_variation_is_left_out_and_named(self):
        _, panel = self.panel()
        estimate = DifferenceInDifferences(("x", "unit level", "z")).fit(panel)
        assert estimate.details["slopes"]["unit level"] == 0
        assert estimate.notes[0].endswith("left out: unit level.")
        assert estimate.att == pytest.approx(DifferenceInDifferences(("x", "z")).fit(panel).att)

    def test_cells_without_the_covariate_are_not_used(self):
        _, panel = self.panel()
        x = panel.X["x"].copy()
        x[0, 0] = np.nan
        Y = panel.Y.copy()
        Y[0, 0] = 1e6
        panel = replace(panel, X={**panel.X, "x": x}, Y=Y)
        estimate = DifferenceInDifferences(("x", "z")).fit(panel)
        assert estimate.details["slopes"].to_dict() == pytest.approx({"x": 2, "z": -3}, abs=1e-9)

    def test_says_why_not(self):
        _, panel = self.panel()
        assert "'w'" in DifferenceInDifferences(("w",)).why_not(panel)
        blank = replace(panel, X={"x": np.full(panel.shape, np.nan)})
        assert DifferenceInDifferences(("x",)).why_not(blank) is not None
        assert DifferenceInDifferences(("x", "z")).why_not(panel) is None


class TestPlacebos:
    @staticmethod
    def one_by_one(estimator, panel, groups):
        gaps = []
        for group in groups:
            W = np.zeros_like(panel.W)
            W[group, panel.design.n_pre :] = True
            placebo = panel.reassign(W).take(~panel.design.treated)
            chosen = np.isin(np.flatnonzero(~panel.design.treated), group)
            gaps.append(np.nanmean(estimator.fit(placebo).effects[chosen], axis=0))
        return np.array(gaps)

    @pytest.mark.parametrize("groups", [[[2], [3], [11]], [[2, 5], [9, 3]]])
    def test_equal_refitting_one_by_one(self, groups):
        panel, groups = block_panel(n_treated=2), np.array(groups)
        gaps = DID.placebo_gaps(panel, groups)
        np.testing.assert_allclose(gaps, self.one_by_one(DID, panel, groups), atol=1e-12)

    def test_equal_refitting_with_holes_and_covariates(self):
        panel, groups = block_panel(n_treated=2), np.array([[2, 8], [7, 5]])
        Y = panel.Y.copy()
        Y[4, 3] = Y[7, 12] = np.nan
        x = np.random.default_rng(0).normal(size=panel.shape)
        panel = replace(panel, Y=Y, X={"x": x})
        for estimator in (DID, DifferenceInDifferences(("x",))):
            gaps = estimator.placebo_gaps(panel, groups)
            np.testing.assert_allclose(gaps, self.one_by_one(estimator, panel, groups), atol=1e-12)

    def test_enumerated_placebos_of_proposition_99(self, prop99):
        """The population standard deviation over the 38 placebo effects is 17.2868."""
        groups = np.flatnonzero(~prop99.design.treated)[:, None]
        gaps = DID.placebo_gaps(prop99, groups)
        assert gaps[:, 19:].mean(axis=1).std() == pytest.approx(17.2868, abs=5e-5)

    def test_protocols(self):
        assert isinstance(DID, FastPlacebos)
        assert isinstance(DID, NullModel)


class TestNullModel:
    def test_residuals_are_those_of_the_average_on_the_donor_path(self):
        panel = block_panel(n_treated=2)
        averages = np.random.default_rng(0).normal(size=(3, panel.shape[1]))
        donors = panel.Y[2:].mean(axis=0)
        ones = np.column_stack([np.ones(len(donors))])
        expected = [gap - ones @ np.linalg.lstsq(ones, gap)[0] for gap in averages - donors]
        np.testing.assert_allclose(DID.null_residuals(panel, averages), expected, atol=1e-12)

    def test_holes_and_covariates_of_donors_are_taken_care_of(self):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(6, 8))
        Y = rng.normal(size=(6, 1)) + rng.normal(size=8) + 2 * x
        W = np.zeros((6, 8), dtype=bool)
        W[0, 5:] = True
        own = Y[0].copy()
        Y[0] = Y[3, 2] = np.nan
        panel = Panel(Y, W, pd.RangeIndex(6), pd.RangeIndex(8), X={"x": x})
        residuals = DifferenceInDifferences(("x",)).null_residuals(panel, own[None])
        np.testing.assert_allclose(residuals, 0, atol=1e-10)
