"""Whether the result hangs on a single donor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.arrays import Ints
from components.diagnostics.base import Finding
from components.diagnostics.leave_out import leave_out, range_sentence, verdict_of
from components.diagnostics.phrases import counted
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import unit_label

KEY = "leave_donor_out"
CARRIES = 1e-3
MOST_OF_ALL = 60  # donors, where none has a weight that would tell which matter


@dataclass(frozen=True)
class LeaveDonorOut:
    """Refit without each donor that carries weight.

    Parameters
    ----------
    every : bool
        Leave out every donor, those without weight too.

    References
    ----------
    Abadie, Diamond and Hainmueller (2015), AJPS 59(2), figure 5.
    """

    every: bool = False

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Leave one donor out",
        idea="Does the result hang on a single donor?",
        reference="Abadie, Diamond and Hainmueller (2015), AJPS 59(2), 495-510.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for two donors."""
        if estimate.panel.design.n_controls < 2:
            return "There are fewer than two never-treated units, so none can be left out."
        return None

    def rows(self, estimate: Estimate) -> Ints:
        """Give the rows of the donors that are left out in turn, heaviest first."""
        panel, weights = estimate.panel, estimate.unit_weights
        donors = np.flatnonzero(~panel.design.treated)
        if weights is None:
            return donors if self.every else donors[:MOST_OF_ALL]
        size = np.abs(weights.reindex(panel.units[donors]).fillna(0.0).to_numpy())
        donors = donors[np.argsort(-size, kind="stable")]
        alike = np.ptp(size) <= 1e-9
        carrying = int((size > CARRIES).sum())
        if self.every:
            return donors
        return donors[: min(carrying, MOST_OF_ALL) if alike else carrying]

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Refit without each."""
        rows = self.rows(estimate)
        left = leave_out(estimate, rows.tolist(), progress)
        verdict = verdict_of(estimate, left.table)
        rest = estimate.panel.design.n_controls - len(rows)
        weighs = estimate.unit_weights is not None
        skipped = ""
        if rest:
            one = "donor without weight" if weighs else "further donor"
            several = "donors without weight" if weighs else "further donors"
            skipped = f" {counted(rest, one, several)} {'was' if rest == 1 else 'were'} kept in."
        table = left.table
        if weighs:
            assert estimate.unit_weights is not None
            weights = {
                unit_label(unit): float(value) for unit, value in estimate.unit_weights.items()
            }
            table = table.assign(weight=[weights.get(unit, 0.0) for unit in table["unit"]])
        advice = ""
        if verdict in ("bad", "caution"):
            advice = ADVICE.format(name=table["unit"].iloc[0])
        return Finding(
            KEY,
            self.card.title,
            verdict,
            range_sentence(estimate, left, "donor") + skipped,
            advice=advice,
            table=table,
            details={"paths": left.paths},
        )


ADVICE = (
    "Ask whether {name} had a shock of its own after the date; if so, drop it on the design page. "
    "If not, give the range next to the estimate."
)
