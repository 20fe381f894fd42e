import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import Roles, panel_from_frame, table_from_frame
from components.data.treatment import carry, read_flags
from components.errors import DataError


def table(**columns):
    return table_from_frame(pd.DataFrame(columns, dtype="str"))


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ("0", "1"),
        ("0.0", "1.0"),
        ("FALSE", "True"),
        ("no", "YES"),
        ("n", "y"),
        ("control", "treated"),
        ("untreated", "Treatment"),
        ("off", "on"),
    ],
)
def test_every_usual_pair_of_words_is_read_and_said(off, on):
    flags, entries = read_flags(table(w=[off, on, on, off]), "w")
    assert flags.tolist() == [False, True, True, False]
    assert f"'{on}' is treated (2 rows)" in entries[0].sentence


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["0", "2"], "Row 2, column 'w': '2' beside '0'"),
        (["0", "0.5", "1"], "'0.5'"),
        (["0", "yes"], "Row 2, column 'w': 'yes' beside '0'"),
        (["0", "NA"], "Row 2, column 'w': 'NA'"),
        (["a", "b"], "Row 1, column 'w': 'a' does not say"),
        (["0", None, None], "2 rows without a treatment in column 'w'; the first is row 2"),
    ],
)
def test_other_words_are_refused_with_the_place(cells, message):
    with pytest.raises(DataError, match=message) as caught:
        read_flags(table(w=cells, u=["a"] * len(cells)), "w")
    assert "rite 1" in caught.value.hint


def frame(starts, periods=(1, 2, 3), first="first_treated"):
    rows = [(unit, str(p), "1", start) for unit, start in starts.items() for p in periods]
    return pd.DataFrame(rows, columns=["unit", "time", "y", first], dtype="str")


def start_roles():
    return Roles("unit", "time", "y", "first_treated", treatment_kind="start")


def test_first_treated_periods_become_a_matrix():
    starts = {"a": "2", "b": "0", "c": "never", "d": "", "e": "Inf", "f": "NA", "g": "3", "h": "9"}
    panel, ledger = panel_from_frame(frame(starts), start_roles())
    assert panel.W.astype(int).tolist() == [
        [0, 1, 1],
        *[[0, 0, 0]] * 5,
        [0, 0, 1],
        [0, 0, 0],
    ]
    assert any("3 units with a start, 5 never treated" in entry.sentence for entry in ledger)


def test_first_treated_periods_are_written_like_the_periods():
    dates = ("2020-01-06", "2020-01-13", "2020-01-20")
    panel, _ = panel_from_frame(frame({"a": "2020-01-10", "b": ""}, dates), start_roles())
    assert panel.W.tolist() == [[False, True, True], [False, False, False]]
    with pytest.raises(DataError, match="Row 1, column 'first_treated': '2' is not written like"):
        panel_from_frame(frame({"a": "2", "b": ""}, dates), start_roles())
    with pytest.raises(DataError, match="different kinds of periods"):
        panel_from_frame(frame({"a": "202013", "b": ""}, ("202001", "202002")), start_roles())


def test_a_unit_cannot_start_twice():
    data = frame({"a": "2", "b": ""})
    data.loc[1, "first_treated"] = "3"
    with pytest.raises(DataError, match="'2' on row 1 and '3' on row 2"):
        panel_from_frame(data, start_roles())


def test_zero_is_questioned_where_it_is_a_period():
    with pytest.raises(DataError, match="period 0 or mean never"):
        panel_from_frame(frame({"a": "0", "b": "1"}, (-1, 0, 1)), start_roles())


def with_gaps(W, given):
    rows = [
        (f"u{i}", str(t), "1", str(int(W[i][t])))
        for i in range(len(W))
        for t in range(len(W[0]))
        if given[i][t]
    ]
    return pd.DataFrame(rows, columns=["unit", "time", "y", "w"], dtype="str")


def test_treatment_of_absent_rows_is_taken_over_and_said():
    W = [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]
    present = [[1, 0, 1, 1, 0], [0, 1, 1, 1, 1], [1, 1, 0, 1, 1]]
    panel, ledger = panel_from_frame(with_gaps(W, present), Roles("unit", "time", "y", "w"))
    np.testing.assert_array_equal(panel.W, np.array(W, dtype=bool))
    np.testing.assert_array_equal(panel.observed, np.array(present, dtype=bool))
    entry = next(entry for entry in ledger if "taken over" in entry.sentence)
    assert (entry.count, entry.places) == (4, ("u0, 1", "u0, 4", "u1, 0", "u2, 2"))
    assert "2 treated, 2 untreated" in entry.sentence


def test_treatment_that_changes_around_an_absent_row_is_refused():
    W, present = [[0, 0, 1], [0, 0, 0]], [[1, 0, 1], [1, 1, 1]]
    with pytest.raises(DataError, match="u0, 1 has no row, and treatment changes around it"):
        panel_from_frame(with_gaps(W, present), Roles("unit", "time", "y", "w"))


@settings(deadline=None)
@given(st.data())
def test_carrying_agrees_with_a_walk_cell_by_cell(data):
    n, t = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    bools = st.lists(st.lists(st.booleans(), min_size=t, max_size=t), min_size=n, max_size=n)
    W, present = np.array(data.draw(bools)), np.array(data.draw(bools))
    present[:, data.draw(st.integers(0, t - 1))] = True
    filled, torn = carry(W, present)
    for i in range(n):
        for j in range(t):
            before = [W[i, k] for k in range(j + 1) if present[i, k]][-1:]
            after = [W[i, k] for k in range(j, t) if present[i, k]][:1]
            assert torn[i, j] == (len(before + after) == 2 and before != after)
            if not torn[i, j]:
                assert filled[i, j] == (before + after)[0]
