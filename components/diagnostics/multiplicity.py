"""How many outcomes were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import p_text
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

KEY = "multiplicity"


@dataclass(frozen=True)
class Multiplicity:
    r"""Raise the p-value to what it is worth among several outcomes.

    Bonferroni multiplies by the number m of outcomes. Holm is as safe and gives up less: it
    multiplies the smallest by m, the next by m - 1, and so on.

    Parameters
    ----------
    outcomes : int
        How many outcomes are looked at, this one among them.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """

    outcomes: int = 1

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Several outcomes",
        idea="Is this the best of many outcomes?",
        reference="Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for two outcomes."""
        if self.outcomes < 2:
            return "One outcome is looked at. If you look at more, say below how many."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Multiply."""
        m, title = self.outcomes, self.card.title
        progress(1.0)
        if uncertainty is None or uncertainty.p_value is None:
            text = f"{m} outcomes are looked at, but this analysis has no p-value to adjust."
            return Finding(KEY, title, "unknown", text, advice=ADVICE_NONE)
        p, alpha = uncertainty.p_value, 1.0 - uncertainty.level
        steps = [min(1.0, p * (m - place)) for place in range(m)]
        table = pd.DataFrame({"place_of_this_outcome": range(1, m + 1), "holm_p_value": steps})
        verdict: Verdict = "good"
        if p <= alpha < steps[0]:
            verdict = "caution"
        held = "stays" if steps[0] <= alpha else "is no longer"
        text = (
            f"For this outcome alone {p_text(p)}; among {m} that counts as {p_text(steps[0])} "
            "(Bonferroni; Holm if it is the smallest)"
        )
        text += f" and {held} below {alpha:.2g}." if p <= alpha else "."
        advice = ADVICE.format(m=m, alpha=alpha) if verdict == "caution" else ""
        return Finding(KEY, title, verdict, text, advice=advice, table=table)


ADVICE = (
    "Report all {m} outcomes, say which was named first, and compare each p-value with its own "
    "limit in the table."
)
ADVICE_NONE = "Choose an inference method with a p-value on the method page."
