"""The script gives the numbers on screen, and names from data cannot break out of it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

import pandas as pd
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
from components.data import Reading, read_table, to_panel
from components.data.roles import Roles
from components.data.sources import VARIABLE, SourceQuery, read_source
from components.errors import DataError
from components.estimators import SyntheticDID
from components.inference import Conformal, PlaceboInSpace
from conftest import ROOT


def execute(script, folder, *arguments, refused="", **environment):
    path = folder / "analysis.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if refused:
        assert done.returncode == 1
        assert refused in done.stderr
        return {}
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


def test_script_holds_what_was_done_to_the_data_and_checks_it(tmp_path):
    data = b"town;year;y;treated\n" + b"".join(
        f"{town};{year};{k + 0.5 * j + 2 * (k == 0 and j > 3)};{int(k == 0 and j > 3)}\n".encode()
        for k, town in enumerate(("a b", "b", "c", "d"))
        for j, year in enumerate(range(2001, 2009))
    ).replace(b".", b",")
    file = tmp_path / "table.csv"
    file.write_bytes(data + b"Source: own\n")
    table = read_table(file.read_bytes(), "table.csv")
    roles = Roles("town", "year", "y", "treated")
    spec = AnalysisSpec(source=f"sha256:{table.digest}", columns=roles)
    panel, ledger = to_panel(table, roles)
    result = run(spec, panel)
    script = to_script(result, words_of(spec, "table.csv"), "table.csv", ledger)
    assert "1 line below the table left out: 'Source: own'." in script
    assert "read with a decimal comma" in script
    assert execute(script, tmp_path, str(file)) == pytest.approx(result.numbers(), abs=1e-9)
    other = script.replace("1 line below", "2 lines below")
    execute(other, tmp_path, str(file), refused="read in another way than on screen")


def test_script_of_a_source_asks_the_source_again(tmp_path, monkeypatch):
    pytest.importorskip("duckdb", reason="duckdb is not installed: see requirements-sources.txt")
    days = pd.date_range("2020-01-01", periods=90)
    shops = ("north", "south", "east", "west")
    frame = pd.DataFrame(
        {
            "shop": [shop for shop in shops for _ in days],
            "day": [*days] * 4,
            "amount": [k + 0.1 * j for k in range(4) for j in range(90)],
            "late": [int(k == 0 and day.month == 3) for k in range(4) for day in days],
        }
    )
    frame.to_parquet(tmp_path / "sales.parquet")
    listed = tmp_path / "sources.toml"
    listed.write_text('[sources.sales]\nkind = "folder"\npath = "sales.parquet"\n')
    monkeypatch.setenv(VARIABLE, str(listed))
    query = SourceQuery("sales", "shop", "day", "amount", "late", truncation="week")
    with pytest.raises(DataError, match="more than one value of 'late'"):
        read_source(query)
    query = SourceQuery("sales", "shop", "day", "amount", "late", truncation="month")
    table = read_source(query)
    roles = Roles("shop", "day", "amount", "late", reading=Reading(query=query))
    spec = AnalysisSpec(source=f"sha256:{table.digest}", columns=roles, inference=None)
    panel, ledger = to_panel(table, roles)
    result = run(spec, panel)
    script = to_script(result, words_of(spec, table.name), table.name, ledger)
    assert "SourceQuery(" in script
    numbers = execute(script, tmp_path, **{VARIABLE: str(listed)})
    assert numbers == pytest.approx(result.numbers(), abs=1e-9)
    frame.assign(amount=1.0).to_parquet(tmp_path / "sales.parquet")
    execute(script, tmp_path, refused="no longer gives the rows", **{VARIABLE: str(listed)})
