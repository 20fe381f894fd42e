"""Synthetic control (Abadie, Diamond and Hainmueller 2010), outcomes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate, needs_block
from components.estimators.block import Block, counterfactual, donor_positions, simplex_weights
from components.numerics.simplex_many import simplex_fits
from components.panel import Panel


@dataclass(frozen=True)
class SyntheticControl:
    r"""Synthetic control on the outcomes before treatment.

    .. math:: \omega = \arg\min_{w \ge 0,\ 1'w = 1}
              |\bar Y_{tr,pre} - w' Y_{co,pre}|^2, \qquad
              \hat\tau_t = \bar Y_{tr,t} - \omega' Y_{co,t}

    Several treated units are averaged first.
    """

    card: ClassVar[Card] = Card(
        key="sc",
        title="Synthetic control",
        idea="A weighted average of donors that tracks the treated units before treatment.",
        reference="Abadie, Diamond and Hainmueller (2010), JASA 105(490), 493-505.",
    )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date."""
        return needs_block(panel)

    def fit(self, panel: Panel) -> Estimate:
        """Weight the donors to track the treated average, and carry the average on."""
        block = Block.of(panel)
        fit, notes = simplex_weights(block)
        if len(block.treated) > 1:
            notes += (
                f"The weights track the average of the {len(block.treated)} treated units; "
                "effects of single units compare each with that same synthetic average.",
            )
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, fit.weights @ block.controls),
            unit_weights=pd.Series(fit.weights, index=block.donors),
            notes=notes,
        )

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        block = Block.of(panel)
        positions = donor_positions(panel, groups)
        averages = block.controls[positions].mean(axis=1)
        weights = simplex_fits(block.before.T, averages[:, : block.n_pre], positions)
        gaps: Floats = averages - weights @ block.controls
        return gaps

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods, shape (B, T)."""
        controls = Block.of(panel).controls
        residuals: Floats = averages - simplex_fits(controls.T, averages) @ controls
        return residuals
