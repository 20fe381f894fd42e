"""Every page from every sample, without a browser: what is on it is true of the data."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from components.data import SAMPLES
from conftest import ROOT

PAGES = (
    "start",
    "data",
    "design",
    "method",
    "weights",
    "counterfactual",
    "diagnose",
    "influence",
    "specifications",
    "changes",
    "compare",
    "simulate",
    "coverage",
)


def open_page(page="start", **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for word, value in query.items():
        app.query_params[word] = value
    app.run()
    if page != "start":
        app.switch_page(f"pages/{page}.py")
        app.run()
    assert not app.exception, app.exception[0].message
    return app


def text_of(app):
    parts = [*app.title, *app.header, *app.markdown, *app.caption, *app.info, *app.error]
    return " ".join(part.value.replace("\\\\", "").replace("\\", "") for part in parts)


def chart(app, number=0):
    return json.loads(app.get("plotly_chart")[number].proto.spec)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", SAMPLES)
def test_every_page_opens_for_every_sample(page, key):
    app = open_page(page, v="1", data=key)
    assert not app.error, app.error[0].value
    if page not in {"start", "data", "simulate", "coverage"}:
        assert SAMPLES[key].title in text_of(app)


def test_start_shows_the_finished_result():
    app = open_page()
    assert "19.5 packs lower than synthetic California" in text_of(app)
    names = [trace.get("name") for trace in chart(app)["data"]]
    assert "Synthetic California" in names
    assert "California (observed)" in names


def test_chart_follows_its_conventions():
    figure = chart(open_page("counterfactual", v="1", data="prop99"))
    traces = {trace["name"]: trace for trace in figure["data"] if "name" in trace}
    assert traces["Synthetic California"]["line"]["dash"] == "dash"
    assert traces["California (observed)"]["line"]["dash"] == "solid"
    onset = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert any(shape["x0"] == 1989 and shape["line"]["dash"] == "dot" for shape in onset)
    band = traces["95% band, pointwise"]
    assert min(band["x"]) == 1989


def test_a_link_is_followed():
    app = open_page("counterfactual", v="1", data="prop99", estimator="sdid", level="0.9")
    text = text_of(app)
    assert "15.6 packs lower" in text
    assert "90%" in text


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"data": "prop99", "colour": "red"}, "colour"),
        ({"data": "nowhere"}, "nowhere"),
        ({"data": "prop99", "drop": "Atlantis"}, "Atlantis"),
    ],
)
def test_what_a_link_gets_wrong_is_named(query, word):
    app = open_page("counterfactual", v="1", **query)
    assert word in app.error[0].value
    assert "What to do" in app.error[0].value


def test_a_level_beyond_what_the_placebos_can_say():
    app = open_page("counterfactual", v="1", data="prop99", level="0.99")
    assert "There is no 99% interval" in text_of(app)
    assert any("38 placebos" in note.value for note in app.info)


def test_changing_the_estimator_changes_the_numbers_and_the_link():
    app = open_page("counterfactual", v="1", data="prop99")
    app.selectbox(key="estimator switch").select("did").run()
    assert "27.3 packs lower" in text_of(app)
    assert app.query_params["estimator"] in ("did", ["did"])


def test_tuning_fields_are_made_from_the_dataclass():
    app = open_page("method", v="1", data="prop99", estimator="sdid")
    field = next(f for f in app.number_input if "ridge_scale" in (f.key or ""))
    assert field.value == 1.0
    field.set_value(0.5).run()
    assert "ridge_scale=0.5" in str(app.query_params["estimator"])


def test_treatment_by_hand():
    app = open_page("design", v="1", data="prop99", treated="Utah", **{"from": "1985"})
    assert "Utah: last untreated 1984, first treated 1985." in text_of(app)
    app.selectbox(key="first treated").select("1980").run()
    assert "last untreated 1979, first treated 1980" in text_of(app)


def test_an_option_that_does_not_fit_is_refused_and_nothing_changes():
    app = open_page("method", v="1", data="prop99", estimator="sc(solver='frank_wolfe')")
    field = next(f for f in app.number_input if "pairwise_penalty" in (f.key or ""))
    field.set_value(1.0).run()
    assert not app.exception
    assert "stays as it was" in app.error[0].value
    assert app.query_params["estimator"] in (
        "sc(solver='frank_wolfe')",
        ["sc(solver='frank_wolfe')"],
    )
