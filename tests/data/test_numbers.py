import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import table_from_frame
from components.data.numbers import looks_numeric, read_numbers
from components.errors import DataError

NAN = float("nan")


def column(*cells):
    return table_from_frame(pd.DataFrame({"y": pd.Series(cells, dtype="str"), "u": "a"}))


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1.5", ".5", "5.", "-.25"], [1.5, 0.5, 5, -0.25]),
        (["1e5", "2E-3", "1.5e+2"], [1e5, 2e-3, 150]),
        ([" 1 ", "2\t"], [1, 2]),
        (["1", "NA", "", "nan", ".", "null", "-", "N/A", "..", "None"], [1] + [NAN] * 9),
        (["1,5", "2"], [1.5, 2]),
        (["0,123", "5"], [0.123, 5]),
        (["1.234,5", "-12.345.678", "7"], [1234.5, -12345678, 7]),
        (["1,234.5", "12", "1,234,567"], [1234.5, 12, 1234567]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1 234,5", "3"], [1234.5, 3]),
        (["1\u00a0234", "1\u202f234 567"], [1234, 1234567]),
        (["1'234.5", "1\u2019234"], [1234.5, 1234]),
        (["1,5e3", "2"], [1500, 2]),
        (["0.1", "1.234"], [0.1, 1.234]),
        (["", "", "NA"], [NAN] * 3),
    ],
)
def test_numbers_in_a_single_style_are_read(cells, values):
    read, _ = read_numbers(column(*cells), "y")
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize(
    ("cells", "message", "hint"),
    [
        (["1", "abc"], "Row 2, column 'y': 'abc' is no number", "plain number"),
        (["1", "z", "y"], r"Row 2, .* \(2 such cells\)", "plain number"),
        (["$5", "4"], r"Row 1, .*\$5", "currency"),
        (["4", "5 €"], "Row 2", "currency"),
        (["5%", "4"], "Row 1", "without the sign"),
        (["inf", "4"], "'inf' is no number", "Correct"),
        (["-Infinity", "4"], "no number", "Correct"),
        (["1e400", "4"], "Row 1.* too large", "larger units"),
        (["1,234", "5"], r"two ways: '1,234' on row 1 is 1,234 .* or 1.234", "Say which"),
        (["5", "12,345", "1234"], "two ways: '12,345' on row 2", "Say which"),
        (["1,234.5", "1234"], "thousands in some numbers only: '1234' on row 2", "alike"),
        (["1,2,3", "1"], "Row 1.*no number", "plain"),
        (["1,23,45", "1"], "Row 1.*no number", "plain"),
        (["0x1F", "1"], "Row 1.*no number", "plain"),
        (["1_000", "1"], "Row 1.*no number", "plain"),
        (["1", "\u0663"], "Row 2.*no number", "plain"),
        (["1", "--2"], "Row 2.*no number", "plain"),
        (["TRUE", "1"], "Row 1.*no number", "plain"),
        (["2020-01-01", "1"], "Row 1.*no number", "plain"),
        (["1.5", "2,5"], "Row [12].*no number", "plain"),
    ],
)
def test_anything_else_is_refused_with_place_value_and_cure(cells, message, hint):
    with pytest.raises(DataError, match=message) as caught:
        read_numbers(column(*cells), "y")
    assert hint in caught.value.hint


def test_the_user_can_say_which_mark_decimals_have():
    table = column("1,234", "5")
    assert read_numbers(table, "y", decimal=",")[0].tolist() == [1.234, 5]
    assert read_numbers(table, "y", decimal=".")[0].tolist() == [1234, 5]
    table = column("1.234", "5")
    assert read_numbers(table, "y")[0].tolist() == [1.234, 5]
    assert read_numbers(table, "y", decimal=",")[0].tolist() == [1234, 5]
    with pytest.raises(DataError, match=r"'1\.5' is no number"):
        read_numbers(column("1.5"), "y", decimal=",")


def test_missing_cells_are_counted_placed_and_said():
    _, entries = read_numbers(column("1", "", "NA", "na", "2"), "y")
    assert [(entry.kind, entry.count, entry.places) for entry in entries] == [
        ("missing", 1, ("row 2",)),
        ("missing", 2, ("row 3", "row 4")),
    ]
    assert "'NA', 'na'" in entries[1].sentence


def test_plain_complete_columns_leave_nothing_to_say():
    assert read_numbers(column("1", "2.5", "1e3"), "y")[1] == ()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1,5", "2"], "decimal comma."),
        (["1.234,5", "2"], "decimal comma and points between thousands"),
        (["1.234", "2.345"], "1.234 lies between 1 and 2"),
        (["12345678901234567", "1"], "1 number in 'y' rounded"),
    ],
)
def test_every_conversion_that_could_have_been_meant_otherwise_is_said(cells, said):
    _, entries = read_numbers(column(*cells), "y")
    assert said in entries[0].sentence


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_float_comes_back_to_the_last_bit(values):
    read, _ = read_numbers(column(*map(repr, values)), "y")
    assert read.tobytes() == np.array(values).tobytes()


@settings(deadline=None)
@given(
    values=st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20),
    cents=st.integers(1, 99),
    marks=st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_numbers_with_thousands_and_decimals_come_back_or_are_questioned(values, cents, marks):
    decimal, thousands = marks
    cells = [
        f"{value:,}".replace(",", thousands) + f"{decimal}{cents:02d}" for value in [*values, 10**6]
    ]
    read, _ = read_numbers(column(*cells), "y")
    signs = ["-" if value < 0 else "" for value in values]
    exact = [float(f"{s}{abs(v)}.{cents:02d}") for s, v in zip(signs, values, strict=True)]
    assert read[:-1].tolist() == exact


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        (["1", "2"], True),
        (["1,5", "NA"], True),
        (["1.234,5", None], True),
        (["a", "1"], False),
        (["NA", "nan"], False),
        ([None], False),
        (["2020-01-01"], False),
    ],
)
def test_columns_of_numbers_are_recognised(cells, verdict):
    assert looks_numeric(pd.Series(cells, dtype="str")) is verdict
