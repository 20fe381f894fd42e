"""Verdict, honesty meter and refusals on screen, without a browser."""

from __future__ import annotations

import json
import time

from components.inference import METHODS
from pages.test_pages import open_page, text_of


def test_the_verdict_follows_the_margin():
    app = open_page("counterfactual", v="1", data="prop99")
    assert "Cannot tell an effect from none" in text_of(app)
    field = next(f for f in app.number_input if f.key and f.key.startswith("margin"))
    field.set_value(60.0).run()
    assert "Nothing larger than 53.7 packs" in text_of(app)
    assert "within the 60.0 packs that matter" in text_of(app)


def test_the_meter_counts_and_recalibrates():
    app = open_page(
        "counterfactual", v="1", data="prop99", estimator="sdid", inference="placebo_variance"
    )
    for _ in range(120):
        if "Nominal 95%" in text_of(app):
            break
        time.sleep(0.5)
        app.run()
    assert "Nominal 95%, here 97% over 38 placebos (Monte Carlo error" in text_of(app)
    assert "Each of the 38 never-treated states in turn" in text_of(app)
    assert "Placebo variance: p = 0.104" in text_of(app)
    app.toggle(key="recalibrate").set_value(True).run()
    assert not app.exception
    assert "Placebo variance, recalibrated: p" in text_of(app)
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert spec["data"]


def test_placebo_in_space_says_that_the_count_is_no_news():
    text = text_of(open_page("counterfactual", v="1", data="prop99"))
    assert "itself made from placebos of this panel" in text


def test_draws_and_seed_are_said():
    text = text_of(open_page("counterfactual", v="1", data="castle", seed="3"))
    assert "Random draws: 1,999, seed 3" in text


def test_every_method_says_whether_it_applies():
    app = open_page("method", v="1", data="castle")
    table = next(frame.value for frame in app.dataframe if "applies" in frame.value)
    assert len(table) == len(METHODS)
    assert table["applies"].sum() == 5
    assert (table.loc[~table["applies"], "why_not"].str.len() > 30).all()
    assert "Cluster-robust t intervals with one or a few treated units" in text_of(app)
