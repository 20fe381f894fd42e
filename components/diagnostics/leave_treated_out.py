"""Whether the result hangs on a single treated unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.diagnostics.base import Finding
from components.diagnostics.leave_out import leave_out, range_sentence, verdict_of
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

KEY = "leave_treated_out"
MOST = 60


@dataclass(frozen=True)
class LeaveTreatedOut:
    """Refit without each treated unit.

    Parameters
    ----------
    most : int
        At most so many, evenly spread over the table.
    """

    most: int = MOST

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Leave one treated unit out",
        idea="Does the result hang on a single treated unit?",
        reference="Abadie, Diamond and Hainmueller (2015), AJPS 59(2), 495-510.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for two treated units."""
        if estimate.panel.design.n_treated < 2:
            return "One unit is treated, so it cannot be left out."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Refit without each."""
        treated = np.flatnonzero(estimate.panel.design.treated)
        spread = np.linspace(0, len(treated) - 1, min(self.most, len(treated)))
        rows = treated[np.unique(spread.astype(np.int64))]
        left = leave_out(estimate, rows.tolist(), progress, "gap")
        verdict = verdict_of(estimate, left.table)
        some = "" if len(rows) == len(treated) else f" ({len(rows)} of {len(treated)} were tried.)"
        advice = ""
        if verdict in ("bad", "caution"):
            advice = ADVICE.format(name=left.table["unit"].iloc[0])
        return Finding(
            KEY,
            self.card.title,
            verdict,
            range_sentence(estimate, left, "treated unit") + some,
            advice=advice,
            table=left.table,
            details={"paths": left.paths},
        )


ADVICE = (
    "Look at the outcome of {name} on the data page, and say whom the average stands for: drop it "
    "on the design page if it does not belong, else show effects by unit."
)
