"""Reach of the donors: how far the treated unit lies from every average of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import number, share
from components.diagnostics.unit_gaps import (
    EQUAL_WEIGHTS,
    jitter,
    levels_matter,
    size,
    too_small,
    treated_name,
    weighted_gaps,
)
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.numerics.rounding import rounding_of
from components.panel import Panel, unit_label

KEY = "support"


@dataclass(frozen=True)
class Reach:
    r"""Measure how far the treated unit lies from every weighted average of the donors.

    The distance of a unit is the root mean square of its gap before treatment to the best weights
    of the never-treated others, :math:`d_i`. Noise alone gives :math:`d_i \approx s_i`, with
    :math:`s_i = sd(\Delta g_i)/\sqrt 2` the unit's movement from period to period; a unit outside
    the donors' convex hull is farther away. The treated unit is out of reach where
    :math:`d_1/s_1` is both large and larger than for nearly all donors, seen from the others.
    For estimators with an intercept everything is measured from each unit's own mean.

    Parameters
    ----------
    caution_ratio, bad_ratio : float
        :math:`d_1/s_1` from which on the treated unit counts as out of reach.
    rarest : float
        Largest share of donors, the treated unit among them, that may be as far out.

    References
    ----------
    The convex hull condition: Abadie, Diamond and Hainmueller (2010), JASA 105(490), section 2;
    Abadie (2021), J. Economic Literature 59(2), section 5. Thresholds by simulation:
    ``docs/coverage.md``.
    """

    caution_ratio: float = 1.5
    bad_ratio: float = 2.5
    rarest: float = 0.1

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Reach of the donors",
        idea="Can any weighted average of donors get where the treated unit was?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 5.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a complete block design, and an estimator that weights donors to fit."""
        if estimate.estimator.card.key in EQUAL_WEIGHTS:
            return (
                f"{estimate.estimator.card.title} does not choose weights that bring the donors "
                "close; it asks for parallel movement instead (see the trend before treatment)."
            )
        if estimate.panel.design.kind != "block" or not estimate.panel.observed.all():
            return (
                "The reach of the donors is looked at in complete tables in which all treated "
                "units start in one period and stay."
            )
        return too_small(estimate, "The reach of the donors")

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Fit every unit by the never-treated others."""
        panel, levels = estimate.panel, levels_matter(estimate)
        treated = panel.design.treated
        gaps = weighted_gaps(panel, intercept=not levels)
        progress(0.7)
        distance, ratio = size(gaps), _ratio(panel, gaps)
        own, others = float(np.nanmedian(ratio[treated])), ratio[~treated]
        others = others[np.isfinite(others)]
        common = float((1 + (others >= own).sum()) / (1 + len(others)))
        rare = common <= self.rarest or not (others >= own).any()
        verdict: Verdict = "good"
        if rare and own >= self.caution_ratio:
            verdict = "bad" if own >= self.bad_ratio else "caution"
        outside = _beyond_all(panel) if levels else 0.0
        table = pd.DataFrame(
            {
                "unit": [unit_label(unit) for unit in panel.units],
                "treated": treated,
                "distance": distance,
                "in_own_noise": ratio,
            }
        )
        return Finding(
            KEY,
            self.card.title,
            verdict,
            _sentence(panel, float(np.nanmedian(distance[treated])), own, common, outside, levels),
            advice=self._advice(panel, levels) if verdict != "good" else "",
            table=table,
            details={"ratio": own, "share_as_far": common, "beyond_all_donors": outside},
        )

    def _advice(self, panel: Panel, levels: bool) -> str:
        if levels:
            moved = _ratio(panel, weighted_gaps(panel, intercept=True))[panel.design.treated]
            if float(np.nanmedian(moved)) < self.caution_ratio:
                return (
                    "Choose synthetic control with intercept or synthetic DID: once levels are "
                    "taken off, the donors do reach it."
                )
        return (
            "Add donors that are more alike, or choose matrix completion or TROP, which can go "
            "beyond averages of donors; rank the effect by placebo in space with the scaled gap, "
            "which counts how badly each unit fits."
        )


def _ratio(panel: Panel, gaps: Floats) -> Floats:
    """Distance in units of own movement; zero where the donors track a unit exactly."""
    distance, noise = size(gaps), jitter(gaps)
    tiny = rounding_of(panel.Y)
    exact = distance <= tiny
    return np.where(exact, 0.0, distance / np.maximum(noise, tiny if tiny > 0.0 else 1.0))


def _beyond_all(panel: Panel) -> float:
    """Share of the treated units' periods before treatment above or below every donor."""
    treated, before = panel.design.treated, panel.Y[:, : panel.design.n_pre]
    donors = before[~treated]
    outside = (before[treated] > donors.max(axis=0)) | (before[treated] < donors.min(axis=0))
    return float(outside.mean())


def _sentence(
    panel: Panel, distance: float, ratio: float, common: float, outside: float, levels: bool
) -> str:
    one = panel.design.n_treated == 1
    measured = "" if levels else ", measured from its own mean," if one else " from their means"
    text = (
        f"Before treatment {treated_name(panel)}{measured} "
        f"{'stays' if one else 'typically stay'} {number(distance)} away from the best weighted "
        f"average of donors (root mean square), {number(ratio, 2)} times the movement from period "
        f"to period of that gap; {share(common)} of the units compared, "
        f"{'this' if one else 'a typical treated'} one among them, are as far from the others or "
        "farther."
    )
    if outside > 0.0:
        text += (
            f" {'It lies' if one else 'They lie'} beyond every single donor in {share(outside)} of "
            "these periods."
        )
    return text
