"""Event study of means of units, and whether its steps before treatment are noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from components.arrays import Floats
from components.inference.refits import FEWEST_TREATED
from components.panel import Panel

FEWEST_LEADS, MOST_LEADS, MOST_LAGS = 2, 5, 5


@dataclass(frozen=True, eq=False)
class UnitMeans:
    """An event study of means of units.

    Attributes
    ----------
    times : Floats, shape (K,)
        Event times without -1, the base.
    beta : Floats, shape (K,)
    own, others : Floats, shape (K, K)
        Covariance of the mean of the treated, and of the never-treated units.
    n_units, n_others : int
        Units behind them that have all of these event times.
    """

    times: Floats
    beta: Floats
    own: Floats
    others: Floats
    n_units: int
    n_others: int

    @property
    def sigma(self) -> Floats:
        """Covariance of the coefficients, units independent."""
        return np.asarray(self.own + self.others)

    def largest_step(self) -> tuple[float, float]:
        """Give the step before treatment that stands out most, and its p-value.

        Each step, the one to the base included, is held against zero by Welch's t test; the
        smallest p-value is multiplied by their number (Bonferroni).
        """
        n = int((self.times < 0).sum())
        steps = np.zeros((n, len(self.times)))
        steps[:, :n] = np.eye(n, k=1) - np.eye(n)
        sizes = steps @ self.beta
        own, others = (
            np.einsum("ij,jk,ik->i", steps, part, steps) for part in (self.own, self.others)
        )
        total = own + others
        if not (total > 0.0).all():
            return float(sizes[np.abs(sizes).argmax()]), 1.0
        df = total**2 / (own**2 / (self.n_units - 1) + others**2 / (self.n_others - 1))
        p_values = 2.0 * student.sf(np.abs(sizes) / np.sqrt(total), df)
        best = int(p_values.argmin())
        return float(sizes[best]), min(1.0, n * float(p_values[best]))


def event_study_of_means(panel: Panel) -> UnitMeans | None:
    """Average differences to the period before treatment, treated minus never-treated.

    None where too few units have enough of them.
    """
    design, T = panel.design, panel.shape[1]
    window = _window(panel)
    if window is None:
        return None
    leads, lags = window
    times = np.r_[-leads - 1 : -1, 0:lags]
    controls = panel.Y[~design.treated]
    own, others, n_units = [], np.zeros((len(controls), len(times))), 0
    for cohort in design.cohorts:
        if cohort.start < leads + 1 or cohort.start + lags > T:
            continue
        columns, base = cohort.start + times, cohort.start - 1
        mine = panel.Y[cohort.rows][:, columns] - panel.Y[cohort.rows, base][:, None]
        theirs = controls[:, columns] - controls[:, base][:, None]
        known = np.isfinite(mine).all(axis=1)
        own.append(mine[known] - _means(theirs))
        others += known.sum() * theirs
        n_units += int(known.sum())
    kept = np.isfinite(others).all(axis=1)
    if n_units < FEWEST_TREATED or kept.sum() < FEWEST_TREATED:
        return None
    effects = np.concatenate(own)
    return UnitMeans(
        times,
        effects.mean(axis=0),
        np.cov(effects.T) / n_units,
        np.cov(others[kept].T / n_units) / kept.sum(),
        n_units,
        int(kept.sum()),
    )


def _means(values: Floats) -> Floats:
    """Mean of each column over its known cells; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    means: Floats = np.divide(sums, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return means


def _window(panel: Panel) -> tuple[int, int] | None:
    """Choose leads and lags that at least three quarters of the treated units have."""
    starts = np.concatenate([np.full(len(c.rows), c.start) for c in panel.design.cohorts])
    leads = int(min(MOST_LEADS, np.quantile(starts - 1, 0.25, method="lower")))
    lags = int(min(MOST_LAGS, np.quantile(panel.shape[1] - starts, 0.25, method="lower")))
    usable = (starts > leads) & (starts + lags <= panel.shape[1])
    if leads < FEWEST_LEADS or lags < 1 or usable.sum() < FEWEST_TREATED:
        return None
    return leads, lags
