"""Findings on Proposition 99 against published figures and independent refits."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import nnls

from components.diagnostics import DIAGNOSTICS, examine
from components.diagnostics.anticipation import Anticipation
from components.diagnostics.backdating import Backdating
from components.diagnostics.leave_donor_out import LeaveDonorOut
from components.diagnostics.placebo_units import PlaceboUnits
from components.estimators import ESTIMATORS
from components.estimators.synthetic_control import SyntheticControl
from components.inference import METHODS, silent
from refits import read

T0 = 19
ADH = (
    "ln_income[1980..1988]",
    "retail_price_cents[1980..1988]",
    "share_age_15_to_24[1980..1988]",
    "beer[1984..1988]",
    "packs_per_capita[1975]",
    "packs_per_capita[1980]",
    "packs_per_capita[1988]",
)


@pytest.fixture(scope="module")
def estimate(prop99):
    return SyntheticControl().fit(prop99)


def refit(donors, target, n_pre):
    """Gap of a target to its best weights among donors, by non-negative least squares.

    A heavy row makes the weights sum to one.
    """
    heavy = 1e3 * np.abs(donors).max()
    A = np.vstack([donors[:, :n_pre].T, np.full(len(donors), heavy)])
    weights, _ = nnls(A, np.r_[target[:n_pre], heavy])
    return target - weights / weights.sum() @ donors


def split(panel):
    row = int(panel.design.treated.argmax())
    return panel.Y[row], np.delete(panel.Y, row, axis=0), panel.units[~panel.design.treated]


def test_california_is_third_of_39_by_outcomes_alone(estimate):
    finding = PlaceboUnits().examine(estimate, None, silent)
    assert finding.details["ratio"] == pytest.approx(12.44, abs=0.005)
    assert (finding.details["rank"], finding.details["n"]) == (3, 39)
    assert finding.details["p_value"] == pytest.approx(3 / 39)
    assert finding.table["unit"].tolist()[:3] == ["Missouri", "Virginia", "California"]
    assert finding.table["rmspe_ratio"].tolist()[:2] == pytest.approx([23.92, 19.83], abs=0.01)
    assert "12.44 times" in finding.sentence
    assert "rank 3 of 39 (p = 0.077)" in finding.sentence


def test_california_is_first_of_39_with_the_published_predictors(published):
    """Abadie, Diamond and Hainmueller (2010), section 3.5: no other state has so large a ratio."""
    covariates = ("ln_income", "beer", "share_age_15_to_24", "retail_price_cents")
    panel = read(
        published, "california_prop99_covariates.csv", "state", "year", "packs_per_capita",
        covariates=covariates,
    )  # fmt: skip
    finding = PlaceboUnits().examine(SyntheticControl(predictors=ADH).fit(panel), None, silent)
    assert (finding.details["rank"], finding.details["n"]) == (1, 39)
    assert finding.details["p_value"] == pytest.approx(0.026, abs=5e-4)
    assert finding.verdict == "good"


def test_placebos_with_a_bad_fit_are_counted_and_kept_in_the_table(estimate, prop99):
    _, donors, _ = split(prop99)
    mspe = [
        np.mean(refit(np.delete(donors, j, axis=0), donors[j], T0)[:T0] ** 2) for j in range(38)
    ]
    for limit in (2.0, 5.0, 20.0):
        finding = PlaceboUnits(max_mspe_ratio=limit).examine(estimate, None, silent)
        left_out = int((np.array(mspe) > limit * estimate.pre_rmspe**2).sum())
        assert finding.details["left_out"] == left_out
        assert finding.details["n"] == 39 - left_out
        assert len(finding.table) == 39
        assert f"{left_out} placebo units with more than {limit:g} times" in finding.sentence


def test_leaving_donors_out_is_refitting_without_them(estimate, prop99):
    target, donors, names = split(prop99)
    finding = LeaveDonorOut().examine(estimate, None, silent)
    found = finding.table.set_index("unit")["att"]
    carrying = ["Utah", "Montana", "Nevada", "Connecticut", "New Hampshire", "Colorado"]
    assert set(found.index) == set(carrying)
    for name in carrying:
        rest = np.delete(donors, names.get_loc(name), axis=0)
        gap = refit(rest, target, T0)
        assert found[name] == pytest.approx(gap[T0:].mean(), abs=1e-4)
        path = finding.details["paths"][name]
        np.testing.assert_allclose(path, target - gap, atol=1e-3)
    assert LeaveDonorOut(every=True).examine(estimate, None, silent).table.shape[0] == 38


@pytest.mark.parametrize("back", [3, 9])
def test_an_earlier_date_is_a_refit_before_it(estimate, prop99, back):
    target, donors, _ = split(prop99)
    n_pre = T0 - back
    gap = refit(donors, target, n_pre)[:T0]
    finding = Backdating(periods=back).examine(estimate, None, silent)
    np.testing.assert_allclose(finding.table["gap"], gap, atol=1e-3)
    assert finding.details["effect"] == pytest.approx(gap[n_pre:].mean(), abs=1e-4)
    ratios = [abs(gap[n_pre:].mean()) / np.sqrt(np.mean(gap[:n_pre] ** 2))]
    for j in range(38):
        other = refit(np.delete(donors, j, axis=0), donors[j], n_pre)[:T0]
        ratios.append(abs(other[n_pre:].mean()) / np.sqrt(np.mean(other[:n_pre] ** 2)))
    rank = sum(ratio >= ratios[0] * (1 - 1e-9) for ratio in ratios)
    assert finding.details["p_value"] == pytest.approx(rank / 39)
    if back == 3:
        last = Anticipation(periods=3).examine(estimate, None, silent)
        assert last.details["effect"] == pytest.approx(finding.details["effect"])


@pytest.mark.parametrize("key", ["sc", "sdid"])
def test_all_findings_take_less_than_three_seconds(prop99, key):
    estimate = ESTIMATORS[key]().fit(prop99)
    rng = np.random.default_rng(0)
    said = METHODS["placebo_in_space"]().assess(estimate, level=0.95, rng=rng, progress=silent)
    begun = time.process_time()
    asked = [kind() for kind in DIAGNOSTICS.values()]
    found = examine([one for one in asked if one.why_not(estimate) is None], estimate, said)
    assert time.process_time() - begun < 3.0
    assert len(found) >= 14
