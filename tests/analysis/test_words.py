"""Sentences are true of the result, and numbers are written one way."""

from __future__ import annotations

import numpy as np
import pytest

from components.analysis import AnalysisSpec, run, words_of
from components.analysis.words import dates, headline, number, percent, reading, summary
from components.data import Roles
from components.estimators import DifferenceInDifferences
from panels import block_panel


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-19.5136, "−19.5"),
        (1.6564, "1.66"),
        (0.0, "0.00"),
        (-0.0000001, "−1.00e-07"),
        (234.16, "234"),
        (20339.4, "20,339"),
        (0.0818, "0.0818"),
        (9.96, "9.96"),
        (1.25e12, "1.25e+12"),
        (float("nan"), "unknown"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_signs_and_shares():
    assert number(2.5, signed=True) == "+2.50"
    assert number(0.0, signed=True) == "0.00"
    assert percent(-0.2437) == "−24.4%"


def make(effect, level=0.9):
    roles = Roles("unit", "time", "y", "treated")
    spec = AnalysisSpec(
        source="sha256:" + "0" * 64,
        columns=roles,
        estimator=DifferenceInDifferences(),
        level=level,
    )
    panel = block_panel(n=30, effect=effect)
    return run(spec, panel), words_of(spec, "mine.csv")


def test_headline_names_side_unit_and_period():
    result, words = make(50.0)
    text = headline(result, words)
    assert text.startswith("unit 00: ")
    assert "higher than without treatment" in text
    assert text.endswith("on average 2010–2014")
    result, words = make(-50.0)
    assert "lower than" in headline(result, words)


def test_reading_says_what_the_interval_says():
    large, _ = make(50.0)
    assert 0.0 not in large.uncertainty.interval
    assert "excludes zero" in reading(large)
    none, _ = make(-float(make(0.0)[0].estimate.att))
    assert 0.0 in none.uncertainty.interval
    assert "cannot tell an effect from none" in reading(none)
    assert "place" in reading(none)


def test_reading_says_why_there_is_no_interval():
    result, _ = make(1.0, level=0.999)
    assert "There is no 99.9% interval" in reading(result)


def test_summary_holds_what_tells_analyses_apart():
    result, words = make(1.0)
    text = summary(result.spec, result.estimate.panel, words)
    for part in ("mine.csv", "unit 00", "last untreated 2009, first treated 2010", "29 donors"):
        assert part in text
    assert "90%" in text


def test_dates_of_staggered_designs_are_counted():
    panel = block_panel(n_treated=2)
    W = panel.W.copy()
    W[0, 8:] = True
    assert dates(panel.reassign(W)) == "first treated 2008, 2 starting dates"
    assert dates(panel.reassign(np.zeros_like(W))) == "nothing treated yet"
