import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import Roles, grid, guess_roles, panel_from_frame, read_table, to_panel
from components.errors import DataError
from components.panel import Panel, period_label
from tests.conftest import PUBLISHED, block_panel

ROLES = Roles("unit", "time", "y", "w")
NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=8
).filter(lambda name: bool(name) and name == name.strip())  # outer spaces are taken off, and said
PERIODS = st.one_of(
    st.lists(st.integers(-50, 2999), min_size=2, max_size=6, unique=True).map(pd.Index),
    st.lists(st.dates(dt.date(1000, 1, 1)), min_size=2, max_size=6, unique=True).map(
        lambda days: pd.DatetimeIndex(np.array(days, dtype="datetime64[us]"))
    ),
    st.lists(st.integers(0, 400), min_size=2, max_size=6, unique=True).map(
        lambda steps: pd.PeriodIndex([pd.Period("1950Q1") + step for step in steps])
    ),
    st.lists(st.integers(0, 400), min_size=2, max_size=6, unique=True).map(
        lambda steps: pd.PeriodIndex([pd.Period("1990-01", "M") + step for step in steps])
    ),
)


def read(text, roles=ROLES, name="panel.csv"):
    return to_panel(read_table(text.encode(), name), roles)


def lines(*rows, header="unit,time,y,w"):
    return "\n".join([header, *rows]) + "\n"


FULL = [
    f"{unit},{time},{value},{int(unit == 'b' and time > 1)}"
    for unit, values in {"a": (1, 2, 3), "b": (4, 5, 6)}.items()
    for time, value in enumerate(values)
]


def test_a_plain_table_is_its_panel():
    panel, ledger = read(lines(*FULL))
    assert panel.Y.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert panel.W.tolist() == [[False] * 3, [False, False, True]]
    assert list(panel.units) == ["a", "b"]
    assert list(panel.periods) == [0, 1, 2]
    assert panel.outcome == "y"
    assert ledger[0].sentence == "6 rows of 'panel.csv' read: 2 units, 3 periods from 0 to 2."


@pytest.mark.parametrize("name", ["california_prop99", "geolift_test", "mpdta", "sim_gsynth"])
def test_published_panels_equal_what_pandas_reads(name, published):
    frame = published(f"{name}.csv")
    table = read_table((PUBLISHED / f"{name}.csv").read_bytes(), name)
    roles = guess_roles(table)
    panel, ledger = to_panel(table, roles)
    wide = frame.assign(**{roles.unit: frame[roles.unit].astype(str)}).set_index(
        [roles.unit, roles.time]
    )
    Y = wide[roles.outcome].unstack().loc[list(panel.units)]  # noqa: PD010
    W = wide[roles.treatment].unstack().loc[list(panel.units)]  # noqa: PD010
    np.testing.assert_array_equal(panel.Y, Y.to_numpy())
    np.testing.assert_array_equal(panel.W, W.to_numpy() == 1)
    assert [period_label(p) for p in panel.periods] == list(map(str, Y.columns))
    assert [entry.kind for entry in ledger] == ["read", "converted"]


@st.composite
def panels(draw):
    units = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    periods = draw(PERIODS).sort_values()
    shape = (len(units), len(periods))
    cells = shape[0] * shape[1]
    floats = st.floats(allow_nan=False, allow_infinity=False)
    Y = np.array(draw(st.lists(floats, min_size=cells, max_size=cells))).reshape(shape)
    holes = draw(st.lists(st.booleans(), min_size=cells, max_size=cells))
    Y[np.array(holes).reshape(shape)] = np.nan
    Y[0, 0] = 1.0
    W = np.array(draw(st.lists(st.booleans(), min_size=cells, max_size=cells))).reshape(shape)
    whole = all(u.isascii() and u.removeprefix("-").isdecimal() for u in units)
    order = sorted(range(len(units)), key=lambda i: (int(units[i]) if whole else 0, units[i]))
    return Panel(Y, W, pd.Index([units[i] for i in order], dtype="str"), periods, "y")


@settings(deadline=None)
@given(
    panel=panels(),
    mark=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([0, 1]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    flags=st.sampled_from([("0", "1"), ("False", "True"), ("no", "yes")]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_panel_comes_back_from_any_long_csv(panel, mark, quoting, encoding, flags, seed):
    rng = np.random.default_rng(seed)
    n, t = panel.shape
    frame = pd.DataFrame(
        {
            "unit": np.repeat(panel.units.to_numpy(), t),
            "time": np.tile([period_label(p) for p in panel.periods], n),
            "y": ["" if np.isnan(v) else repr(float(v)) for v in panel.Y.ravel()],
            "w": np.where(panel.W.ravel(), flags[1], flags[0]),
        }
    )
    frame = frame.iloc[rng.permutation(len(frame)), rng.permutation(4)]
    text = frame.to_csv(index=False, sep=mark, quoting=quoting, lineterminator="\n")
    back, _ = to_panel(read_table(text.encode(encoding), "panel.csv"), ROLES)
    assert back.fingerprint == panel.fingerprint
    assert back.periods.dtype == panel.periods.dtype
    assert list(back.units) == list(panel.units)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            lines(*FULL, "a,1,9,0", "b,2,9,0"),
            "2 rows repeat a unit and period; the first is a, 1, line 8, already given on line 3",
        ),
        (lines(*FULL, ",1,9,0"), "1 row without a unit in column 'unit'; the first is line 8"),
        (lines(*FULL, "c,,9,0"), "1 row without a period in column 'time'; the first is line 8"),
        (lines(*FULL, "c,x,9,0"), "Line 8, column 'time': 'x' is not written like '0' on line 2"),
        (lines(*FULL, "c,1,high,0"), "Line 8, column 'y': 'high' is no number"),
        (lines(*FULL, "c,1,9,"), "1 row without a treatment in column 'w'; the first is line 8"),
        (lines(*FULL, "c,1,9,5"), "Line 8, column 'w': '5' beside '0'"),
        (lines("a,1,2,0", "a,2,3,0"), "Column 'unit' holds a single unit, 'a'"),
        (lines("a,1,2,0", "b,1,3,0"), "Column 'time' holds a single period, '1'"),
        (lines("a,1,,0", "b,2,NA,0"), "Column 'y' holds no number at all"),
        (lines("a,1,1,0", "a,01,2,0", "b,1,2,0", "b,2,2,0"), "a, 1, line 3, already .* line 2"),
    ],
)
def test_what_is_no_panel_is_refused_with_the_place_and_a_cure(text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(text)
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": None}, "No column is chosen for the unit"),
        ({"time": None}, "No column is chosen for the time"),
        ({"outcome": None}, "No column is chosen for the outcome"),
        ({"time": "year"}, "no column 'year' in 'panel.csv'"),
        ({"treatment": "y"}, "Column 'y' is chosen twice: as outcome and as treatment"),
        ({"covariates": ("y",)}, "Column 'y' is chosen twice: as outcome and as covariate"),
    ],
)
def test_roles_that_cannot_be_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        read(lines(*FULL), dataclasses.replace(ROLES, **change))


def test_namibia_zeros_and_powers_stay_different_units():
    names = ["NA", "null", "001", "01", "1", "1e5", "100000", "true", "True", "nan", "Å", "A\u030a"]
    rows = [f"{name},{time},{time},0" for name in names for time in (1, 2)]
    panel, _ = read(lines(*rows))
    assert sorted(panel.units) == sorted(names)
    assert panel.observed.all()


def test_whole_numbers_are_ordered_as_numbers_and_keep_their_text():
    rows = [f"{name},{time},1,0" for name in ("10", "9", "007", "-1") for time in (10, 9)]
    panel, _ = read(lines(*rows))
    assert list(panel.units) == ["-1", "007", "9", "10"]
    assert list(panel.periods) == [9, 10]


def test_everything_missing_is_said_with_its_place():
    panel, ledger = read(lines("a,1,1,0", "a,2,,0", "b,1,NA,0", "b,3,4,0", "a,3,2,0"))
    assert np.isnan(panel.Y).tolist() == [[False, True, False], [True, True, False]]
    missing = [(e.count, e.places) for e in ledger if e.kind == "missing"]
    assert missing == [(1, ("line 3",)), (1, ("line 4",)), (1, ("b, 2",))]
    taken = next(entry for entry in ledger if "taken over" in entry.sentence)
    assert taken.places == ("b, 2",)


def test_without_a_treatment_column_no_cell_is_treated_and_that_is_said():
    panel, ledger = read(lines(*FULL), Roles("unit", "time", "y"))
    assert not panel.W.any()
    assert "no cell is treated" in ledger[-1].sentence


def test_covariates_come_along_with_their_gaps():
    rows = [f"{row},{i if i != 4 else ''},{i / 2}" for i, row in enumerate(FULL)]
    roles = dataclasses.replace(ROLES, covariates=("x", "z"))
    panel, ledger = read(lines(*rows, header="unit,time,y,w,x,z"), roles)
    np.testing.assert_array_equal(panel.X["x"], [[0, 1, 2], [3, np.nan, 5]])
    np.testing.assert_array_equal(panel.X["z"], [[0, 0.5, 1], [1.5, 2, 2.5]])
    assert ("missing", ("line 6",)) in [(entry.kind, entry.places) for entry in ledger]
    with pytest.raises(DataError, match="Line 2, column 'x': 'low' is no number"):
        read(lines("a,1,1,0,low,1", "b,2,1,0,1,1", header="unit,time,y,w,x,z"), roles)


def test_the_decimal_mark_and_the_order_of_dates_can_be_told():
    text = lines(
        *(f'"{u}";0{d}/02/2020;1,{d}00;0' for u in "ab" for d in (1, 2)), header="unit;time;y;w"
    )
    with pytest.raises(DataError, match="may name the day or the month"):
        read(text)
    ordered = dataclasses.replace(ROLES, date_order="day first")
    with pytest.raises(DataError, match="two ways"):
        read(text, ordered)
    panel, _ = read(text, dataclasses.replace(ordered, decimal=","))
    assert panel.Y[0].tolist() == [1.1, 1.2]
    assert list(map(period_label, panel.periods)) == ["2020-02-01", "2020-02-02"]


def test_a_sparse_table_cannot_claim_a_huge_panel(monkeypatch):
    monkeypatch.setattr(grid, "MAX_PANEL_CELLS", 50)
    rows = [f"u{i},{i},1,0" for i in range(8)]
    with pytest.raises(DataError, match="8 units times 8 periods make more than 50 cells"):
        read(lines(*rows))


def test_a_loaded_frame_gives_the_same_panel_typed_or_as_text():
    panel = block_panel()
    n, t = panel.shape
    typed = pd.DataFrame(
        {
            "unit": pd.Categorical(np.repeat(panel.units.to_numpy(), t)),
            "time": np.tile(panel.periods.to_numpy(), n),
            "y": panel.Y.ravel(),
            "w": panel.W.ravel(),
        }
    )
    for frame in (typed, typed.astype(str), typed.sample(frac=1, random_state=1)):
        back, _ = panel_from_frame(frame, ROLES)
        assert back.fingerprint == panel.fingerprint
    quarterly = typed.assign(time=pd.PeriodIndex.from_ordinals(typed["time"].to_numpy(), freq="Q"))
    assert panel_from_frame(quarterly, ROLES)[0].periods.freqstr == "Q-DEC"


def test_a_frame_that_mixes_kinds_is_refused():
    frame = pd.DataFrame({"unit": ["a", 1], "time": [1, 2], "y": [1, 2]})
    with pytest.raises(DataError, match="Column 'unit' mixes kinds"):
        panel_from_frame(frame, Roles("unit", "time", "y"))


def test_long_values_and_invisible_ones_are_quoted_safely():
    with pytest.raises(DataError) as caught:
        read(lines(*FULL, "c,1," + "9x" * 500 + ",0", "c,2,\u202e5,0"))
    assert len(caught.value.message) < 120
    with pytest.raises(DataError, match=r"'\\u202e5' is no number"):
        read(lines(*FULL, "c,2,\u202e5,0"))
