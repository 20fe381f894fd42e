"""What changed between two runs: every difference is named, flips for the worse first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.test_run import spec_for_tests
from components.analysis import Treatment, run
from components.analysis.changes import (
    conclusion,
    conclusions,
    data_changes,
    differ_in_method_only,
    first_sentence,
    flips,
    gap_changes,
    number_changes,
    share_sentence,
    weight_changes,
)
from components.analysis.settings import setting_changes
from components.estimators import ESTIMATORS
from components.inference import PlaceboInSpace
from components.inference.base import Interval, Uncertainty
from panels import block_panel


def result_of(panel=None, **changes):
    spec = spec_for_tests(inference=PlaceboInSpace(), level=0.9, **changes)
    return run(spec, block_panel() if panel is None else panel)


def with_interval(result, lower, upper, p_value=None):
    uncertainty = Uncertainty(
        PlaceboInSpace(), 0.9, interval=Interval(lower, upper, 0.9), p_value=p_value
    )
    return replace(result, uncertainty=uncertainty)


def test_equal_runs_differ_in_nothing():
    one, two = result_of(), result_of()
    assert flips(one, two) == []
    sentences, cells = data_changes(one.estimate.panel, two.estimate.panel)
    assert sentences == []
    assert cells.empty
    assert setting_changes(one.spec, two.spec).empty
    assert (number_changes(one, two)["change"].fillna(0.0) == 0.0).all()
    assert differ_in_method_only(one, two)
    assert share_sentence(conclusions(one, two)).startswith("None of")


def test_a_flipped_sign_and_a_lost_conclusion_come_first_and_are_worse():
    panel = block_panel()
    down = panel.with_outcomes(panel.Y - 9.0 * panel.W)
    one = with_interval(result_of(panel), 0.5, 4.0)
    two = with_interval(result_of(down), -9.0, 3.0)
    found = flips(one, two)
    assert [flip.worse for flip in found] == sorted((f.worse for f in found), reverse=True)
    text = " ".join(flip.sentence for flip in found)
    assert "sign of the average effect flipped" in text
    assert "from “higher” to “cannot tell”" in text
    assert "outside the old interval" in text
    back = [flip for flip in flips(two, one) if "conclusion" in flip.sentence]
    assert [flip.worse for flip in back] == [False]


def test_a_much_worse_fit_is_named():
    one, two = result_of(), result_of(estimator=ESTIMATORS["did"]())
    assert two.estimate.pre_rmspe > 1.25 * one.estimate.pre_rmspe
    assert any("typical gap before treatment grew" in f.sentence for f in flips(one, two))
    assert differ_in_method_only(one, two)


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [(0.1, 2.0, "higher"), (-3.0, -0.1, "lower"), (-1.0, 1.0, "cannot tell")],
)
def test_a_conclusion_is_read_off_the_interval(lower, upper, said):
    panel = block_panel()
    sign = -1.0 if said == "lower" else 1.0
    result = result_of(panel.with_outcomes(panel.Y + 30.0 * sign * panel.W))
    assert conclusion(with_interval(result, lower, upper)) == said
    assert conclusion(replace(result, uncertainty=None)) == "cannot tell"


def test_without_an_interval_the_p_value_decides():
    result = result_of()
    for p_value, clear in ((0.05, True), (0.1, True), (0.2, False)):
        uncertainty = Uncertainty(PlaceboInSpace(), 0.9, p_value=p_value)
        said = conclusion(replace(result, uncertainty=uncertainty))
        assert (said != "cannot tell") == clear


def test_differences_in_the_data_are_named():
    panel = block_panel()
    Y = np.array(panel.Y)
    Y[3, 4] += 1.0
    Y[5, 6] = np.nan
    other = panel.with_outcomes(Y).take(np.arange(11)).window(np.arange(1, 15))
    W = np.array(other.W)
    W[2, 10:] = True
    sentences, cells = data_changes(panel, other.reassign(W))
    text = " ".join(sentences)
    assert "1 unit is gone: unit 11." in text
    assert "1 period is gone: 2000." in text
    assert "2 of 154 cells in both have another outcome." in text
    assert "4 cells in both have another treatment." in text
    row = cells[(cells["unit"] == "unit 03") & (cells["period"] == "2004")].iloc[0]
    assert row["after"] - row["before"] == pytest.approx(1.0)
    assert len(cells) == 6
    back, _ = data_changes(other, panel)
    assert "1 unit is new: unit 11." in " ".join(back)


def test_settings_are_compared_field_by_field_in_words():
    one = spec_for_tests()
    two = spec_for_tests(
        treatment=Treatment(("unit 03", "unit 05"), "2009"),
        window=("2001", "2012"),
        dropped=("unit 04",),
        blanked=(("unit 01", "2003"),),
        estimator=ESTIMATORS["sdid"](ridge_scale=2.0),
        inference=None,
        level=0.9,
        seed=4,
    ).with_(columns=replace(one.columns, gaps="interpolate"))
    table = setting_changes(one, two).set_index("setting")
    assert table.loc["estimator"].tolist() == [
        "Synthetic control",
        "Synthetic DID (ridge_scale=2.0)",
    ]
    assert table.loc["units left out", "after"] == "unit 04"
    assert table.loc["cells not used", "after"] == "unit 01 in 2003"
    assert table.loc["treated units"].tolist() == ["from the table", "unit 03, unit 05"]
    assert table.loc["window"].tolist() == ["all periods", "2001 to 2012"]
    assert table.loc["column: gaps", "after"] == "interpolate"
    assert set(table.index) == {
        "treated units", "first treated period", "window", "units left out", "cells not used",
        "estimator", "inference", "level", "seed", "column: gaps",
    }  # fmt: skip


def test_numbers_and_weights_stand_side_by_side():
    one, two = result_of(), result_of(dropped=("unit 04",))
    numbers = number_changes(one, two).set_index("number")
    assert numbers.loc["average effect", "before"] == one.estimate.att
    assert numbers.loc["donors"].tolist() == [11.0, 10.0, -1.0]
    gaps = gap_changes(one, result_of(skipped=("2003",))).set_index("period")
    np.testing.assert_allclose(gaps["before"], one.estimate.paths["gap"])
    assert gaps.index[gaps["after"].isna()].tolist() == ["2003"]
    weights = weight_changes(one, two).set_index("unit")
    assert weights["change"].abs().is_monotonic_decreasing
    assert weights["after"].sum() == pytest.approx(1.0)
    own = one.estimate.unit_weights
    kept = own[own > 1e-6]
    np.testing.assert_allclose(weights.loc[kept.index, "before"], kept)
    without = weight_changes(result_of(estimator=ESTIMATORS["mc"](penalty=1.0)), two)
    assert (without["before"] == 0.0).all()


def test_the_share_of_conclusions_that_flipped_for_the_worse():
    strong = block_panel(seed=4, n=25, effect=60.0)
    faint = strong.with_outcomes(strong.Y - 60.0 * strong.W)
    told = []
    one, two = result_of(strong), result_of(faint)
    table = conclusions(one, two, told.append)
    assert told[-1] == 1.0
    assert (table["before"] == "higher").all()
    worse = int(table["worse"].sum())
    assert worse >= 4
    assert f"{worse} of {len(table)} conclusions flipped, {worse} of them for" in (
        share_sentence(table)
    )
    back = conclusions(two, one)
    assert int(back["flipped"].sum()) == worse
    assert not back["worse"].any()
    assert not differ_in_method_only(one, two)
    assert share_sentence(table.iloc[:0]) == "No estimator can run on both."


def test_conclusions_are_those_of_runs_of_their_own():
    one = result_of(dropped=("unit 04",), skipped=("2003",))
    table = conclusions(one, one).set_index("estimator")
    own = result_of(estimator=ESTIMATORS["sdid"](), dropped=("unit 04",), skipped=("2003",))
    assert table.loc["Synthetic DID", "effect_after"] == own.estimate.att
    assert table.loc["Synthetic DID", "after"] == conclusion(own)


def test_the_first_sentence_says_how_the_effect_moved():
    result = result_of()
    before, after = with_interval(result, 1.0, 9.0), with_interval(result, -1.0, 9.0)
    said = conclusion(before)
    assert said != "cannot tell"
    effect = f"{result.estimate.att:.4g}"
    sentence = first_sentence(before, after, "points")
    assert f"went from {effect} to {effect} points" in sentence.replace("\u2212", "-")
    assert f"“{said}” before, “cannot tell” after" in sentence
    assert f"both times “{said}”" in first_sentence(before, before)
