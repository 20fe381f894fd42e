"""What a first-time visitor meets: the words follow the data, and odd states say what to do."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from components.analysis import AnalysisSpec
from components.data import Roles, read_table
from components.data.samples import read_sample
from components.ui import cache, state
from conftest import ROOT
from pages.test_pages import chart, open_page, text_of

STATES = sorted(set(read_sample("prop99")["state"]) - {"California"})


def metrics(app):
    return {metric.label.replace("\\", ""): metric.value for metric in app.metric}


def own_table(rows, page="design"):
    """Open a page with a table of one's own, as the data page leaves it."""
    text = "branch,month,visits,open_late\n" + "".join(
        f"{branch},{month},{value},{late}\n" for branch, month, value, late in rows
    )
    table = read_table(text.encode(), "visits.csv")
    tables = cache.Store(4)
    tables.put(f"{table.digest} {table.reading!r}", table)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.session_state[cache.TABLES] = tables
    roles = Roles("branch", "month", "visits", "open_late", reading=table.reading)
    app.session_state[state.SPEC] = AnalysisSpec(f"sha256:{table.digest}", roles)
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def visits(treated_from):
    rng = np.random.default_rng(1)
    return [
        (f"B{i}", f"2023-{t + 1:02d}", round(50 + 5 * i + t + rng.normal(), 1), late)
        for i in range(8)
        for t in range(12)
        for late in [int(i == 4 and t >= treated_from)]
    ]


def test_numbers_have_signs_and_units():
    shown = metrics(open_page("counterfactual", v="1", data="prop99"))
    assert shown["Average effect"] == "−19.5 packs"
    assert shown["Relative"] == "−24.4%"
    assert shown["Fit before 1989"] == "1.66 packs"
    assert all(metric.help for metric in open_page("counterfactual", v="1", data="geo").metric)


@pytest.mark.parametrize("key", ["castle", "staggered"])
def test_no_total_where_a_sum_means_nothing(key):
    assert "Total" not in metrics(open_page("counterfactual", v="1", data=key))


def test_one_date_needs_no_view_by_event_time():
    def views(key):
        app = open_page("counterfactual", v="1", data=key)
        group = next(g for g in app.segmented_control if (g.key or "").startswith("view "))
        return group.options

    assert "By event time" not in views("prop99")
    assert "By event time" in views("staggered")


def test_a_level_that_few_placebos_can_reach_is_offered():
    app = open_page("counterfactual", v="1", data="prop99", drop=STATES[:31])
    assert "There is no 95% interval" in text_of(app)
    level = app.segmented_control(key="level")
    assert level.options == ["85%", "90%", "95%", "99%"]
    level.set_value(0.85).run()
    assert "The 85% interval (two-sided)" in text_of(app)
    assert "at 85%" in text_of(app) or "Cannot tell an effect from none" in text_of(app)


def test_no_other_level_is_offered_where_the_customary_ones_can_be_reached():
    app = open_page("counterfactual", v="1", data="prop99")
    assert app.segmented_control(key="level").options == ["90%", "95%", "99%"]


def test_nothing_treated_yet_asks_for_a_choice_and_does_not_go_on():
    app = own_table([(*row[:3], 0) for row in visits(8)])
    assert not app.error
    assert any("No cell is treated yet" in note.value for note in app.info)
    assert "go on" not in [button.key for button in app.button]
    app.switch_page("pages/method.py").run()
    assert not any("takes more than a moment" in note.value for note in app.info)


def test_treated_from_the_first_period_says_so_above_the_picture():
    app = own_table(visits(0))
    assert "nothing was seen before it" in app.error[0].value
    assert "go on" not in [button.key for button in app.button]
    app.switch_page("pages/counterfactual.py").run()
    assert "nothing was seen before it" in app.error[0].value
    assert "What to do" in app.error[0].value


def test_a_click_sets_a_date_only_where_all_start_together():
    assert "Click a point" in text_of(open_page("design", v="1", data="prop99"))
    assert "Click a point" not in text_of(open_page("design", v="1", data="staggered"))


def test_weights_are_told_step_by_step():
    text = text_of(open_page("weights", v="1", data="prop99", estimator="sdid"))
    assert "27 of 38 donors carry weight" in text
    assert "3 of 19 periods before treatment carry weight" in text
    assert "Donors alike" in text
    assert "Effect −15.6" in text
    text = text_of(open_page("weights", v="1", data="prop99", estimator="did"))
    assert "All 38 donors count the same" in text
    assert "Moved to the level" in text
    assert "Effect −27.3" in text


def test_weights_that_are_not_there_are_not_drawn():
    app = open_page("weights", v="1", data="staggered")
    assert "has no single set of weights in this design" in " ".join(n.value for n in app.info)
    text = text_of(open_page("weights", v="1", data="castle", estimator="callaway_santanna"))
    assert "the last before each adoption" in text


def test_the_method_page_says_what_a_method_leans_on():
    app = open_page("method", v="1", data="prop99", estimator="sdid")
    text = text_of(app)
    assert "Either the weighted donors run parallel" in text
    assert "Given the treated periods, it asks how far donors stray" in text
    table = next(frame.value for frame in app.dataframe if "can_run" in frame.value)
    assert {"donors", "periods", "level", "factors"} <= set(table.columns)


def test_changed_tuning_is_said():
    app = open_page("method", v="1", data="prop99", estimator="sdid(ridge_scale=0.5)")
    assert "Tuning (1 changed)" in [box.label for box in app.expander]
    app = open_page("method", v="1", data="prop99", estimator="sdid")
    assert "Tuning" in [box.label for box in app.expander]


def test_days_and_months_are_written_for_people():
    assert "from 8 Apr 2024 to 28 Apr 2024" in text_of(
        open_page("counterfactual", v="1", data="geo")
    )
    notes = chart(open_page("counterfactual", v="1", data="geo"))["layout"]["annotations"]
    assert notes[0]["text"] == "first treated 8 Apr 2024"
