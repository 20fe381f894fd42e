"""Influence, specifications and what changed: from every sample, and by their buttons."""

from __future__ import annotations

import pytest

from components.data import SAMPLES
from pages.test_pages import chart, open_page, text_of

WAIT = 120


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
