"""Block methods on staggered panels, one fit per cohort."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.estimators.cohorts import fit_by_cohort, needs_block_or_staggered
from components.estimators.sdid import SyntheticDID
from components.estimators.synthetic_control import SyntheticControl
from components.panel import Panel
from panels import block_panel


@pytest.fixture(scope="module")
def quota(published):
    return Panel.from_long(
        published("parliament_gender_quotas.csv"),
        unit="country", time="year", outcome="women_in_parliament_pct", treatment="treated",
    )  # fmt: skip


def staggered_panel(seed=0):
    """Two cohorts of two and one units, nine never-treated ones in between."""
    panel = block_panel(seed=seed, n=12, t=14, n_treated=3, n_post=4, effect=0.0)
    start = np.full(12, 14)
    start[[0, 5, 11]] = 8, 10, 8
    W = np.arange(14) >= start[:, None]
    return panel.with_outcomes(panel.Y + 2.0 * W).reassign(W)


# Clarke, Pailanir, Athey and Imbens (2024), Stata Journal 24(4): output of the package sdid.
QUOTA = [8.389, 6.968, 13.952, -3.451, 2.749, 21.763, -0.820]


def test_quota_panel_with_the_solver_of_the_published_packages(quota):
    estimate = fit_by_cohort(SyntheticDID(solver="frank_wolfe"), quota)
    assert estimate.att == pytest.approx(8.0341, abs=1e-4)
    np.testing.assert_allclose(estimate.details["cohorts"]["att"], QUOTA, atol=6e-4)


def test_quota_panel_at_the_optimum(quota):
    # The published weights stop short of their optimum, which moves a cohort by up to .014.
    estimate = fit_by_cohort(SyntheticDID(), quota)
    assert estimate.att == pytest.approx(8.0341, abs=0.01)
    np.testing.assert_allclose(estimate.details["cohorts"]["att"], QUOTA, atol=0.02)
    assert estimate.details["cohorts"]["n_units"].tolist() == [1, 2, 2, 1, 1, 1, 1]
    assert estimate.details["cohorts"].index.tolist() == [2000, 2002, 2003, 2005, 2010, 2012, 2013]


def test_quota_panel_with_income_as_covariate(published):
    # 8.059 with the option projected; income is unknown for four countries, which drop out.
    table = published("parliament_gender_quotas.csv")
    unknown = table.loc[table["ln_gdp"].isna(), "country"].unique()
    table = table[~table["country"].isin(unknown)]
    wide = table.pivot_table(index="country", columns="year", dropna=False)
    panel = Panel(
        wide["women_in_parliament_pct"], wide["treated"], wide.index,
        pd.Index(range(1990, 2016)), "women_in_parliament_pct", {"ln_gdp": wide["ln_gdp"]},
    )  # fmt: skip
    assert panel.shape == (115, 26)
    estimate = fit_by_cohort(SyntheticDID(covariates=("ln_gdp",), solver="frank_wolfe"), panel)
    assert estimate.att == pytest.approx(8.059, abs=5e-4)
    assert set(estimate.details["cohort_details"]) == {
        str(start) for start in estimate.details["cohorts"].index
    }


def test_average_is_over_treated_cells():
    panel = staggered_panel()
    estimate = fit_by_cohort(SyntheticDID(), panel)
    table = estimate.details["cohorts"]
    assert table["n_cells"].tolist() == [12, 4]
    assert table["share"].tolist() == [0.75, 0.25]
    assert estimate.att == pytest.approx(table["share"] @ table["att"])
    assert estimate.panel is panel
    assert estimate.estimator == SyntheticDID()
    controls = ~panel.design.treated
    np.testing.assert_array_equal(estimate.Y0[controls], panel.Y[controls])
    assert np.isfinite(estimate.Y0).all()


def test_each_cohort_is_its_own_block_fit():
    panel = staggered_panel()
    estimate = fit_by_cohort(SyntheticDID(), panel)
    for cohort in panel.design.cohorts:
        keep = ~panel.design.treated
        keep[cohort.rows] = True
        alone = SyntheticDID().fit(panel.take(keep))
        start = panel.periods[cohort.start]
        np.testing.assert_array_equal(
            estimate.Y0[cohort.rows], alone.Y0[alone.panel.design.treated]
        )
        row = estimate.details["cohorts"].loc[start]
        assert (row["att"], row["pre_rmspe"]) == (alone.att, alone.pre_rmspe)
        pd.testing.assert_series_equal(
            estimate.details["cohort_weights"][start], alone.unit_weights, check_names=False
        )
        times = estimate.details["cohort_time_weights"][start]
        pd.testing.assert_series_equal(times.dropna(), alone.time_weights, check_names=False)


def test_unit_weights_are_averaged_with_the_shares():
    estimate = fit_by_cohort(SyntheticDID(), staggered_panel())
    table, shares = estimate.details["cohort_weights"], estimate.details["cohorts"]["share"]
    np.testing.assert_allclose(estimate.unit_weights, table.to_numpy() @ shares.to_numpy())
    assert estimate.unit_weights.sum() == pytest.approx(1.0)
    assert estimate.unit_weights.index.tolist() == table.index.tolist()
    assert estimate.time_weights is None


def test_a_block_design_is_the_plain_fit(panel):
    one, other = fit_by_cohort(SyntheticDID(), panel), SyntheticDID().fit(panel)
    np.testing.assert_array_equal(one.Y0, other.Y0)
    np.testing.assert_allclose(one.unit_weights, other.unit_weights)
    assert one.notes == other.notes


@pytest.mark.parametrize("estimator", [SyntheticDID(), SyntheticControl()])
def test_never_looks_at_treated_outcomes(estimator):
    panel = staggered_panel()
    noise = np.random.default_rng(1).normal(0, 50, panel.shape) * panel.W
    one, other = (
        fit_by_cohort(estimator, p) for p in (panel, panel.with_outcomes(panel.Y + noise))
    )
    np.testing.assert_allclose(other.Y0[panel.W], one.Y0[panel.W], atol=1e-9)
    np.testing.assert_allclose(other.unit_weights, one.unit_weights, atol=1e-12)


def test_order_of_units_does_not_matter():
    panel = staggered_panel()
    order = np.random.default_rng(2).permutation(12)
    one, other = (fit_by_cohort(SyntheticDID(), p) for p in (panel, panel.take(order)))
    assert other.att == pytest.approx(one.att, abs=1e-8)
    np.testing.assert_allclose(
        other.details["cohort_weights"].loc[one.unit_weights.index],
        one.details["cohort_weights"],
        atol=1e-7,
    )


@dataclass(frozen=True)
class Picky:
    """Takes the donors' mean, and refuses cohorts with few periods before them."""

    at_least: int = 0
    says: tuple[str, ...] = field(default=("Common note.",))

    card: ClassVar[Card] = Card("picky", "Picky", "A test.", "None.")

    def why_not(self, panel):
        n_pre = panel.design.n_pre
        return None if n_pre >= self.at_least else f"Only {n_pre} periods before treatment."

    def fit(self, panel):
        treated = panel.design.treated
        Y0 = np.where(treated[:, None], panel.Y[~treated].mean(axis=0), panel.Y)
        own = f"{panel.design.n_pre} periods before."
        return Estimate(panel, self, Y0, notes=(*self.says, own))


def test_notes_are_said_once_and_named_unless_common():
    notes = fit_by_cohort(Picky(), staggered_panel()).notes
    assert notes == (
        "Common note.",
        "First treated 2008: 8 periods before.",
        "First treated 2010: 10 periods before.",
    )


def test_a_cohort_that_the_method_refuses_keeps_nan_and_a_reason():
    panel = staggered_panel()
    estimate = fit_by_cohort(Picky(at_least=9), panel)
    early, late = panel.design.cohorts
    assert np.isnan(estimate.Y0[early.rows]).all()
    assert np.isfinite(estimate.Y0[late.rows]).all()
    assert "First treated 2008: No estimate. Only 8 periods before treatment." in estimate.notes
    table = estimate.details["cohorts"]
    assert table["share"].tolist() == [0.0, 1.0]
    assert estimate.att == pytest.approx(table["att"].loc[2010])
    assert estimate.unit_weights is None
    assert "cohort_weights" not in estimate.details


def test_nothing_to_fit_is_an_error_with_the_reason():
    with pytest.raises(NotApplicableError, match="Only 8 periods before"):
        fit_by_cohort(Picky(at_least=99), staggered_panel())


def without_donors(panel):
    W = panel.W.copy()
    W[:, -1] = True
    return panel.reassign(W)


def from_the_start(panel):
    W = panel.W.copy()
    W[3] = True
    return panel.reassign(W)


def ending(panel):
    W = panel.W.copy()
    W[0, -1] = False
    return panel.reassign(W)


def with_gaps(panel):
    Y = panel.Y.copy()
    Y[4, 2:4] = np.nan
    return panel.with_outcomes(Y)


REASONS = {
    without_donors: "no never-treated donor",
    from_the_start: "unit 03 is treated from the first period on, 2000",
    ending: "Treatment ends again",
    with_gaps: "2 cells have no outcome (1 unit, 2 periods), the first is unit 04, 2002",
}


@pytest.mark.parametrize(("change", "words"), REASONS.items())
def test_unsuitable_panels_are_refused_with_the_reason(change, words):
    panel = change(staggered_panel())
    reason = needs_block_or_staggered(panel)
    assert words in reason
    assert reason.endswith(".")
    with pytest.raises(NotApplicableError) as caught:
        fit_by_cohort(Picky(), panel)
    assert caught.value.message == reason


def test_missing_cells_come_with_the_choices():
    reason = needs_block_or_staggered(with_gaps(staggered_panel()))
    for choice in ("Drop the units", "periods", "difference in differences", "TROP"):
        assert choice in reason


def test_suitable_panels_pass(panel):
    assert needs_block_or_staggered(panel) is None
    assert needs_block_or_staggered(staggered_panel()) is None
    assert needs_block_or_staggered(panel.reassign(np.zeros(panel.shape))) is not None
