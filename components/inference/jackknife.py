"""Jackknife over units: how much the estimate hangs on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.estimators.covariates import without_covariates
from components.inference.base import Progress, Uncertainty, level_text
from components.inference.refits import (
    Effects,
    as_tables,
    fixed,
    from_tables,
    refit,
    too_few_treated,
)
from components.numerics.rounding import rounding_of

ROUNDING = 1e-9
PUBLISHED_FIXED = ("sdid",)


@dataclass(frozen=True)
class Jackknife:
    r"""Leave out one unit at a time and estimate again; a t interval from the spread.

    .. math:: \widehat{se}^2 = \frac{N - 1}{N} \sum_i (\hat\tau_{(-i)} - \bar\tau)^2

    with :math:`N_1 - 1` degrees of freedom, :math:`N_1` the number of treated units. Tuning that
    was chosen from the data is held at its choice.

    Parameters
    ----------
    weights : {"auto", "refitted", "fixed"}
        Whether the weights are fitted anew without each unit, or stay what they are but for their
        sum, as Algorithm 3 of Arkhangelsky et al. has it. ``"auto"`` takes fixed ones for synthetic
        DID in a block design, as published, and refits everything else.

    References
    ----------
    Efron and Stein (1981), Annals of Statistics 9(3); with fixed weights Arkhangelsky et al.
    (2021), AER 111(12), Algorithm 3.
    """

    weights: Literal["auto", "refitted", "fixed"] = "auto"

    card: ClassVar[Card] = Card(
        key="jackknife",
        title="Jackknife over units",
        idea="Leave out one unit at a time: how far does the estimate move?",
        reference="Efron and Stein (1981), Annals of Statistics 9(3), 586-596.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for enough units, and for weights that can be held where they should be."""
        reason = too_few_treated(estimate, "The jackknife")
        if reason is None and self.weights == "fixed" and not _double_difference(estimate):
            return (
                "Fixed weights need an estimate that is a weighted double difference in a block "
                f"design; {estimate.estimator.card.title} as it is set here gives another. Choose "
                "refitted weights."
            )
        return reason

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Estimate without each unit.

        Raises
        ------
        NotApplicableError
            Where no effect is left without one of the units.
        """
        n = estimate.panel.shape[0]
        held = self._held(estimate)
        if held:
            gaps = _without_each(estimate)
            post = gaps[:, estimate.panel.design.n_pre :]
            draws, tables = post.mean(axis=1), (post, gaps)
            progress(1.0)
        else:
            draws, tables = as_tables(estimate, _refits(estimate, progress))
        how = "estimates at fixed weights" if held else "refits"
        return from_tables(
            estimate,
            draws,
            tables,
            method=self,
            level=level,
            factor=float(n - 1),
            df=estimate.panel.design.n_treated - 1,
            sentence=(
                f"{level_text(level)} jackknife band: the spread of {n} {how} that leave out one "
                "unit each; pointwise, two-sided."
            ),
        )

    def _held(self, estimate: Estimate) -> bool:
        published = estimate.estimator.card.key in PUBLISHED_FIXED
        return self.weights == "fixed" or (
            self.weights == "auto" and published and _double_difference(estimate)
        )


def _refits(estimate: Estimate, progress: Progress) -> list[Effects]:
    panel, estimator = estimate.panel, fixed(estimate)
    n = panel.shape[0]
    refits: list[Effects] = []
    for row in range(n):
        effects = refit(estimator, panel, np.delete(np.arange(n), row))
        if effects is None:
            raise _nothing_left(estimate, row)
        refits.append(effects)
        progress((row + 1) / n)
    return refits


def _double_difference(estimate: Estimate) -> bool:
    """Tell whether unit and time weights alone give the estimate, in a complete block design."""
    panel = estimate.panel
    if panel.design.kind != "block" or not panel.observed.all():
        return False
    if estimate.unit_weights is None or estimate.time_weights is None:
        return False
    own, donors = _adjusted(estimate)
    gap = own.mean(axis=0) - estimate.unit_weights.to_numpy() @ donors
    att = gap[panel.design.n_pre :].mean() - _level(estimate, gap)
    return bool(abs(att - estimate.att) <= rounding_of(panel.Y))


def _without_each(estimate: Estimate) -> Floats:
    """Effect curves without each unit, in the order of the panel, shape (N, T).

    Raises
    ------
    NotApplicableError
        Where one donor holds all the weight.
    """
    assert estimate.unit_weights is not None
    treated = estimate.panel.design.treated
    own, donors = _adjusted(estimate)
    omega = estimate.unit_weights.to_numpy(np.float64)
    alone = np.flatnonzero(omega > 1.0 - ROUNDING)
    if len(alone):
        raise _nothing_left(estimate, int(np.flatnonzero(~treated)[alone[0]]))
    synthetic = omega @ donors
    gaps = np.empty(estimate.panel.shape)
    gaps[treated] = (own.sum(axis=0) - own) / (len(own) - 1) - synthetic
    gaps[~treated] = (
        own.mean(axis=0) - (synthetic - omega[:, None] * donors) / (1.0 - omega)[:, None]
    )
    shifted: Floats = gaps - np.array([_level(estimate, gap) for gap in gaps])[:, None]
    return shifted


def _adjusted(estimate: Estimate) -> tuple[Floats, Floats]:
    """Treated and never-treated outcomes, less what covariates explain."""
    panel = estimate.panel
    explained, _ = without_covariates(panel, getattr(estimate.estimator, "covariates", ()))
    Y, treated = panel.Y - explained, panel.design.treated
    return Y[treated], Y[~treated]


def _level(estimate: Estimate, gap: Floats) -> float:
    assert estimate.time_weights is not None
    return float(gap[: estimate.panel.design.n_pre] @ estimate.time_weights.to_numpy())


def _nothing_left(estimate: Estimate, row: int) -> NotApplicableError:
    return NotApplicableError(
        f"Without {estimate.panel.units[row]} no effect is identified, so the jackknife says "
        "nothing here.",
        hint="Choose another inference method.",
    )
