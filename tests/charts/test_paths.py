"""The main pictures: what is drawn is there, and nothing is drawn where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.analysis import run, sample_spec, words_of
from components.analysis.buildup import build_up
from components.charts import paths
from components.charts.buildup import build_up as build_up_figure
from components.charts.theme import LIGHT, short_names
from components.charts.weights import (
    double_weights,
    largest_in_words,
    rest_of_weights,
    unit_weights,
)
from components.estimators import ESTIMATORS
from components.inference.base import Band
from components.panel import Panel


@pytest.fixture
def onoff():
    """A result in which treatment comes and goes, with its band cut to chosen periods."""
    rng = np.random.default_rng(0)
    W = np.zeros((12, 20), dtype=bool)
    W[:6, 8:12] = W[:6, 15:18] = True
    Y = rng.normal(size=(12, 20)) + 2.0 * W
    panel = Panel(Y, W, pd.Index([f"s{i}" for i in range(12)]), pd.RangeIndex(20), outcome="y")
    spec = sample_spec("onoff")
    return run(spec, panel), words_of(spec)


def only(result, periods):
    band = result.uncertainty.band
    keep = band.lower.index.isin(periods)
    cut = replace(band, lower=band.lower.where(keep), upper=band.upper.where(keep))
    return replace(result, uncertainty=replace(result.uncertainty, band=cut))


def test_the_line_breaks_where_nothing_is_treated(onoff):
    result, words = onoff
    line = paths.by_period(result, words, LIGHT).data[-1]
    assert list(line.x) == list(range(8, 18))
    assert np.isnan(np.asarray(line.y)[4:7]).all()
    assert np.isfinite(np.asarray(line.y)[:4]).all()


def test_a_band_of_stretches_is_filled(onoff):
    result, words = onoff
    band = only(result, [8, 9, 10]).uncertainty.band
    assert isinstance(band, Band)
    drawn = paths.by_period(only(result, [8, 9, 10]), words, LIGHT).data[0]
    assert drawn.fill == "toself"
    assert [x for x in drawn.x if x is not None] == [8, 9, 10, 10, 9, 8]


def test_a_band_of_single_periods_is_drawn_as_bars(onoff):
    result, words = onoff
    cut = only(result, [8, 10])
    bars = paths.by_period(cut, words, LIGHT).data[0]
    assert list(bars.x) == [8, 10]
    reach = np.asarray(bars.y) + np.asarray(bars.error_y.array)
    np.testing.assert_allclose(reach, cut.uncertainty.band.upper[[8, 10]])
    low = np.asarray(bars.y) - np.asarray(bars.error_y.arrayminus)
    np.testing.assert_allclose(low, cut.uncertainty.band.lower[[8, 10]])


def test_short_names_stay_apart():
    shared = [f"a very long name of a district, number {i}, and its end" for i in range(3)]
    assert short_names(shared, 20) == ["…0…", "…1…", "…2…"]
    unlike = [f"{i}{'x' * 40}{i}" for i in range(3)]
    assert len(set(short_names([*unlike, *unlike], 20))) == 6
    assert max(map(len, short_names(unlike, 20))) <= 20
    assert short_names(["b<i>", "a"], 20) == ["b&lt;i&gt;", "a"]


def test_weights_of_units_with_long_names_keep_a_bar_each():
    weights = pd.Series([0.5, 0.3, 0.2], index=[f"{'x' * 60}{i}{'y' * 60}" for i in range(3)])
    bars = unit_weights(weights, LIGHT).data[0]
    assert len(set(bars.y)) == 3
    assert list(bars.x) == [0.5, 0.3, 0.2]
    assert largest_in_words(pd.Series([0.7, 0.3], ["a", "b"])) == "a 70.0%, b 30.0%"
    assert rest_of_weights(weights, most=2) == "1 more donor carries 20.0%."


def test_a_cell_counts_its_unit_times_its_period():
    units = pd.Series([0.25, 0.75, 0.0], index=["a", "b", "c"])
    periods = pd.Series([0.1, 0.9], index=pd.Index([2000, 2001]))
    figure = double_weights(units, periods, LIGHT)
    heat = figure.data[1]
    assert [name.strip() for name in heat.y] == ["b", "a"]
    np.testing.assert_allclose(heat.z, [[0.075, 0.675], [0.025, 0.225]])


@pytest.mark.parametrize(
    ("key", "names", "rows"),
    [
        ("did", ["Donors alike", "California without treatment", "California (observed)"], 1),
        (
            "sdid",
            ["Donors alike", "Donors weighted", "Synthetic California", "California (observed)"],
            2,
        ),
    ],
)
def test_the_steps_are_drawn(prop99, key, names, rows):
    spec = sample_spec("prop99").with_(estimator=ESTIMATORS[key](), inference=None)
    result, words = run(spec, prop99), words_of(spec)
    steps = build_up(result.estimate)
    figure = build_up_figure(result, words, steps, LIGHT)
    assert [trace.name for trace in figure.data if trace.showlegend is not False] == names
    assert (figure.data[-1].type == "bar") == (rows == 2)
    np.testing.assert_allclose(figure.data[0].y, steps[0].path)
