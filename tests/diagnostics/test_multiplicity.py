"""Several outcomes: how they were counted is said, and the p-value pays for them."""

from __future__ import annotations

import pytest

from components.diagnostics.multiplicity import Multiplicity
from components.estimators import DifferenceInDifferences
from components.inference import PlaceboInSpace
from components.inference.base import Interval, Uncertainty, silent
from panels import block_panel


def sure(p):
    return Uncertainty(PlaceboInSpace(), 0.95, Interval(-1.0, 1.0, 0.95), p_value=p)


@pytest.fixture(scope="module")
def estimate():
    return DifferenceInDifferences().fit(block_panel())


def test_counted_outcomes_are_named_and_the_p_value_pays_for_them(estimate):
    found = Multiplicity(3, ("returns", "complaints")).examine(estimate, sure(0.02), silent)
    assert found.verdict == "caution"
    assert found.sentence.startswith(
        "The table has 2 other columns that could be outcomes (returns, complaints); if you look "
        "at fewer, say how many. For this outcome alone p = 0.02"
    )
    assert "among 3 that counts as p = 0.06" in found.sentence
    assert found.table["holm_p_value"].tolist() == pytest.approx([0.06, 0.04, 0.02])


def test_a_number_that_was_said_is_taken_as_it_is(estimate):
    found = Multiplicity(2).examine(estimate, sure(0.01), silent)
    assert found.verdict == "good"
    assert found.sentence.startswith("For this outcome alone")


def test_many_columns_are_counted_not_listed(estimate):
    names = tuple(f"y{place}" for place in range(9))
    text = Multiplicity(10, names).examine(estimate, sure(0.5), silent).sentence
    assert "9 other columns" in text
    assert "and 4 more" in text


def test_one_outcome_is_nothing_to_adjust(estimate):
    assert "One outcome" in Multiplicity().why_not(estimate)
    assert Multiplicity(2).why_not(estimate) is None
