"""Synthetic control with an intercept (Doudchenko and Imbens 2016; Ferman and Pinto 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate, needs_block
from components.estimators.block import Block, counterfactual, donor_positions, weight_notes
from components.numerics.simplex import simplex_fit
from components.panel import Panel


@dataclass(frozen=True)
class SyntheticControlIntercept:
    r"""Synthetic control on outcomes measured from their own mean before treatment.

    .. math:: (\mu, \omega) = \arg\min_{\mu,\ w \ge 0,\ 1'w = 1}
              |\bar Y_{tr,pre} - \mu - w' Y_{co,pre}|^2, \qquad
              \hat\tau_t = \bar Y_{tr,t} - \mu - \omega' Y_{co,t}
    """

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
        fit = simplex_fit(block.before.T, block.average[: block.n_pre], intercept=True)
        synthetic = fit.weights @ block.controls
        levels = (block.treated - synthetic)[:, : block.n_pre].mean(axis=1)
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, synthetic + levels[:, None]),
            unit_weights=pd.Series(fit.weights, index=block.donors),
            notes=weight_notes(
                converged=fit.converged,
                unique=fit.unique,
                n_pre=block.n_pre,
                n_donors=len(block.donors),
            ),
        )

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        block = Block.of(panel)
        gaps = np.empty((len(groups), panel.shape[1]))
        for row, group in enumerate(donor_positions(panel, groups)):
            donors = np.delete(block.controls, group, axis=0)
            average = block.controls[group].mean(axis=0)
            fit = simplex_fit(donors[:, : block.n_pre].T, average[: block.n_pre], intercept=True)
            gap = average - fit.weights @ donors
            gaps[row] = gap - gap[: block.n_pre].mean()
        return gaps

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods, shape (B, T)."""
        controls = Block.of(panel).controls
        fits = [simplex_fit(controls.T, average, intercept=True).weights for average in averages]
        gaps = averages - np.stack(fits) @ controls
        residuals: Floats = gaps - gaps.mean(axis=1, keepdims=True)
        return residuals
