"""Noise of the treated unit next to the units it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import number, p_text
from components.diagnostics.unit_gaps import (
    compare,
    too_small,
    treated_name,
    unit_gaps,
    without_rounding,
    wobble,
)
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import Panel, unit_label

KEY = "noise"
# From the errors of the treated unit itself or of many treated units: other units may be noisier.
OWN_NOISE = {
    "conformal": "it judges the effect by the treated unit's own periods",
    "prediction": "it judges the effect by the treated unit's own periods",
    "t_test": "it judges the effect by the treated unit's own periods",
    "jackknife_plus": "it judges the effect by the treated unit's own periods",
    "parametric": "it gives each unit a noise level of its own",
    "jackknife": "it takes the spread among the treated units themselves",
    "bootstrap": "it takes the spread among the treated units themselves",
    "event_study": "it takes the spread among the treated units themselves",
}
GIVEN_UNIT = ("unit", "both")
UNSCALED = "gap"


@dataclass(frozen=True)
class NoiseRatio:
    r"""Compare how much treated and never-treated units move on their own before treatment.

    The noise of a unit is the standard deviation, around its own line in time, of its gap to the
    prediction from the never-treated others. The logarithms are compared by a t test, so that
    controls that are themselves unlike each other make the test forgiving.

    Parameters
    ----------
    caution_p, bad_p : float
        p-values below which the difference counts.
    bad_ratio : float
        Ratio (either way) that has to be reached, too, for the worst verdict.

    References
    ----------
    The harm, by simulation: ``docs/coverage.md`` (noise twice the controls' leaves the placebo
    variance with a coverage of about 70 % instead of 95 %). Heteroskedasticity in placebo tests:
    Ferman and Pinto (2019), Review of Economics and Statistics 101(3).
    """

    caution_p: float = 0.05
    bad_p: float = 0.01
    bad_ratio: float = 1.5

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Noise of the treated",
        idea="Is the treated unit as noisy as the units that it is compared with?",
        reference="Ferman and Pinto (2019), Review of Economics and Statistics 101(3).",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for periods before treatment, and never-treated units."""
        return too_small(estimate, "The comparison of noise")

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Take the noise of every unit and compare."""
        panel = estimate.panel
        treated = panel.design.treated
        noise = wobble(without_rounding(unit_gaps(estimate), panel.Y))
        progress(1.0)
        with np.errstate(divide="ignore"):
            logs = np.where(noise > 0.0, np.log(noise), np.nan)
        found = compare(logs[treated], logs[~treated])
        table = pd.DataFrame(
            {
                "unit": [unit_label(unit) for unit in panel.units],
                "treated": treated,
                "noise": noise,
            }
        )
        if found is None:
            return Finding(
                KEY,
                self.card.title,
                "unknown",
                "The noise of treated and never-treated units cannot be compared: too little is "
                "left of it before treatment.",
                table=table,
            )
        ratio = float(np.exp(found.difference))
        unlike = found.p_value < self.caution_p
        own = _own_noise(uncertainty)
        verdict: Verdict = "good"
        if unlike and own is None:
            large = max(ratio, 1.0 / ratio) >= self.bad_ratio and found.p_value < self.bad_p
            verdict = "bad" if large else "caution"
        low, high = np.exp(found.difference + found.reach() * np.array([-1.0, 1.0]))
        return Finding(
            KEY,
            self.card.title,
            verdict,
            _compared(panel, ratio, found.p_value, (low, high))
            + _consequence(unlike, ratio, uncertainty, own),
            advice=_advice(ratio) if verdict in ("bad", "caution") else "",
            table=table,
            details={"ratio": ratio, "p_value": found.p_value, "interval": (low, high)},
        )


def _compared(panel: Panel, ratio: float, p_value: float, span: tuple[float, float]) -> str:
    sways = "sways around its" if panel.design.n_treated == 1 else "sway around their"
    return (
        f"Before treatment {treated_name(panel)} {sways} own course {number(ratio, 2)} "
        f"times as much as never-treated units do, net of what these predict ({p_text(p_value)}; "
        f"ratios from {number(span[0], 2)} to {number(span[1], 2)} fit the data)"
    )


def _own_noise(uncertainty: Uncertainty | None) -> str | None:
    """Say why a method does not mind other noise among the controls, or None if it does."""
    if uncertainty is None:
        return None
    method = uncertainty.method
    if getattr(method, "given", "") in GIVEN_UNIT:
        return "it conditions on the treated unit"
    if getattr(method, "statistic", UNSCALED) != UNSCALED:
        return "it measures each gap by the unit's own fit before treatment"
    return OWN_NOISE.get(method.card.key)


def _consequence(
    unlike: bool, ratio: float, uncertainty: Uncertainty | None, own: str | None
) -> str:
    if not unlike:
        return ": no sign that they differ."
    if own is not None and uncertainty is not None:
        return f". {uncertainty.method.card.title} allows for that: {own}."
    result = "too short" if ratio > 1 else "too long"
    if uncertainty is None:
        return f". Intervals that take all units to be equally noisy would be {result}."
    return (
        f". {uncertainty.method.card.title}: it takes all units to be equally noisy, so the "
        f"interval is likely {result}."
    )


def _advice(ratio: float) -> str:
    return (
        "Choose conditional variance given the unit or given both"
        + (", the cross-fitted t-test" if ratio > 1 else "")
        + " or placebo in space with the scaled gap: they measure the treated unit by its own "
        "noise."
    )
