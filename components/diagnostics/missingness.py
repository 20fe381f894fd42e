"""Whether outcomes are missing more often where units are treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from components.arrays import Bools
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, p_text, share
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

KEY = "missingness"


@dataclass(frozen=True)
class Missingness:
    """Compare the share of missing outcomes in treated cells with that in all others.

    Parameters
    ----------
    caution, bad : float
        Difference of the two shares; five percentage points is what trials are warned at, twenty
        what they are distrusted at (Schulz and Grimes 2002).
    level : float
        A smaller difference than ``caution`` is a warning too where it is rarer than one minus
        this if cells were missing at random (Fisher's exact test, cells taken as independent).

    References
    ----------
    Schulz and Grimes (2002), The Lancet 359, 781-785.
    """

    caution: float = 0.05
    bad: float = 0.2
    level: float = 0.99

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Missing outcomes",
        idea="Are outcomes missing more often where units are treated?",
        reference="Schulz and Grimes (2002), The Lancet 359, 781-785.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for treated and untreated cells."""
        W = estimate.panel.W
        if not W.any() or W.all():
            return "There are no treated and untreated cells to compare."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Count the missing cells in each corner of the table."""
        panel = estimate.panel
        missing, W = ~panel.observed, panel.W
        table = _corners(missing, W, panel.design.treated)
        progress(1.0)
        if not missing.any():
            text = f"None of the {missing.size:,} cells of the table is missing."
            return Finding(KEY, self.card.title, "good", text, table=table)
        counts = [[int((missing & side).sum()), int((~missing & side).sum())] for side in (W, ~W)]
        shares = [row[0] / sum(row) for row in counts]
        difference = shares[0] - shares[1]
        p_value = float(fisher_exact(np.array(counts)).pvalue)
        verdict: Verdict = "good"
        if abs(difference) >= self.caution or p_value <= 1.0 - self.level:
            verdict = "bad" if abs(difference) >= self.bad else "caution"
        fisher = f"Fisher's exact test: {p_text(p_value)}"
        text = (
            f"{counted(int(missing.sum()), 'cell')} of {missing.size:,} "
            f"{'is' if missing.sum() == 1 else 'are'} missing: {share(shares[0])} of the treated "
            f"and {share(shares[1])} of the untreated ones ({fisher})."
        )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text,
            advice=ADVICE if verdict != "good" else "",
            table=table,
            details={"difference": difference, "p_value": p_value},
        )


ADVICE = (
    "If outcomes go missing because of the treatment, the units that are left are not the same: "
    "find out why on the data page, and compare with a window on the design page in which all are "
    "observed."
)


def _corners(missing: Bools, W: Bools, treated: Bools) -> pd.DataFrame:
    after = W.any(axis=0)
    rows = []
    for who, units in (("treated units", treated), ("never-treated units", ~treated)):
        for when, periods in (("before anyone is treated", ~after), ("from then on", after)):
            cells = np.outer(units, periods)
            rows.append((who, when, int(cells.sum()), int((cells & missing).sum())))
    table = pd.DataFrame(rows, columns=["units", "periods", "cells", "missing"])
    table["share_missing"] = table["missing"] / table["cells"].clip(lower=1)
    return table
