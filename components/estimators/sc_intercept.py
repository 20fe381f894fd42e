"""Synthetic control with an intercept (Doudchenko and Imbens 2016; Ferman and Pinto 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate, needs_block
from components.estimators.block import (
    Block,
    counterfactual,
    donor_positions,
    refitted_gaps,
    simplex_weights,
)
from components.numerics.simplex_many import simplex_fits
from components.panel import Panel


@dataclass(frozen=True)
class SyntheticControlIntercept:
    r"""Synthetic control on outcomes measured from their own mean before treatment.

    .. math:: (\mu, \omega) = \arg\min_{\mu,\ w \ge 0,\ 1'w = 1}
              |\bar Y_{tr,pre} - \mu - w' Y_{co,pre}|^2, \qquad
              \hat\tau_t = \bar Y_{tr,t} - \mu - \omega' Y_{co,t}

    Several treated units are averaged for the weights; each has its own level :math:`\mu`.

    Parameters
    ----------
    solver : {"exact", "frank_wolfe"}
        The optimum, or where the R package synthdid stops: only to reproduce published digits.
    """

    solver: Literal["exact", "frank_wolfe"] = "exact"

    card: ClassVar[Card] = Card(
        key="sc_intercept",
        title="Synthetic control with intercept",
        idea="Donors need to run parallel to the treated units, not at their level.",
        reference="Doudchenko and Imbens (2016), NBER 22791; Ferman and Pinto (2021), QE 12(4).",
    )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date."""
        return needs_block(panel)

    def fit(self, panel: Panel) -> Estimate:
        """Weight the donors to run parallel to the treated average, then shift to its level."""
        block = Block.of(panel)
        fit, notes = simplex_weights(block, solver=self.solver, intercept=True)
        synthetic = fit.weights @ block.controls
        levels = (block.treated - synthetic)[:, : block.n_pre].mean(axis=1)
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, synthetic + levels[:, None]),
            unit_weights=pd.Series(fit.weights, index=block.donors),
            notes=notes,
        )

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        if self.solver != "exact":
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
        """Fit given averages of the treated units on all periods, shape (B, T)."""
        controls = Block.of(panel).controls
        weights = simplex_fits(controls.T, averages, intercept=True)
        gaps = averages - weights @ controls
        residuals: Floats = gaps - gaps.mean(axis=1, keepdims=True)
        return residuals
