"""Drift of treated and untreated units before treatment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import number, p_text
from components.diagnostics.unit_gaps import (
    EQUAL_WEIGHTS,
    Comparison,
    compare,
    plain_gaps,
    too_small,
    treated_name,
    unit_gaps,
    weights_follow_anything,
)
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.numerics.slopes import lasting, slopes_of
from components.numerics.twoway import fit_two_way

KEY = "trends"


@dataclass(frozen=True)
class Trends:
    r"""Compare the slopes of treated and never-treated units before treatment.

    Each unit's gap to the prediction from the never-treated others has a slope over the periods
    before treatment; those of treated units are compared with those of never-treated ones by a t
    test over units, which holds its level whatever the correlation over time. The slope is by
    generalized least squares, with the correlation of neighbours that the never-treated units
    show, so that lasting errors cost no more power than they have to. Where units start at
    different dates, each date has its own window, and dates count by their treated units.

    Weights of as many donors as periods can follow any path, and hide the drift of many treated
    units. There the plain means are compared, as if donors counted alike, and the verdict is
    ``"caution"`` at most: a drift that the weights follow may be the donors' own.

    Parameters
    ----------
    caution_p, bad_p : float
        p-values below which the slopes count as different.

    Notes
    -----
    A trend that is not seen need not be absent: the finding says how large a drift over the
    treated periods would have gone unnoticed, next to the estimate, and is ``"unknown"`` where
    that is as large as the estimate.

    References
    ----------
    Roth (2022), American Economic Review: Insights 4(3), 305-322, on what tests of trends before
    treatment can and cannot see. The harm, by simulation: ``docs/coverage.md``.
    """

    caution_p: float = 0.05
    bad_p: float = 0.01

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Trend before treatment",
        idea="Did treated and untreated units drift apart before there was any treatment?",
        reference="Roth (2022), American Economic Review: Insights 4(3), 305-322.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for lasting treatment, periods before it, and never-treated units."""
        if estimate.panel.design.kind == "reversing":
            return "Treatment ends again for some units: there is no single time before it."
        return too_small(estimate, "The trend before treatment")

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Fit every unit's slope and compare."""
        found, table = _slopes(estimate)
        progress(1.0)
        if found is None:
            return Finding(
                KEY,
                self.card.title,
                "unknown",
                "Slopes before treatment do not vary between units, so they cannot be compared.",
                table=table,
            )
        drift, unseen = _carried_on(estimate, found)
        verdict: Verdict = "good"
        if found.p_value < self.caution_p:
            clear = found.p_value < self.bad_p and not weights_follow_anything(estimate)
            verdict = "bad" if clear else "caution"
        elif unseen >= abs(estimate.att):
            verdict = "unknown"
        return Finding(
            KEY,
            self.card.title,
            verdict,
            _sentence(estimate, found, verdict),
            advice=_advice(estimate) if verdict in ("bad", "caution") else "",
            table=table,
            details={
                "slope": found.difference,
                "standard_error": found.standard_error,
                "p_value": found.p_value,
                "drift": drift,
                "unseen": unseen,
            },
        )


def _carried_on(estimate: Estimate, found: Comparison) -> tuple[float, float]:
    """Give the drift in the average treated period, and the largest that would not be noticed."""
    span = _span(estimate)
    return found.difference * span, found.reach() * span


def _sentence(estimate: Estimate, found: Comparison, verdict: Verdict) -> str:
    design, (drift, unseen) = estimate.panel.design, _carried_on(estimate, found)
    hidden = weights_follow_anything(estimate)
    weighted = estimate.estimator.card.key not in EQUAL_WEIGHTS and design.kind == "block"
    others = "weighted donors" if weighted and not hidden else "never-treated units"
    sentence = (
        f"Before treatment {treated_name(estimate.panel)} "
        f"{'drifts' if design.n_treated == 1 else 'drift'} away from the "
        f"{others} by {number(found.difference)} a period ({p_text(found.p_value)}); carried on, "
        f"that would be {number(drift)} in the average treated period, next to an estimate of "
        f"{number(estimate.att)}."
    )
    if hidden:
        sentence += (
            f" Donors count alike here: weights of {design.n_controls} donors can follow such a "
            f"drift over {design.n_pre} periods by chance alone."
        )
    if verdict == "unknown":
        return (
            f"{sentence} That is no clear trend, but one worth {number(unseen)}, as much as the "
            "estimate or more, could have gone unnoticed."
        )
    if verdict == "good":
        return f"{sentence} A trend worth more than {number(unseen)} would have been noticed."
    return sentence


def _slopes(estimate: Estimate) -> tuple[Comparison | None, pd.DataFrame]:
    panel = estimate.panel
    treated = panel.design.treated
    if panel.design.kind == "block":
        hidden = weights_follow_anything(estimate)
        gaps = plain_gaps(panel) if hidden else unit_gaps(estimate)[:, : panel.design.n_pre]
        slopes = slopes_of(gaps, lasting(gaps[~treated]))
        table = pd.DataFrame({"unit": panel.units.astype(str), "treated": treated, "slope": slopes})
        return compare(slopes[treated], slopes[~treated]), table
    return _by_date(estimate)


def _by_date(estimate: Estimate) -> tuple[Comparison | None, pd.DataFrame]:
    r"""Compare each cohort with the never-treated units over its own window, and average.

    The variance of one slope in a window is that among the never-treated units there; controls
    are shared between windows, so that their part is the variance of their averaged slopes.
    """
    panel = estimate.panel
    controls = np.flatnonzero(~panel.design.treated)
    parts, rows = [], []
    for cohort in panel.design.cohorts:
        if cohort.start < 3:
            continue
        members = np.r_[cohort.rows, controls]
        window = panel.Y[members, : cohort.start]
        alpha, beta = fit_two_way(window, np.isfinite(window))
        left = window - alpha[:, None] - beta
        slopes = slopes_of(left, lasting(left[len(cohort.rows) :]))
        own, others = slopes[: len(cohort.rows)], slopes[len(cohort.rows) :]
        known = own[np.isfinite(own)]
        if len(known):
            parts.append((len(known), float(known.mean()), others))
        rows += [
            (str(panel.units[row]), True, slope)
            for row, slope in zip(cohort.rows, own, strict=True)
        ]
    table = pd.DataFrame(rows, columns=["unit", "treated", "slope"])
    if not parts:
        return None, table
    counts = np.array([count for count, _, _ in parts], dtype=np.float64)
    shares = counts / counts.sum()
    others = np.stack([slopes for _, _, slopes in parts])
    averaged = shares @ others
    averaged = averaged[np.isfinite(averaged)]
    if len(averaged) < 5:
        return None, table
    own_part = (shares**2 * np.nanvar(others, axis=1, ddof=1) / counts).sum()
    error = float(np.sqrt(own_part + averaged.var(ddof=1) / len(averaged)))
    if not error > 0.0:
        return None, table
    difference = float(shares @ np.array([mean for _, mean, _ in parts]) - averaged.mean())
    df = len(averaged) - 1
    p_value = float(2.0 * student.sf(abs(difference) / error, df))
    return Comparison(difference, error, df, p_value), table


def _span(estimate: Estimate) -> float:
    """Periods from the middle of the time before treatment to the average treated cell."""
    spans, cells = 0.0, 0
    for cohort in estimate.panel.design.cohorts:
        n_post = estimate.panel.shape[1] - cohort.start
        spans += len(cohort.rows) * n_post * (cohort.start + n_post) / 2.0
        cells += len(cohort.rows) * n_post
    return spans / cells


def _advice(estimate: Estimate) -> str:
    if estimate.estimator.card.key in EQUAL_WEIGHTS:
        if estimate.panel.design.kind == "block":
            return (
                "Choose synthetic DID or synthetic control with intercept, which weight donors to "
                "move alike before treatment, or matrix completion, which takes a trend of its "
                "own; then look here again."
            )
        return (
            "Choose matrix completion or TROP, which allow units to drift apart, or leave out the "
            "dates whose units drift."
        )
    if weights_follow_anything(estimate):
        return (
            "The weights may follow it before treatment and lose it after: estimate with an "
            "earlier date, choose matrix completion or TROP, which allow for a trend of its own, "
            "and give the drift next to the estimate."
        )
    return (
        "The donors cannot follow it: choose matrix completion or TROP, which allow for a trend of "
        "its own, or add donors that move alike, and give the drift next to the estimate."
    )
