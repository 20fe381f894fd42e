"""Questions, covariates, the survey of cells, and what health says of totals."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data import (
    ENCODINGS,
    Option,
    QuestionError,
    Reading,
    Roles,
    classify_covariates,
    examples,
    guess_roles,
    health,
    open_question,
    panel_from_frame,
    read_table,
    recognise_shape,
    survey,
    to_panel,
    unfold,
)
from components.data.gaps import close_gaps
from components.errors import DataError
from components.panel import Panel

ROLES = Roles("unit", "time", "y", "w")


def table(*rows, head="unit,time,y,w"):
    return read_table("\n".join([head, *rows]).encode(), "f")


GAPPY = ("a,1,1,0", "a,2,2,0", "a,2,4,0", "b,1,1,0", "b,2,,1", "c,1,3,0")


def test_a_question_keeps_its_options_through_pickle_and_copy():
    question = QuestionError("Which?", hint="Say.", field="gaps", options=(Option(1, "one"),))
    for other in (pickle.loads(pickle.dumps(question)), copy.copy(question)):
        assert (other.message, other.hint) == ("Which?", "Say.")
        assert (other.field, other.options, other.many) == ("gaps", (Option(1, "one"),), False)


def test_an_open_question_is_given_and_a_refusal_is_raised():
    found = open_question(lambda: to_panel(table(*GAPPY), ROLES))
    assert found is not None
    assert found.field == "duplicates"
    assert [option.value for option in found.options] == ["first", "mean", "sum"]
    assert open_question(lambda: None) is None
    with pytest.raises(DataError, match="no column"):
        open_question(lambda: to_panel(table(*GAPPY), replace(ROLES, unit="x")))


def test_the_survey_names_every_odd_cell_with_its_lines():
    found = survey(table(*GAPPY), ROLES)
    assert found.counts.tolist() == [[1, 2], [1, 1], [1, 0]]
    assert found.odd == {
        (0, 1): "2 rows: line 3, line 4",
        (1, 1): "no outcome on line 6",
        (2, 1): "no row in the file",
    }
    assert found.panel.Y[0, 1] == 2


def test_the_survey_of_a_wide_table_names_line_and_column():
    wide = table("a,1,2", "b,,4", head="unit,2001,2002")
    found = survey(wide, Roles("unit", "period", "value", shape="periods in columns"))
    assert found.odd == {(1, 0): "no outcome on line 3 under '2001'"}


def test_covariates_are_classified():
    rows = [
        f"{unit},{time},{i * time},0,{i},{time * 2},{i + time},{'xy'[i]},7"
        for i, unit in enumerate("ab")
        for time in (1, 2, 3)
    ]
    long = table(*rows, head="unit,time,y,w,area,price,sales,word,same")
    assert classify_covariates(long, ROLES) == {
        "area": "fixed",
        "price": "common",
        "sales": "varying",
    }


@given(st.data())
def test_interpolation_stays_between_its_neighbours_and_touches_nothing_else(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n, t = data.draw(st.integers(2, 4)), data.draw(st.integers(3, 9))
    Y = rng.normal(size=(n, t))
    Y[rng.random((n, t)) < 0.4] = np.nan
    W = np.zeros((n, t), dtype=bool)
    W[0, data.draw(st.integers(0, t - 1)) :] = True
    periods = pd.Index(np.cumsum(rng.integers(1, 5, t)))
    panel = Panel(Y, W, pd.Index([f"u{i}" for i in range(n)]), periods)
    closed, entries = close_gaps(panel, "interpolate")
    filled = np.isnan(Y) & ~np.isnan(closed.Y)
    np.testing.assert_array_equal(closed.Y[~np.isnan(Y)], Y[~np.isnan(Y)])
    assert sum(entry.count for entry in entries) == filled.sum()
    for i, j in np.argwhere(filled):
        before = max(k for k in range(j) if not np.isnan(Y[i, k]))
        after = min(k for k in range(j, t) if not np.isnan(Y[i, k]))
        share = (periods[j] - periods[before]) / (periods[after] - periods[before])
        assert closed.Y[i, j] == pytest.approx(Y[i, before] * (1 - share) + Y[i, after] * share)
        assert len(set(W[i, before : after + 1])) == 1


def test_gaps_that_would_leave_nothing_are_refused():
    gaps = Panel(
        [[1, np.nan], [np.nan, 2]], np.zeros((2, 2)), pd.Index(["a", "b"]), pd.Index([1, 2])
    )
    with pytest.raises(DataError, match="Only 0 units would be left"):
        close_gaps(gaps, "drop_units")
    with pytest.raises(DataError, match="Only 0 periods would be left"):
        close_gaps(gaps, "drop_periods")
    assert close_gaps(gaps, None) == (gaps, [])


@pytest.mark.parametrize("name", examples())
def test_every_example_is_read_as_it_is_meant(name):
    example = examples()[name]
    read = read_table(example.table.to_csv(index=False).encode(), name)
    shape = recognise_shape(read)
    assert shape == {
        "periods_in_columns": "periods in columns",
        "units_in_columns": "units in columns",
    }.get(name)
    roles = guess_roles(unfold(read, shape) if shape else read)
    panel, _ = to_panel(read, replace(roles, shape=shape))
    assert panel.shape == (4, 6)
    assert panel.observed.all()
    if shape is None:
        assert [str(u) for u in panel.units[panel.design.treated]] == ["North"]
        assert panel.W.sum() == 3


def test_a_unit_that_is_the_sum_of_the_others_is_found():
    rng = np.random.default_rng(3)
    Y = rng.normal(10, 1, (5, 6)).round(2)
    frame = pd.DataFrame(Y, index=list("abcde"), columns=range(2001, 2007))
    frame.loc["Total"] = frame.sum()
    long = frame.rename_axis("unit").reset_index().melt("unit", var_name="time", value_name="y")
    panel, ledger = panel_from_frame(long, Roles("unit", "time", "y"))
    checks = [check for check in health(panel, ledger) if check.title == "Totals"]
    assert [check.sentence for check in checks] == ["'Total' is the sum of all other units."]
    plain, _ = panel_from_frame(long[long["unit"] != "Total"], Roles("unit", "time", "y"))
    assert not [check for check in health(plain) if check.title == "Totals"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoding": "klingon"}, "no encoding"),
        ({"header": -1}, "line -1"),
        ({"header_rows": 0}, "over 0 lines"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(change, words):
    with pytest.raises(DataError, match=words):
        Reading(**change)


def test_every_encoding_on_offer_is_one():
    for encoding in ENCODINGS:
        assert "Ash".encode(encoding)


def test_a_table_read_in_another_way_than_the_roles_say_is_refused():
    with pytest.raises(DataError, match="taken apart in another way"):
        to_panel(table(*GAPPY), replace(ROLES, reading=Reading(header=2)))


def test_sheet_and_line_of_the_names_can_be_chosen():
    text = "first,second,third\nunit,time,y\na,1,2\na,2,3\nb,1,4\nb,2,5\n"
    read = read_table(text.encode(), "f", Reading(header=2))
    assert read.columns == ("unit", "time", "y")
    assert read.place(0) == "line 3"
    both = read_table(text.encode(), "f", Reading(header=1, header_rows=2))
    assert both.columns == ("first unit", "second time", "third y")
    with pytest.raises(DataError, match="Line 99 holds no names"):
        read_table(text.encode(), "f", Reading(header=99))
