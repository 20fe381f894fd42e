"""How the treated unit ranks among units that were never treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from zlib import crc32

import numpy as np
import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, number, p_text
from components.diagnostics.unit_gaps import treated_name
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.inference.placebo import PlaceboInSpace

KEY = "placebo_units"
DRAWS = 400
RANKS = PlaceboInSpace(statistic="rmspe_ratio", n_draws=DRAWS)


@dataclass(frozen=True)
class PlaceboUnits:
    """Rank the ratio of the RMSPE after treatment to that before among placebo units.

    Parameters
    ----------
    max_mspe_ratio : float
        Leave out of the ranking placebos whose MSPE before treatment is more than this many times
        that of the treated unit; 0 keeps all. They are counted, and stay in the table.
    level : float
        One minus this is the p-value up to which the effect counts as unusual.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), JASA 105(490), figures 5 to 8; (2015), section 4.
    """

    max_mspe_ratio: float = 0.0
    level: float = 0.95

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Placebo units",
        idea="Does so large an effect also appear where nothing was done?",
        reference="Abadie, Diamond and Hainmueller (2010), JASA 105(490), 493-505.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a block design with more never-treated than treated units."""
        return RANKS.why_not(estimate)

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Refit every placebo, and rank those that fit well enough."""
        rng = np.random.default_rng(crc32(KEY.encode()))
        said = RANKS.assess(estimate, level=0.5, rng=rng, progress=progress)
        progress(1.0)
        table = said.details["ranking"].rename(columns={"statistic": "rmspe_ratio"})
        own = table.loc[table["treated"]].iloc[0]
        limit = self.max_mspe_ratio or np.inf
        kept = table["pre_rmspe"] ** 2 <= limit * own["pre_rmspe"] ** 2
        table = table.drop(columns="rank").assign(kept=kept | table["treated"])
        ranked = table.loc[table["kept"], "rmspe_ratio"].to_numpy()
        rank = int((ranked >= own["rmspe_ratio"] * (1.0 - 1e-12)).sum())  # a tie counts against it
        n, left_out = len(ranked), int((~table["kept"]).sum())
        places = table["rmspe_ratio"].where(table["kept"]).rank(ascending=False, method="max")
        table.insert(0, "rank", places)
        p_value = rank / n
        verdict: Verdict = "good"
        if p_value > 1.0 - self.level + 1e-9:
            verdict = "caution" if 1.0 / n <= 1.0 - self.level + 1e-9 else "unknown"
        return Finding(
            KEY,
            self.card.title,
            verdict,
            self._sentence(estimate, float(own["rmspe_ratio"]), rank, n, left_out),
            advice=ADVICE[verdict],
            table=table,
            details={
                "ratio": float(own["rmspe_ratio"]),
                "rank": rank,
                "n": n,
                "p_value": p_value,
                "left_out": left_out,
                "worse_fits": {limit: _worse(table, limit) for limit in (2, 5, 20)},
            },
        )

    def _sentence(self, estimate: Estimate, ratio: float, rank: int, n: int, left_out: int) -> str:
        what = "unit" if estimate.panel.design.n_treated == 1 else "group"
        text = (
            f"The gaps of {treated_name(estimate.panel)} are {number(ratio, 4)} times as large "
            f"after treatment as before (RMSPE): rank {rank} of {n} ({p_text(rank / n)})."
        )
        if self.max_mspe_ratio:
            text += (
                f" {counted(left_out, f'placebo {what}')} with more than "
                f"{self.max_mspe_ratio:g} times its MSPE before treatment "
                f"{'is' if left_out == 1 else 'are'} left out of the ranking."
            )
        if n < 20:
            text += f" With {n - 1} placebos the smallest possible value is {1 / n:.3f}."
        return text


def _worse(table: pd.DataFrame, limit: float) -> int:
    own = float(table.loc[table["treated"], "pre_rmspe"].iloc[0])
    return int((table["pre_rmspe"] ** 2 > limit * own**2).sum())


ADVICE = {
    "good": "",
    "caution": (
        "Gaps as large appear where nothing was done, so this ranking alone does not single the "
        "effect out: give the p-value next to the estimate, and see which placebos rank higher."
    ),
    "unknown": (
        "There are too few donors for a ranking to say more: put units back on the design page, "
        "or choose conformal inference, which compares periods."
    ),
}
