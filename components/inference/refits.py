"""Refit an estimator on other units, and turn the spread of refits into uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Floats, Ints
from components.estimators.base import Estimate, Estimator, Tuned
from components.inference.base import (
    Band,
    InferenceMethod,
    Interval,
    Uncertainty,
    detectable_by_t,
)
from components.panel import Panel

FEWEST_TREATED = 5  # with fewer, intervals from resampling units are far too short


@dataclass(frozen=True)
class Effects:
    """What one refit says: the average effect, by period, and by event time."""

    att: float
    by_period: pd.Series[float]
    by_event_time: pd.Series[float]

    @classmethod
    def of(cls, estimate: Estimate) -> Effects:
        """Read the effects off an estimate."""
        return cls(estimate.att, estimate.by_period(), estimate.by_event_time())


def fixed(estimate: Estimate) -> Estimator:
    """Give the estimator with the tuning that this estimate has chosen, for its refits."""
    estimator = estimate.estimator
    if "cohorts" in estimate.details or not isinstance(estimator, Tuned):
        return estimator  # cohorts fitted one by one choose their tuning one by one
    return estimator.tuned(estimate)


def refit(estimator: Estimator, panel: Panel, rows: Ints) -> Effects | None:
    """Fit on some rows, drawn with or without repetition.

    Parameters
    ----------
    estimator : Estimator
    panel : Panel
    rows : Ints, shape (n,)
        Rows of the panel; a row may come more than once.

    Returns
    -------
    Effects or None
        None where these rows identify no effect.
    """
    drawn = panel.take(rows, repeated=True)
    if estimator.why_not(drawn) is not None:
        return None
    effects = Effects.of(estimator.fit(drawn))
    return effects if np.isfinite(effects.att) else None


def too_few_treated(estimate: Estimate, method: str) -> str | None:
    """Say why resampling units cannot work with so few of them, or None."""
    design = estimate.panel.design
    if design.n_treated < FEWEST_TREATED:
        units = "unit" if design.n_treated == 1 else "units"
        return (
            f"{method} needs at least {FEWEST_TREATED} treated units, and there "
            f"{'is' if design.n_treated == 1 else 'are'} {design.n_treated} treated {units}: its "
            "intervals would be far too short. Use placebo in space."
        )
    if design.n_controls < FEWEST_TREATED:
        return (
            f"{method} needs at least {FEWEST_TREATED} never-treated units, and there are "
            f"{design.n_controls}."
        )
    return None


def as_tables(estimate: Estimate, refits: list[Effects]) -> tuple[Floats, tuple[Floats, Floats]]:
    """Turn refits into arrays, over the periods and event times that the estimate has.

    Returns
    -------
    draws : Floats, shape (B,)
        Average effects.
    tables : pair of Floats, shapes (B, P) and (B, E)
        Effects by period and by event time.
    """
    periods, times = (
        series.dropna().index for series in (estimate.by_period(), estimate.by_event_time())
    )
    by_period = [one.by_period.reindex(periods).to_numpy(np.float64) for one in refits]
    by_time = [one.by_event_time.reindex(times).to_numpy(np.float64) for one in refits]
    return np.array([one.att for one in refits]), (np.array(by_period), np.array(by_time))


def from_tables(
    estimate: Estimate,
    draws: Floats,
    tables: tuple[Floats, Floats],
    *,
    method: InferenceMethod,
    level: float,
    factor: float,
    df: float,
    sentence: str,
    notes: tuple[str, ...] = (),
    n_random: int = 0,
) -> Uncertainty:
    """Build symmetric t intervals from refits given as arrays.

    Parameters
    ----------
    estimate : Estimate
    draws : Floats, shape (B,)
        The average effect of each refit.
    tables : pair of Floats, shapes (B, P) and (B, E)
        Effects of each refit by period and by event time, where the estimate has one; NaN where
        a refit has none.
    method : InferenceMethod
    level : float
    factor : float
        Multiplies the mean squared deviation of the refits from their mean.
    df : float
        Degrees of freedom of the t reference.
    sentence : str
        What interval and band are.
    notes : tuple of str
    n_random : int
        How many of the refits are of random samples.

    Returns
    -------
    Uncertainty
    """
    error = float(np.sqrt(factor * np.mean((draws - draws.mean()) ** 2)))
    quantile = float(student.ppf(0.5 + level / 2, df))
    p_value = float(2 * student.sf(abs(estimate.att) / error, df)) if error > 0 else None
    points = (estimate.by_period().dropna(), estimate.by_event_time().dropna())
    band, event_band = (
        _band(point, table, factor, quantile, level, _units_behind(estimate, point.index, since))
        for point, table, since in zip(points, tables, (False, True), strict=True)
    )
    thin = len(points[0]) - len(band.lower)
    if thin:
        notes += (
            f"{thin} of {len(points[0])} treated periods have no band: fewer than "
            f"{FEWEST_TREATED} treated units stand behind their averages.",
        )
    half = quantile * error
    return Uncertainty(
        method=method,
        level=level,
        interval=Interval(estimate.att - half, estimate.att + half, level),
        band=band,
        event_band=event_band,
        p_value=p_value,
        standard_error=error,
        detectable=detectable_by_t(error, df, level),
        n_random=n_random,
        draws=draws,
        sentence=sentence,
        notes=notes,
    )


def _band(
    point: pd.Series[float],
    table: Floats,
    factor: float,
    quantile: float,
    level: float,
    n_units: Ints,
) -> Band:
    half = pd.Series(quantile * np.sqrt(factor * _mean_square(table)), point.index)
    enough = n_units >= FEWEST_TREATED
    return Band((point - half)[enough], (point + half)[enough], level, simultaneous=False)


def _units_behind(estimate: Estimate, index: pd.Index[Any], since: bool) -> Ints:
    """Count the treated units in the average of each period, or of each event time."""
    design = estimate.panel.design
    after = np.maximum.accumulate(estimate.panel.W, axis=1)
    known = np.isfinite(estimate.effects) & (estimate.panel.W | ~after)
    if not since:
        counts: Ints = (known & estimate.panel.W).sum(axis=0, dtype=np.int64)
        return counts[estimate.panel.periods.get_indexer(index)]
    by_time: dict[int, int] = {}
    for cohort in design.cohorts:
        for column, count in enumerate(known[cohort.rows].sum(axis=0).tolist()):
            time = column - cohort.start
            by_time[time] = by_time.get(time, 0) + count
    return np.array([by_time[time] for time in index], dtype=np.int64)


def _mean_square(table: Floats) -> Floats:
    """Mean squared deviation by column, over the refits that have a value there."""
    seen = np.isfinite(table)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, table, 0.0).sum(axis=0) / count
    squares = np.where(seen, (table - mean) ** 2, 0.0).sum(axis=0) / count
    wide: Floats = np.where(seen.sum(axis=0) > 1, squares, np.nan)
    return wide
