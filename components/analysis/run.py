"""Run an analysis: panel and spec in, estimate and uncertainty out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from components.analysis.spec import AnalysisSpec, Treatment
from components.errors import DesignError, NotApplicableError, SpecError
from components.estimators import Estimate, Estimator
from components.estimators.base import SlowFit
from components.inference import Progress, Uncertainty, silent
from components.numerics.stand_ins import stand_ins
from components.panel import Panel, period_label, unit_label

FIT_SHARE = 0.5  # of the work, where the fit itself takes long


@dataclass(frozen=True, eq=False)
class Result:
    """What ``run`` returns.

    Attributes
    ----------
    spec : AnalysisSpec
    estimate : Estimate
    uncertainty : Uncertainty or None
        None where the spec asks for none, or the method does not apply.
    refusal : str or None
        Why the inference method of the spec does not apply.
    """

    spec: AnalysisSpec
    estimate: Estimate
    uncertainty: Uncertainty | None
    refusal: str | None = None

    def numbers(self) -> dict[str, float]:
        """Name the figures that screen, link and script must agree on."""
        values = {"att": self.estimate.att, "pre_rmspe": self.estimate.pre_rmspe}
        if self.uncertainty is not None:
            if self.uncertainty.p_value is not None:
                values["p_value"] = self.uncertainty.p_value
            if self.uncertainty.interval is not None:
                values["lower"] = self.uncertainty.interval.lower
                values["upper"] = self.uncertainty.interval.upper
        return values


def run(spec: AnalysisSpec, panel: Panel, progress: Progress = silent) -> Result:
    """Do the analysis.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        The whole table, before the spec's units and periods are chosen.
    progress : callable, optional
        Told the share of the inference that is done, from 0 to 1.

    Returns
    -------
    Result

    Raises
    ------
    SpecError
        Where the spec names a unit or period that the panel does not have.
    DesignError
        Where no effect is identified.
    NotApplicableError
        Where the estimator cannot use this design.
    """
    chosen = prepare(spec, panel)
    refuse_unidentified(chosen)
    reason = spec.estimator.why_not(chosen)
    if reason is not None:
        raise NotApplicableError(
            f"{spec.estimator.card.title} cannot be used here. {reason}",
            hint="Choose another estimator, or change the design.",
        )
    estimate = _fit(spec.estimator, chosen, progress)
    begun = FIT_SHARE if isinstance(spec.estimator, SlowFit) else 0.0
    if spec.inference is None:
        return Result(spec, estimate, None)
    refusal = spec.inference.why_not(estimate)
    if refusal is not None:
        return Result(spec, estimate, None, refusal)

    def later(share: float) -> None:
        progress(begun + (1.0 - begun) * share)

    rng = np.random.default_rng([spec.seed, crc32(spec.inference.card.key.encode())])
    uncertainty = spec.inference.assess(estimate, level=spec.level, rng=rng, progress=later)
    progress(1.0)
    return Result(spec, estimate, uncertainty)


def _fit(estimator: Estimator, panel: Panel, progress: Progress) -> Estimate:
    if isinstance(estimator, SlowFit):
        return estimator.fit_told(panel, lambda share: progress(FIT_SHARE * share))
    return estimator.fit(panel)


def prepare(spec: AnalysisSpec, panel: Panel) -> Panel:
    """Take the units, periods and treatment that the spec asks for.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        The whole table.

    Returns
    -------
    Panel

    Raises
    ------
    SpecError
        Where the spec names a unit or period that the panel does not have.
    DesignError
        Where the window ends before it begins, no period is left, or a cell that should follow
        its neighbours has too few.
    """
    if spec.treatment is not None:
        panel = panel.reassign(_by_hand(spec.treatment, panel))
    whole = panel
    if spec.dropped:
        rows = _find(spec.dropped, map(unit_label, panel.units), "unit")
        keep = np.ones(panel.shape[0], dtype=np.bool_)
        keep[rows] = False
        panel = panel.take(keep)
    if spec.window is not None:
        first, last = _find(spec.window, map(period_label, panel.periods), "period")
        if last < first:
            raise DesignError(
                f"The window ends before it begins: {spec.window[0]} to {spec.window[1]}.",
                hint="Choose the periods that enter again on the design page.",
            )
        panel = panel.window(np.arange(first, last + 1))
    if spec.skipped:
        panel = _without_periods(spec.skipped, whole, panel)
    if spec.blanked or spec.smoothed:
        panel = _with_changed_cells(spec, whole, panel)
    return panel


def refuse_unidentified(panel: Panel) -> None:
    """Refuse a panel that no estimator can say anything about.

    Raises
    ------
    DesignError
        Naming what is missing and the cure.
    """
    n_units, n_periods = panel.shape
    if n_units < 2 or n_periods < 2:
        raise DesignError(
            f"The panel has {n_units} units and {n_periods} periods.",
            hint="At least two of each are needed: put units or periods back on the design page.",
        )
    design = panel.design
    if design.kind == "none":
        raise DesignError(
            "No cell is treated.",
            hint="Choose a treated unit and its first treated period on the design page.",
        )
    always = panel.W.all(axis=1)
    if always.all() or (design.n_pre == 0 and design.n_controls == 0):
        raise DesignError(
            "Every unit is treated from the first period, "
            f"{period_label(panel.periods[0])}: there is nothing to compare with.",
            hint="Choose a later first treated period, or add units that were never treated.",
        )
    if design.n_pre == 0 and design.kind == "block":
        raise DesignError(
            f"Treatment starts in the first period, {period_label(panel.periods[0])}, so "
            "nothing was seen before it.",
            hint="Choose a later first treated period, or add earlier periods to the table.",
        )


def _by_hand(treatment: Treatment, panel: Panel) -> np.ndarray[Any, Any]:
    rows = _find(treatment.units, map(unit_label, panel.units), "unit")
    (start,) = _find((treatment.start,), map(period_label, panel.periods), "period")
    W = np.zeros(panel.shape, dtype=np.bool_)
    W[rows, start:] = True
    return W


def _without_periods(names: tuple[str, ...], whole: Panel, panel: Panel) -> Panel:
    _find(names, map(period_label, whole.periods), "period")
    keep = np.array([period_label(period) not in names for period in panel.periods])
    if not keep.any():
        raise DesignError(
            "Every period is left out.", hint="Put periods back on the influence page."
        )
    return panel.window(keep)


def _with_changed_cells(spec: AnalysisSpec, whole: Panel, panel: Panel) -> Panel:
    """Blank some cells, then let others follow their neighbours; cells that are out say nothing."""
    cells = (*spec.blanked, *spec.smoothed)
    _find((unit for unit, _ in cells), map(unit_label, whole.units), "unit")
    _find((period for _, period in cells), map(period_label, whole.periods), "period")
    rows = {unit_label(unit): row for row, unit in enumerate(panel.units)}
    columns = {period_label(period): column for column, period in enumerate(panel.periods)}
    Y = np.array(panel.Y)
    for unit, period in spec.blanked:
        if unit in rows and period in columns:
            Y[rows[unit], columns[period]] = np.nan
    for unit, period in spec.smoothed:
        if unit in rows and period in columns:
            value = stand_ins(Y, panel.W)[rows[unit], columns[period]]
            if not np.isfinite(value):
                raise DesignError(
                    f"{unit}, {period} has too few neighbours in time to follow them.",
                    hint="Undo this on the influence page, or leave the unit or the period out.",
                )
            Y[rows[unit], columns[period]] = value
    return panel.with_outcomes(Y)


def _find(names: Iterable[str], labels: Iterable[str], what: str) -> list[int]:
    index = pd.Index(list(labels))
    names = list(names)
    found = index.get_indexer(pd.Index(names))
    for name, place in zip(names, found, strict=True):
        if place < 0:
            raise SpecError(
                f"There is no {what} {name!r} in this table.",
                hint=f"Choose the {what} again on the design page.",
            )
    return [int(place) for place in found]
