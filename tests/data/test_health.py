import numpy as np
import pandas as pd
import pytest

from components.data import Entry, Roles, guess_roles, health, read_table, to_panel
from components.data.samples import SAMPLES
from components.panel import Panel
from tests.conftest import block_panel


def of(checks, title):
    return next(check for check in checks if check.title == title)


def panel_of(periods, units=("a", "b", "c")):
    periods = pd.Index(periods)
    rng = np.random.default_rng(0)
    Y = rng.normal(10, 1, (len(units), len(periods)))
    return Panel(Y, np.zeros(Y.shape, bool), pd.Index(list(units), dtype="str"), periods)


def with_hole(panel, *cells):
    Y = np.array(panel.Y)
    for cell in cells:
        Y[cell] = np.nan
    return panel.with_outcomes(Y)


@pytest.mark.parametrize("key", SAMPLES)
def test_samples_are_in_good_health(key):
    sample = SAMPLES[key]
    table = read_table(sample.path.read_bytes(), sample.file)
    checks = health(*to_panel(table, guess_roles(table)))
    worst = {check.title for check in checks if check.verdict != "good"}
    assert worst <= ({"Treatment"} if sample.design == "reversing" else set())


def test_a_clean_panel():
    checks = health(block_panel())
    assert [check.verdict for check in checks] == ["good"] * 4
    assert [check.cure for check in checks] == [""] * 4
    assert of(checks, "Size").sentence == "12 units x 15 periods, 2000 to 2014."
    assert of(checks, "Treatment").sentence == (
        "1 unit treated to the end (last untreated 2009, first treated 2010): a block design."
    )


def test_missing_cells_are_counted_and_the_first_three_named():
    panel = with_hole(block_panel(), (2, 3), (2, 4), (4, 4), (5, 1))
    check = of(health(panel), "Missing outcomes")
    assert check.verdict == "caution"
    assert "4 cells of 180 (2.2%)" in check.sentence
    assert "unit 02, 2003, unit 02, 2004, unit 04, 2004 and 1 more" in check.sentence


def test_units_and_periods_without_any_outcome_are_bad():
    check = of(health(with_hole(block_panel(), 3)), "Missing outcomes")
    assert (check.verdict, "Units without any: 'unit 03'" in check.sentence) == ("bad", True)
    check = of(health(with_hole(block_panel(), (slice(None), 2))), "Missing outcomes")
    assert (check.verdict, "Periods without any: 2002" in check.sentence) == ("bad", True)


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        ([1990, 1991, 1992], "every year"),
        ([1990, 1995, 2000], "every 5 years"),
        ([1, 2, 3], "every step"),
        (pd.date_range("2020-01-01", periods=9), "every day"),
        (pd.date_range("2020-01-06", periods=9, freq="7D"), "every 7 days"),
        (pd.date_range("2020-01-01", periods=30, freq="B"), "every weekday"),
        (pd.date_range("2020-01-01", periods=30, freq="MS"), "every month"),
        (pd.date_range("2020-01-31", periods=30, freq="ME"), "every month"),
        (pd.date_range("2020-01-01", periods=9, freq="QS"), "every 3 months"),
        (pd.date_range("2020-01-01", periods=9, freq="YS"), "every 12 months"),
        (pd.date_range("2020-01-01", periods=9, freq="h"), "every 3,600 seconds"),
        (pd.period_range("2020Q1", periods=9, freq="Q"), "every quarter"),
        (pd.period_range("2020-01", periods=9, freq="M"), "every month"),
    ],
)
def test_regular_steps_are_recognised(periods, said):
    check = of(health(panel_of(periods)), "Steps of time")
    assert (check.verdict, said in check.sentence) == ("good", True)


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        ([1990, 1991, 1993, 1994], "1 year, but 1 of 3 are not: 1991 to 1993."),
        (
            pd.date_range("2020-01-01", periods=9).delete([3, 6]),
            "1 day, but 2 of 6 are not: 2020-01-03 to 2020-01-05, 2020-01-06 to 2020-01-08.",
        ),
        (pd.period_range("2020Q1", periods=9, freq="Q").delete(4), "2020Q4 to 2021Q2"),
    ],
)
def test_gaps_are_named(periods, said):
    check = of(health(panel_of(periods)), "Steps of time")
    assert (check.verdict, said in check.sentence) == ("caution", True)


@pytest.mark.parametrize("pair", [("Texas", "texas "), ("Å", "A\u030a"), ("New York", "New  York")])
def test_names_that_look_alike_are_pointed_out(pair):
    check = of(health(panel_of([1, 2, 3], [*pair, "other"])), "Names of units")
    assert check.verdict == "caution"
    assert "1 name written in more than one way" in check.sentence


def test_invisible_letters_in_names_are_shown():
    check = of(health(panel_of([1, 2, 3], ["a\u200b", "b", "c\u202e"])), "Names of units")
    assert r"'a\u200b', 'c\u202e'" in check.sentence


def test_constant_units_are_named():
    Y = np.array(block_panel().Y)
    Y[4] = 3.0
    check = of(health(block_panel().with_outcomes(Y)), "Constant units")
    assert "1 unit: 'unit 04'" in check.sentence


def test_a_unit_of_another_scale_is_named_but_not_in_skewed_or_signed_data():
    Y = np.array(block_panel().Y)
    Y[4] *= 1000
    check = of(health(block_panel().with_outcomes(Y)), "Scale")
    assert "1 unit is more than 100 times" in check.sentence
    assert "'unit 04'" in check.sentence
    titles = [check.title for check in health(block_panel().with_outcomes(Y - 20))]
    assert "Scale" not in titles
    skewed = block_panel().Y * 10.0 ** np.arange(12)[:, None]
    assert "Scale" not in [check.title for check in health(block_panel().with_outcomes(skewed))]


def assigned(*starts, t=15):
    W = np.zeros((12, t), bool)
    for row, start in enumerate(starts):
        W[row, start:] = True
    return block_panel().reassign(W)


@pytest.mark.parametrize(
    ("panel", "verdict", "said"),
    [
        (assigned(), "caution", "No cell is treated"),
        (assigned(3, 3), "good", "2 units treated to the end .* a block design"),
        (assigned(3, 5), "good", "from 2 dates on .last untreated 2002, first treated 2003"),
        (assigned(0, 3), "caution", "first period, 2000, for 'unit 00'"),
        (assigned(0, 0), "bad", "first period, 2000, for 'unit 00', 'unit 01'"),
        (assigned(*range(12)), "bad", "Every unit is treated"),
        (block_panel().reassign(np.eye(12, 15, k=1, dtype=bool)[:, :15]), "bad", "Every unit"),
    ],
)
def test_the_design_is_told_in_a_sentence(panel, verdict, said):
    check = of(health(panel), "Treatment")
    assert check.verdict == verdict
    assert pd.Series([check.sentence]).str.contains(said).all()


def test_treatment_that_ends_is_a_caution():
    W = np.array(block_panel().W)
    W[0, -1] = False
    check = of(health(block_panel().reassign(W)), "Treatment")
    assert check.verdict == "caution"
    assert "treatment ends again for 1 unit: 'unit 00'" in check.sentence


def test_units_that_enter_treated_are_bad_and_come_first():
    rows = [
        f"{u},{t},{ord(u) + t},{int(u == 'c' or (u == 'b' and t > 3))}"
        for u in "abc"
        for t in range(6)
    ]
    text = "unit,time,y,w\n" + "\n".join(row for row in rows if row[:3] not in ("c,0", "c,1"))
    panel, ledger = to_panel(read_table(text.encode(), "p.csv"), Roles("unit", "time", "y", "w"))
    check = health(panel, ledger)[0]
    assert (check.title, check.verdict) == ("Treated when first seen", "bad")
    assert "1 unit treated already at the first known outcome: 'c'" in check.sentence


def test_what_was_left_out_while_reading_is_repeated():
    ledger = (Entry("dropped", "1 row without any value left out.", 1), Entry("read", "x", 1))
    reading = [
        check.sentence for check in health(block_panel(), ledger) if check.title == "Reading"
    ]
    assert reading == ["1 row without any value left out."]
