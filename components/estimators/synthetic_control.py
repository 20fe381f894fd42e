"""Synthetic control (Abadie, Diamond and Hainmueller 2010), with its usual refinements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.estimators.block import (
    Block,
    counterfactual,
    donor_positions,
    refitted_gaps,
    simplex_weights,
    weight_notes,
)
from components.estimators.cohorts import fit_by_cohort, needs_block_or_staggered
from components.estimators.predictors import fit_by_predictors, lacks_predictors
from components.numerics.augmentation import augmented_weights, choose_ridge
from components.numerics.simplex_many import simplex_fits
from components.numerics.simplex_penalized import choose_penalty, penalized_fit
from components.panel import Panel

Fitted = tuple[Floats, tuple[str, ...], Mapping[str, Any]]


@dataclass(frozen=True)
class SyntheticControl:
    r"""Synthetic control: a weighted average of donors in the place of the treated units.

    .. math:: \omega = \arg\min_{w \ge 0,\ 1'w = 1}
              |\bar Y_{tr,pre} - w' Y_{co,pre}|^2, \qquad
              \hat\tau_t = \bar Y_{tr,t} - \omega' Y_{co,t}

    Parameters
    ----------
    fit_to : {"average", "each"}
        With several treated units, track their average, or each by donors of its own.
    predictors : tuple of str
        Match on these instead of every single outcome before treatment: covariates or the
        outcome, averaged over the periods before treatment or over a window, as in
        ``beer[1984..1988]``. Their importance V is chosen so that the outcome fits best.
    training_predictors : tuple of str
        Choose V with these, one for each predictor and in the same order, such as the same
        columns over an earlier window (Abadie, Diamond and Hainmueller 2015).
    loss_window : str
        Periods over which the outcome should fit when V is chosen, as in ``1981..1990``; all
        before treatment if empty.
    pairwise_penalty : float, optional
        Price on each donor's own distance to the treated unit (Abadie and L'Hour 2021), without
        unit of measure. 0 is the usual synthetic control; None lets the donors choose it.
    augment : bool
        Correct what is left unmatched before treatment by a ridge regression among the donors
        (Ben-Michael, Feller and Rothstein 2021). Weights may then be negative.
    augment_ridge : float, optional
        Ridge of that regression, in units of the squared outcome; None chooses it by leaving out
        one period at a time.
    solver : {"exact", "frank_wolfe"}
        The optimum, or where the R package synthdid stops: only to reproduce published digits.
    """

    fit_to: Literal["average", "each"] = "average"
    predictors: tuple[str, ...] = ()
    training_predictors: tuple[str, ...] = ()
    loss_window: str = ""
    pairwise_penalty: float | None = 0.0
    augment: bool = False
    augment_ridge: float | None = None
    solver: Literal["exact", "frank_wolfe"] = "exact"

    card: ClassVar[Card] = Card(
        key="sc",
        title="Synthetic control",
        idea="A weighted average of donors that tracks the treated units before treatment.",
        reference="Abadie, Diamond and Hainmueller (2010), JASA 105(490), 493-505.",
    )

    def __post_init__(self) -> None:
        if self.pairwise_penalty is not None and not self.pairwise_penalty >= 0.0:
            raise ValueError("pairwise_penalty must not be negative")
        if self.augment_ridge is not None and not self.augment_ridge > 0.0:
            raise ValueError("augment_ridge must be positive")
        if self.training_predictors and len(self.training_predictors) != len(self.predictors):
            raise ValueError("training_predictors must name one for each predictor")
        if sum((bool(self.predictors), self.pairwise_penalty != 0.0, self.solver != "exact")) > 1:
            raise ValueError("choose one of predictors, pairwise_penalty and frank_wolfe")

    def why_not(self, panel: Panel) -> str | None:
        """Ask for a complete panel with one adoption date, and for the predictors."""
        reason = needs_block_or_staggered(panel) or lacks_predictors(
            panel, (*self.predictors, *self.training_predictors), self.loss_window
        )
        if reason is None and self.augment and panel.design.n_pre < 3:
            return "The ridge correction needs at least three periods before treatment."
        return reason

    def fit(self, panel: Panel) -> Estimate:
        """Weight the donors to track the treated units, and carry the weights on."""
        if panel.design.kind == "staggered":
            return fit_by_cohort(self, panel)
        block = Block.of(panel)
        if self.fit_to == "each":
            shares = np.eye(len(block.treated))
        else:
            shares = np.full((1, len(block.treated)), 1.0 / len(block.treated))
        fitted = [self._weigh(panel, block, share) for share in shares]
        weights = np.stack([w for w, _, _ in fitted])
        notes = tuple(dict.fromkeys(note for _, found, _ in fitted for note in found))
        details = dict(fitted[0][2]) if len(fitted) == 1 else {}
        if len(fitted) > 1:
            names = panel.units[panel.design.treated]
            details["weights_by_unit"] = pd.DataFrame(weights, index=names, columns=block.donors)
        elif len(block.treated) > 1:
            notes += (
                f"The weights track the average of the {len(block.treated)} treated units; "
                "effects of single units compare each with that same synthetic average.",
            )
        return Estimate(
            panel=panel,
            estimator=self,
            Y0=counterfactual(panel, weights @ block.controls),
            unit_weights=pd.Series(weights.mean(axis=0), index=block.donors),
            notes=notes,
            details=details,
        )

    def _weigh(self, panel: Panel, block: Block, share: Floats) -> Fitted:
        """Weights for one target, a weighted average of treated units."""
        target = share @ block.treated[:, : block.n_pre]
        details: dict[str, Any] = {}
        if self.predictors:
            weights, notes, details = fit_by_predictors(
                panel, share, self.predictors, self.training_predictors, self.loss_window
            )
        elif self.pairwise_penalty == 0.0:
            fit, notes = simplex_weights(block, target, solver=self.solver)
            weights = fit.weights
        else:
            penalty = self.pairwise_penalty
            if penalty is None:
                penalty, _ = choose_penalty(block.before, block.after)
                details["pairwise_penalty"] = penalty
            fit = penalized_fit(block.before.T, target, penalty)
            weights, notes = fit.weights, weight_notes(fit, block)
        if self.augment:
            ridge = self.augment_ridge
            if ridge is None:
                ridge, _, _ = choose_ridge(block.before, target)
            details = {**details, "augment_ridge": ridge, "weights_before_ridge": weights}
            weights = augmented_weights(block.before, target, weights, ridge)
        return weights, notes, details

    def tuned(self, estimate: Estimate) -> SyntheticControl:
        """Hold the penalty and the ridge that an estimate has chosen."""
        chosen = {
            name: estimate.details[name]
            for name in ("pairwise_penalty", "augment_ridge")
            if name in estimate.details
        }
        return replace(self, **chosen)

    @property
    def _plain(self) -> bool:
        options = (self.predictors, self.pairwise_penalty, self.augment)
        return not any(options) and self.pairwise_penalty is not None and self.solver == "exact"

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of donors in the place of the treated units, shape (B, T)."""
        if not self._plain:
            return refitted_gaps(self, panel, groups)
        block = Block.of(panel)
        positions = donor_positions(panel, groups)
        targets, barred = block.controls[positions].mean(axis=1), positions
        if self.fit_to == "each":
            targets = block.controls[positions.ravel()]
            barred = np.repeat(positions, positions.shape[1], axis=0)
        weights = simplex_fits(block.before.T, targets[:, : block.n_pre], barred)
        gaps = targets - weights @ block.controls
        return np.asarray(gaps.reshape(len(groups), -1, panel.shape[1]).mean(axis=1))

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods, shape (B, T).

        Raises
        ------
        NotApplicableError
            With options under which the weights do not come from all periods of one average.
        """
        several = self.fit_to == "each" and panel.design.n_treated > 1
        if not self._plain or several:
            raise NotApplicableError(
                "This version of synthetic control has no fit to all periods alike.",
                hint="Use placebo in space, or synthetic control without these options.",
            )
        controls = Block.of(panel).controls
        residuals: Floats = averages - simplex_fits(controls.T, averages) @ controls
        return residuals
