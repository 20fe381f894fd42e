"""The script gives the numbers on screen, and names from data cannot break out of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from components.analysis import (
    AnalysisSpec,
    Treatment,
    load_table,
    run,
    sample_spec,
    to_script,
    words_of,
)
from components.data import read_table, to_panel
from components.data.roles import Roles
from components.estimators import SyntheticDID
from components.inference import Conformal, PlaceboInSpace
from conftest import ROOT


def execute(script, folder, *arguments):
    path = folder / "analysis.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.JSONDecoder().raw_decode(done.stdout)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"estimator": SyntheticDID(ridge_scale=2.0), "level": 0.9, "dropped": ("Utah",)},
        {
            "treatment": Treatment(("Utah", "Nevada"), "1985"),
            "window": ("1972", "1995"),
            "inference": PlaceboInSpace(statistic="gap"),
        },
        {"inference": Conformal(n_grid=21)},
    ],
    ids=["as it opens", "tuned", "by hand", "conformal"],
)
def test_script_of_a_sample_gives_the_same_numbers(changes, tmp_path):
    spec = sample_spec("prop99").with_(**changes)
    result = run(spec, to_panel(load_table(spec.source), spec.columns)[0])
    script = to_script(result, words_of(spec), "")
    assert execute(script, tmp_path) == pytest.approx(result.numbers(), abs=1e-9)


def test_script_of_a_file_checks_that_it_is_the_same_file(tmp_path):
    data = (ROOT / "sample_data" / "prop99.csv").read_bytes()
    name = 'my """table\\.csv'
    table = read_table(data, name)
    roles = Roles("state", "year", "packs_per_capita", "treated")
    spec = AnalysisSpec(source=f"sha256:{table.digest}", columns=roles)
    result = run(spec, to_panel(table, roles)[0])
    script = to_script(result, words_of(spec, name), name)
    ast.parse(script)
    file = tmp_path / "copy.csv"
    file.write_bytes(data)
    assert execute(script, tmp_path, str(file)) == pytest.approx(result.numbers(), abs=1e-9)
    file.write_bytes(data.replace(b"89.8", b"89.9"))
    with pytest.raises(AssertionError, match="is not the file of this analysis"):
        execute(script, tmp_path, str(file))
