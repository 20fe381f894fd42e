import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import parse_periods
from components.data.dateorder import Place
from components.data.sketch import as_periods
from components.data.timeparse import read_periods
from components.errors import DataError


def text(*cells):
    return pd.Series(cells, dtype="str")


def days(*labels):
    return pd.DatetimeIndex(np.array(labels, dtype="datetime64[us]"))


def months(*labels):
    return pd.PeriodIndex(labels, freq="M")


def quarters(*labels):
    return pd.PeriodIndex(list(labels), freq="Q")


@pytest.mark.parametrize(
    ("cells", "periods"),
    [
        (["1990", "1989"], pd.Index([1990, 1989])),
        (["9", "10"], pd.Index([9, 10])),
        (["-2", "+1", "0"], pd.Index([-2, 1, 0])),
        (["01", "1"], pd.Index([1, 1])),
        (["1990.0", "1991"], pd.Index([1990, 1991])),
        (["202013", "202001"], pd.Index([202013, 202001])),
        (["week 9", "Week 10"], pd.Index([9, 10])),
        (["t1", "t10", "t9"], pd.Index([1, 10, 9])),
        (["2020-01-31", "2020-2-1"], days("2020-01-31", "2020-02-01")),
        (["2020/01/31", "2020/02/01"], days("2020-01-31", "2020-02-01")),
        (["20200131", "20200201"], days("2020-01-31", "2020-02-01")),
        (
            ["2020-01-31 06:00", "2020-02-01T07:30:05"],
            days("2020-01-31 06:00:00", "2020-02-01 07:30:05"),
        ),
        (
            ["2020-01-31T23:00Z", "2020-01-31T23:00-02:00"],
            days("2020-01-31 23:00", "2020-02-01 01:00"),
        ),
        (["13/02/2020", "01/02/2020"], days("2020-02-13", "2020-02-01")),
        (["02/13/2020", "01/02/2020"], days("2020-02-13", "2020-01-02")),
        (["02.03.2020", "01.03.2020"], days("2020-03-02", "2020-03-01")),
        (
            ["5 Jan 2020", "17-FEB-2020", "05mar2020"],
            days("2020-01-05", "2020-02-17", "2020-03-05"),
        ),
        (["January 5, 2020", "Feb 6,2020"], days("2020-01-05", "2020-02-06")),
        (["2020-W05", "2020W53"], days("2020-01-27", "2020-12-28")),
        (["2020-01", "2020-12"], months("2020-01", "2020-12")),
        (["202001", "202012"], months("2020-01", "2020-12")),
        (["2020M1", "2020m12"], months("2020-01", "2020-12")),
        (["Jan 2020", "december 2020", "Sept. 2020"], months("2020-01", "2020-12", "2020-09")),
        (["01/2020", "12/2020"], months("2020-01", "2020-12")),
        (["2020Q1", "2020-Q4"], quarters("2020Q1", "2020Q4")),
        (["Q1 2020", "q4-2020", "Q2/2020"], quarters("2020Q1", "2020Q4", "2020Q2")),
    ],
)
def test_one_kind_of_period_is_read(cells, periods):
    parsed = parse_periods(text(*cells))
    assert parsed.equals(periods)
    assert parsed.dtype == periods.dtype


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2020", "abc"], "^Row 2, column 'time': 'abc' is not written like '2020' on row 1"),
        (["abc", "def"], "'abc' is no period"),
        (["2020", "2020Q1"], "'2020Q1' is not written like '2020' .* a whole number"),
        (["2020Q1", "2020-01"], "'2020-01' .* a quarter"),
        (["2020-01-01", "2020-01-01 06:00Z"], "row 1, which is a date"),
        (["2020-01-01 06:00", "2020-01-01 06:00Z"], "row 1, which is a time"),
        (["2020-02-30", "2020-01-01"], "Row 1.*'2020-02-30' is no period"),
        (["2020-01-01", "2020-01-02 "], None),
        (["2020-13", "2020-01"], "'2020-13' is no period"),
        (["2021-W53", "2021-W01"], "'2021-W53' is no period"),
        (["2020-01-01 25:00", "2020-01-01 01:00"], "'2020-01-01 25:00' is no period"),
        (["2020Q5", "2020Q1"], "'2020Q5' is no period|not written like"),
        (["0000-01-01", "2020-01-01"], "'0000-01-01' is no period"),
        (["2020", "NA"], "Row 2.*'NA'"),
        (["2020.25", "2020.5"], "'2020.25' is no period"),
        (["01/02/20", "02/02/20"], "'01/02/20' .* gives the year in two digits"),
        (["week 1", "month 1"], "is no period"),
        (["9" * 30, "1"], "'999.*' is no period|not written like"),
        (["13/02/2020", "02/13/2020"], "names the day first, but '02/13/2020' .* the month"),
        (["01/02/2020", "02/03/2020"], "may name the day or the month first"),
    ],
)
def test_what_is_no_period_or_not_of_the_same_kind_is_refused(cells, message):
    if message is None:
        assert len(parse_periods(text(*cells))) == 2
        return
    with pytest.raises(DataError, match=message) as caught:
        parse_periods(text(*cells))
    assert "2020-01-31" in caught.value.hint


def test_months_of_one_and_two_digits_are_read_where_none_may_be_october():
    found = as_periods(["1990.5", "1991.05", "1992.7"])
    assert list(map(str, found)) == ["1990-05", "1991-05", "1992-07"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2019-1", "2019-2", "2020-1"], "'2019-1' may be a month or a quarter"),
        (["2019.01", "2019.1", "2020.05"], "Row 2.*'2019.1' may be January, or October"),
    ],
)
def test_a_month_that_may_be_something_else_is_refused(cells, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_periods(text(*cells))
    assert "2020Q1" in caught.value.hint


def test_the_user_can_say_whether_the_day_comes_first():
    cells = text("01/02/2020", "02/03/2020")
    day = parse_periods(cells, date_order="day first")
    month = parse_periods(cells, date_order="month first")
    assert day.equals(days("2020-02-01", "2020-03-02"))
    assert month.equals(days("2020-01-02", "2020-02-03"))
    with pytest.raises(DataError, match=r"'13/02/2020' \(row 1.* with the month first"):
        parse_periods(text("13/02/2020", "02/03/2020"), date_order="month first")
    with pytest.raises(DataError, match="cannot be read with the day first"):
        parse_periods(text("02.13.2020"), date_order="day first")


def test_empty_cells_are_refused_with_their_number_and_the_first_place():
    place = Place("year", lambda row: f"line {row + 2}")
    with pytest.raises(DataError, match=r"2 rows without a period in column 'year'.* line 3"):
        parse_periods(text("2020", None, None), place=place)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["2020-W05", "2020-W06"], "the date of its Monday"),
        (["20200131", "20200201"], "read as a date"),
        (["202001", "202002"], "read as a month"),
        (["13/02/2020", "01/02/2020"], "day first"),
        (["2020-01-31T23:00Z", "2020-01-31T23:00+01:00"], "UTC"),
        (["week 9", "week 10"], "numbers after 'week '"),
    ],
)
def test_what_is_converted_is_said(cells, said):
    entries = read_periods(text(*cells))[1]
    assert said in entries[0].sentence
    assert (entries[0].kind, entries[0].count) == ("converted", 2)


def test_plain_periods_leave_nothing_to_say():
    for cells in (["2020", "2021"], ["2020-01-31"], ["2020Q1"], ["2020-01"]):
        assert read_periods(text(*cells))[1] == ()


@settings(deadline=None)
@given(st.lists(st.dates(dt.date(1000, 1, 1)), min_size=1, max_size=9), st.data())
def test_every_day_comes_back_in_every_form(dates, data):
    stamps = days(*dates)
    form = data.draw(st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d.%m.%Y", "%B %d, %Y"]))
    cells = text(*(day.strftime(form) for day in dates))
    assert parse_periods(cells, date_order="day first").equals(stamps)
    weeks = text(*("{}-W{:02d}".format(*day.isocalendar()) for day in dates))
    mondays = [day - dt.timedelta(days=day.weekday()) for day in dates]
    assert list(parse_periods(weeks)) == [pd.Timestamp(monday) for monday in mondays]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1000, 2999), st.integers(1, 12)), min_size=1, max_size=9))
def test_every_month_and_quarter_comes_back(parts):
    cells = text(*(f"{year}-{month:02d}" for year, month in parts))
    assert [(p.year, p.month) for p in parse_periods(cells)] == parts
    cells = text(*(f"Q{(month + 2) // 3} {year}" for year, month in parts))
    expected = [(year, (month + 2) // 3) for year, month in parts]
    assert [(p.year, p.quarter) for p in parse_periods(cells)] == expected


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_any_text_is_read_or_refused_in_words(cells):
    try:
        periods = parse_periods(text(*cells))
    except DataError as caught:
        said = caught
        assert said.hint.endswith(".")
    else:
        assert len(periods) == len(cells)
