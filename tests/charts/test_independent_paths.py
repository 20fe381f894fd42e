"""The table to download holds the numbers that are drawn, in every view and design."""

from __future__ import annotations

import numpy as np
import pytest

from components.analysis import AnalysisSpec, words_of
from components.analysis.run import run
from components.charts import paths
from components.charts.theme import LIGHT
from components.data import Roles
from components.estimators import ESTIMATORS
from components.inference import METHODS
from components.ui.results import event_table, table_behind
from panels import block_panel

DRAWN = {"name": "Average effect"}


def result_of(kind, method):
    panel = block_panel(seed=6, n=16, t=14, n_treated=6, n_post=4, effect=1.0)
    W = panel.W.copy()
    if kind == "staggered":
        W[:3, -7:] = True
    if kind == "reversing":
        W[:2, -2:] = False
    spec = AnalysisSpec(
        source="sha256:0",
        columns=Roles("u", "t", "y", "w"),
        estimator=ESTIMATORS["did"](),
        inference=METHODS[method](),
        level=0.9,
    )
    result = run(spec, panel.reassign(W))
    assert result.uncertainty is not None
    return result


def line(figure, name):
    trace = next(trace for trace in figure.data if trace.name == name)
    return np.asarray(trace.x, dtype=float), np.asarray(trace.y, dtype=float)


def outline(figure):
    """Ends of the band by place, from the line that runs around it."""
    trace = next((t for t in figure.data if t.name and " band, " in t.name), None)
    ends = {}
    for x, y in zip(trace.x, trace.y, strict=True) if trace is not None else ():
        if x is not None:
            ends.setdefault(float(x), []).append(float(y))
    return {x: (min(ys), max(ys)) for x, ys in ends.items()}


def agrees(band, places, table):
    assert band
    known = table["band_lower"].notna().to_numpy()
    assert sorted(band) == sorted(np.asarray(places, dtype=float)[known])
    rows = zip(places, table["band_lower"], table["band_upper"], strict=True)
    for x, lower, upper in rows:
        if np.isfinite(lower):
            assert band[float(x)] == pytest.approx((lower, upper))


CASES = [
    ("block", "event_study"),
    ("block", "jackknife"),
    ("block", "conditional"),
    ("staggered", "event_study"),
    ("staggered", "jackknife"),
    ("staggered", "conditional"),
    ("reversing", "jackknife"),
    ("reversing", "conditional"),
]


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_tables_equal_what_is_drawn(kind, method):
    result = result_of(kind, method)
    words = words_of(result.spec)
    table, events = table_behind(result), event_table(result)
    periods = result.estimate.panel.periods
    figure = paths.trajectory(result, words, LIGHT)
    for column, row in (("observed", 1), ("counterfactual", 0), ("gap", 2)):
        lines = [trace for trace in figure.data if trace.mode == "lines" and trace.hovertemplate]
        np.testing.assert_allclose(lines[row].y, table[column])
    x, y = line(paths.cumulative(result, words, LIGHT), "Cumulative effect")
    np.testing.assert_allclose(y, table["cumulative_effect"].dropna())
    figure = paths.by_period(result, words, LIGHT)
    x, y = line(figure, "Average effect")
    np.testing.assert_allclose(y, table["att_t"].dropna())
    if result.uncertainty.band is not None:
        agrees(outline(figure), periods, table)
    figure = paths.by_event_time(result, words, LIGHT)
    x, y = line(figure, "Average effect")
    np.testing.assert_array_equal(x, events["event_time"])
    np.testing.assert_allclose(y, events["effect"])
    agrees(outline(figure), events["event_time"], events)


def test_the_average_by_event_time_is_over_treated_cells_where_treatment_ends():
    result = result_of("reversing", "jackknife")
    events = event_table(result).set_index("event_time")["effect"]
    estimate = result.estimate
    late = estimate.effects[2:6, -2:].mean(axis=0)  # the first two units are off again
    np.testing.assert_allclose(events.loc[2:3], late)
