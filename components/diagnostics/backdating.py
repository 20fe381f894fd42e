"""Placebo in time: whether an effect appears at a date when nothing had happened yet."""

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

KEY = "backdating"
SHARE_BACK = 3  # by default a third of the periods before treatment


@dataclass(frozen=True)
class Backdating:
    """Move treatment to an earlier date and drop the periods of real treatment.

    A model that predicts well gives about zero between the earlier and the real date.

    Parameters
    ----------
    periods : int
        How many periods earlier; 0 takes a third of the periods before treatment.
    level : float
        An estimate there that is rarer than one minus this among donors treated alike is a
        warning.
    large : float
        Bad where it is also at least this share of the real estimate.

    References
    ----------
    Abadie, Diamond and Hainmueller (2015), AJPS 59(2), figure 4; Heckman and Hotz (1989).
    """

    periods: int = 0
    level: float = 0.95
    large: float = 0.5

    card: ClassVar[Card] = Card(
        key=KEY,
        title="An earlier date",
        idea="Does an effect appear at a date when nothing had happened yet?",
        reference="Abadie, Diamond and Hainmueller (2015), AJPS 59(2), 495-510.",
    )

    def back(self, estimate: Estimate) -> int:
        """Count the periods that the date moves."""
        return self.periods or max(1, estimate.panel.design.n_pre // SHARE_BACK)

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for enough periods before the earlier date."""
        return why_not_backdated(estimate, self.back(estimate))

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Refit at the earlier date, and rank the estimate among donors treated alike."""
        found = backdate(estimate, self.back(estimate), progress)
        size = abs(found.effect / estimate.att) if estimate.att else float("inf")
        alpha = 1.0 - self.level + ROUNDING
        verdict: Verdict = "good"
        if np.isnan(found.effect):
            verdict = "unknown"
        elif np.isnan(found.p_value):
            verdict = "caution" if size >= self.large else "unknown"
        elif found.p_value <= alpha:
            verdict = "bad" if size >= self.large else "caution"
        elif found.p_value <= found.smallest_p * 1.001:
            verdict = "unknown"  # the most extreme of all, but too few donors to say so
        return Finding(
            KEY,
            self.card.title,
            verdict,
            sentence(estimate, found),
            advice=ADVICE if verdict in ("bad", "caution") else "",
            table=paths_table(found),
            details={"effect": found.effect, "p_value": found.p_value, "first": found.first},
        )


ADVICE = (
    "The model misses something that was there before treatment: look at the trend and at "
    "anticipation, choose other donors on the design page, or another estimator on the method page."
)
