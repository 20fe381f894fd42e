"""The list of what the server offers, and what may be asked of it."""

from __future__ import annotations

import sys

import pytest

from components.data import sources
from components.data.sources import SourceQuery, list_sources, source_columns
from components.data.sources_rows import needed
from components.errors import DataError
from source_lists import SALES, offer, refusal


def test_nothing_is_offered_unless_the_server_says_so(monkeypatch):
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    assert list_sources() == {}
    assert "offers no source" in refusal(source_columns, "sales").message


def test_the_list_shows_titles_and_neither_paths_nor_addresses(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_URL", "sqlite:///secret.db")
    offer(
        monkeypatch,
        tmp_path,
        sales={"kind": "folder", "title": "Sales", "path": "secret", "rows": 10},
        base={"kind": "sql", "url_variable": "SECRET_URL", "table": "t"},
    )
    offered = list_sources()
    assert [(info.key, info.title, info.kind) for info in offered.values()] == [
        ("sales", "Sales", "folder"),
        ("base", "base", "sql"),
    ]
    assert "secret" not in repr(offered)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[sources.a", "cannot be read"),
        ("other = 1", "holds more"),
        ("[sources.A]\nkind='folder'\npath='x'", "key"),
        ("[sources.a]\nkind='folder'", "path"),
        ("[sources.a]\nkind='folder'\npath=1", "path is no str"),
        ("[sources.a]\nkind='folder'\npath='x'\nrows=0", "not positive"),
        ("[sources.a]\nkind='folder'\npath='x'\nrow=5", "'row'"),
        ("[sources.a]\nkind='web'\npath='x'", "neither"),
        ("[sources.a]\nkind='sql'\nurl='x'", "table or a select"),
        ("[sources.a]\nkind='sql'\ntable='x'", "url"),
        ("[sources.a]\nkind='sql'\ntable='x'\nurl_variable='NOT_SET_HERE'", "not set"),
        ("sources = 3", "holds more"),
    ],
)
def test_a_faulty_list_is_refused_by_name(monkeypatch, tmp_path, text, what):
    (tmp_path / "s.toml").write_text(text)
    monkeypatch.setenv(sources.VARIABLE, str(tmp_path / "s.toml"))
    assert what in refusal(list_sources).message


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"aggregate": "max(1); DROP"}, "There is no"),
        ({"truncation": "hour'"}, "There is no"),
        ({"outcome": None}, "No column"),
        ({"treatment": "shop"}, "twice"),
    ],
)
def test_a_query_asks_for_what_there_is(changes, what):
    with pytest.raises(DataError, match=what):
        SourceQuery(**{**SALES, **changes})


def test_a_query_can_be_written_down():
    query = SourceQuery(**SALES, aggregate="mean", truncation="week")
    assert SourceQuery.from_json(query.to_json()) == query
    for text in (
        "",
        "[]",
        "{}",
        '{"source": "a", "unit": "b", "time": "c", "path": "d"}',
        "[" * 9999,
    ):
        refusal(SourceQuery.from_json, text)


def test_a_missing_package_is_told_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refusal(needed, "psycopg")
    assert "psycopg" in error.message
    assert 'pip install "psycopg[binary]"' in error.hint
