"""Forest, overlay, weights side by side, and the dots of the leaderboard."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from components.analysis import Words
from components.analysis.entrants import Contest, Entrant
from components.charts import forest as charts
from components.charts import leaderboard
from components.charts.theme import DARK, LIGHT
from components.estimators import ESTIMATORS
from panels import block_panel

WORDS = Words("Test", "sales <b>", "euros", ("shop", "shops"))


@pytest.fixture(scope="module")
def panel():
    return block_panel()


@pytest.fixture(scope="module")
def found(panel):
    entrants = {}
    for key in ("did", "sc", "sdid"):
        estimate = ESTIMATORS[key]().fit(panel)
        entrants[key] = Entrant(
            ESTIMATORS[key](),
            tuned=ESTIMATORS[key](),
            att=estimate.att,
            counterfactual=estimate.paths["counterfactual"],
            observed=estimate.paths["observed"],
            unit_weights=estimate.unit_weights,
            time_weights=estimate.time_weights,
            interval=None if key == "sc" else (estimate.att - 1, estimate.att + 2),
        )
    rng = np.random.default_rng(0)
    draws = {
        key: np.column_stack([rng.normal(0, size, 60), np.ones(60)])
        for key, size in zip(entrants, (3.0, 1.0, 1.01), strict=True)
    }
    return Contest(entrants, "Placebo", 0.95, {"placebos": draws, "worlds": draws})


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_forest_keeps_the_order_and_marks_who_has_no_interval(found, theme):
    order = ["sdid", "sc", "did"]
    figure = charts.forest(found, order, "sc", WORDS, theme)
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [trace.x[0] for trace in marks] == [found.entrants[key].att for key in order]
    assert [trace.y[0] for trace in marks] == [0, 1, 2]
    assert [trace.marker.symbol for trace in marks] == ["circle", "circle-open", "circle"]
    assert [tuple(line.x) for line in lines] == [
        found.entrants[key].interval for key in ("sdid", "did")
    ]
    assert figure.layout.yaxis.ticktext[1].startswith("<b>Synthetic control")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_the_overlay_has_every_counterfactual_in_looks_of_its_own(found, panel):
    figure = charts.overlay(found, ["did", "sc", "sdid"], panel, WORDS, LIGHT)
    looks = {(trace.line.color, trace.line.dash) for trace in figure.data[:-1]}
    assert len(looks) == 3
    for trace, key in zip(figure.data, ["did", "sc", "sdid"], strict=False):
        np.testing.assert_array_equal(trace.y, found.entrants[key].counterfactual)
    assert figure.data[-1].name == "Observed"
    assert "&lt;b&gt;" in figure.layout.yaxis.title.text


def test_eight_estimators_have_eight_looks(panel):
    zeros = pd.Series(np.zeros(panel.shape[1]), panel.periods)
    entrants = {
        key: Entrant(kind(), tuned=kind(), att=0.0, counterfactual=zeros, observed=zeros)
        for key, kind in ESTIMATORS.items()
    }
    for theme in (LIGHT, DARK):
        figure = charts.overlay(Contest(entrants, None, 0.9), list(entrants), panel, WORDS, theme)
        looks = {(trace.line.color, trace.line.dash) for trace in figure.data[:-1]}
        assert len(looks) == len(ESTIMATORS)


def test_weights_stand_side_by_side_the_largest_first(found):
    table = charts.weight_table(found, ["sdid", "sc"], "unit")
    assert list(table.columns) == ["Synthetic DID", "Synthetic control"]
    assert table.max(axis=1).is_monotonic_decreasing
    np.testing.assert_allclose(table.sum(), 1.0)
    own = found.entrants["sc"].unit_weights
    assert table.loc[own.idxmax(), "Synthetic control"] == own.max()
    figure = charts.donor_map(table, LIGHT, most=4)
    assert len(figure.data[0].y) == 4
    assert charts.weight_table(found, ["sc"], "time").empty


def test_periods_run_to_the_right_and_are_numbered_where_there_is_room():
    names = ["Synthetic DID", "Difference in differences"]
    few, many = (
        pd.DataFrame(np.full((n, 2), 1.0 / n), [str(2000 + t) for t in range(n)], names)
        for n in (4, 40)
    )
    drawn = [charts.period_map(table, LIGHT) for table in (few, many)]
    for figure, table in zip(drawn, (few, many), strict=True):
        assert list(figure.data[0].x) == list(table.index)
        assert len(figure.data[0].y) == 2
    assert drawn[0].data[0].text[0][0] == "25%"
    assert drawn[1].data[0].text is None
    assert drawn[0].layout.height == drawn[1].layout.height


def test_dots_are_filled_where_tied(found):
    figure = leaderboard.error_dots(found, "placebos", WORDS, LIGHT)
    dots = figure.data[0]
    assert list(dots.x) == sorted(dots.x)
    assert list(dots.marker.symbol) == ["circle", "circle", "circle-open"]
    assert len(figure.data) == 2
    assert figure.layout.xaxis.title.text == "Typical error (RMSE), euros"


def test_names_are_broken_not_cut_and_are_text():
    assert leaderboard.short("Synthetic control with intercept").count("<br>") == 1
    assert leaderboard.short("a <script> b") == "a &lt;script&gt; b"


def test_worlds_taken_apart_are_drawn_and_tabulated(found):
    whole = Contest(
        found.entrants, None, 0.9, found.draws, variants={"no_additive": found.draws["worlds"]}
    )
    table = leaderboard.variant_table(whole)
    assert set(table["world"]) == {"baseline", "no_additive"}
    assert len(table) == 6
    figure = leaderboard.variant_dots(whole, "worlds", WORDS, DARK)
    assert {trace.name for trace in figure.data} == {
        "Worlds like the data",
        "without unit and period effects",
    }
