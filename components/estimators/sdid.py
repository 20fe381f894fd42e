"""Synthetic difference in differences (Arkhangelsky et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Card, Estimate
from components.estimators.block import (
    NOT_SETTLED,
    STOPPED_EARLY,
    Block,
    counterfactual,
    donor_positions,
    others,
    refitted_gaps,
)
from components.estimators.cohorts import fit_by_cohort, needs_block_or_staggered
from components.estimators.covariates import lacks_covariates, without_covariates
from components.numerics.sdid import TIME_RIDGE, noise_level, noise_levels, sdid_gaps
from components.numerics.simplex import simplex_least_squares
from components.numerics.simplex_frank_wolfe import STOP, frank_wolfe
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
    noise : {"published", "demeaned"}
        How :math:`\hat\sigma` is measured: as the spread of the controls' first differences, or
        after taking each period's mean off them. With the first, shocks that hit all units alike
        move the estimate a little; with the second they do not.
    covariates : tuple of str
        Covariates of the panel taken out of the outcome first, with the coefficients of a two-way
        fixed effects regression on never-treated units.
    solver : {"exact", "frank_wolfe"}
        The optimum, or where the R package synthdid stops: only to reproduce published digits.

    Notes
    -----
    Placebo refits measure the noise anew among the donors that are left, as a fit on their panel
    would; synthdid's placebo variance keeps the noise level of the original panel.
    """

    ridge_scale: float = 1.0
    noise: Literal["published", "demeaned"] = "published"
    covariates: tuple[str, ...] = ()
    solver: Literal["exact", "frank_wolfe"] = "exact"

    card: ClassVar[Card] = Card(
        key="sdid",
        title="Synthetic DID",
        idea="Controls and pre-periods are both reweighted, then differenced twice.",
        reference="Arkhangelsky et al. (2021), AER 111(12), 4088-4118.",
    )

    def __post_init__(self) -> None:
        if not self.ridge_scale >= 0.0:
            raise ValueError("ridge_scale must not be negative")

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date, and for complete covariates."""
        return needs_block_or_staggered(panel) or lacks_covariates(panel, self.covariates)

    def fit(self, panel: Panel) -> Estimate:
        """Solve for both weights, then shift the weighted controls to the treated level."""
        if panel.design.kind == "staggered":
            return fit_by_cohort(self, panel)
        explained, coefficients = without_covariates(panel, self.covariates)
        block = Block.of(panel.with_outcomes(panel.Y - explained))
        omega, lam, settled = self._weights(block)
        synthetic = omega @ block.controls
        levels = (block.treated - synthetic)[:, : block.n_pre] @ lam
        imputed = synthetic + levels[:, None] + explained[panel.design.treated]
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, imputed),
            unit_weights=pd.Series(omega, index=block.donors),
            time_weights=pd.Series(lam, index=panel.periods[: block.n_pre]),
            notes=self._notes(block, settled=settled),
            details={"covariate_coefficients": coefficients} if self.covariates else {},
        )

    def _weights(self, block: Block, sigma: float | None = None) -> tuple[Floats, Floats, bool]:
        """Solve for both weights, at a given noise level or that of the block."""
        before, after = block.before, block.after.mean(axis=1)
        target = block.average[: block.n_pre]
        sigma = self._noise(block) if sigma is None else sigma
        zeta = self._zeta(len(block.treated), block.after.shape[1]) * sigma
        if self.solver == "frank_wolfe":
            stop = STOP * sigma
            omega = frank_wolfe(before.T, target, zeta, stop, intercept=True)
            lam = frank_wolfe(before, after, TIME_RIDGE * sigma, stop, intercept=True)
            return omega, lam, True
        omega, omega_ok = simplex_least_squares(
            before.T, target, block.n_pre * zeta**2, intercept=True
        )
        lam, lam_ok = simplex_least_squares(
            before, after, len(before) * (TIME_RIDGE * sigma) ** 2, intercept=True
        )
        return omega, lam, omega_ok and lam_ok

    def _noise(self, block: Block) -> float:
        return noise_level(block.before, demeaned=self.noise == "demeaned")

    def _zeta(self, n_treated: int, n_post: int) -> float:
        """Regularisation in units of the noise level (eq. 5)."""
        return float(self.ridge_scale * (n_treated * n_post) ** 0.25)

    def _notes(self, block: Block, *, settled: bool) -> tuple[str, ...]:
        notes = [] if settled else [NOT_SETTLED]
        if self.solver == "frank_wolfe":
            notes.append(STOPPED_EARLY)
        if block.n_pre == 1:
            notes.append(
                "There is a single period before treatment, so the noise level is not known and "
                "the unit weights are not regularised."
            )
        return tuple(notes)

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        if self.solver != "exact" or self.covariates:
            return refitted_gaps(self, panel, groups)
        block = Block.of(panel)
        positions = donor_positions(panel, groups)
        mass = others(len(block.donors), positions)
        sigma = noise_levels(block.before, mass, demeaned=self.noise == "demeaned")
        averages = block.controls[positions].mean(axis=1)
        return self._sample_gaps(block, averages, positions.shape[1], mass, sigma)

    def held_placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit as ``placebo_gaps``, at the noise level of the panel itself, shape (B, T)."""
        if self.covariates:
            return refitted_gaps(self, panel, groups)
        block = Block.of(panel)
        positions = donor_positions(panel, groups)
        mass = others(len(block.donors), positions)
        sigma = np.full(len(positions), self._noise(block))
        averages = block.controls[positions].mean(axis=1)
        return self._sample_gaps(block, averages, positions.shape[1], mass, sigma)

    def bootstrap_gaps(self, panel: Panel, counts: Ints) -> Floats:
        """Refit on samples of units, at the regularisation of the panel itself.

        Parameters
        ----------
        panel : Panel
            A block design.
        counts : Ints, shape (B, N)
            How often each unit is in each sample; every sample holds treated and other units.

        Returns
        -------
        Floats, shape (B, T)
            Observed minus imputed, averaged over the treated units of each sample.

        Notes
        -----
        Algorithm 2 of Arkhangelsky et al. (2021). As in synthdid the regularisation is that of
        the panel itself, and covariates keep their coefficients. The solver that stops early
        starts each sample from even weights.
        """
        explained, _ = without_covariates(panel, self.covariates)
        block = Block.of(panel.with_outcomes(panel.Y - explained))
        treated = panel.design.treated
        mass, own = counts[:, ~treated].astype(np.float64), counts[:, treated]
        averages = own @ block.treated / own.sum(axis=1)[:, None]
        sigma = np.full(len(counts), self._noise(block))
        return self._sample_gaps(block, averages, len(block.treated), mass, sigma)

    def _sample_gaps(
        self, block: Block, averages: Floats, n_treated: int, mass: Floats, sigma: Floats
    ) -> Floats:
        """Effect curves in samples of the donors that count ``mass`` times, shape (B, T)."""
        if self.solver == "exact":
            zeta = self._zeta(n_treated, block.after.shape[1]) * sigma
            return sdid_gaps(block.controls, averages, block.n_pre, mass, zeta, sigma)
        gaps = np.empty(averages.shape)
        for row, average in enumerate(averages):
            drawn = np.repeat(np.arange(len(block.donors)), mass[row].astype(np.int64))
            treated = np.broadcast_to(average, (n_treated, len(average)))
            sample = Block(block.controls[drawn], treated, block.n_pre, block.donors[drawn])
            omega, lam, _ = self._weights(sample, float(sigma[row]))
            gap = average - omega @ sample.controls
            gaps[row] = gap - gap[: block.n_pre] @ lam
        return gaps
