"""Errors that last from one period to the next, for methods that mind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import number
from components.diagnostics.unit_gaps import too_small, unit_gaps, without_rounding
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import unit_label

KEY = "autocorrelation"
# Where neighbouring errors correlate by 0.9 these lose coverage, those below do not (or hardly).
RELIES_ON_PERIODS = ("conformal", "jackknife_plus", "prediction")
WHY_NOT_MINDED = {
    "t_test": "compares averages over whole blocks of periods",
    "conditional": "compares with windows in which errors last as long",
    "parametric": "simulates errors that last as long",
}


@dataclass(frozen=True)
class Autocorrelation:
    r"""Correlation of neighbouring errors before treatment, pooled over units.

    .. math:: \hat r = \frac{\sum_{i}\sum_t g_{it} g_{i,t-1}}{\sum_i \sum_t g_{it}^2}, \qquad
              \tilde r = \hat r + \frac{1 + 3 \hat r}{T_0}

    of gaps net of their unit's mean; the second step takes off the bias that this leaves
    (Kendall 1954).

    Parameters
    ----------
    caution, bad : float
        Correlations from which on methods that take periods for replications lose coverage.

    References
    ----------
    Kendall (1954), Biometrika 41(3/4), 403-404. Thresholds by simulation: ``docs/coverage.md``.
    Bertrand, Duflo and Mullainathan (2004), Quarterly Journal of Economics 119(1).
    """

    caution: float = 0.3
    bad: float = 0.5

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Errors that last",
        idea="Do errors last from one period to the next, and does the method mind?",
        reference="Bertrand, Duflo and Mullainathan (2004), QJE 119(1), 249-275.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for periods before treatment, and never-treated units."""
        return too_small(estimate, "The correlation over time")

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Correlate each gap with the one before."""
        panel = estimate.panel
        gaps = without_rounding(unit_gaps(estimate), panel.Y)
        progress(1.0)
        by_unit = np.array([lag_one(row[None]) for row in gaps])
        pooled = lag_one(gaps)
        table = pd.DataFrame(
            {
                "unit": [unit_label(unit) for unit in panel.units],
                "treated": panel.design.treated,
                "correlation": by_unit,
            }
        )
        if not np.isfinite(pooled):
            return Finding(
                KEY,
                self.card.title,
                "unknown",
                "No error is left before treatment whose neighbours could be correlated.",
                table=table,
            )
        minds = _minds(uncertainty)
        verdict: Verdict = "good"
        if minds and pooled >= self.caution:
            verdict = "bad" if pooled >= self.bad else "caution"
        return Finding(
            KEY,
            self.card.title,
            verdict,
            f"Before treatment neighbouring errors of a unit correlate by {number(pooled, 2)} "
            f"({len(panel.units)} units; 0 where each period brings news)."
            + _consequence(pooled >= self.caution, uncertainty, minds),
            advice=ADVICE if verdict in ("bad", "caution") else "",
            table=table,
            details={"correlation": pooled},
        )


ADVICE = (
    "Choose placebo in space or placebo variance, which compare with other units over the same "
    "periods; or, with many treated units, the bootstrap or the jackknife over units."
)


def lag_one(gaps: Floats) -> float:
    """Correlate neighbouring cells of the same row, net of row means and of the bias that leaves.

    Parameters
    ----------
    gaps : Floats, shape (N, T)
        NaN where unknown.

    Returns
    -------
    float
        NaN where nothing varies.
    """
    seen = np.isfinite(gaps)
    count = seen.sum(axis=1)
    rows = count >= 4
    if not rows.any():
        return float("nan")
    seen, count = seen[rows], count[rows]
    values = np.where(seen, gaps[rows], 0.0)
    values = np.where(seen, values - values.sum(axis=1, keepdims=True) / count[:, None], 0.0)
    total = float(np.square(values).sum())
    if not total > 0.0:
        return float("nan")
    length = float(count.mean())
    pairs = float((seen[:, 1:] & seen[:, :-1]).sum())
    if pairs == 0.0:
        return float("nan")
    raw = float((values[:, 1:] * values[:, :-1]).sum()) / pairs / (total / float(count.sum()))
    raw *= (length - 1.0) / length
    return float(np.clip(raw + (1.0 + 3.0 * raw) / length, -1.0, 1.0))


def _minds(uncertainty: Uncertainty | None) -> bool:
    return uncertainty is not None and uncertainty.method.card.key in RELIES_ON_PERIODS


def _consequence(strong: bool, uncertainty: Uncertainty | None, minds: bool) -> str:
    if uncertainty is None:
        return " Methods that learn from single periods would be too sure." if strong else ""
    title, key = uncertainty.method.card.title, uncertainty.method.card.key
    if not minds:
        why = WHY_NOT_MINDED.get(key, "compares units, not periods")
        return f" {title}: it {why}, and does not mind."
    if strong:
        return f" {title}: it learns from the periods before treatment as if each brought news."
    return " That is little enough for the inference method in use."
