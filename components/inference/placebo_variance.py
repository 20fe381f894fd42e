"""Placebo variance: the spread of effects where there was no treatment as a standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.inference.base import (
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_t,
    level_text,
)
from components.inference.placebo_groups import (
    choose_groups,
    group_names,
    held_placebo_gaps,
    known_means,
)

FEWEST_CONTROLS = 5
# Simulated with 30 units and 30 periods: treated noise of twice the controls' is named in 97 of 100
# panels, equal noise by mistake in 2 (synthetic DID) to 13 (DID).
NOISIER = 1.35
QUIETER = 1 / 1.5


@dataclass(frozen=True)
class PlaceboVariance:
    r"""Give groups of never-treated units the treatment, and take the spread of their effects.

    .. math:: \widehat{V} = B^{-1}\sum_b \bigl(\hat\tau^{(b)} - \bar\tau\bigr)^2

    over all never-treated units in turn where one unit is treated, and over random groups of
    :math:`N_1` never-treated units otherwise. The interval is
    :math:`\hat\tau \pm t\sqrt{\widehat V}` with :math:`N_0 - 1` degrees of freedom (the paper's
    normal quantile is its limit); the band does the same with the effect of each period.

    Parameters
    ----------
    n_draws : int
        Random groups, where the groups are not all taken.

    Notes
    -----
    Needs noise of the same size in treated and never-treated units; the note compares them before
    treatment. Synthetic DID keeps the regularisation of the original fit in its refits.

    References
    ----------
    Arkhangelsky et al. (2021), AER 111(12), Algorithm 4.
    """

    n_draws: int = 200

    card: ClassVar[Card] = Card(
        key="placebo_variance",
        title="Placebo variance",
        idea="The spread of effects among never-treated units, read as a standard error.",
        reference="Arkhangelsky et al. (2021), AER 111(12), Algorithm 4.",
    )

    def __post_init__(self) -> None:
        if self.n_draws < 20:
            raise ValueError("n_draws must be at least 20")

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a block design with more never-treated than treated units."""
        design = estimate.panel.design
        if design.kind != "block":
            return "Placebo variance needs all treated units to start in one period and stay."
        if design.n_controls < max(FEWEST_CONTROLS, design.n_treated + 1):
            return (
                f"Placebo variance needs at least {FEWEST_CONTROLS} never-treated units and more "
                f"of them than treated ones; there are {design.n_controls} and "
                f"{design.n_treated} treated."
            )
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit every placebo group and take the spread.

        Raises
        ------
        NotApplicableError
            Where all placebo effects are equal.
        """
        panel = estimate.panel
        design = panel.design
        few = design.n_controls if design.n_treated == 1 else self.n_draws
        groups, enumerated = choose_groups(estimate, self.n_draws, rng, enumerate_up_to=few)
        gaps = held_placebo_gaps(estimate, groups, progress)
        averages = known_means(gaps[:, design.n_pre :])
        seen = np.isfinite(averages)
        if not seen.any():
            raise NotApplicableError(
                "No placebo has an outcome after treatment, so there is no spread to judge by.",
                hint="Choose another inference method.",
            )
        gaps, groups, draws = gaps[seen], groups[seen], averages[seen]
        error = float(draws.std())
        if not error > 1e-12 * float(np.nanmax(np.abs(panel.Y))):
            raise NotApplicableError(
                "All placebo effects are equal, so they give no standard error.",
                hint="Choose another inference method.",
            )
        df = design.n_controls - 1
        quantile = float(student.ppf(0.5 + level / 2, df))
        gap = estimate.paths["gap"]
        half = pd.Series(quantile * _spread_of_known(gaps), panel.periods)
        post = panel.periods[(np.arange(len(half)) >= design.n_pre) & np.isfinite(gap + half)]
        return Uncertainty(
            method=self,
            level=level,
            interval=Interval(
                estimate.att - quantile * error, estimate.att + quantile * error, level
            ),
            band=Band((gap - half)[post], (gap + half)[post], level, simultaneous=False),
            p_value=float(2 * student.sf(abs(estimate.att) / error, df)),
            standard_error=error,
            detectable=detectable_by_t(error, df, level),
            n_random=0 if enumerated else len(groups),
            draws=draws,
            sentence=(
                f"{level_text(level)} band from the spread of {len(groups)} placebo "
                f"{'units' if design.n_treated == 1 else 'groups'}, t with {df} degrees of "
                "freedom; pointwise, two-sided. It takes treated and never-treated units to be "
                "equally noisy."
            ),
            notes=_notes(estimate, gaps[:, : design.n_pre], enumerated=enumerated),
            details={
                "placebo_effects": pd.DataFrame(
                    {"effect": draws}, index=pd.Index(group_names(estimate, groups))
                ),
            },
        )


def _notes(estimate: Estimate, before: Floats, *, enumerated: bool) -> tuple[str, ...]:
    notes = []
    if not enumerated:
        error = f"{1 / np.sqrt(2 * len(before)):.0%}"
        notes.append(
            f"{len(before)} groups were drawn at random; the standard error is good to {error}."
        )
    ratio = _unlike(estimate, before)
    if not QUIETER <= ratio <= NOISIER:
        kind, result = ("more", "short") if ratio > 1 else ("less", "long")
        notes.append(
            f"Before treatment the gap of the treated moves {ratio:.2g} times as much as that of "
            f"a typical placebo, so it looks {kind} noisy than they are: the interval is likely "
            f"too {result}."
        )
    return tuple(notes)


def _spread_of_known(values: Floats) -> Floats:
    """Give the standard deviation over the first axis, over what is known."""
    last = np.moveaxis(values, 0, -1)
    deviations = last - known_means(last)[..., None]
    return np.asarray(np.sqrt(known_means(np.square(deviations))))


def _unlike(estimate: Estimate, before: Floats) -> float:
    """Compare how much the treated gap moves before treatment with the placebos' median one."""
    own = float(_spread_of_known(estimate.paths["gap"].to_numpy()[: before.shape[1]]))
    each = _spread_of_known(before.T)
    others = float(np.median(each[np.isfinite(each)])) if np.isfinite(each).any() else np.nan
    if not (own > 0.0 and others > 0.0):
        return 1.0
    return float(own / others)
