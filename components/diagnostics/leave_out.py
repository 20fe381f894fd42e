"""Refit without one unit at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from components.diagnostics.base import Verdict
from components.diagnostics.phrases import counted, number
from components.estimators.base import Estimate
from components.inference.base import Progress
from components.inference.refits import fixed
from components.panel import period_label, unit_label

CAUTION_CHANGE, BAD_CHANGE = 0.25, 0.5
"""Share of the estimate by which leaving one unit out moves it."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What is estimated without each unit.

    Attributes
    ----------
    table : pandas.DataFrame
        unit, att, change, pre_rmspe; sorted by the size of the change.
    paths : pandas.DataFrame
        period, the paths with all units, and one column per unit left out, most moving first.
    refused : int
        Units without which the estimator cannot be used.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    refused: int


def leave_out(
    estimate: Estimate, rows: Sequence[int], progress: Progress, drawn: str = "counterfactual"
) -> LeftOut:
    """Refit without each of some rows, with tuning held at the estimate's choice.

    Parameters
    ----------
    estimate : Estimate
    rows : sequence of int
    progress : callable
    drawn : {"counterfactual", "gap"}
        Which path is kept of each refit.

    Returns
    -------
    LeftOut
    """
    panel, estimator = estimate.panel, fixed(estimate)
    found, lines = [], {}
    for number_, row in enumerate(rows):
        keep = np.arange(panel.shape[0]) != row
        rest = panel.take(keep)
        if estimator.why_not(rest) is None:
            again = estimator.fit(rest)
            name = unit_label(panel.units[row])
            found.append((name, again.att, again.att - estimate.att, again.pre_rmspe))
            lines[name] = again.paths[drawn].to_numpy()
        progress((number_ + 1) / len(rows))
    table = pd.DataFrame(found, columns=["unit", "att", "change", "pre_rmspe"])
    order = np.argsort(-table["change"].abs().to_numpy(), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    own = ["observed", "counterfactual"] if drawn == "counterfactual" else ["gap"]
    paths = estimate.paths[own].reset_index(drop=True)
    labels = pd.Series([period_label(period) for period in panel.periods], name="period")
    ordered = pd.DataFrame({name: lines[name] for name in table["unit"]}, index=paths.index)
    return LeftOut(table, pd.concat([labels, paths, ordered], axis=1), len(rows) - len(found))


def verdict_of(estimate: Estimate, table: pd.DataFrame) -> Verdict:
    """Judge by the largest change, and by whether the sign flips."""
    if not len(table) or not estimate.att:
        return "unknown"
    change = float(table["change"].abs().max() / abs(estimate.att))
    flips = bool((np.sign(table["att"]) != np.sign(estimate.att)).any())
    if flips or change > BAD_CHANGE:
        return "bad"
    return "caution" if change > CAUTION_CHANGE else "good"


def range_sentence(estimate: Estimate, left: LeftOut, what: str) -> str:
    """Say between which values the estimate moves, and who moves it most."""
    table = left.table
    if not len(table):
        return (
            f"Without any one of them the estimator cannot be used, so no {what} can be left out."
        )
    first = table.iloc[0]
    text = (
        f"Leaving out one {what} at a time ({counted(len(table), 'refit')}), the estimate of "
        f"{number(estimate.att)} moves between {number(float(table['att'].min()))} and "
        f"{number(float(table['att'].max()))}; {first['unit']} moves it most, to "
        f"{number(float(first['att']))}."
    )
    if left.refused:
        text += f" {counted(left.refused, 'further one')} cannot be left out with this estimator."
    return text
