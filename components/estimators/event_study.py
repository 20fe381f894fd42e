"""Effects by event time with standard errors, for the estimators that have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from components.arrays import Bools, Floats, Ints
from components.estimators.base import Estimate
from components.numerics.event_study import (
    BOOTSTRAP_DRAWS,
    WaldTest,
    multiplier_critical_value,
    wald_test,
)
from components.numerics.group_time import Averages, GroupTime, average
from components.numerics.imputation import Cells, Imputed, imputation_averages, lead_coefficients
from components.numerics.twoway import identified
from components.panel import Panel, period_label, unit_label

LEADS = 5


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Effects by event time, and what is needed for a band around all of them.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by event time, 0 being the first treated period: ``att``, ``standard_error`` (NaN
        where there is none) and ``n_cells``.
    att, standard_error : float
        Average over all treated cells.
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

    def critical_value(
        self, level: float, rng: np.random.Generator, n: int = BOOTSTRAP_DRAWS
    ) -> float:
        """Find how many standard errors cover all event times at once; NaN without any error."""
        usable = np.isfinite(self.table["standard_error"].to_numpy(dtype=np.float64))
        return multiplier_critical_value(self.influence[:, usable], level, rng, n)

    @property
    def pre_test(self) -> WaldTest:
        """Test that all effects before treatment are zero."""
        before = np.asarray(self.table.index < 0)
        att = self.table["att"].to_numpy(dtype=np.float64)
        return wald_test(att[before], self.influence[:, before])


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
    ready = estimate.details.get("event_study")
    if isinstance(ready, EventStudy):
        return ready
    if estimate.estimator.card.key == "did":
        covariates: tuple[str, ...] = getattr(estimate.estimator, "covariates", ())
        return bjs_event_study(estimate.panel, covariates=covariates)
    by_event_time = estimate.by_event_time()
    times = event_times(estimate.panel)[np.isfinite(estimate.effects)]
    counts = pd.Series(times).value_counts().reindex(by_event_time.index, fill_value=0)
    table = pd.DataFrame(
        {"att": by_event_time, "standard_error": np.nan, "n_cells": counts.astype(np.int64)}
    )
    table.index.name = "event_time"
    return EventStudy(
        table,
        estimate.att,
        float("nan"),
        np.zeros((estimate.panel.shape[0], len(table))),
        (
            f"{estimate.estimator.card.title} has no analytic standard error by event time; use a "
            "placebo or resampling method.",
        ),
    )


def event_times(panel: Panel) -> Ints:
    """Periods since each unit's first treated one, shape (N, T); masked by `Design.treated`.

    Rows of never-treated units hold the number of periods, which no treated unit reaches, plus
    nothing that means anything: mask them.
    """
    times: Ints = np.arange(panel.shape[1]) - starts(panel)[:, None]
    return times


def starts(panel: Panel) -> Ints:
    """Column of each unit's first treated period, shape (N,); T for never-treated units."""
    start: Ints = np.full(panel.shape[0], panel.shape[1], dtype=np.int64)
    for cohort in panel.design.cohorts:
        start[cohort.rows] = cohort.start
    return start
