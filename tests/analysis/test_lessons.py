"""What is said about methods before choosing, and how periods and names are spoken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.analysis import sample_spec, words_of
from components.analysis.lessons import ESTIMATOR_LESSONS, GLOSSARY, INFERENCE_LESSONS
from components.analysis.words import LONGEST, percent, spoken, treated_names
from components.estimators import ESTIMATORS
from components.inference import METHODS
from components.panel import Panel


def test_lessons_are_about_methods_that_exist():
    assert set(ESTIMATOR_LESSONS) <= set(ESTIMATORS)
    assert set(INFERENCE_LESSONS) <= set(METHODS)
    texts = [*INFERENCE_LESSONS.values(), *GLOSSARY.values()]
    texts += [lesson.leans_on for lesson in ESTIMATOR_LESSONS.values()]
    assert all(text.endswith(".") for text in texts)


def test_parallel_trends_are_leaned_on_where_they_are_and_not_by_synthetic_control():
    assert "parallel" in ESTIMATOR_LESSONS["did"].leans_on
    assert "parallel" not in ESTIMATOR_LESSONS["sc"].leans_on


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (1989, "1989"),
        (pd.Period("2021-01", "M"), "Jan 2021"),
        (pd.Period("2016Q3"), "2016Q3"),
        (pd.Period("2024-04-08", "D"), "8 Apr 2024"),
        (pd.Timestamp("2024-04-08"), "8 Apr 2024"),
        (pd.Timestamp("2024-04-08 06:00"), "2024-04-08 06:00:00"),
    ],
)
def test_periods_in_sentences(period, text):
    assert spoken(period) == text


def test_signed_percentages():
    assert percent(0.071, signed=True) == "+7.1%"
    assert percent(-0.071, signed=True) == "−7.1%"
    assert percent(0.0, signed=True) == "0.0%"


def test_sums_of_logarithms_and_rates_mean_nothing():
    adds = {key: words_of(sample_spec(key)).adds_up for key in ("prop99", "castle", "staggered")}
    assert adds == {"prop99": True, "castle": False, "staggered": False}


def test_axis_titles_begin_with_a_capital_but_columns_stay_as_they_are():
    spec = sample_spec("prop99")
    assert words_of(spec).axis == "Cigarette packs per person a year"
    own = spec.with_(source="sha256:" + "0" * 64)
    assert words_of(own).axis == "packs_per_capita"


def test_a_very_long_name_is_cut_in_sentences():
    W = np.zeros((3, 4), dtype=bool)
    W[0, 2:] = True
    units = pd.Index(["x" * 200, "b", "c"])
    panel = Panel(np.arange(12.0).reshape(3, 4), W, units, pd.RangeIndex(4), outcome="y")
    name = treated_names(panel, words_of(sample_spec("prop99")))
    assert len(name) == LONGEST
    assert name.endswith("…")
