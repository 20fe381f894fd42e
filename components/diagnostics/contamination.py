"""Whether a donor reacted at the date of treatment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, listed, number, share
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty
from components.panel import Panel, period_label, unit_label

KEY = "contamination"
CARRIES = 0.01
FACTORS = 2  # common movements besides that of the average
MOST_PERIODS = 6  # after the date, over which a reaction is averaged
FEWEST_DONORS, FEWEST_PERIODS = 8, 8


@dataclass(frozen=True)
class Contamination:
    r"""Predict each donor from the others, as if it had been treated too.

    Donor j's distance to the mean of the others is regressed before treatment on a constant and
    the two leading movements of the others. What is left in the first periods after it, in units
    of its expected error and then of the typical one among all donors, is compared with a t
    quantile for as many donors as carry weight (Bonferroni).

    Parameters
    ----------
    level : float
        One minus the share of sound panels in which any donor is named.
    caution_share, bad_share : float
        Caution or bad where reactions times weights are this share of the estimate; below the
        first, a reaction is told but does not matter.

    References
    ----------
    Spillovers to donors: Abadie (2021), J. Economic Literature 59(2), section 5.
    """

    level: float = 0.95
    caution_share: float = 0.05
    bad_share: float = 0.25

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Reacting donors",
        idea="Did a donor react at the date of treatment?",
        reference="Abadie (2021), Journal of Economic Literature 59(2), section 5.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a complete block design with enough donors and periods."""
        panel = estimate.panel
        if panel.design.kind != "block":
            return "Donors are looked at around a single date, and here there are several."
        if not panel.observed[~panel.design.treated].all():
            return "Donors are predicted from each other, which needs all of their outcomes."
        if panel.design.n_controls < FEWEST_DONORS or panel.design.n_pre < FEWEST_PERIODS:
            return (
                f"Predicting donors from each other needs at least {FEWEST_DONORS} of them and "
                f"{FEWEST_PERIODS} periods before treatment; there are {panel.design.n_controls} "
                f"and {panel.design.n_pre}."
            )
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Predict every donor that carries weight."""
        panel = estimate.panel
        names = [unit_label(unit) for unit in panel.units[~panel.design.treated]]
        jumps, surprise, gaps = reactions(panel)
        progress(1.0)
        weights = _weights(estimate)
        carrying = weights > CARRIES if (weights > CARRIES).any() else np.ones_like(weights) > 0
        m, df = int(carrying.sum()), panel.design.n_pre - 1 - FACTORS
        limit = float(student.ppf(0.5 + (1.0 - (1.0 - self.level) / m) / 2.0, df))
        named = carrying & (np.abs(surprise) > limit)
        pulls = -weights * jumps
        table = pd.DataFrame(
            {"unit": names, "weight": weights, "reaction": jumps, "surprise": surprise}
        )
        order = np.argsort(-np.abs(surprise) * carrying, kind="stable")
        worst = int(order[0])
        verdict: Verdict = "good"
        if named.any():
            pull = float(np.abs(pulls[named]).sum())
            if pull >= self.caution_share * abs(estimate.att):
                verdict = "bad" if pull >= self.bad_share * abs(estimate.att) else "caution"
        text = (
            f"{names[worst]} departs most from what the other donors say after the date, by "
            f"{number(float(jumps[worst]))}: {number(abs(float(surprise[worst])), 2)} times its "
            f"usual error, where {number(limit, 2)} or more would be seldom among "
            f"{counted(m, 'donor')}"
        )
        text += (
            f"; with its weight of {share(float(weights[worst]))} that moves the estimate by "
            f"{number(float(pulls[worst]))}."
            if named.any()
            else "."
        )
        found = [names[j] for j in order if named[j]]
        paths = pd.DataFrame(gaps.T, columns=pd.Index(names))
        paths.insert(0, "period", [period_label(period) for period in panel.periods])
        return Finding(
            KEY,
            self.card.title,
            verdict,
            text,
            advice=ADVICE.format(names=listed(found)) if verdict != "good" else "",
            table=table.iloc[order].reset_index(drop=True),
            details={"named": found, "limit": limit, "gaps": paths},
        )


ADVICE = (
    "A donor that reacted is no comparison: ask whether the treatment, or something at the same "
    "time, reached {names}; if so, drop it on the design page."
)


def reactions(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Predict each donor after treatment from the others' common movements.

    Parameters
    ----------
    panel : Panel
        A block design with complete donors.

    Returns
    -------
    jumps : Floats, shape (N0,)
        Average departure in the first periods after the date, in units of the outcome.
    surprise : Floats, shape (N0,)
        The same in units of its usual error among the donors.
    gaps : Floats, shape (N0, T)
        Departures in all periods.
    """
    n_pre = panel.design.n_pre
    donors = panel.Y[~panel.design.treated]
    stop = n_pre + min(MOST_PERIODS, panel.shape[1] - n_pre)
    jumps, scaled = np.empty(len(donors)), np.empty(len(donors))
    gaps = np.empty_like(donors)
    for j in range(len(donors)):
        rest = np.delete(donors, j, axis=0)
        mean = rest.mean(axis=0)
        moves = rest - mean
        moves = moves - moves.mean(axis=1, keepdims=True)
        factors = np.linalg.svd(moves, full_matrices=False)[2][:FACTORS].T
        X = np.column_stack([np.ones(panel.shape[1]), factors])
        y = donors[j] - mean
        gaps[j] = y - X @ np.linalg.lstsq(X[:n_pre], y[:n_pre], rcond=None)[0]
        at = X[n_pre:stop].mean(axis=0)
        leverage = at @ np.linalg.pinv(X[:n_pre].T @ X[:n_pre]) @ at
        jumps[j] = gaps[j, n_pre:stop].mean()
        scaled[j] = jumps[j] / np.sqrt(1.0 / (stop - n_pre) + leverage)
    middle = np.median(scaled)
    spread = 1.4826 * np.median(np.abs(scaled - middle))
    tiny = 1e-12 * float(np.abs(donors).max()) + 1e-300
    return jumps, (scaled - middle) / max(float(spread), tiny), gaps


def _weights(estimate: Estimate) -> Floats:
    panel, weights = estimate.panel, estimate.unit_weights
    donors = panel.units[~panel.design.treated]
    if weights is None:
        return np.full(len(donors), 1.0 / len(donors))
    return np.asarray(weights.reindex(donors).fillna(0.0), dtype=np.float64)
