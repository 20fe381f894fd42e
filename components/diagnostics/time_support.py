"""Whether there is enough time before treatment, and whether one period carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, number, share
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import period_label

KEY = "time_support"


@dataclass(frozen=True)
class TimeSupport:
    r"""Count the periods before treatment, and look at the largest time weight.

    Parameters
    ----------
    short : float
        Caution where there are fewer than this many periods before treatment for each one after.
    few : int
        Bad below so many periods before treatment: the weights then fit noise (Abadie 2021,
        section 5, asks for "a large number of pre-intervention periods").
    heavy : float
        Caution where one period has more than this share of the time weights, so that whatever
        happened in it enters the effect.
    """

    short: float = 1.0
    few: int = 5
    heavy: float = 0.9

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Time before treatment",
        idea="Is there enough time before treatment, and does one period carry it?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 5.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a first date."""
        if estimate.panel.design.kind == "none":
            return "No cell is treated."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Count periods, and sort the time weights."""
        panel = estimate.panel
        starts = np.concatenate([np.full(len(c.rows), c.start) for c in panel.design.cohorts])
        before = float(np.median(starts))
        after = panel.shape[1] - before
        progress(1.0)
        typical = "" if panel.design.kind == "block" else "a typical treated unit has "
        text = (
            f"{typical}{counted(round(before), 'period')} before treatment and {round(after)} from "
            "then on"
        )
        text = text[:1].upper() + text[1:]
        verdict: Verdict = "good"
        advice = ""
        if before < self.short * after:
            verdict, advice = "caution", ADVICE_SHORT
        if before < self.few:
            verdict, advice = "bad", ADVICE_SHORT
        weights, table = estimate.time_weights, None
        if weights is not None and len(weights) > 1:
            values = weights.to_numpy()
            largest = float(np.abs(values).max())
            name = period_label(weights.index[int(np.abs(values).argmax())])
            table = pd.DataFrame(
                {"period": [period_label(period) for period in weights.index], "weight": values}
            )
            worth = number(float(1.0 / np.square(values).sum()), 2)
            text += f"; the time weights are worth {worth} equal periods, {name} having the most, "
            text += share(largest)
            if largest > self.heavy:
                verdict = "bad" if verdict == "bad" else "caution"
                advice = advice or ADVICE_HEAVY.format(name=name)
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text + ".",
            advice=advice,
            table=table,
            details={"before": before, "after": after},
        )


ADVICE_SHORT = (
    "Add earlier periods to the table, or end the window earlier on the design page: little time "
    "before treatment is a weak basis for many periods after it."
)
ADVICE_HEAVY = (
    "Nearly everything is compared with {name} alone: ask what was special then, and compare with "
    "synthetic control with intercept, which weighs all periods before treatment alike."
)
