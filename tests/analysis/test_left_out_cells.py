"""Periods and cells that an analysis leaves out: in the spec, the link and the script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.test_link import through
from analysis.test_run import spec_for_tests
from analysis.test_script import execute
from components.analysis import (
    from_query,
    load_table,
    prepare,
    run,
    sample_spec,
    to_query,
    to_script,
    words_of,
)
from components.analysis.words import summary
from components.data import to_panel
from components.diagnostics.cell_moves import cell_moves
from components.errors import DesignError, SpecError
from components.estimators import ESTIMATORS, DifferenceInDifferences
from components.panel import period_label, unit_label
from panels import block_panel

PERIODS = st.sampled_from(["1989", "2016Q3", "2021-04-01", "2021-04-01 06:00:00"])
CELLS = st.lists(st.tuples(st.text(max_size=12), PERIODS), max_size=3).map(tuple)


@given(blanked=CELLS, smoothed=CELLS, skipped=st.lists(st.text(max_size=9), max_size=3).map(tuple))
def test_they_survive_the_address_bar(blanked, smoothed, skipped):
    changes = {"blanked": blanked, "smoothed": smoothed, "skipped": skipped}
    spec = sample_spec("prop99").with_(**changes)
    assert through(spec) == spec


def test_links_from_before_are_read_as_they_were():
    old = {"v": ["1"], "data": ["prop99"], "drop": ["Utah"], "level": ["0.9"]}
    spec = from_query(old)
    assert (spec.dropped, spec.level) == (("Utah",), 0.9)
    assert (spec.skipped, spec.blanked, spec.smoothed) == ((), (), ())
    assert to_query(spec) == {"v": "1", "data": "prop99", "drop": ["Utah"], "level": "0.9"}


def test_a_cell_that_is_none_is_named():
    with pytest.raises(SpecError, match="names no cell"):
        from_query({"data": ["prop99"], "blank": ["1988"]})


def test_periods_and_cells_are_left_out():
    panel = block_panel()
    spec = spec_for_tests(
        skipped=("2003", "2012"), blanked=(("unit 04", "2001"),), dropped=("unit 07",)
    )
    done = prepare(spec, panel)
    assert done.shape == (11, 13)
    assert "2003" not in map(period_label, done.periods)
    assert np.argwhere(~done.observed).tolist() == [[4, 1]]


@pytest.mark.parametrize("key", ["sc", "sc_intercept", "sdid", "did"])
def test_the_refit_after_a_click_gives_the_number_that_the_map_promised(key):
    panel = block_panel()
    spec = spec_for_tests(estimator=ESTIMATORS[key](), inference=None)
    estimate = run(spec, panel).estimate
    moves = cell_moves(estimate)
    field = "blanked" if moves.mode == "left out" else "smoothed"
    for row, column in ((0, 3), (0, 12), (5, 4), (8, 13)):
        cell = (unit_label(panel.units[row]), period_label(panel.periods[column]))
        changed = run(spec.with_(**{field: (cell,)}), panel).estimate
        assert changed.att - estimate.att == pytest.approx(moves.dropped[row, column], abs=1e-8)


def test_cells_of_units_that_are_out_say_nothing():
    panel = block_panel()
    cells = (("unit 04", "2001"),)
    one = prepare(spec_for_tests(dropped=("unit 04",), smoothed=cells, blanked=cells), panel)
    two = prepare(spec_for_tests(dropped=("unit 04",)), panel)
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"skipped": ("1999",)}, SpecError, "no period '1999'"),
        ({"blanked": (("Atlantis", "2001"),)}, SpecError, "no unit 'Atlantis'"),
        ({"smoothed": (("unit 01", "1066"),)}, SpecError, "no period '1066'"),
        ({"skipped": tuple(map(str, range(2000, 2015)))}, DesignError, "Every period"),
        ({"smoothed": (("unit 00", "2014"),), "window": ("2005", "2014")}, None, ""),
        (
            {"smoothed": (("unit 00", "2014"),), "skipped": ("2010", "2011", "2012")},
            DesignError,
            "too few neighbours",
        ),
    ],
)
def test_what_cannot_be_is_named(changes, error, words):
    panel = block_panel()
    if error is None:
        assert prepare(spec_for_tests(**changes), panel).shape == (12, 10)
        return
    with pytest.raises(error, match=words) as caught:
        prepare(spec_for_tests(**changes), panel)
    assert caught.value.hint


def test_the_script_gives_the_same_numbers(tmp_path):
    spec = sample_spec("prop99").with_(
        smoothed=(("Montana", "1988"), ("Utah", "1980")), skipped=("1975",), dropped=("Texas",)
    )
    result = run(spec, to_panel(load_table(spec.source), spec.columns)[0])
    script = to_script(result, words_of(spec), "")
    assert execute(script, tmp_path) == pytest.approx(result.numbers(), abs=1e-9)
    assert result.estimate.att != pytest.approx(-19.5136, abs=1e-3)


def test_the_line_on_every_page_counts_them():
    panel = block_panel()
    spec = spec_for_tests(
        estimator=DifferenceInDifferences(),
        skipped=("2003",),
        blanked=(("unit 04", "2001"), ("unit 05", "2001")),
        smoothed=(("unit 06", "2001"),),
    )
    line = summary(spec, prepare(spec, panel), words_of(spec))
    assert line.endswith("1 period left out · 2 cells not used · 1 cell replaced")
