"""Synthetic control with an intercept (Doudchenko and Imbens 2016; Ferman and Pinto 2021)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate
from components.estimators.block import (
    NOT_SETTLED,
    Block,
    counterfactual,
    donor_positions,
    refitted_gaps,
    simplex_weights,
)
from components.estimators.cohorts import fit_by_cohort, needs_block_or_staggered
from components.numerics.elastic_net import choose_elastic_net, elastic_net
from components.numerics.simplex_many import simplex_fits
from components.panel import Panel

CHOSEN = ("penalty", "mix")
FREE = "Elastic net weights may be negative and need not sum to one: they extrapolate."


@dataclass(frozen=True)
class SyntheticControlIntercept:
    r"""Synthetic control on outcomes measured from their own mean before treatment.

    .. math:: (\mu, \omega) = \arg\min_{\mu,\ w \ge 0,\ 1'w = 1}
              |\bar Y_{tr,pre} - \mu - w' Y_{co,pre}|^2, \qquad
              \hat\tau_t = \bar Y_{tr,t} - \mu - \omega' Y_{co,t}

    Several treated units are averaged for the weights; each has its own level :math:`\mu`.

    Parameters
    ----------
    weights : {"simplex", "elastic_net"}
        Weights that are not negative and sum to one; or weights free in sign and sum, held small
        by an elastic net, which is the estimator of Doudchenko and Imbens proper.
    penalty : float, optional
        Penalty of the elastic net, in units of the squared outcome; None chooses penalty and mix
        by predicting each donor from the others.
    mix : float
        Share of the absolute weights in that penalty, against their squares; used with a penalty.
    solver : {"exact", "frank_wolfe"}
        The optimum, or where the R package synthdid stops: only to reproduce published digits.
    """

    weights: Literal["simplex", "elastic_net"] = "simplex"
    penalty: float | None = None
    mix: float = 0.5
    solver: Literal["exact", "frank_wolfe"] = "exact"

    card: ClassVar[Card] = Card(
        key="sc_intercept",
        title="Synthetic control with intercept",
        idea="Donors need to run parallel to the treated units, not at their level.",
        reference="Doudchenko and Imbens (2016), NBER 22791; Ferman and Pinto (2021), QE 12(4).",
    )

    def __post_init__(self) -> None:
        if self.penalty is not None and not self.penalty >= 0.0:
            raise ValueError("penalty must not be negative")
        if not 0.0 <= self.mix <= 1.0:
            raise ValueError("mix must lie between 0 and 1")
        if self.weights != "simplex" and self.solver != "exact":
            raise ValueError("frank_wolfe solves for simplex weights only")

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date."""
        reason = needs_block_or_staggered(panel)
        if reason is None and self.weights == "elastic_net" and panel.design.n_controls < 2:
            return "The elastic net is tuned among the donors, so it needs at least two of them."
        return reason

    def fit(self, panel: Panel) -> Estimate:
        """Weight the donors to run parallel to the treated average, then shift to its level."""
        if panel.design.kind == "staggered":
            return fit_by_cohort(self, panel)
        block = Block.of(panel)
        target = block.average[: block.n_pre]
        details: dict[str, float] = {}
        if self.weights == "elastic_net":
            penalty, mix = self._tuning(block)
            weights, converged = elastic_net(block.before.T, target, penalty, mix)
            notes: tuple[str, ...] = (FREE,) if converged else (FREE, NOT_SETTLED)
            details = {"penalty": penalty, "mix": mix}
        else:
            fit, notes = simplex_weights(block, target, solver=self.solver, intercept=True)
            weights = fit.weights
        synthetic = weights @ block.controls
        levels = (block.treated - synthetic)[:, : block.n_pre].mean(axis=1)
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, synthetic + levels[:, None]),
            unit_weights=pd.Series(weights, index=block.donors),
            notes=notes,
            details=details,
        )

    def tuned(self, estimate: Estimate) -> SyntheticControlIntercept:
        """Hold the penalty and the mix that an estimate has chosen."""
        chosen = {name: estimate.details[name] for name in CHOSEN if name in estimate.details}
        return replace(self, **chosen)

    def _tuning(self, block: Block) -> tuple[float, float]:
        if self.penalty is not None:
            return self.penalty, self.mix
        penalty, mix, _ = choose_elastic_net(block.before, block.after)
        return penalty, mix

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        if self.solver != "exact" or self.weights != "simplex":
            return refitted_gaps(self, panel, groups)
        block = Block.of(panel)
        positions = donor_positions(panel, groups)
        averages = block.controls[positions].mean(axis=1)
        before = averages[:, : block.n_pre]
        weights = simplex_fits(block.before.T, before, positions, intercept=True)
        gaps = averages - weights @ block.controls
        shifted: Floats = gaps - gaps[:, : block.n_pre].mean(axis=1, keepdims=True)
        return shifted

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods, shape (B, T).

        An elastic net keeps the tuning of the fit.
        """
        block = Block.of(panel)
        if self.weights == "elastic_net":
            tuning = self._tuning(block)
            fits = [elastic_net(block.controls.T, average, *tuning)[0] for average in averages]
            weights = np.stack(fits)
        else:
            weights = simplex_fits(block.controls.T, averages, intercept=True)
        gaps = averages - weights @ block.controls
        residuals: Floats = gaps - gaps.mean(axis=1, keepdims=True)
        return residuals
