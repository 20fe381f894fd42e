"""Influence, specifications and what changed: from every sample, and by their buttons."""

from __future__ import annotations

import time

import pytest

from components.data import SAMPLES
from pages.test_pages import chart, open_page, text_of

WAIT = 120


def until(app, *keys):
    """Run a page anew until it has one of some buttons, as the browser does while a job runs."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if any(one.key in keys for one in app.button) or app.error:
            return
        time.sleep(0.2)
        app.run()


@pytest.mark.parametrize("page", ["influence", "changes"])
@pytest.mark.parametrize("key", SAMPLES)
def test_both_pages_open_for_every_sample(page, key):
    app = open_page(page, v="1", data=key)
    assert not app.error, app.error[0].value
    assert SAMPLES[key].title in text_of(app)


@pytest.mark.parametrize("key", ["prop99", "geo"])
def test_the_curve_opens_where_it_is_quick(key):
    app = open_page("specifications", v="1", data=key)
    assert not app.error, app.error[0].value
    assert "768 ways to set this analysis up" in text_of(app)
    names = [trace.get("name") for trace in chart(app)["data"]]
    assert "The declared one" in names


def test_the_map_has_a_point_for_every_cell_and_rings_the_odd_one():
    app = open_page("influence", v="1", data="prop99")
    figure = chart(app)
    assert len(figure["data"][-1]["text"]) == 39 * 31
    (ring,) = [
        trace for trace in figure["data"] if trace.get("marker", {}).get("symbol") == "circle-open"
    ]
    assert ring["y"] == ["Minnesota"]
    assert "Minnesota, 1971 is 116.4" in text_of(app)


def test_a_click_shows_the_cell_and_a_button_replaces_it():
    app = open_page("influence", v="1", data="prop99")
    figure = chart(app)
    place = figure["data"][0]["y"].index("Montana") * 31 + 18
    point = {"point_index": place, "curve_number": len(figure["data"]) - 1}
    app.session_state["influence map"] = {
        "selection": {"points": [point], "point_indices": [place], "box": [], "lasso": []}
    }
    app.selectbox(key="influence unit").select("Montana")
    app.selectbox(key="influence period").select("1988").run()
    assert "Montana, 1988: 87.1 packs." in text_of(app)
    assert "is −18.97 instead of −19.51" in text_of(app)
    app.button(key="replace cell").click().run()
    assert app.query_params["smooth"] in ("1988|Montana", ["1988|Montana"])
    assert "is now −18.97 packs; before the last change it was −19.51" in text_of(app)
    assert "1 cell replaced" in text_of(app)
    app.button(key="undo 0").click().run()
    assert "smooth" not in app.query_params


def test_all_that_a_change_did_is_one_click_away():
    app = open_page("influence", v="1", data="prop99")
    app.button(key="replace cell").click().run()
    assert "It follows its neighbours already" in text_of(app)
    assert app.button(key="replace cell").disabled
    app.button(key="see changes").click().run(timeout=WAIT)
    (kept,) = app.session_state["kept runs"]
    assert kept.note == "before a change on the influence page"
    assert kept.spec.smoothed == ()
    assert kept.result.estimate.att == pytest.approx(-19.5136, abs=1e-3)


def test_the_map_of_a_method_that_refits_comes_in_and_can_be_stopped():
    app = open_page("influence", v="1", data="prop99", estimator="mc", inference="none")
    until(app, "cancel map")
    assert not app.error
    assert "of 1,209 cells are in the map" in app.get("progress")[0].proto.text
    assert "takes tables with gaps" in text_of(app)
    app.button(key="cancel map").click().run()
    assert "The map was stopped" in text_of(app)
    assert "Minnesota, 1971 is 116.4" in text_of(app)
    app.button(key="resume map").click().run()
    assert "The map was stopped" not in text_of(app)
    app.button(key="cancel map").click().run()
    app.button(key="leave cell out").click().run()
    assert app.query_params["blank"] in ("1971|Minnesota", ["1971|Minnesota"])
    until(app, "cancel map")
    app.button(key="cancel map").click().run()
    app.selectbox(key="estimator switch").select("sc").run()
    assert "needs a complete table" in app.error[0].value
    app.button(key="smooth 0").click().run()
    assert not app.error
    assert "1 cell replaced" in text_of(app)
    app.button(key="undo 0").click().run()
    assert not {"smooth", "blank"} & set(app.query_params)


@pytest.mark.parametrize("key", ["castle", "onoff"])
def test_the_curve_is_there_without_a_single_date(key):
    app = open_page("specifications", v="1", data=key)
    until(app, "fit placebo curves")
    assert not app.error, app.error[0].value
    assert "ways to set this analysis up" in text_of(app)
    assert "each path whole, in 99 ways drawn at random" in text_of(app)
    assert app.button(key="fit placebo curves").label == "Fit the placebo curves"


def test_unit_and_period_are_left_out_and_put_back():
    app = open_page("influence", v="1", data="prop99", estimator="did")
    app.selectbox(key="influence unit").select("Utah").run()
    app.button(key="leave cell out").click().run()
    app.button(key="leave unit out").click().run()
    app.button(key="leave period out").click().run()
    assert {"blank", "drop", "skip"} <= set(app.query_params)
    assert not app.error
    app.button(key="undo all").click().run()
    assert not {"blank", "drop", "skip"} & set(app.query_params)


def test_the_only_treated_unit_cannot_be_left_out():
    app = open_page("influence", v="1", data="prop99")
    app.selectbox(key="influence unit").select("California").run()
    assert app.button(key="leave unit out").disabled


def test_a_link_that_leaves_too_much_out_says_so_and_offers_the_way_back():
    app = open_page(
        "influence", v="1", data="prop99", skip=[str(year) for year in range(1970, 1989)]
    )
    assert "What to do" in app.error[0].value
    app.button(key="undo all").click().run()
    assert not app.error


def test_equal_fits_follow_the_margin():
    app = open_page("influence", v="1", data="prop99")
    assert "effects from −20.85 to −18.04" in text_of(app)
    app.select_slider(key="equal margin").set_value(0.0).run()
    assert "effects from −19.51 to −19.51" in text_of(app)
    did = open_page("influence", v="1", data="prop99", estimator="did")
    assert "does not weight donors" in text_of(did)


def test_a_run_is_kept_and_compared_with_the_next():
    app = open_page("changes", v="1", data="prop99")
    assert "Nothing is kept yet" in text_of(app)
    app.text_input(key="run note").input("first look")
    app.button(key="keep").click().run()
    app.selectbox(key="estimator switch").select("did").run()
    text = text_of(app)
    assert "The typical gap before treatment grew from 1.656 to 6.974" in text
    assert "only the estimator differs" in text
    assert "first look" in str(app.selectbox(key="run before").options)
    settings = app.dataframe[0].value
    assert settings.to_numpy().tolist() == [
        ["estimator", "Synthetic control", "Difference in differences"]
    ]


def test_a_link_is_compared_and_a_wrong_one_is_named():
    app = open_page("changes", v="1", data="prop99")
    app.text_input(key="pasted link").input("http://x.org/weights?v=1&data=prop99&colour=red")
    app.button(key="add").click().run()
    assert "colour" in app.error[0].value
    app.text_input(key="pasted link").input("http://x.org/weights?v=1&data=prop99&drop=Utah")
    app.button(key="add").click().run(timeout=WAIT)
    assert "1 unit is new: Utah." in text_of(app)
