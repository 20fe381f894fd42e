"""Whether one donor carries the counterfactual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, number, share
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import unit_label

KEY = "concentration"
CARRIES = 0.01  # a donor with a smaller weight is not counted


@dataclass(frozen=True)
class Concentration:
    r"""Look at the largest weight and the effective number of donors, :math:`1/\sum_j w_j^2`.

    Parameters
    ----------
    caution, bad : float
        Largest weight from which on one donor outweighs all others together, or is nearly alone:
        whatever happens to it after treatment then counts as effect.
    """

    caution: float = 0.5
    bad: float = 0.9

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Spread of the weights",
        idea="Does one donor carry the counterfactual?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 4.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for donor weights."""
        if estimate.unit_weights is None:
            title = estimate.estimator.card.title
            return f"{title} has no single set of donor weights in this design."
        if len(estimate.unit_weights) < 2:
            return "There is one donor only, so it carries everything."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Sort the weights."""
        weights = estimate.unit_weights
        assert weights is not None
        ordered = weights.iloc[np.argsort(-weights.abs().to_numpy(), kind="stable")]
        names = [unit_label(unit) for unit in ordered.index]
        table = pd.DataFrame({"unit": names, "weight": ordered.to_numpy()})
        largest = float(np.abs(ordered.to_numpy()[0]))
        verdict: Verdict = "good"
        if largest > self.caution:
            verdict = "bad" if largest > self.bad else "caution"
        carrying = int((weights.abs() > CARRIES).sum())
        progress(1.0)
        if np.ptp(weights.to_numpy()) <= 1e-9:
            text = (
                f"All {len(weights)} donors have the same weight, {number(largest)}: no single one "
                "stands out."
            )
        else:
            text = (
                f"{names[0]} has the largest weight, {share(largest)}; "
                f"{counted(carrying, 'donor carries', 'donors carry')} more than 1% each, worth "
                f"{number(estimate.effective_donors, 2)} donors of equal weight."
            )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text,
            advice=ADVICE.format(name=names[0]) if verdict != "good" else "",
            table=table,
            details={"largest": largest, "effective_donors": estimate.effective_donors},
        )


ADVICE = (
    "Ask what else happened in {name} after the date, and see below what the estimate is without "
    "it; synthetic DID spreads the weights more evenly."
)
