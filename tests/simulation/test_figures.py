"""Figures of conditional variance and power: what they draw is what was computed."""

from __future__ import annotations

import numpy as np
import pytest

from components.analysis import run, words_of
from components.analysis.spec import sample_spec
from components.charts import placebo_errors as charts
from components.charts.honesty import placebo_intervals
from components.charts.power import power_curves
from components.charts.theme import DARK, LIGHT
from components.estimators import SyntheticControl
from components.inference import JackknifePlus
from components.inference.conditional import ConditionalVariance
from components.inference.honesty import honesty
from components.simulation.power import stored


@pytest.fixture(scope="module")
def result(prop99):
    return run(sample_spec("prop99").with_(inference=ConditionalVariance()), prop99)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_placebo_errors_are_drawn_around_zero(result, theme):
    figure = charts.placebo_errors(result, words_of(result.spec), theme)
    heat, treated = figure.data
    assert heat.zmin == -heat.zmax
    assert heat.zmid == 0
    assert heat.colorscale[1][1] == theme.surface
    assert heat.y[0] == "California"
    assert list(heat.x) == [str(year) for year in range(1980, 2001)]
    table = result.uncertainty.details["placebo_errors"]
    for row, name in enumerate(heat.y):
        np.testing.assert_allclose(heat.z[row], table.loc[name, 1980:])
    assert set(zip(treated.y, treated.x, strict=True)) == {
        ("California", str(year)) for year in range(1989, 2001)
    }


def test_four_intervals_are_those_of_the_table(result):
    figure = charts.four_intervals(result, words_of(result.spec), LIGHT)
    table = result.uncertainty.details["conditional_intervals"]
    for trace, (_, row) in zip(figure.data, table.iterrows(), strict=True):
        assert trace.x[0] == row["lower"]
        assert trace.x[1] == result.estimate.att
        assert trace.x[2] == row["upper"]
    front = [trace for trace in figure.data if "(shown)" in trace.y[0]]
    assert [trace.line.color for trace in front] == [LIGHT.effect]
    assert front[0].x[2] == result.uncertainty.interval.upper


def test_power_is_drawn_from_no_effect_on():
    curves = stored().curves
    figure = power_curves(curves[curves["kind"] == "two-way"], 0.95, LIGHT)
    assert len({(trace.line.dash, trace.line.color) for trace in figure.data}) == 4
    for trace, given in zip(figure.data, charts.GIVEN_WORDS, strict=True):
        part = curves[(curves["kind"] == "two-way") & (curves["given"] == given)]
        assert trace.x[0] == 0.0
        np.testing.assert_array_equal(trace.y, part["power"])
        np.testing.assert_array_equal(trace.error_y.array, 2 * part["mc_error"])


def test_placebo_intervals_are_drawn_once_each_and_misses_stand_out(prop99):
    estimate = SyntheticControl().fit(prop99)
    honest = honesty(estimate, JackknifePlus(), 0.8)
    figure = placebo_intervals(honest, words_of(sample_spec("prop99")), LIGHT)
    held, missed = figure.data
    table = honest.placebos.set_index("placebo")
    assert len(held.x) == table["covers"].sum()
    assert len(missed.x) == (~table["covers"]).sum() > 0
    assert held.marker.symbol != missed.marker.symbol
    for trace in (held, missed):
        for name, middle, half in zip(trace.customdata, trace.y, trace.error_y.array, strict=True):
            assert middle - half == pytest.approx(table.loc[name, "lower"])
            assert middle + half == pytest.approx(table.loc[name, "upper"])
