"""How far trends may differ until the conclusion breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, number
from components.diagnostics.unit_gaps import EQUAL_WEIGHTS
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty, level_text
from components.inference.refits import FEWEST_TREATED
from components.numerics.honest_bounds import (
    Coefficients,
    breakdown,
    relative_interval,
    smoothness_interval,
)
from components.panel import Panel

KEY = "honest"
FEWEST_LEADS, MOST_LEADS, MOST_LAGS = 2, 5, 5
MOST_RELATIVE = 3.0
SHOWN_RELATIVE = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class HonestBounds:
    r"""Bound the effect if trends were not parallel (Rambachan and Roth 2023).

    The event study compares each treated unit with the never-treated ones, relative to the last
    period before its treatment, over event times that nearly all cohorts have. Its covariance is
    that of the means of units. The breakdown value is the largest :math:`\bar M` at which zero is
    still outside the confidence set: differential steps after treatment up to :math:`\bar M` times
    the largest one before would not undo the conclusion.

    Parameters
    ----------
    target : {"average", "first"}
        Effect over the periods after treatment that enter, or in the first one.
    caution : float
        Breakdown value below which the conclusion is fragile. One is the natural benchmark: no
        larger steps after treatment than before (Rambachan and Roth 2023, section 2.4). Noise in
        the effects before treatment counts as steps, so that few periods with much noise are
        warned of too.
    level : float
    """

    target: str = "average"
    caution: float = 1.0
    level: float = 0.95

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Honest bounds",
        idea="How far may trends differ until the conclusion breaks?",
        reference="Rambachan and Roth (2023), Review of Economic Studies 90(5), 2555-2591.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for an estimator that rests on parallel trends, and enough units of both kinds."""
        design = estimate.panel.design
        if estimate.estimator.card.key not in EQUAL_WEIGHTS:
            return (
                f"{estimate.estimator.card.title} does not rest on parallel trends; honest bounds "
                "are for difference in differences and event studies."
            )
        if design.kind not in ("block", "staggered"):
            return "Honest bounds need treatment that lasts; here it ends again, or never begins."
        if design.n_treated < FEWEST_TREATED or design.n_controls < FEWEST_TREATED:
            return (
                f"Honest bounds need at least {FEWEST_TREATED} treated and {FEWEST_TREATED} "
                f"never-treated units, and there are {design.n_treated} and {design.n_controls}: "
                "with fewer there is no standard error. Use an earlier date (backdating) instead."
            )
        if _event_study(estimate.panel) is None:
            return (
                f"Fewer than {FEWEST_TREATED} treated units have {FEWEST_LEADS} periods before the "
                "last one before treatment."
            )
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Build the event study, and widen its interval step by step."""
        built = _event_study(estimate.panel)
        assert built is not None
        times, beta, sigma, n_units = built
        n_pre = int((times < 0).sum())
        n_post = len(times) - n_pre
        weights = np.full(n_post, 1.0 / n_post) if self.target == "average" else np.eye(n_post)[0]
        study = Coefficients(beta, sigma, n_pre, weights)
        table = pd.DataFrame(
            {"event_time": times, "effect": beta, "standard_error": np.sqrt(np.diag(sigma))}
        )
        worst = float(breakdown(study, self.level, relative=True, most=MOST_RELATIVE))
        progress(0.4)
        bounds = self._bounds(study, progress)
        what = f"over {counted(n_post, 'period')}" if self.target == "average" else "at once"
        level = level_text(self.level)
        lower, upper = study.parallel(self.level)
        text = (
            f"If trends were parallel, the effect {what} in {counted(n_units, 'treated unit')} "
            f"would be {number(study.point)} ({level} interval {number(lower)} to "
            f"{number(upper)}). "
        )
        if np.isnan(worst):
            verdict: Verdict = "unknown"
            text += "That includes zero already, so there is no conclusion that could break."
        else:
            verdict = "good" if worst >= self.caution else "caution"
            until = "even if" if worst >= MOST_RELATIVE else "as long as"
            text += (
                f"Zero stays outside {until} steps away from parallel are "
                f"{number(worst, 2)} times the largest one seen before treatment."
            )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text,
            advice=ADVICE if verdict == "caution" else "",
            table=bounds,
            details={"event_study": table, "breakdown": worst, "study": study},
        )

    def _bounds(self, study: Coefficients, progress: Progress) -> pd.DataFrame:
        rows = [("relative magnitudes", 0.0, *study.parallel(self.level))]
        for place, M in enumerate(SHOWN_RELATIVE):
            ends = relative_interval(study, M, self.level)
            rows.append(("relative magnitudes", M, *ends))
            progress(0.4 + 0.5 * (place + 1) / len(SHOWN_RELATIVE))
        step = study.error / 2.0
        for place in range(4):
            M = step * place
            rows.append(("smoothness", M, *smoothness_interval(study, M, self.level)))
        progress(1.0)
        return pd.DataFrame(rows, columns=["restriction", "M", "lower", "upper"])


ADVICE = (
    "Say next to the estimate how large a difference in trends would undo it, or choose synthetic "
    "DID or matrix completion, which do not ask for parallel movement of all donors."
)


def _event_study(panel: Panel) -> tuple[Floats, Floats, Floats, int] | None:
    """Average differences to the period before treatment, treated minus never-treated.

    Returns
    -------
    times : Floats, shape (K,)
        Event times without -1, the base.
    beta : Floats, shape (K,)
    sigma : Floats, shape (K, K)
        Covariance of the two means, units independent.
    n_units : int
        Treated units that have all of these event times.
    None where too few have enough of them.
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
    sigma = np.cov(effects.T) / n_units + np.cov(others[kept].T / n_units) / kept.sum()
    return times, effects.mean(axis=0), sigma, n_units


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
