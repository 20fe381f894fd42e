"""The map of cells: every state has its colour, and odd cells name their lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.charts.cells import MOST_ROWS, cell_map, shown_rows
from components.charts.theme import LIGHT
from components.panel import Panel


def panel_of(n, t=4):
    Y = np.arange(n * t, dtype=float).reshape(n, t)
    W = np.zeros((n, t), dtype=bool)
    W[1, 2:] = True
    return Panel(Y, W, pd.Index([f"u{i:03}" for i in range(n)]), pd.Index(range(2001, 2001 + t)))


def test_every_state_is_drawn_and_odd_cells_say_why():
    panel = panel_of(3)
    panel = panel.with_outcomes(np.where(np.arange(12).reshape(3, 4) == 9, np.nan, panel.Y))
    counts = np.ones((3, 4), dtype=np.int64)
    counts[0, 0] = 2
    odd = {(0, 0): "2 rows: line 2, line <b>3</b>", (2, 1): "no outcome on line 9"}
    figure = cell_map(panel, counts, odd, LIGHT)
    heat = figure.data[0]
    assert list(heat.y) == ["u001", "u000", "u002"]
    assert np.asarray(heat.z).tolist() == [[1, 1, 2, 2], [3, 1, 1, 1], [1, 0, 1, 1]]
    words = np.asarray(heat.customdata)
    assert words[1, 0] == "2001: 2 rows: line 2, line &lt;b&gt;3&lt;/b&gt;"
    assert words[2, 1] == "2002: no outcome on line 9"
    assert words[0, 3] == "2004: treated"
    names = {trace.name for trace in figure.data[1:]}
    assert names == {"Treated", "Untreated", "Missing", "Given more than once"}


def test_treated_and_odd_units_are_shown_first_where_there_are_too_many():
    panel = panel_of(MOST_ROWS + 50)
    counts = np.ones(panel.shape, dtype=np.int64)
    counts[-1, 0] = 2
    rows = shown_rows(panel, counts)
    assert len(rows) == MOST_ROWS
    assert rows[0] == 1
    assert rows[1] == MOST_ROWS + 49
