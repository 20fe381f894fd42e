"""Effects by event time with standard errors, for the estimators that have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from components.arrays import Bools, Floats, Ints
from components.errors import NotApplicableError
from components.estimators.base import Estimate, needs_counterfactual
from components.estimators.staggered import cohort_notes, starts
from components.numerics.event_study import (
    BOOTSTRAP_DRAWS,
    WaldTest,
    multiplier_critical_value,
    wald_test,
)
from components.numerics.imputation import Cells, Imputed, imputation_averages, lead_coefficients
from components.numerics.twoway import identified
from components.panel import Panel

LEADS = 5
REVERSING = (
    "Treatment ends again for some units: event time counts from a unit's first treated period, "
    "and only treated cells enter."
)


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Effects by event time, and what is needed for a band around all of them.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by event time, 0 being the first treated period: ``att``, ``standard_error`` (NaN
        where there is none) and ``n_cells``.
    att, standard_error : float
        Average over all treated cells that are observed and identified.
    influence : Floats, shape (N, E)
        What each unit contributes to the error of each row; 0 where there is no error.
    notes : tuple of str
        Caveats, in sentences.
    """

    table: pd.DataFrame
    att: float
    standard_error: float
    influence: Floats
    notes: tuple[str, ...] = ()

    @property
    def covariance(self) -> Floats:
        """Covariance of the rows, shape (E, E), clustered by unit."""
        product: Floats = self.influence.T @ self.influence
        return product

    @property
    def pre_test(self) -> WaldTest:
        """Test that all effects before treatment are zero."""
        errors = self.table["standard_error"].to_numpy()
        before = np.asarray(self.table.index < 0) & np.isfinite(errors)
        return wald_test(self.table["att"].to_numpy()[before], self.influence[:, before])

    def critical_value(
        self, level: float, rng: np.random.Generator, n: int = BOOTSTRAP_DRAWS
    ) -> float:
        """Find how many standard errors cover all event times at once; NaN without any error."""
        usable = np.isfinite(self.table["standard_error"].to_numpy())
        return multiplier_critical_value(self.influence[:, usable], level, rng, n)


def event_study(estimate: Estimate) -> EventStudy:
    """Read an event study off an estimate, with the variance that belongs to its method.

    Parameters
    ----------
    estimate : Estimate
        Of any estimator.

    Returns
    -------
    EventStudy
        Difference in differences: `bjs_event_study`. Callaway and Sant'Anna, Sun and Abraham:
        their own. All others: effects by event time without standard error.
    """
    details, notes = estimate.details, estimate.notes
    if "event_study_influence" in details:
        overall = details["overall"].loc["simple"]
        error = float(overall["standard_error"])
        influence = details["event_study_influence"]
        return EventStudy(details["event_study"], estimate.att, error, influence, notes)
    if estimate.estimator.card.key == "did":
        covariates: tuple[str, ...] = getattr(estimate.estimator, "covariates", ())
        return bjs_event_study(estimate.panel, covariates=covariates)
    panel, att = estimate.panel, estimate.by_event_time()
    used = np.isfinite(estimate.effects) & panel.design.treated[:, None]
    n_cells = pd.Series(_event_times(panel)[used]).value_counts().reindex(att.index, fill_value=0)
    values: Floats = np.asarray(att, dtype=np.float64)
    table = _table(att.index.to_numpy(), values, np.full(len(att), np.nan), n_cells)
    lacking = (
        f"{estimate.estimator.card.title} has no standard error by event time of its own; use a "
        "placebo or resampling method.",
    )
    influence = np.zeros((panel.shape[0], len(table)))
    return EventStudy(table, estimate.att, float("nan"), influence, notes + lacking)


def bjs_event_study(
    panel: Panel, *, covariates: tuple[str, ...] = (), leads: int = LEADS
) -> EventStudy:
    """Average imputed effects by event time (Borusyak, Jaravel and Spiess 2024).

    From event time 0 on the rows are averages of Y - Y0 of `DifferenceInDifferences`, with the
    standard errors of theorem 3, effects centred within cohort and event time. Before, they come
    from a separate regression on untreated cells (test 1): differences from all earlier periods,
    not the in-sample residuals that ``Estimate.by_event_time`` shows.

    Parameters
    ----------
    panel : Panel
        Any assignment, missing cells allowed.
    covariates : tuple of str
        Names in ``Panel.X``.
    leads : int
        Periods before treatment to show; the earliest one that exists is always left out, so that
        there is something to compare with.

    Returns
    -------
    EventStudy

    Raises
    ------
    NotApplicableError
        Where no treated cell can be predicted.
    """
    X = np.array([panel.X[name] for name in covariates]).reshape(-1, *panel.shape)
    usable = panel.observed & np.isfinite(X).all(axis=0)
    masked = panel.with_outcomes(np.where(usable, panel.Y, np.nan))
    reason = needs_counterfactual(masked)
    if reason is not None:
        raise NotApplicableError(
            reason, hint="Choose treated cells whose unit and period are also seen untreated."
        )
    untreated = usable & ~panel.W
    chosen = usable & panel.W & identified(untreated)
    after, error = _after(panel, untreated, chosen, X)
    before = _before(panel, untreated, X, leads)
    parts = [part for part in (before, after) if len(part.table)]
    notes = cohort_notes(panel) if panel.design.kind != "reversing" else (REVERSING,)
    left_out = int((panel.W & panel.observed & ~chosen).sum())
    if left_out:
        notes += (f"{left_out} treated cells have no counterfactual and no part in any row.",)
    return EventStudy(
        table=pd.concat([part.table for part in parts]),
        att=after.att,
        standard_error=error,
        influence=np.concatenate([part.influence for part in parts], axis=1),
        notes=notes,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """Some rows of an event study."""

    table: pd.DataFrame
    influence: Floats
    att: float = float("nan")


def _after(panel: Panel, untreated: Bools, chosen: Bools, X: Floats) -> tuple[_Part, float]:
    rows, columns = np.nonzero(chosen)
    times = columns - starts(panel)[rows]
    groups = np.unique(np.stack([times, starts(panel)[rows]]), axis=1, return_inverse=True)[1]
    labels, place = np.unique(times, return_inverse=True)
    counts = np.bincount(place)
    cell = np.arange(len(rows))
    last = np.full(len(rows), len(labels))
    weights = csr_array(
        (
            np.concatenate([1.0 / counts[place], np.full(len(rows), 1.0 / len(rows))]),
            (np.concatenate([place, last]), np.concatenate([cell, cell])),
        ),
        shape=(len(labels) + 1, len(rows)),
    )
    fit = imputation_averages(panel.Y, untreated, Cells(rows, columns, groups), weights, X)
    # Where each group is one unit, its effect is its own mean and shows no spread.
    spread = np.bincount(place, np.bincount(groups)[groups] > 1, minlength=len(labels)) > 0
    errors = np.where(spread, fit.standard_errors[:-1], np.nan)
    table = _table(labels, fit.att[:-1], errors, counts)
    error = float(fit.standard_errors[-1]) if spread.any() else float("nan")
    return _Part(table, fit.influence[:, :-1], float(fit.att[-1])), error


def _before(panel: Panel, untreated: Bools, X: Floats, leads: int) -> _Part:
    times = np.where(untreated & panel.design.treated[:, None], _event_times(panel), 0)
    found = np.unique(times[times < 0])
    shown = found[1:][-leads:] if leads > 0 else found[:0]
    dummies = (times == shown[:, None, None]).astype(np.float64)
    fit: Imputed = lead_coefficients(panel.Y, np.concatenate([dummies, X]), untreated)
    att, errors = fit.att[: len(shown)], fit.standard_errors[: len(shown)]
    several = dummies.any(axis=2).sum(axis=1) > 1
    table = _table(shown, att, np.where(several, errors, np.nan), dummies.sum(axis=(1, 2)))
    return _Part(table, fit.influence[:, : len(shown)])


def _event_times(panel: Panel) -> Ints:
    """Periods since the first treated one, shape (N, T); meaningless for never-treated units."""
    times: Ints = np.arange(panel.shape[1]) - starts(panel)[:, None]
    return times


def _table(
    times: Ints, att: Floats, errors: Floats, n_cells: Ints | Floats | pd.Series[int]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "att": np.asarray(att, dtype=np.float64),
            "standard_error": np.asarray(errors, dtype=np.float64),
            "n_cells": np.asarray(n_cells).astype(np.int64),
        },
        index=pd.Index(times, name="event_time"),
    )
