"""The part of the data page that reads the server's own tables."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from components.data import sources


def page() -> None:
    import streamlit as st

    from components.ui.sources import source_section

    table = source_section()
    if table is not None:
        st.text(f"{len(table.text)} rows of {table.name}, columns {table.columns}")


@pytest.fixture
def app(monkeypatch, tmp_path):
    days = pd.date_range("2020-01-01", periods=60)
    frame = pd.DataFrame(
        {"amount": 1.5, "day": [*days, *days], "shop": ["*a*"] * 60 + ["b"] * 60, "post": 0}
    )
    frame.to_parquet(tmp_path / "sales.parquet")
    lines = ["[sources.sales]", 'kind = "folder"', f"path = {json.dumps('sales.parquet')}"]
    (tmp_path / "sources.toml").write_text("\n".join([*lines, 'title = "My *sales*"']))
    monkeypatch.setenv(sources.VARIABLE, str(tmp_path / "sources.toml"))
    return AppTest.from_function(page, default_timeout=60).run()


def test_nothing_is_shown_where_nothing_is_offered(monkeypatch):
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert not app.subheader
    assert not app.selectbox


def test_a_faulty_list_is_told(monkeypatch, tmp_path):
    (tmp_path / "sources.toml").write_text("[sources.a]\nkind = 3")
    monkeypatch.setenv(sources.VARIABLE, str(tmp_path / "sources.toml"))
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert "not understood" in app.error[0].value


def test_a_source_is_chosen_and_read(app):
    pytest.importorskip("duckdb", reason="duckdb is not installed: see requirements-sources.txt")
    assert not app.exception
    assert [box.label for box in app.selectbox] == ["Source"]
    app.selectbox(key="source").select("sales").run()
    assert not app.exception
    chosen = {box.label: box.value for box in app.selectbox}
    assert (chosen["Unit"], chosen["Time"], chosen["Outcome"]) == ("shop", "day", "amount")
    assert chosen["Periods are"] == "day"
    assert not app.text
    app.selectbox(key="source by sales").select("month").run()
    app.button(key="read source").click().run()
    assert not app.exception
    assert app.text[0].value == "4 rows of My *sales*, columns ('shop', 'day', 'amount')"
    app.run()
    assert app.text
    app.selectbox(key="source how sales").select("mean").run()
    assert not app.text


def test_a_refusal_is_told(app):
    pytest.importorskip("duckdb", reason="duckdb is not installed: see requirements-sources.txt")
    app.selectbox(key="source").select("sales").run()
    app.selectbox(key="source outcome sales").select("shop").run()
    app.selectbox(key="source unit sales").select("amount").run()
    app.button(key="read source").click().run()
    assert not app.exception
    assert "no plain number" in app.error[0].value.replace("\\", "")


def reopening() -> None:
    import streamlit as st

    from components.data.sources import SourceQuery
    from components.ui.sources import reopen

    key = st.session_state["which"]
    table = reopen(SourceQuery(key, "shop", "day", "amount", "post", truncation="month"))
    if table is not None:
        st.text(f"{len(table.text)} rows, {table.reading.query.truncation}")


def test_a_link_reopens_its_source(app):
    pytest.importorskip("duckdb", reason="duckdb is not installed: see requirements-sources.txt")
    page = AppTest.from_function(reopening, default_timeout=60)
    page.session_state["which"] = "sales"
    page.run()
    assert "My" in page.markdown[0].value
    assert not page.text
    page.button(key="reopen source").click().run()
    assert not page.exception
    assert page.text[0].value == "4 rows, month"


def test_a_link_to_the_source_of_another_server_is_told(app):
    page = AppTest.from_function(reopening, default_timeout=60)
    page.session_state["which"] = "elsewhere"
    page.run()
    assert not page.exception
    assert "does not offer it" in page.warning[0].value
    assert not page.button
