"""How many outcomes were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import p_text
from components.estimators.base import Card, Estimate
from components.inference.base import ROUNDING, Progress, Uncertainty

KEY = "multiplicity"
MOST_NAMED = 5


@dataclass(frozen=True)
class Multiplicity:
    r"""Raise the p-value to what it is worth among several outcomes.

    Bonferroni multiplies by the number m of outcomes. Holm is as safe and gives up less: it
    multiplies the smallest by m, the next by m - 1, and so on.

    Parameters
    ----------
    outcomes : int
        How many outcomes are looked at, this one among them.
    counted : tuple of str
        The others, where they were counted from the columns of a table rather than said.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """

    outcomes: int = 1
    counted: tuple[str, ...] = ()

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
            text = f"This analysis has no p-value to adjust for {m} outcomes."
            return Finding(KEY, title, "unknown", self._how() + text, advice=ADVICE_NONE)
        p, alpha = uncertainty.p_value, 1.0 - uncertainty.level + ROUNDING
        steps = [min(1.0, p * (m - place)) for place in range(m)]
        table = pd.DataFrame({"place_of_this_outcome": range(1, m + 1), "holm_p_value": steps})
        verdict: Verdict = "good"
        if p <= alpha < steps[0]:
            verdict = "caution"
        held = "stays" if steps[0] <= alpha else "is no longer"
        text = self._how() + (
            f"For this outcome alone {p_text(p)}; among {m} that counts as {p_text(steps[0])} "
            "(Bonferroni; Holm if it is the smallest)"
        )
        text += f" and {held} below {alpha:.2g}." if p <= alpha else "."
        advice = ADVICE.format(m=m, alpha=alpha) if verdict == "caution" else ""
        return Finding(KEY, title, verdict, text, advice=advice, table=table)

    def _how(self) -> str:
        """Say how the outcomes were counted, where nobody said how many there are."""
        if not self.counted:
            return ""
        named = ", ".join(self.counted[:MOST_NAMED])
        more = len(self.counted) - MOST_NAMED
        named += f" and {more} more" if more > 0 else ""
        one = len(self.counted) == 1
        return (
            f"The table has {'another column' if one else f'{len(self.counted)} other columns'} "
            f"that could be {'an outcome' if one else 'outcomes'} ({named}); if you look at "
            "fewer, say how many. "
        )


ADVICE = (
    "Report all {m} outcomes, say which was named first, and compare each p-value with its own "
    "limit in the table."
)
ADVICE_NONE = "Choose an inference method with a p-value on the method page."
