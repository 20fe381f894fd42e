"""A block method on a staggered panel: one fit per adoption date, averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Ints
from components.errors import NotApplicableError
from components.estimators.base import Estimate, Estimator, needs_block
from components.panel import Cohort, Panel, period_label, unit_label


@dataclass(frozen=True, eq=False)
class _Fit:
    """One cohort, and its estimate or the reason why there is none."""

    cohort: Cohort
    label: str
    estimate: Estimate | None
    reason: str | None


def fit_by_cohort(estimator: Estimator, panel: Panel) -> Estimate:
    r"""Fit each adoption cohort as a block design with the never-treated units as donors.

    The average effect is that of the cohorts weighted by their treated cells (Clarke, Pailanir,
    Athey and Imbens 2024, eq. 7):

    .. math:: \widehat{ATT} = \sum_g \frac{N_g T_{post,g}}{\sum_h N_h T_{post,h}}\,\hat\tau_g.

    Parameters
    ----------
    estimator : Estimator
        Of block designs. Its ``why_not`` is asked for each cohort.
    panel : Panel
        A staggered or block design that `needs_block_or_staggered` lets pass.

    Returns
    -------
    Estimate
        Of ``estimator`` on the whole panel, with one Y0. ``unit_weights`` are the average over
        the cohorts, with the weights above. ``details``: ``cohorts`` (indexed by first treated
        period: n_units, n_cells, share, att, pre_rmspe), ``cohort_weights`` (units x cohorts),
        ``cohort_time_weights`` (periods x cohorts, NaN from treatment on), tables of weights only
        where the estimator gives weights; ``cohort_details`` (what each fit has in ``details``, by
        first treated period as text), where there are any. A cohort that the estimator refuses
        keeps NaN, and a note says why.

    Raises
    ------
    NotApplicableError
        Where `needs_block_or_staggered` gives a reason, or the estimator refuses every cohort.
    """
    reason = needs_block_or_staggered(panel)
    if reason is not None:
        raise NotApplicableError(reason, hint="Change the design, or choose another method.")
    fits = [_fit(estimator, panel, cohort) for cohort in panel.design.cohorts]
    done = {fit.label: fit.estimate for fit in fits if fit.estimate is not None}
    if not done:
        raise NotApplicableError(
            f"No cohort can be fitted: {fits[0].reason}", hint="Choose another method."
        )
    Y0 = np.where(panel.design.treated[:, None], np.nan, panel.Y)
    for fit in fits:
        if fit.estimate is not None:
            Y0[fit.cohort.rows] = fit.estimate.Y0[fit.estimate.panel.design.treated]
    cohorts = _cohort_table(panel, fits)
    shares = cohorts["share"].to_numpy()[[fit.estimate is not None for fit in fits]]
    details: dict[str, Any] = {"cohorts": cohorts}
    if any(estimate.details for estimate in done.values()):
        details["cohort_details"] = {name: e.details for name, e in done.items()}
    unit_weights = None
    by_unit = {name: e.unit_weights for name, e in done.items() if e.unit_weights is not None}
    if len(by_unit) == len(done):
        details["cohort_weights"] = _weight_table(by_unit, cohorts, panel.units)
        unit_weights = pd.Series(
            details["cohort_weights"].to_numpy() @ shares, index=details["cohort_weights"].index
        )
    by_time = {name: e.time_weights for name, e in done.items() if e.time_weights is not None}
    if len(by_time) == len(done):
        details["cohort_time_weights"] = _weight_table(by_time, cohorts, panel.periods)
    return Estimate(
        panel, estimator, Y0, unit_weights=unit_weights, notes=_notes(fits), details=details
    )


def needs_block_or_staggered(panel: Panel) -> str | None:
    """Say why a panel cannot be fitted cohort by cohort as complete block designs, or None.

    Parameters
    ----------
    panel : Panel
        Any panel; for a block design the answer is that of `needs_block`, save that missing cells
        come with the choices there are.

    Returns
    -------
    str or None
    """
    design = panel.design
    if design.kind in {"none", "reversing"}:
        return needs_block(panel)
    if design.n_pre == 0:
        rows = design.cohorts[0].rows
        return (
            f"{_units(panel, rows)} treated from the first period on, "
            f"{period_label(panel.periods[0])}: nothing was seen before. Drop "
            f"{'it' if len(rows) == 1 else 'them'}, or use a method that leaves such units out."
        )
    if design.n_controls == 0:
        return (
            "Every unit is treated at some time: there is no never-treated donor to compare with. "
            "Difference in differences, matrix completion and TROP also learn from units that are "
            "treated later."
        )
    return _missing(panel)


def _missing(panel: Panel) -> str | None:
    gaps = ~panel.observed
    if not gaps.any():
        return None
    row, column = np.argwhere(gaps)[0]
    n_units, n_periods = int(gaps.any(axis=1).sum()), int(gaps.any(axis=0).sum())
    count = "1 cell has" if gaps.sum() == 1 else f"{int(gaps.sum())} cells have"
    return (
        f"{count} no outcome ({_count(n_units, 'unit')}, {_count(n_periods, 'period')}), the first "
        f"is {panel.cell_name(int(row), int(column))}; this method needs a complete table. Drop "
        "the units, drop the periods, or use difference in differences, matrix completion or "
        "TROP, which use what is there."
    )


def _fit(estimator: Estimator, panel: Panel, cohort: Cohort) -> _Fit:
    keep = ~panel.design.treated
    keep[cohort.rows] = True
    block = panel.take(keep)
    reason = estimator.why_not(block)
    estimate = estimator.fit(block) if reason is None else None
    return _Fit(cohort, period_label(panel.periods[cohort.start]), estimate, reason)


def _cohort_table(panel: Panel, fits: list[_Fit]) -> pd.DataFrame:
    n_periods = panel.design.n_periods
    n_units = np.array([len(fit.cohort.rows) for fit in fits])
    n_cells = n_units * np.array([n_periods - fit.cohort.start for fit in fits])
    fitted = np.array([fit.estimate is not None for fit in fits])
    starts = panel.periods[[fit.cohort.start for fit in fits]]
    return pd.DataFrame(
        {
            "n_units": n_units,
            "n_cells": n_cells,
            "share": np.where(fitted, n_cells, 0) / n_cells[fitted].sum(),
            "att": [np.nan if fit.estimate is None else fit.estimate.att for fit in fits],
            "pre_rmspe": [
                np.nan if fit.estimate is None else fit.estimate.pre_rmspe for fit in fits
            ],
        },
        index=pd.Index(starts, name="first_treated"),
    )


def _weight_table(
    weights: Mapping[str, pd.Series[float]], cohorts: pd.DataFrame, labels: pd.Index[Any]
) -> pd.DataFrame:
    fitted = cohorts.index[cohorts["share"].to_numpy() > 0.0]
    table = pd.concat(list(weights.values()), axis=1, keys=fitted)
    return table.loc[[label for label in labels if label in table.index]]


def _notes(fits: list[_Fit]) -> tuple[str, ...]:
    """Each note once, with the cohorts it belongs to unless these are all."""
    said: dict[str, list[str]] = {}
    for fit in fits:
        notes = (f"No estimate. {fit.reason}",) if fit.estimate is None else fit.estimate.notes
        for note in dict.fromkeys(notes):
            said.setdefault(note, []).append(fit.label)
    return tuple(
        note if len(labels) == len(fits) else f"First treated {_list(labels)}: {note}"
        for note, labels in said.items()
    )


def _list(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _units(panel: Panel, rows: Ints) -> str:
    if len(rows) == 1:
        return f"{unit_label(panel.units[rows[0]])} is"
    return f"{len(rows)} units, the first {unit_label(panel.units[rows[0]])}, are"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
