"""Whether the fit before treatment beats that of the plain mean of all donors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import number, share
from components.diagnostics.unit_gaps import EQUAL_WEIGHTS, levels_matter, treated_name
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import period_label

KEY = "fit"


@dataclass(frozen=True)
class PrePeriodFit:
    r"""Compare the RMSPE before treatment with that of the unweighted mean of the donors.

    The mean is shifted to the treated unit's own level as the estimator does it (by its time
    weights, if it has any), unless that is synthetic control without intercept, which has to reach
    the level by its unit weights.

    Parameters
    ----------
    caution_ratio, bad_ratio : float
        Of the two RMSPEs: above one the weights fit worse than no weights at all, and above one
        and a quarter much worse.

    References
    ----------
    Abadie (2021), J. Economic Literature 59(2), section 5; the ratio is one minus the "percent
    improvement over equal weights" of Ben-Michael, Feller and Rothstein (2021).
    """

    caution_ratio: float = 1.0
    bad_ratio: float = 1.25

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Fit before treatment",
        idea="Is the fit before treatment better than that of the plain mean of all donors?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 5.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for donors, periods before treatment, and an estimator that fits them."""
        design = estimate.panel.design
        if estimate.estimator.card.key in EQUAL_WEIGHTS:
            return (
                f"{estimate.estimator.card.title} gives all donors the same weight, so its fit is "
                "that of their plain mean; look at the trend before treatment instead."
            )
        if estimate.estimator.card.key == "trop":
            return (
                "TROP asks for a close fit near the date only, so its gaps in far periods say "
                "little; look at an earlier date instead."
            )
        if not design.n_controls:
            return "No unit is never treated, so there is no plain mean of donors to compare with."
        if max((cohort.start for cohort in design.cohorts), default=0) < 2:
            return "There are fewer than two periods before treatment."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Take both root mean squares over the same cells."""
        own, plain = _gaps(estimate)
        ours, theirs = _rms(own), _rms(plain)
        table = _table(estimate, own, plain)
        progress(1.0)
        title = self.card.title
        if not np.isfinite(ours) or not theirs > 0.0:
            text = "No gap before treatment is known, so nothing can be said about the fit."
            return Finding(KEY, title, "unknown", text, table=table)
        ratio = ours / theirs
        verdict: Verdict = "good"
        if ratio > self.caution_ratio:
            verdict = "bad" if ratio > self.bad_ratio else "caution"
        mean = "plain mean" if levels_matter(estimate) else "plain mean at its own level"
        return Finding(
            KEY,
            title,
            verdict,
            f"Before treatment the typical gap of {treated_name(estimate.panel)} is "
            f"{number(ours)} (RMSPE), {share(ratio)} of the {number(theirs)} of all donors' "
            f"{mean}; the estimate is {number(abs(estimate.att / ours))} times that gap.",
            advice=ADVICE if verdict != "good" else "",
            table=table,
            details={"rmspe": ours, "plain_rmspe": theirs, "ratio": ratio},
        )


ADVICE = (
    "Weighted donors follow less well than all donors alike: choose donors that are more alike on "
    "the design page, or matrix completion or TROP on the method page, and compare."
)


def _gaps(estimate: Estimate) -> tuple[Floats, Floats]:
    """Gaps of the treated units before treatment, ours and the plain mean's.

    Returns
    -------
    own, plain : Floats, shape (1, T) or (N1, T)
        Of the treated average in a block design, else of each treated unit; NaN elsewhere.
    """
    panel = estimate.panel
    treated, Y = panel.design.treated, panel.Y
    untreated = ~panel.W.cumsum(axis=1).astype(np.bool_)[treated]
    seen = untreated & np.isfinite(estimate.effects[treated])
    mean = _means(Y[~treated])
    own = np.where(seen, estimate.effects[treated], np.nan)
    plain = np.where(seen, Y[treated] - mean, np.nan)
    if panel.design.kind == "block" and seen[:, : panel.design.n_pre].all():
        own, plain = own.mean(axis=0)[None], plain.mean(axis=0)[None]
    if not levels_matter(estimate):
        known = np.isfinite(plain)
        weights = known.astype(np.float64)
        if estimate.time_weights is not None and known.sum() == len(estimate.time_weights):
            weights[known] = estimate.time_weights.to_numpy()
        level = (weights * np.where(known, plain, 0.0)).sum(axis=1) / weights.sum(axis=1)
        plain = plain - level[:, None]
    return own, plain


def _rms(gaps: Floats) -> float:
    known = gaps[np.isfinite(gaps)]
    return float(np.sqrt(np.square(known).mean())) if known.size else float("nan")


def _means(values: Floats) -> Floats:
    """Mean of each column over its known cells; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    means: Floats = np.divide(sums, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return means


def _table(estimate: Estimate, own: Floats, plain: Floats) -> pd.DataFrame:
    periods = estimate.panel.periods
    columns = np.flatnonzero(np.isfinite(own).any(axis=0))
    return pd.DataFrame(
        {
            "period": [period_label(period) for period in periods[columns]],
            "gap": _means(own[:, columns]),
            "gap_to_plain_mean": _means(plain[:, columns]),
        }
    )
