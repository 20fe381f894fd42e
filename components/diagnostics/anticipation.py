"""Whether the treated units reacted before the date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.diagnostics.backdated import (
    backdate,
    paths_table,
    sentence,
    why_not_backdated,
)
from components.diagnostics.base import Finding, Verdict
from components.estimators.base import Card, Estimate
from components.inference.base import ROUNDING, Progress, Uncertainty

KEY = "anticipation"
MOST, ONE_IN = 3, 4  # the last periods that are left out of the fit: one in four, at most three


@dataclass(frozen=True)
class Anticipation:
    """Leave the last periods before treatment out of the fit, and look at their gap.

    Parameters
    ----------
    periods : int
        How many; 0 takes one in four of the periods before treatment, at most three.
    level : float
        A gap that is rarer than one minus this among donors treated alike is a warning.

    References
    ----------
    Abadie (2021), J. Economic Literature 59(2), section 5: move the date back to before the first
    reaction.
    """

    periods: int = 0
    level: float = 0.95

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Anticipation",
        idea="Did the treated units react before the date?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 5.",
    )

    def back(self, estimate: Estimate) -> int:
        """Count the periods that are left out."""
        return self.periods or max(1, min(MOST, estimate.panel.design.n_pre // ONE_IN))

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for enough periods before the ones that are left out."""
        return why_not_backdated(estimate, self.back(estimate))

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Refit without the last periods, and rank their gap among donors treated alike."""
        found = backdate(estimate, self.back(estimate), progress)
        same_side = found.effect * estimate.att > 0.0
        verdict: Verdict = "good"
        if np.isnan(found.p_value):
            verdict = "unknown"
        elif found.p_value <= 1.0 - self.level + ROUNDING:
            verdict = "bad" if same_side else "caution"
        elif found.p_value <= found.smallest_p * 1.001:
            verdict = "unknown"
        side = ""
        if verdict in ("bad", "caution"):
            side = (
                " It points the same way as the effect."
                if same_side
                else " It points the other way than the effect."
            )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            sentence(estimate, found) + side,
            advice=ADVICE.format(first=found.first) if side else "",
            table=paths_table(found),
            details={"effect": found.effect, "p_value": found.p_value, "first": found.first},
        )


ADVICE = (
    "If people knew beforehand, set the first treated period to {first} on the design page, so "
    "that the fit uses none of these periods."
)
