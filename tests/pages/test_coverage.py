"""The page on coverage: what it says is what the kept table holds."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from components.simulation.coverage import stored
from components.simulation.coverage_designs import DESIGNS
from components.simulation.coverage_table import failures, promised
from conftest import ROOT


def open_page(**query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for word, value in query.items():
        app.query_params[word] = value
    app.run()
    app.switch_page("pages/coverage.py")
    app.run()
    assert not app.exception, app.exception[0].message
    assert not app.error
    return app


def text_of(app):
    parts = [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption, *app.info]
    return " ".join(part.value.replace("\\", "") for part in parts)


def dots(app, number=0):
    spec = json.loads(app.get("plotly_chart")[number].proto.spec)
    return sum(len(trace["y"]) for trace in spec["data"] if trace.get("mode") == "markers")


def test_it_begins_with_the_current_choice():
    text = text_of(open_page(v="1", data="prop99", estimator="did", inference="placebo_variance"))
    assert "Your choice: Placebo variance with Difference in differences" in text
    table = stored()
    own = (table["method"] == "placebo_variance") & (table["estimator"] == "did")
    (healthy,) = table[own & (table["design"] == "alike")].to_dict("records")
    assert f"{100 * healthy['coverage']:.1f} ± {100 * healthy['coverage_error']:.1f}%" in text
    (broken,) = table[own & (table["design"] == "noisier")].to_dict("records")
    assert f"{100 * broken['coverage']:.1f} ± {100 * broken['coverage_error']:.1f}%" in text
    assert "“Noise of the treated” shows" in text


def test_a_pair_without_a_row_says_so():
    text = text_of(open_page(v="1", data="prop99", estimator="mc", inference="conditional"))
    assert "no row for this pair" in text


def test_the_filter_shows_each_design():
    app = open_page(v="1", data="prop99")
    judged = promised(stored())
    for design in judged["design"].unique():
        app.selectbox(key="view coverage_design").set_value(design).run()
        assert not app.exception
        rows = judged[(judged["design"] == design) & judged["coverage"].notna()]
        assert dots(app) == len(rows)
        assert DESIGNS[design].text in text_of(app)
    app.selectbox(key="view coverage_design").set_value("all").run()
    assert dots(app) == int(judged["coverage"].notna().sum())
    assert dots(app, 1) == 3 * len(failures(stored()))


@pytest.mark.parametrize("design", ["alike", "long"])
def test_bands_are_shown_where_there_are_any(design):
    app = open_page(v="1", data="prop99")
    app.selectbox(key="view coverage_design").set_value(design).run()
    app.get("button_group")[0].set_value("band").run()
    assert not app.exception
    nothing = "No method on this design has a band" in text_of(app)
    assert nothing == (design == "long")
