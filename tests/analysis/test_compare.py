"""The contest: all estimators in steps, ranked without looking at treated outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import simulated_tasks
from components.analysis import AnalysisSpec, Words, compare, disagreement, run
from components.analysis.compare import contest
from components.analysis.entrants import (
    Contest,
    Entrant,
    contest_spec,
    entrants_of,
    weight_shares,
)
from components.analysis.jobs import Jobs
from components.data import Roles
from components.errors import DesignError
from components.estimators import ESTIMATORS, TROP
from components.inference import Conformal, PlaceboInSpace
from panels import block_panel

WORDS = Words("Test", "outcome", "points", ("unit", "units"))
# With TROP's penalties given, so that no time goes into its tuning.
FIXED = TROP(lambda_unit=0.5, lambda_time=0.2, lambda_nn=1.0)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(compare, "GLANCE", 4)
    monkeypatch.setattr(compare, "FIRST", 8)
    monkeypatch.setattr(compare, "ROUNDS", (12,))
    monkeypatch.setattr(compare, "VARIANT_DRAWS", 5)
    monkeypatch.setenv("PANELSCOPE_STUDIES", "")
    monkeypatch.delenv("PANELSCOPE_DASK", raising=False)


def spec_for_tests(**changes):
    columns = Roles("unit", "time", "y", "treated")
    start = AnalysisSpec(source="sha256:0", columns=columns, estimator=FIXED, level=0.8)
    return start.with_(**changes)


class Shown:
    def __init__(self):
        self.contests, self.shares = [], []

    def __call__(self, share):
        self.shares.append(share)

    def show(self, found):
        self.contests.append(found)


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"GLANCE": 4, "FIRST": 8, "ROUNDS": (12,), "VARIANT_DRAWS": 5}.items():
            patch.setattr(compare, name, value)
        patch.setenv("PANELSCOPE_STUDIES", "")
        shown = Shown()
        return contest(spec_for_tests(), block_panel(n=16), shown), shown


def test_everybody_who_can_is_fitted_and_ranked_by_both_judges(found):
    whole, _ = found
    assert list(whole.entrants) == list(ESTIMATORS)
    assert set(whole.here) == {key for key, one in whole.entrants.items() if one.reason is None}
    assert set(whole.draws["placebos"]) == set(whole.draws["worlds"]) == set(whole.here)
    assert {len(draws) for draws in whole.draws["worlds"].values()} == {12}
    assert {len(draws) for draws in whole.draws["placebos"].values()} == {15}
    assert set(whole.variants) == set(compare.VARIANTS)
    assert whole.stage == ""


def test_results_come_in_steps_the_quick_ones_first(found):
    whole, shown = found
    first = next(one for one in shown.contests if one.draws)
    assert "trop" not in first.here
    assert len(first.draws["placebos"]["did"]) == 4
    for before, after in zip(shown.contests, shown.contests[1:], strict=False):
        for judge, draws in before.draws.items():
            for key, values in draws.items():
                later = after.draws[judge][key]
                assert later[: len(values)].tobytes() == values.tobytes()
    assert all(one.stage for one in shown.contests)
    assert shown.shares == sorted(shown.shares)
    assert whole.entrants["trop"].estimator == FIXED


def test_effects_and_intervals_are_those_of_the_analysis_itself(found):
    whole, _ = found
    for key, entrant in whole.here.items():
        spec = spec_for_tests(estimator=FIXED if key == "trop" else ESTIMATORS[key]())
        result = run(spec, block_panel(n=16))
        assert entrant.att == result.estimate.att
        interval = result.uncertainty.interval
        assert entrant.interval == (interval.lower, interval.upper)
    assert whole.inference == PlaceboInSpace.card.title


def test_what_treated_cells_hold_changes_no_rank():
    panel = block_panel(n=10, t=12)
    absurd = panel.with_outcomes(np.where(panel.W, 1e9, panel.Y))
    spec = spec_for_tests(inference=None)
    clean, dirty = (contest(spec, one) for one in (panel, absurd))
    assert not np.isclose(clean.entrants["did"].att, dirty.entrants["did"].att)
    for judge in ("placebos", "worlds"):
        for key, values in clean.draws[judge].items():
            assert values.tobytes() == dirty.draws[judge][key].tobytes()
    assert clean.shares == dirty.shares


def test_the_order_is_that_of_the_errors_never_of_the_effects(found):
    whole, _ = found
    for judge in disagreement.JUDGES:
        board = disagreement.board_of(whole, judge)
        order = disagreement.in_order(whole, judge)
        assert order == board["key"].tolist()
        errors = [np.sqrt(np.mean(whole.draws[judge][key][:, 0] ** 2)) for key in order]
        assert errors == sorted(errors)


def test_who_cannot_run_is_named_with_the_reason():
    panel = block_panel(n=10, t=12)
    W = np.zeros(panel.shape, dtype=bool)
    W[0, 5:7] = W[1, 6:9] = True
    whole = contest(spec_for_tests(inference=Conformal()), panel.reassign(W))
    assert set(whole.here) == {"did", "mc", "trop"}
    assert "ends again" in whole.entrants["sc"].reason
    assert all(one.refusal for one in whole.here.values())
    with pytest.raises(DesignError, match="No cell is treated"):
        contest(spec_for_tests(), panel.reassign(np.zeros_like(W)))


def test_a_contest_does_not_depend_on_which_estimator_is_chosen():
    plain = [contest_spec(spec_for_tests(estimator=kind())) for kind in ESTIMATORS.values()]
    assert all(spec == plain[0] for spec in plain)
    assert contest_spec(spec_for_tests()) == spec_for_tests()
    peeking = spec_for_tests(estimator=TROP(form="block_tau"))
    entrants = entrants_of(peeking, block_panel())
    assert entrants["trop"].estimator == TROP()


def test_shares_of_trop_weights_are_sums_of_the_largest(found):
    whole, _ = found
    shares = weight_shares(whole)
    trop = whole.entrants["trop"]
    weights = sorted(trop.unit_weights, reverse=True)
    assert shares["closest 5 units"] == pytest.approx(sum(weights[:5]))
    assert shares["closest half of units"] == pytest.approx(sum(weights[:8]))
    assert shares["last 5 periods"] == pytest.approx(trop.time_weights.iloc[-5:].sum())
    assert weight_shares(Contest({}, None, 0.9)) == {}


# Sentences.


def entrant(title, effects, weights=None):
    class Named:
        card = type("card", (), {"title": title})

    series = pd.Series(effects, index=[2001, 2002, 2003], dtype=float)
    donors = None if weights is None else pd.Series(weights, index=["x", "y", "z"])
    att = float(series.mean())
    return Entrant(Named(), tuned=Named(), att=att, effects=series, unit_weights=donors)


def with_entrants(**entrants):
    return Contest(entrants, None, 0.95)


def test_disagreement_names_extremes_periods_and_weights():
    low = entrant("Low", [-1, -5, -12], [0.5, 0.5, 0.0])
    high = entrant("High", [1, 2, 3], [0.2, 0.0, 0.8])
    text = " ".join(disagreement.disagreement(with_entrants(a=high, b=low), None, WORDS))
    assert "lie 8.00 points apart, from −6.00 (Low) to +2.00 (High)" in text
    assert "They differ in sign: 1 of 2 are below zero." in text
    assert "2.00 points apart in 2001 and 15.0 in 2003: they see a different trend" in text
    assert "share 20.0% of their weight on donors; the largest difference is z" in text
    assert "with 0.0% in Low and 80.0% in High" in text


def test_a_constant_difference_is_one_of_level():
    low, high = entrant("Low", [1, 2, 3]), entrant("High", [5, 6, 7])
    text = " ".join(disagreement.disagreement(with_entrants(a=low, b=high), None, WORDS))
    assert "Both have the same sign." in text
    assert "they see a different level" in text


def test_agreement_is_said():
    same = with_entrants(a=entrant("A", [1, 2, 3]), b=entrant("B", [1, 2, 3.001]))
    (sentence,) = disagreement.disagreement(same, None, WORDS)
    assert sentence.startswith("Both estimates are within")
    assert disagreement.disagreement(with_entrants(a=same.entrants["a"]), None, WORDS) == []


def draws_of(*spreads, n=100):
    rng = np.random.default_rng(0)
    return {
        name: np.column_stack([rng.normal(0, spread, n), np.full(n, np.nan)])
        for name, spread in zip("abcdef", spreads, strict=False)
    }


@pytest.mark.parametrize(
    ("spreads", "says"),
    [
        ((1.0, 3.0), "A predicts best here."),
        ((1.0, 1.01, 4.0), "predict best here, and cannot be told apart."),
        ((1.0, 1.0), "No estimator stands out here"),
        ((1.0, 1.0, 1.0, 1.0, 5.0), "4 of 5 estimators cannot be told apart here."),
    ],
)
def test_the_verdict_says_who_is_tied(spreads, says):
    entrants = {name: entrant(name.upper(), [1, 2, 3]) for name in "abcdef"[: len(spreads)]}
    whole = Contest(entrants, None, 0.95, draws={"placebos": draws_of(*spreads)})
    text = disagreement.verdict(whole, "placebos", WORDS)
    assert says in text
    assert "In 100 placebo assignments" in text


def test_few_placebos_leave_the_first_word_to_the_worlds():
    whole = Contest({}, None, 0.95, draws={"placebos": draws_of(1), "worlds": draws_of(1)})
    assert disagreement.judges_of(whole) == ["placebos", "worlds"]
    few = Contest({}, None, 0.95, draws=whole.draws, placebo_most=5)
    assert disagreement.judges_of(few) == ["worlds", "placebos"]


# Through a job.


def test_a_job_tells_what_it_has_so_far():
    with Jobs(patience=600) as jobs:
        job = jobs.submit_call("partial", "me", simulated_tasks.shows)
        seen = []
        while not job.wait(0.02):
            if job.partial is not None and job.partial not in seen:
                seen.append(job.partial)
        assert seen == [{"first": 1}, {"second": 2}]
        assert job.result() == "whole"
