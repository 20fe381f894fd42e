"""The simulation page: what it shows, and that its settings stand in the link."""

from __future__ import annotations

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from components.simulation.power import PowerStudy, simulate, stored
from conftest import ROOT


def open_page(page="simulate", **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["v"], app.query_params["data"] = "1", "prop99"
    for word, value in query.items():
        app.query_params[word] = value
    app.run()
    app.switch_page(f"pages/{page}.py")
    return settled(app.run())


def settled(app):
    for _ in range(120):
        if not app.get("progress"):
            break
        time.sleep(0.5)
        app.run()
    assert not app.exception, app.exception[0].message
    return app


def in_link(app, word):
    value = app.query_params[word]
    return value if isinstance(value, str) else value[-1]


def powers(app):
    return [metric.value for metric in app.metric]


def text_of(app):
    parts = [*app.title, *app.markdown, *app.caption, *app.error, *app.info]
    return " ".join(part.value.replace("\\", "") for part in parts)


def expected(curves, effect):
    here = curves[curves["effect"] == effect].set_index("given")["power"]
    return [f"{here[given]:.1%}" for given in ("marginal", "time", "unit", "both")]


def test_the_kept_study_is_shown_with_the_case_without_an_effect():
    app = open_page()
    curves = stored().curves
    curves = curves[curves["kind"] == "two-way"]
    assert powers(app) == expected(curves, 1.5)
    assert [f"{value} without an effect" for value in expected(curves, 0.0)] == [
        metric.delta for metric in app.metric
    ]
    assert "Without an effect the four tests reject" in text_of(app)
    (figure,) = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    low, high = figure["layout"]["yaxis"]["range"]
    assert low <= 0.0
    assert high > 1.0
    assert figure["layout"]["xaxis"]["range"][0] < 0.0


def test_the_settings_of_a_link_give_its_numbers():
    word = "power(kind='unit',units=6,periods=7,largest=2.0,draws=500,seed=3,effect=1.0)"
    study = PowerStudy(("unit",), (0.0, 0.5, 1.0, 1.5, 2.0), 6, 7, 500, seed=3)
    app = open_page(simulate=word)
    assert powers(app) == expected(simulate(study).curves, 1.0)
    assert "500 panels of 6 units by 7 periods, seed 3" in text_of(app)
    again = open_page(simulate=in_link(app, "simulate"))
    assert powers(again) == powers(app)


def test_what_is_set_is_written_into_the_link():
    app = open_page()
    app.number_input(key="power units").set_value(8)
    app.selectbox(key="power draws").set_value(500)
    app.selectbox(key="power largest").set_value(1.0)
    next(button for button in app.button if button.label == "Simulate").click()
    settled(app.run())
    assert in_link(app, "simulate") == "power(units=8,largest=1.0,draws=500,effect=1.0)"
    app.select_slider(key="power effect").set_value(0.0)
    settled(app.run())
    assert "effect=0.0" in in_link(app, "simulate")
    assert {metric.delta for metric in app.metric} == {"false alarms"}
    app.button(key="power usual").click()
    settled(app.run())
    assert "simulate" not in app.query_params


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        ("simulate", "power(units=4)", "units cannot be 4"),
        ("judge", "me", "judge is 'me'"),
        ("check", "fit", "no adjustable check"),
    ],
)
def test_a_setting_that_cannot_be_had_is_told(word, value, said):
    text = text_of(open_page(**{word: value}))
    assert said in text
    assert "before this link" in text


def test_settings_survive_another_page():
    app = open_page(simulate="power(kind='time',effect=2.0)")
    before = powers(app)
    app.switch_page("pages/coverage.py")
    app.run()
    app.switch_page("pages/simulate.py")
    settled(app.run())
    assert powers(app) == before
    assert in_link(app, "simulate") == "power(kind='time',effect=2.0)"


def test_a_world_is_simulated_without_an_effect_first():
    app = open_page(world="study(world='anticipation',effect=1.5,draws=4,seed=2)")
    for _ in range(60):
        if "With an effect of 1.5" in text_of(app):
            break
        time.sleep(0.5)
        app.run()
    text = text_of(app)
    assert text.index("Without an effect, ") < text.index("With an effect of 1.5")
    assert "Treated units react before treatment begins." in text
    figure = json.loads(app.get("plotly_chart")[1].proto.spec)
    assert [trace["name"] for trace in figure["data"]] == ["No effect", "Effect of 1.5"]
    assert in_link(app, "world").startswith("study(world='anticipation'")


def test_no_world_is_simulated_before_one_is_asked_for():
    app = open_page()
    assert len(app.get("plotly_chart")) == 1
    assert "Choose a world and simulate it." in text_of(app)
