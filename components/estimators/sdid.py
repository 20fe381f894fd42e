"""Synthetic difference in differences (Arkhangelsky et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate, needs_block
from components.estimators.block import NOT_SETTLED, Block, counterfactual, donor_positions
from components.numerics.sdid import noise_level
from components.numerics.simplex import simplex_least_squares
from components.panel import Panel


@dataclass(frozen=True)
class SyntheticDID:
    r"""Synthetic difference in differences for a block design.

    Unit weights :math:`\omega` make the controls run parallel to the treated mean before
    treatment; time weights :math:`\lambda` pick the pre-periods that look like the post-periods.
    Both sit in the weighted double difference

    .. math:: \hat\tau = (\bar Y_{tr,post} - \lambda' \bar Y_{tr,pre})
              - \omega'(\bar Y_{co,post} - Y_{co,pre}\lambda).

    Parameters
    ----------
    ridge_scale : float
        Multiplies the paper's :math:`\zeta = (N_{tr} T_{post})^{1/4}\hat\sigma` (eq. 5).
    """

    ridge_scale: float = 1.0

    card: ClassVar[Card] = Card(
        key="sdid",
        title="Synthetic DID",
        idea="Controls and pre-periods are both reweighted, then differenced twice.",
        reference="Arkhangelsky et al. (2021), AER 111(12), 4088-4118.",
    )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date."""
        return needs_block(panel)

    def fit(self, panel: Panel) -> Estimate:
        """Solve for both weights, then shift the weighted controls to the treated level."""
        block = Block.of(panel)
        omega, lam, settled = self._weights(block.controls, block.treated, block.n_pre)
        synthetic = omega @ block.controls
        levels = (block.treated - synthetic)[:, : block.n_pre] @ lam
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, synthetic + levels[:, None]),
            unit_weights=pd.Series(omega, index=block.donors),
            time_weights=pd.Series(lam, index=panel.periods[: block.n_pre]),
            notes=() if settled else (NOT_SETTLED,),
        )

    def _weights(
        self, controls: Floats, treated: Floats, n_pre: int
    ) -> tuple[Floats, Floats, bool]:
        before, after = controls[:, :n_pre], controls[:, n_pre:]
        sigma = noise_level(before)
        zeta = self.ridge_scale * (len(treated) * after.shape[1]) ** 0.25 * sigma
        omega, omega_ok = simplex_least_squares(
            before.T, treated[:, :n_pre].mean(axis=0), n_pre * zeta**2, intercept=True
        )
        lam, lam_ok = simplex_least_squares(
            before, after.mean(axis=1), len(before) * (1e-6 * sigma) ** 2, intercept=True
        )
        return omega, lam, omega_ok and lam_ok

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        block = Block.of(panel)
        gaps = np.empty((len(groups), panel.shape[1]))
        for row, group in enumerate(donor_positions(panel, groups)):
            donors, taken = np.delete(block.controls, group, axis=0), block.controls[group]
            omega, lam, _ = self._weights(donors, taken, block.n_pre)
            gap = taken.mean(axis=0) - omega @ donors
            gaps[row] = gap - gap[: block.n_pre] @ lam
        return gaps
