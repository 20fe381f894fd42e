"""The committed record of the warnings, and the script that makes it."""

from __future__ import annotations

import importlib.util

import pandas as pd
import pytest

from components.diagnostics import DIAGNOSTICS
from components.diagnostics.track_record import PLANTED, in_words, stored
from conftest import ROOT

LOOKED_FOR = [(world, target) for world, (_, target) in PLANTED.items() if target]
# The setup in which each fault is one: synthetic DID takes levels off, and placebo in space with
# the scaled gap measures each unit by its own fit.
SETUP = {"noisier treated unit": "sdid"}


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("study", ROOT / "docs" / "make_track_record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def share(table, setup, world, key):
    rows = table[(table["setup"] == setup) & (table["world"] == world) & (table["key"] == key)]
    return float(rows["flagged"].iloc[0])


@pytest.mark.parametrize(("world", "key"), LOOKED_FOR)
def test_each_planted_fault_is_found_in_nine_of_ten_panels(world, key):
    setup = SETUP.get(world, "sc")
    table = stored()
    assert share(table, setup, world, key) >= 0.9
    assert share(table, setup, "healthy", key) <= 0.12


def test_the_record_names_diagnostics_that_exist():
    table = stored()
    assert set(table["key"]) <= set(DIAGNOSTICS)
    assert set(table["world"]) == set(PLANTED)
    assert (table["draws"] >= 100).all()
    assert table["mc_error"].between(0.0, 0.06).all()


@pytest.mark.parametrize("key", DIAGNOSTICS)
@pytest.mark.parametrize("estimator", ["sc", "sdid", "did", "mc"])
def test_the_record_is_told_in_words(key, estimator):
    text = in_words(stored(), key, estimator)
    assert text.startswith(("Flags ", "How often"))
    assert "nan" not in text
    if key in {target for _, target in LOOKED_FOR}:
        assert "with this fault" in text


def test_the_record_is_that_of_the_study(study):
    """Panels drawn anew give the verdicts that the table counts, in a few draws."""
    rows = [
        row for number in range(4) for row in study.verdicts("sc", "contaminated donor", number)
    ]
    table = pd.DataFrame(rows, columns=["setup", "world", "draw", "key", "verdict"])
    found = study.shares(table)
    assert share(found, "sc", "contaminated donor", "contamination") >= 0.75
    again = [
        row for number in range(4) for row in study.verdicts("sc", "contaminated donor", number)
    ]
    assert rows == again


def test_the_page_of_the_record_holds_the_table():
    text = (ROOT / "docs" / "track_record.md").read_text(encoding="utf-8")
    table = stored()
    for world, key in LOOKED_FOR:
        value = share(table, "sc", world, key)
        assert f"**{100 * value:.0f} (" in text
        assert DIAGNOSTICS[key].card.title in text


def test_lines_made_anew_take_the_place_of_the_old(study):
    kept = stored()
    new = kept[kept["key"].isin(["trends", "honest"])].assign(flagged=0.123)
    added = new.iloc[:1].assign(key="new one")
    table = study.merged(kept, pd.concat([new, added])).reset_index(drop=True)
    assert len(table) == len(kept) + 1
    changed = table["flagged"].to_numpy()[:-1] != kept["flagged"].to_numpy()
    assert set(table["key"][:-1][changed]) <= {"trends", "honest"}
    assert (table["flagged"][table["key"].isin(["trends", "honest"])] == 0.123).all()
    pd.testing.assert_frame_equal(
        table.iloc[:-1][["setup", "world", "key"]], kept[["setup", "world", "key"]]
    )


def test_some_warnings_alone_say_what_they_say_among_all(study):
    all_of_them = study.verdicts("did, 8 treated", "healthy", 3)
    some = study.verdicts("did, 8 treated", "healthy", 3, ("trends", "few_treated"))
    assert some == [row for row in all_of_them if row[3] in ("trends", "few_treated")]
    assert len(some) == 2


def test_honest_bounds_seldom_flag_sound_panels():
    assert share(stored(), "did, 8 treated", "healthy", "honest") <= 0.1
