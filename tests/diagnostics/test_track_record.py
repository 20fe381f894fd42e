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
