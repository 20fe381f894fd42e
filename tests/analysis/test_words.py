"""Sentences are true of the result, and numbers are written one way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.analysis import AnalysisSpec, run, words_of
from components.analysis.sureness import (
    badge,
    honest_sentence,
    placebos_sentence,
    reading,
)
from components.analysis.words import dates, headline, number, percent, summary
from components.data import Roles
from components.estimators import DifferenceInDifferences
from components.inference import PlaceboVariance, silent
from components.inference.honesty import honesty
from components.inference.recalibration import recalibrated
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
    large, words = make(50.0)
    assert 0.0 not in large.uncertainty.interval
    assert "excludes zero" in reading(large, words)
    assert badge(large, words) == ("An effect", "effect")
    none, words = make(-float(make(0.0)[0].estimate.att))
    interval = none.uncertainty.interval
    assert 0.0 in interval
    assert "place" in reading(none, words)
    beyond = number(max(-interval.lower, interval.upper))
    assert badge(none, words) == (f"Nothing larger than {beyond}", "nothing larger")
    assert f"effects beyond {beyond} are ruled out" in reading(none, words)
    assert f"four of five cases is {number(none.uncertainty.detectable)}" in reading(none, words)


def test_a_margin_decides_what_is_said_of_an_interval_with_zero():
    none, words = make(-float(make(0.0)[0].estimate.att))
    interval = none.uncertainty.interval
    beyond = max(-interval.lower, interval.upper)
    assert badge(none, words, 1.01 * beyond)[1] == "nothing larger"
    assert "that matter" in reading(none, words, 1.01 * beyond)
    assert badge(none, words, 0.99 * beyond)[1] == "cannot tell"
    text = reading(none, words, 0.99 * beyond)
    assert "cannot tell an effect from none" in text
    assert f"nor rule out one of {number(beyond)}" in text
    assert f"four of five cases is {number(none.uncertainty.detectable)}" in text


def test_reading_says_why_there_is_no_interval():
    result, words = make(1.0, level=0.999)
    assert "There is no 99.9% interval" in reading(result, words)
    assert badge(result, words)[1] == "cannot tell"


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


def test_honesty_says_what_was_tried_and_how_well_it_is_known():
    result, words = make(1.0)
    honest = honesty(result.estimate, PlaceboVariance(), 0.9)
    text = honest_sentence(honest)
    assert text.startswith(f"Nominal 90%, here {honest.coverage:.0%} over 29 placebos")
    assert f"Monte Carlo error {100 * honest.error:.2g} points" in text
    said = placebos_sentence(result, honest, words)
    assert said.startswith("Each of the 29 never-treated units in turn counts as treated from 2010")
    assert "unit 00 is left out" in said
    some = honesty(result.estimate, PlaceboVariance(), 0.9, 12, seed=4)
    said = placebos_sentence(result, some, words)
    assert said.startswith("12 of the 29 never-treated units, drawn at random (seed 4)")
    own = honesty(result.estimate, result.spec.inference, 0.9)
    assert "itself made of such placebos" in placebos_sentence(result, own, words)


def test_a_recalibrated_answer_is_named():
    result, words = make(1.0)
    method = PlaceboVariance()
    rng = np.random.default_rng(0)
    plain = method.assess(result.estimate, level=0.9, rng=rng, progress=silent)
    again = recalibrated(plain, honesty(result.estimate, method, 0.9))
    text = reading(replace(result, uncertainty=again), words)
    assert text.startswith("Placebo variance, recalibrated: p")
    assert "smallest possible here is 0.033" in text


def test_the_smallest_p_is_never_written_as_zero():
    result, words = make(1.0)
    small = replace(result.uncertainty, smallest_p=1 / 5001)
    assert "smallest possible here is 0.0002" in reading(replace(result, uncertainty=small), words)
