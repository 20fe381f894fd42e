"""Synthetic control (Abadie, Diamond and Hainmueller 2010), outcomes only."""

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
        fit = simplex_fit(block.before.T, block.average[: block.n_pre])
        notes = weight_notes(
            converged=fit.converged,
            unique=fit.unique,
            n_pre=block.n_pre,
            n_donors=len(block.donors),
        )
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
        gaps = np.empty((len(groups), panel.shape[1]))
        for row, group in enumerate(donor_positions(panel, groups)):
            donors = np.delete(block.controls, group, axis=0)
            average = block.controls[group].mean(axis=0)
            fit = simplex_fit(donors[:, : block.n_pre].T, average[: block.n_pre])
            gaps[row] = average - fit.weights @ donors
        return gaps

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods, shape (B, T)."""
        controls = Block.of(panel).controls
        fits = [simplex_fit(controls.T, average).weights for average in averages]
        return averages - np.stack(fits) @ controls
