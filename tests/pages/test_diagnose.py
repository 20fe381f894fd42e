"""The page that argues with the analyst, without a browser."""

from __future__ import annotations

import json
import time

import pytest
from streamlit.testing.v1 import AppTest

from components.data import SAMPLES
from conftest import ROOT


def open_page(page="diagnose", **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for word, value in query.items():
        app.query_params[word] = value
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.run()
    for _ in range(120):  # where a process has not come back with the result yet
        if app.title and not app.get("progress"):
            break
        time.sleep(0.5)
        app.run()
    assert not app.exception, app.exception[0].message
    return app


def text_of(app):
    parts = [*app.title, *app.markdown, *app.caption, *app.info, *app.error]
    return " ".join(part.value.replace("\\", "") for part in parts)


def behind(app, key):
    """Open what lies behind a card."""
    app.session_state[f"behind {key}"] = True
    app.run()
    assert not app.exception, app.exception[0].message
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("key", SAMPLES)
def test_it_says_what_it_found_for_every_sample(key):
    app = open_page(v="1", data=key)
    assert not app.error
    text = text_of(app)
    assert app.title[0].value == "Can I trust it?"
    counts = next(part.value for part in app.markdown if " good" in part.value)
    assert counts.startswith("**")
    assert "Each check tries to break the result" in text
    assert not app.get("plotly_chart")  # nothing is drawn before somebody asks


def test_failures_come_first_and_say_what_to_do():
    app = open_page(v="1", data="prop99")
    badges = [part.value for part in app.markdown if "-badge[" in part.value]
    words = ["Problem", "Caution", "Cannot tell", "Good"]
    order = [next(i for i, word in enumerate(words) if word in badge) for badge in badges]
    assert order == sorted(order)
    text = text_of(app)
    assert "rank 3 of 39 (p = 0.077)" in text
    advised = text.count("What to do:")
    assert advised >= sum(place < 2 for place in order)


def test_a_figure_lies_behind_each_click():
    app = open_page(v="1", data="prop99")
    drawn = (
        "fit", "support", "trends", "anticipation", "backdating", "placebo_units", "contamination",
        "leave_donor_out", "concentration", "noise", "autocorrelation",
    )  # fmt: skip
    for key in drawn:
        app.session_state[f"behind {key}"] = True
    app.run()
    assert not app.exception, app.exception[0].message
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert len(figures) == len(drawn)
    assert all(figure["data"] for figure in figures)


def test_every_line_of_the_leave_one_out_figure_is_named():
    app = open_page(v="1", data="prop99")
    (figure,) = behind(app, "leave_donor_out")
    names = [trace["name"] for trace in figure["data"]]
    assert {"Observed", "Counterfactual with all"} < set(names)
    without = [name for name in names if name.startswith("without ")]
    assert len(without) == 6
    assert {note["text"].strip() for note in figure["layout"]["annotations"]} == set(without)


def test_the_date_moves():
    app = open_page(v="1", data="prop99")
    slider = next(one for one in app.select_slider if one.label == "As if first treated")
    assert "treated from 1983 on" in text_of(app)
    slider.set_value(9).run()
    assert not app.exception
    assert "treated from 1980 on" in text_of(app)


def test_badly_fitting_placebos_are_left_out_and_counted():
    app = open_page(v="1", data="prop99")
    control = next(one for one in app.get("button_group") if "Placebos whose" in one.label)
    control.set_value(2.0).run()
    assert not app.exception
    assert "placebo units with more than 2 times its MSPE before treatment are left out" in text_of(
        app
    )


def test_what_is_not_looked_at_has_a_reason():
    app = open_page(v="1", data="prop99")
    text = text_of(app)
    assert "Synthetic control does not rest on parallel trends" in text
    assert "One outcome is looked at." in text


def test_several_outcomes_can_be_declared():
    app = open_page(v="1", data="prop99")
    field = next(one for one in app.number_input if one.label == "Outcomes that you look at")
    field.set_value(5).run()
    assert not app.exception
    assert "among 5 that counts as" in text_of(app)


def test_outcomes_are_counted_from_the_table_and_can_be_changed():
    app = open_page(v="1", data="texas")
    text = text_of(app)
    assert "another column that could be an outcome (white_men_in_prison)" in text
    assert "among 2 that counts as" in text
    field = app.number_input(key="set multiplicity")
    assert field.value == 2
    field.set_value(1).run()
    assert "One outcome is looked at." in text_of(app)
    assert app.query_params["check"] in ("multiplicity", ["multiplicity"])
    app.number_input(key="set multiplicity").set_value(2).run()
    assert "among 2 that counts as" in text_of(app)
    assert "check" not in app.query_params


def test_what_is_set_stands_in_the_link_and_is_taken_from_it():
    app = open_page(v="1", data="prop99")
    next(one for one in app.select_slider if one.label == "As if first treated").set_value(9).run()
    app.toggle[0].set_value(True).run()
    words = app.query_params["check"]
    assert words == ["backdating(periods=9)", "leave_donor_out(every=True)"]
    again = open_page(v="1", data="prop99", check=words)
    assert text_of(again) == text_of(app)
    assert again.toggle[0].value


def test_a_date_that_the_panel_does_not_have_is_refused_with_the_way_back():
    app = open_page(v="1", data="prop99", check=["backdating(periods=40)"])
    assert "With the date 40 periods earlier" in text_of(app)
    app.button(key="usual backdating").click().run()
    assert "treated from 1983 on" in text_of(app)
    assert "check" not in app.query_params


def test_dates_do_not_go_over_to_another_table():
    app = open_page(v="1", data="prop99", check=["backdating(periods=9)"])
    app.switch_page("pages/data.py")
    app.run()
    app.selectbox(key="sample field").set_value("texas").run()
    assert "check" not in app.query_params


def test_the_strip_says_the_worst_of_the_quick_checks(monkeypatch):
    def page():
        import streamlit as st

        from components.analysis import words_of
        from components.analysis.spec import sample_spec
        from components.ui import cache, findings

        st.page_link = lambda *_, label, **__: st.text(label)
        spec = sample_spec("texas")
        findings.strip(cache.result_of(spec), words_of(spec))

    monkeypatch.setattr("streamlit.page_link", None)
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception, app.exception[0].message
    text = text_of(app)
    assert "quick checks of Texas" in text
    assert "Look first at: balance of covariates." in text
    assert app.text[0].value == "Can I trust it?"


def test_names_from_data_stay_text():
    app = open_page(v="1", data="geo")
    assert "<" not in "".join(part.value for part in app.markdown if "badge" not in part.value)
