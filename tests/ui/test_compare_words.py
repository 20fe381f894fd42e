"""What the compare page says about absent estimators, intervals and the published comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.analysis.entrants import Contest, Entrant
from components.estimators import ESTIMATORS
from components.panel import Panel
from components.simulation.replication_verdicts import keynote
from components.ui.comparison import effect_table
from components.ui.keynote import SERIES, WITHIN, sentences, wide
from components.ui.leaderboard import absent


def contest(**changes):
    entrants = {key: Entrant(kind(), tuned=kind()) for key, kind in ESTIMATORS.items()}
    entrants |= {key: replace(entrants[key], **change) for key, change in changes.items()}
    return Contest(entrants, "Placebo in space", 0.95, stage="working")


def test_one_line_for_each_reason():
    gone = {"reason": "Treatment ends again.", "tuned": None}
    lines = absent(contest(sc=gone, sdid=gone, trop={"tuned": None}))
    assert lines == [
        "**Synthetic control** and **Synthetic DID** are absent: Treatment ends again\\.",
        "**Triply robust \\(TROP\\)** is still being tuned.",
    ]
    stopped = replace(contest(trop={"tuned": None}), stage="")
    assert "when the contest was stopped" in absent(stopped)[0]
    assert absent(contest()) == []


def test_every_estimator_that_cannot_run_on_an_odd_design_has_its_reason():
    rng = np.random.default_rng(0)
    odd = {
        "everybody is treated": np.arange(8) >= 5,
        "from the first period on": np.arange(8) >= 0,
    }
    for name, when in odd.items():
        W = np.zeros((6, 8), dtype=bool)
        W[: 6 if name.startswith("every") else 1] = when
        units = pd.Index([f"unit {row}" for row in range(6)])
        panel = Panel(rng.normal(size=(6, 8)), W, units, pd.RangeIndex(8))
        for kind in ESTIMATORS.values():
            reason = kind().why_not(panel)
            assert reason is None or (reason.endswith(".") and len(reason) > 20), (name, kind)
        assert any(kind().why_not(panel) for kind in ESTIMATORS.values()), name


def test_an_interval_that_is_still_to_come_is_not_called_refused():
    whole = contest(did={"interval": (1.0, 2.0)}, sc={"refusal": "It needs two treated units."})
    said = effect_table(whole, ["did", "sc", "mc"])["no_interval_because"].tolist()
    assert said == ["", "It needs two treated units.", "not worked out yet"]


@pytest.mark.parametrize("series", SERIES)
def test_published_rows_are_all_there_and_gaps_have_a_reason(series):
    table = keynote()
    shown = wide(table, series)
    assert len(shown) == 9
    assert list(shown.columns[1::2]) == [
        f"{name}, in print" for name in ("TROP", "SDID", "SC", "DID", "MC", "DIFP")
    ]
    said = sentences(table, series)
    assert not any("reason is not known" in sentence for sentence in said)
    parts = {name: table[table["series"] == name] for name in ("printed", "replicated")}
    printed, ours = (
        part.set_index(["row", "estimator"])["rmse"].sort_index() for part in parts.values()
    )
    gaps = (ours / printed - 1.0).abs()
    if series == "replicated":
        assert f"{int((gaps <= WITHIN).sum())} of the 54 numbers" in " ".join(said)
        for row, name in gaps[gaps > WITHIN].index:
            assert any(sentence.startswith(f"{name} in “{row}”") for sentence in said)
