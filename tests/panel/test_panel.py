"""The panel refuses what is none, and every view of it is a new panel."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from components.errors import DataError
from components.panel import Design, Panel, period_label
from panels import block_panel


def long(rows):
    return pd.DataFrame(rows, columns=["state", "year", "y", "w"])


def read(rows):
    return Panel.from_long(long(rows), unit="state", time="year", outcome="y", treatment="w")


FOUR = [("a", 1, 1.0, 0), ("a", 2, 2.0, 1), ("b", 1, 3.0, 0), ("b", 2, 4.0, 0)]


def test_long_table_becomes_two_matrices():
    panel = read(FOUR)
    np.testing.assert_array_equal(panel.Y, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(panel.W, [[False, True], [False, False]])
    assert list(panel.units) == ["a", "b"]
    assert list(panel.periods) == [1, 2]


def test_row_order_does_not_matter():
    assert read(FOUR[::-1]).fingerprint == read(FOUR).fingerprint


def test_periods_are_ordered_as_numbers_not_as_text():
    rows = [("a", year, float(year), 0) for year in (9, 10, 100)]
    assert list(read(rows + [("b", *row[1:]) for row in rows]).periods) == [9, 10, 100]


def test_absent_pairs_are_unobserved():
    panel = read(FOUR[:3])
    assert np.isnan(panel.Y[1, 1])
    assert panel.observed.sum() == 3


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([*FOUR, ("a", 1, 9.0, 0)], "1 rows repeat a unit and period; the first is a, 1, row 5"),
        ([("a", 1, "x", 0), *FOUR[1:]], "'y' holds values that are not numbers"),
        ([("a", 1, 1.0, 2), *FOUR[1:]], "'w' must be 0 or 1; row 1"),
        ([(None, 1, 1.0, 0), *FOUR[1:]], "no value in column 'state'; the first is row 1"),
        ([("a", 1, np.inf, 0), *FOUR[1:]], "infinite for a, 1"),
    ],
)
def test_bad_tables_are_refused_with_the_place(rows, words):
    with pytest.raises(DataError) as caught:
        read(rows)
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("field", ["Y", "W"])
def test_arrays_cannot_be_changed(panel, field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(panel, field)[0, 0] = 1


def test_the_caller_keeps_their_array():
    Y = np.arange(4.0).reshape(2, 2)
    panel = Panel(Y, np.zeros((2, 2)), pd.Index(["a", "b"]), pd.Index([1, 2]))
    Y[0, 0] = 99
    assert panel.Y[0, 0] == 0


def test_one_changed_cell_changes_the_fingerprint(panel):
    Y = panel.Y.copy()
    Y[3, 4] += 1e-9
    assert panel.with_outcomes(Y).fingerprint != panel.fingerprint
    assert pickle.loads(pickle.dumps(panel.Y)).tobytes() == panel.Y.tobytes()


def test_take_and_window(panel):
    part = panel.take([2, 0]).window(np.arange(3, 9))
    np.testing.assert_array_equal(part.Y, panel.Y[[2, 0], 3:9])
    assert list(part.units) == [panel.units[2], panel.units[0]]
    assert list(part.periods) == list(range(2003, 2009))


@pytest.mark.parametrize(
    ("W", "kind", "n_pre", "starts"),
    [
        ([[0, 0, 0], [0, 0, 0]], "none", 3, []),
        ([[0, 1, 1], [0, 0, 0]], "block", 1, [1]),
        ([[0, 1, 1], [0, 0, 1]], "staggered", 1, [1, 2]),
        ([[0, 1, 0], [0, 0, 0]], "reversing", 1, [1]),
        ([[1, 1, 1], [0, 0, 0]], "block", 0, [0]),
    ],
)
def test_design_is_read_off_the_treatment(W, kind, n_pre, starts):
    design = Design.of(np.array(W, dtype=bool))
    assert (design.kind, design.n_pre) == (kind, n_pre)
    assert [cohort.start for cohort in design.cohorts] == starts


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (1989, "1989"),
        (pd.Period("2016Q3"), "2016Q3"),
        (pd.Period("2016-07", "M"), "2016-07"),
        (pd.Timestamp("2021-04-01"), "2021-04-01"),
        (pd.Timestamp("2021-04-01 06:30"), "2021-04-01 06:30:00"),
    ],
)
def test_periods_are_written_as_people_write_them(period, text):
    assert period_label(period) == text


def test_simulated_panel_has_the_stated_block():
    design = block_panel(n=8, t=10, n_treated=2, n_post=4).design
    assert (design.kind, design.n_treated, design.n_pre, design.n_post) == ("block", 2, 6, 4)
