"""Any panel, written in any shape, delimiter, encoding and form of dates, comes back equal."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.data import Reading, Roles, read_table, recognise_shape, to_panel, unfold
from components.panel import Panel, period_label

SEVERAL = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
DELIMITERS = [",", ";", "\t", "|", "^", "~"]
# Letters of each alphabet in pairs that no word of another could be.
ALPHABETS = {
    "utf-8": "abcxyz ÄÉłŻЖβ東京ü",
    "utf-8-sig": "abcxyz ÄÉłŻЖβ東京ü",
    "utf-16": "abcxyz ÄÉłŻЖβ東京ü",
    "utf-32": "abcxyz ÄÉłŻЖβ東京ü",
    "utf-16-le": "abcxyz ÄÉłŻü",
    "utf-16-be": "abcxyz ÄÉłŻü",
    "utf-32-le": "abcxyz ÄÉłŻü",
    "cp1252": "abcxyzÄÉüñçß",
    "latin-1": "abcxyzÄÉüñçß",
    "cp932": "abcxyz東京大阪あカ",
    "cp1251": "abcxyzЖдюя",
    "gb18030": "abcxyz北京上海",
}
TOLD = ("cp932", "cp1251", "gb18030", "cp1252", "latin-1")
FORMS = {
    "%Y-%m-%d": None,
    "%Y/%m/%d": None,
    "%Y%m%d": None,
    "%d.%m.%Y": None,
    "%d/%m/%Y": "day first",
    "%m/%d/%Y": "month first",
    "%d %B %Y": None,
    "%B %d, %Y": None,
    "%d-%b-%Y": None,
}


def days(count):
    return st.lists(
        st.dates(dt.date(1801, 1, 1), dt.date(2199, 12, 31)),
        min_size=count,
        max_size=6,
        unique=True,
    ).map(lambda found: pd.DatetimeIndex(np.array(sorted(found), dtype="datetime64[us]")))


def steps(first, freq):
    return st.lists(st.integers(0, 300), min_size=3, max_size=6, unique=True).map(
        lambda found: pd.PeriodIndex([pd.Period(first, freq) + k for k in sorted(found)])
    )


def years():
    return st.lists(st.integers(1600, 2100), min_size=3, max_size=6, unique=True).map(
        lambda found: pd.Index(sorted(found))
    )


@st.composite
def panels(draw, periods, alphabet="abcdefgh"):
    names = draw(
        st.lists(
            st.text(alphabet, min_size=1, max_size=6).map(str.strip).filter(bool),
            min_size=2,
            max_size=5,
            unique=True,
        )
    )
    index = draw(periods)
    shape = len(names), len(index)
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    Y = rng.normal(size=shape) * 10.0 ** draw(st.integers(-3, 5)) + 0.123
    Y[rng.random(shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    Y[0, :] = rng.normal(size=shape[1]) + 0.5
    Y[:, 0] = rng.normal(size=shape[0]) + 0.5
    W = rng.random(shape) < 0.4
    return Panel(Y, W, pd.Index(sorted(names), dtype="str"), index, "y"), rng


def cells(panel):
    return [["" if np.isnan(v) else repr(float(v)) for v in row] for row in panel.Y]


def long_rows(panel, label=period_label):
    values = cells(panel)
    return [
        [unit, label(period), values[i][j], str(int(panel.W[i, j]))]
        for i, unit in enumerate(panel.units)
        for j, period in enumerate(panel.periods)
    ]


def same(back, panel):
    assert list(back.units) == list(panel.units)
    assert list(back.periods) == list(panel.periods)
    assert back.periods.dtype == panel.periods.dtype
    np.testing.assert_array_equal(back.Y, panel.Y)
    np.testing.assert_array_equal(back.W, panel.W)


@SEVERAL
@given(st.data(), st.sampled_from(DELIMITERS), st.sampled_from([*ALPHABETS]), st.booleans())
def test_long_tables_in_every_encoding_and_delimiter(data, mark, encoding, packed):
    panel, rng = data.draw(panels(years(), ALPHABETS[encoding]))
    rows = [["unit", "time", "y", "w"], *rng.permutation(long_rows(panel)).tolist()]
    columns = rng.permutation(4)
    text = "\n".join(mark.join(row[k] for k in columns) for row in rows) + "\n"
    content = text.encode(encoding)
    reading = Reading(encoding=encoding) if encoding in TOLD else Reading()
    table = read_table(gzip.compress(content) if packed else content, "f", reading)
    same(to_panel(table, Roles("unit", "time", "y", "w", reading=reading))[0], panel)


@SEVERAL
@given(st.data(), st.sampled_from([*FORMS]))
def test_dates_in_every_form(data, form):
    panel, rng = data.draw(panels(days(2)))
    rows = rng.permutation(long_rows(panel, lambda day: day.strftime(form))).tolist()
    text = "\n".join(";".join(row) for row in [["unit", "time", "y", "w"], *rows])
    roles = Roles("unit", "time", "y", "w", date_order=FORMS[form])
    same(to_panel(read_table(text.encode(), "f"), roles)[0], panel)


PERIODS = st.sampled_from(["years", "quarters", "months", "days"])
MAKE = {
    "years": years(),
    "quarters": steps("1950Q1", "Q"),
    "months": steps("1950-01", "M"),
    "days": days(3),
}


def without_gaps(panel):
    return panel.reassign(np.zeros_like(panel.W))


@SEVERAL
@given(st.data(), PERIODS, st.sampled_from(["", "gdp_", "gdp.", "gdp ", "X"]))
def test_one_row_per_unit(data, kind, prefix):
    panel, rng = data.draw(panels(MAKE[kind]))
    panel = without_gaps(panel)
    order, columns = rng.permutation(len(panel.units)), rng.permutation(len(panel.periods))
    values = cells(panel)
    head = ["name", *(prefix + period_label(panel.periods[j]) for j in columns)]
    rows = [[panel.units[i], *(values[i][j] for j in columns)] for i in order]
    table = read_table("\n".join(",".join(row) for row in [head, *rows]).encode(), "f")
    assert recognise_shape(table) == "periods in columns"
    outcome = "gdp" if prefix.startswith("gdp") else "value"
    roles = Roles("name", "period", outcome, shape="periods in columns")
    same(to_panel(table, roles)[0], panel)


@SEVERAL
@given(st.data(), PERIODS)
def test_one_row_per_period(data, kind):
    panel, rng = data.draw(panels(MAKE[kind]))
    panel = without_gaps(panel)
    order, columns = rng.permutation(len(panel.periods)), rng.permutation(len(panel.units))
    values = cells(panel)
    head = ["date", *(f"u {panel.units[i]}" for i in columns)]
    rows = [[period_label(panel.periods[j]), *(values[i][j] for i in columns)] for j in order]
    table = read_table("\n".join(",".join(row) for row in [head, *rows]).encode(), "f")
    assert recognise_shape(table) == "units in columns"
    back, _ = to_panel(table, Roles("unit", "date", "value", shape="units in columns"))
    same(back, replace(panel, units=pd.Index([f"u {u}" for u in panel.units], dtype="str")))


@SEVERAL
@given(st.data(), st.sampled_from(["parquet", "stata"]))
def test_typed_files(data, kind):
    panel, rng = data.draw(panels(years()))
    n, t = panel.shape
    frame = pd.DataFrame(
        {
            "unit": np.repeat(panel.units.to_numpy(dtype=object), t),
            "time": np.tile(panel.periods.to_numpy(), n),
            "y": panel.Y.ravel(),
            "w": panel.W.ravel().astype(np.int8),
        }
    ).iloc[rng.permutation(n * t)]
    stream = io.BytesIO()
    if kind == "parquet":
        frame.to_parquet(stream, index=False)
    else:
        frame.to_stata(stream, write_index=False, version=118)
    table = read_table(stream.getvalue(), "f")
    same(to_panel(table, Roles("unit", "time", "y", "w"))[0], panel)


@SEVERAL
@given(st.data(), st.sampled_from(["mean", "sum"]))
def test_repeated_rows_are_merged_alike_in_any_order(data, how):
    panel, rng = data.draw(panels(years()))
    rows = long_rows(panel)
    more = [[*row[:2], repr(float(rng.normal())), row[3]] for row in rows for _ in range(2)]
    texts = []
    for _ in range(2):
        shuffled = rng.permutation([*rows, *more]).tolist()
        texts.append("\n".join(",".join(row) for row in [["unit", "time", "y", "w"], *shuffled]))
    roles = Roles("unit", "time", "y", "w", duplicates=how)
    one, other = (to_panel(read_table(text.encode(), "f"), roles)[0] for text in texts)
    assert one.fingerprint == other.fingerprint
    frame = pd.DataFrame([*rows, *more], columns=["unit", "time", "y", "w"])
    values = pd.to_numeric(frame["y"]).groupby([frame["unit"], frame["time"].astype(int)])
    truth = (values.mean() if how == "mean" else values.sum(min_count=3)).unstack()  # noqa: PD010
    np.testing.assert_allclose(one.Y, truth.loc[list(one.units)].to_numpy(), rtol=1e-12, atol=1e-12)


def test_what_is_unfolded_is_also_shown():
    table = read_table(b"tree,h_2001,h_2002\nAsh,1.5,2\nElm,,4\n", "f")
    long = unfold(table, "periods in columns")
    assert long.columns == ("tree", "period", "h")
    assert long.text["h"].isna().tolist() == [False, False, True, False]
    assert [long.place(row) for row in range(3)] == [
        "line 2 under '2001'",
        "line 2 under '2002'",
        "line 3 under '2001'",
    ]
