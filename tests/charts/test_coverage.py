"""Coverage on screen: every row is drawn once, in its place, and names are text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.charts.coverage import MARKS, coverage_dots, warning_dots
from components.charts.theme import DARK, LIGHT
from components.simulation.coverage import stored
from components.simulation.coverage_table import failures


def dots(verdicts):
    n = len(verdicts)
    return pd.DataFrame(
        {
            "name": [f"row {i} <b>bold</b>" for i in range(n)],
            "share": np.linspace(0.7, 0.99, n),
            "error": np.full(n, 0.01),
            "verdict": verdicts,
        }
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_row_is_drawn_once_with_two_errors(theme):
    table = dots([*MARKS, "kept"])
    figure = coverage_dots(table, theme)
    drawn = sorted((y, x) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True))
    assert [y for y, _ in drawn] == list(range(len(table)))
    np.testing.assert_allclose([x for _, x in drawn], table["share"])
    assert {trace.name for trace in figure.data} == {name for name, _ in MARKS.values()}
    assert figure.data[0].error_x.array[0] == pytest.approx(0.02)
    assert figure.layout.xaxis.range[0] < 0.7 - 0.02


def test_rows_without_an_interval_are_left_out_and_names_are_text():
    table = dots(["kept", "none", "above"])
    table.loc[1, "share"] = np.nan
    figure = coverage_dots(table, LIGHT)
    names = [note.text for note in figure.layout.annotations]
    assert names == ["row 0 &lt;b&gt;bold&lt;/b&gt;", "row 2 &lt;b&gt;bold&lt;/b&gt;"]
    assert [note.y for note in figure.layout.annotations] == [0, 1]


def test_warnings_and_false_alarms_stand_side_by_side():
    found = failures(stored()).assign(name="x")
    figure = warning_dots(found, LIGHT)
    assert [trace.name for trace in figure.data] == [
        "Warning shows",
        "False alarm without the fault",
        "Interval holds the effect",
    ]
    assert len(figure.data[0].x) == len(found)
