"""Number of treated units, for methods that rely on many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from components.diagnostics.base import Finding, Verdict
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

KEY = "few_treated"
RELIES_ON_MANY = ("jackknife", "bootstrap", "event_study")


@dataclass(frozen=True)
class FewTreated:
    """Count the treated units for methods that learn from the spread among them.

    Parameters
    ----------
    caution : int
        Below so many treated units. With five of 40 simulated intervals keep their coverage by
        their t reference, at the price of wide ones; with fewer these methods refuse.

    References
    ----------
    Conley and Taber (2011), Review of Economics and Statistics 93(1); MacKinnon and Webb (2017),
    J. Applied Econometrics 32(2). Thresholds by simulation: ``docs/coverage.md``.
    """

    caution: int = 10

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Number of treated units",
        idea="Are there enough treated units for a method that learns from their spread?",
        reference="Conley and Taber (2011), Review of Economics and Statistics 93(1), 113-125.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a treated unit."""
        if estimate.panel.design.kind == "none":
            return "No cell is treated: there is nothing to count."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Count, and ask what the method needs."""
        n = estimate.panel.design.n_treated
        units = "1 unit is" if n == 1 else f"{n} units are"
        verdict: Verdict = "good"
        advice = ""
        if uncertainty is None:
            sentence = f"{units} treated; no inference method is chosen that could need more."
        elif uncertainty.method.card.key not in RELIES_ON_MANY:
            title = uncertainty.method.card.title
            sentence = f"{units} treated. {title}: it does not rely on many of them."
        else:
            title = uncertainty.method.card.title
            few = n < self.caution
            verdict = "caution" if few else "good"
            sentence = f"{units} treated. {title}: it learns from the spread among them" + (
                f": with fewer than {self.caution} a single unusual one makes the interval "
                "too short or too long."
                if few
                else ", and these are enough to know it."
            )
            advice = ADVICE if few else ""
        progress(1.0)
        return Finding(
            KEY, self.card.title, verdict, sentence, advice=advice, details={"n_treated": n}
        )


ADVICE = (
    "Choose placebo in space, placebo variance or conditional variance, which learn from the "
    "never-treated units."
)
