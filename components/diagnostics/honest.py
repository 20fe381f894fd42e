"""How far trends may differ until the conclusion breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, number, p_text
from components.diagnostics.unit_gaps import EQUAL_WEIGHTS
from components.diagnostics.unit_means import FEWEST_LEADS, event_study_of_means
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty, level_text
from components.inference.refits import FEWEST_TREATED
from components.numerics.honest_bounds import (
    Coefficients,
    breakdown,
    relative_interval,
    smoothness_interval,
)

KEY = "honest"
MOST_RELATIVE = 3.0
SHOWN_RELATIVE = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class HonestBounds:
    r"""Bound the effect if trends were not parallel (Rambachan and Roth 2023).

    The event study compares each treated unit with the never-treated ones, relative to the last
    period before its treatment, over event times that nearly all cohorts have. Its covariance is
    that of the means of units, widened so that normal quantiles become those of t with one degree
    of freedom less than there are treated units. The breakdown value is the largest
    :math:`\bar M` at which zero is still outside the confidence set: differential steps after
    treatment up to :math:`\bar M` times the largest one before would not undo the conclusion.

    Parameters
    ----------
    target : {"average", "first"}
        Effect over the periods after treatment that enter, or in the first one.
    caution : float
        Breakdown value below which the conclusion is fragile. One is the natural benchmark: no
        larger steps after treatment than before (Rambachan and Roth 2023, section 2.4).
    caution_p : float
        p-value of the largest step before treatment below which it counts as more than noise.
        Noise counts as steps too: of the sound panels of docs/track_record.md, with eight treated
        units and an effect of five noise levels, six in ten have a breakdown value below one. Below
        ``caution`` the verdict is ``"caution"`` where a step is more than noise, and otherwise
        ``"unknown"``: the periods before treatment cannot tell how far trends differ.
    level : float
    """

    target: str = "average"
    caution: float = 1.0
    caution_p: float = 0.05
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
        if event_study_of_means(estimate.panel) is None:
            return (
                f"Fewer than {FEWEST_TREATED} treated units have {FEWEST_LEADS} periods before the "
                "last one before treatment."
            )
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Build the event study, and widen its interval step by step."""
        built = event_study_of_means(estimate.panel)
        assert built is not None
        times, beta, n_units = built.times, built.beta, built.n_units
        n_pre = int((times < 0).sum())
        n_post = len(times) - n_pre
        weights = np.full(n_post, 1.0 / n_post) if self.target == "average" else np.eye(n_post)[0]
        widen = float(
            student.ppf(0.5 + self.level / 2, n_units - 1) / norm.ppf(0.5 + self.level / 2)
        )
        study = Coefficients(beta, widen**2 * built.sigma, n_pre, weights)
        table = pd.DataFrame(
            {"event_time": times, "effect": beta, "standard_error": np.sqrt(np.diag(built.sigma))}
        )
        step, step_p = built.largest_step()
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
            verdict = "good"
            until = "even if" if worst >= MOST_RELATIVE else "as long as"
            text += (
                f"Zero stays outside {until} steps away from parallel are "
                f"{number(worst, 2)} times the largest one seen before treatment."
            )
            if worst < self.caution:
                real = step_p < self.caution_p
                verdict = "caution" if real else "unknown"
                text += f" The step that stands out most, {number(step)}, " + (
                    f"is hardly noise alone ({p_text(step_p)})."
                    if real
                    else f"may be noise alone ({p_text(step_p)}), so these periods cannot tell how "
                    "far trends differ."
                )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text,
            advice=ADVICE if verdict == "caution" else "",
            table=bounds,
            details={
                "event_study": table,
                "breakdown": worst,
                "study": study,
                "step": step,
                "step_p": step_p,
            },
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
