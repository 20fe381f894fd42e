"""Sentences about a world with known truth are true of its numbers."""

from __future__ import annotations

import pandas as pd

from components.analysis.world_words import world_sentences
from components.charts.theme import LIGHT
from components.charts.world_dots import world_dots


def table(*rows):
    columns = ["estimator", "effect", "estimate", "estimate_error", "bias", "rmse", "found"]
    return pd.DataFrame(rows, columns=columns)


NONE = (("did", 0.0, 0.01, 0.02, 0.01, 0.1, 0.04), ("mc", 0.0, 0.02, 0.02, 0.02, 0.1, float("nan")))
SOME = (("did", 2.0, 2.5, 0.02, 0.5, 0.6, 0.9), ("mc", 2.0, 2.01, 0.02, 0.01, 0.1, float("nan")))


def test_the_case_without_an_effect_is_said_first():
    without, with_effect = world_sentences(table(*SOME, *NONE))
    assert without == (
        "Without an effect, all estimators are right on average, within Monte Carlo error. "
        "Intervals leave zero out in 4% of panels."
    )
    assert with_effect == (
        "With an effect of 2, 1 of 2 estimators misses it on average; Difference in differences "
        "is farthest off, with +2.50. Intervals leave zero out in 90% of panels."
    )


def test_the_first_case_alone_can_be_said_and_drawn():
    (said,) = world_sentences(table(*NONE))
    assert said.startswith("Without an effect")
    figure = world_dots(table(*NONE), LIGHT)
    assert [trace.name for trace in figure.data] == ["No effect"]
    assert [trace.name for trace in world_dots(table(*NONE, *SOME), LIGHT).data] == [
        "No effect",
        "Effect of 2",
    ]


def test_an_effect_found_where_there_is_none_is_named():
    shock = tuple((key, 0.0, 1.2, 0.02, 1.2, 1.2, 1.0) for key in ("did", "sc"))
    (said,) = world_sentences(table(*shock))
    assert said.startswith("Without an effect, all 2 estimators find one on average")
    assert said.endswith("Intervals leave zero out in 100% of panels.")
