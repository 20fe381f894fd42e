"""Running a spec: the printed numbers, the design as asked, and refusals with a cure."""

from __future__ import annotations

import numpy as np
import pytest

from components.analysis import AnalysisSpec, Treatment, load_table, prepare, run, sample_spec
from components.data import Roles, to_panel
from components.errors import DesignError, NotApplicableError, SpecError
from components.estimators import DifferenceInDifferences, SyntheticControl, SyntheticDID
from components.inference import Conformal, PlaceboInSpace
from panels import block_panel


def spec_for_tests(**changes):
    roles = Roles("unit", "time", "y", "treated")
    return AnalysisSpec(source="sample:prop99", columns=roles).with_(**changes)


@pytest.mark.parametrize(
    ("estimator", "att"),
    [
        (DifferenceInDifferences(), -27.3491),
        (SyntheticControl(), -19.5136),
        (SyntheticDID(), -15.6054),
    ],
)
def test_proposition_99_through_the_whole_engine(estimator, att):
    spec = sample_spec("prop99").with_(estimator=estimator)
    panel, _ = to_panel(load_table(spec.source), spec.columns)
    assert run(spec, panel).estimate.att == pytest.approx(att, abs=1e-4)


def test_treatment_by_hand_replaces_the_column():
    panel = block_panel()
    spec = spec_for_tests(treatment=Treatment(("unit 03", "unit 05"), "2009"))
    design = prepare(spec, panel).design
    assert np.flatnonzero(design.treated).tolist() == [3, 5]
    assert design.n_pre == 9


def test_dropped_units_and_window():
    panel = block_panel()
    spec = spec_for_tests(dropped=("unit 04",), window=("2002", "2013"))
    part = prepare(spec, panel)
    assert part.shape == (11, 12)
    assert "unit 04" not in part.units
    assert (part.periods[0], part.periods[-1]) == (2002, 2013)


def test_equal_specs_give_equal_bits():
    panel = block_panel(n=24, n_treated=6)
    spec = spec_for_tests(estimator=DifferenceInDifferences())
    one, other = run(spec, panel), run(spec, panel)
    assert one.numbers() == other.numbers()
    assert one.uncertainty.draws.tobytes() == other.uncertainty.draws.tobytes()


def test_another_seed_changes_the_draws_only():
    panel = block_panel(n=24, n_treated=6)
    spec = spec_for_tests(estimator=DifferenceInDifferences())
    one, other = run(spec, panel), run(spec.with_(seed=1), panel)
    assert one.estimate.att == other.estimate.att
    assert one.uncertainty.draws.tobytes() != other.uncertainty.draws.tobytes()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"treatment": Treatment(("Atlantis",), "2009")}, SpecError, "no unit 'Atlantis'"),
        ({"treatment": Treatment(("unit 01",), "1492")}, SpecError, "no period '1492'"),
        ({"dropped": ("Atlantis",)}, SpecError, "no unit 'Atlantis'"),
        ({"window": ("2000", "1999")}, SpecError, "no period '1999'"),
        ({"treatment": Treatment(("unit 01",), "2000")}, DesignError, "first period, 2000"),
        ({"dropped": ("unit 00",)}, DesignError, "No cell is treated"),
        ({"window": ("2003", "2003")}, DesignError, "1 periods"),
        ({"window": ("2012", "2014")}, DesignError, "first period, 2012"),
        ({"window": ("2009", "2002")}, DesignError, "ends before it begins"),
    ],
)
def test_what_cannot_be_is_refused_with_a_cure(changes, error, words):
    with pytest.raises(error) as caught:
        run(spec_for_tests(**changes), block_panel())
    assert words in caught.value.message
    assert caught.value.hint


def test_an_estimator_that_does_not_fit_is_refused_by_name():
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 6:9] = True
    spec = spec_for_tests(estimator=SyntheticControl())
    with pytest.raises(NotApplicableError, match="Synthetic control cannot be used here"):
        run(spec, panel.reassign(W))


def test_an_inference_method_that_does_not_fit_leaves_the_estimate():
    spec = spec_for_tests(estimator=SyntheticDID(), inference=Conformal())
    result = run(spec, block_panel())
    assert result.uncertainty is None
    assert "treats all periods alike" in result.refusal
    assert np.isfinite(result.estimate.att)


def test_progress_is_told_and_ends_at_one():
    told = []
    run(spec_for_tests(inference=Conformal()), block_panel(), told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_no_inference_is_a_choice():
    result = run(spec_for_tests(inference=None), block_panel())
    assert result.uncertainty is None
    assert result.refusal is None


def test_both_methods_see_the_same_estimate():
    panel = block_panel(t=30)
    results = [run(spec_for_tests(inference=m), panel) for m in (PlaceboInSpace(), Conformal())]
    assert results[0].estimate.att == results[1].estimate.att
    assert results[0].uncertainty.p_value != results[1].uncertainty.p_value
