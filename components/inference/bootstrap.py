"""Bootstrap over units: what other samples of units would have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.arrays import Floats, Ints
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate, Estimator, FastBootstrap
from components.inference.base import Progress, Uncertainty, level_text
from components.inference.refits import (
    Effects,
    as_tables,
    fixed,
    from_tables,
    refit,
    too_few_treated,
)
from components.panel import Panel

MOST_TRIES = 3


@dataclass(frozen=True)
class UnitBootstrap:
    r"""Draw units with repetition, treated and never-treated ones apart, and refit.

    .. math:: \widehat{se}^2 = B^{-1} \sum_b (\hat\tau_b - \bar\tau)^2

    with a t reference of :math:`N_1 - 1` degrees of freedom. Tuning that was chosen from the data
    is held at its choice.

    Parameters
    ----------
    n_draws : int
        Samples of units; from 200 on the standard error is good to about 5 %.

    References
    ----------
    Athey, Imbens, Qu and Viviano (2025), arXiv 2508.21536, Algorithm 3; Arkhangelsky et al.
    (2021), AER 111(12), Algorithm 2.
    """

    n_draws: int = 200

    card: ClassVar[Card] = Card(
        key="bootstrap",
        title="Bootstrap over units",
        idea="Draw other samples of treated and untreated units, and estimate again.",
        reference="Arkhangelsky et al. (2021), AER 111(12), Algorithm 2.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for enough treated and never-treated units."""
        return too_few_treated(estimate, "The bootstrap")

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit on every sample of units.

        Raises
        ------
        NotApplicableError
            Where most samples identify no effect.
        """
        panel, estimator = estimate.panel, fixed(estimate)
        strata = [np.flatnonzero(mask) for mask in (panel.design.treated, ~panel.design.treated)]
        if (
            isinstance(estimator, FastBootstrap)
            and panel.design.kind == "block"
            and panel.observed.all()
        ):
            draws, tables = self._at_once(estimator, panel, strata, rng)
            left_out = 0
            progress(1.0)
        else:
            refits, left_out = self._one_by_one(estimator, panel, strata, rng, progress)
            draws, tables = as_tables(estimate, refits)
        error = f"{1 / np.sqrt(2 * self.n_draws):.0%}"
        notes = [f"The standard error comes from {self.n_draws} draws and is good to {error}."]
        if left_out:
            notes.append(f"{left_out} samples that identify no effect were drawn anew.")
        return from_tables(
            estimate,
            draws,
            tables,
            method=self,
            level=level,
            factor=1.0,
            df=panel.design.n_treated - 1,
            sentence=(
                f"{level_text(level)} bootstrap band: the spread over {self.n_draws} samples of "
                "units; pointwise, two-sided."
            ),
            notes=tuple(notes),
            n_random=self.n_draws,
        )

    def _at_once(
        self, estimator: FastBootstrap, panel: Panel, strata: list[Ints], rng: np.random.Generator
    ) -> tuple[Floats, tuple[Floats, Floats]]:
        """Refit on all samples of a block design together."""
        n = panel.shape[0]
        rows = [_sample(strata, rng) for _ in range(self.n_draws)]
        counts = np.stack([np.bincount(sample, minlength=n) for sample in rows])
        gaps = estimator.bootstrap_gaps(panel, counts)
        post = gaps[:, panel.design.n_pre :]
        return post.mean(axis=1), (post, gaps)

    def _one_by_one(
        self,
        estimator: Estimator,
        panel: Panel,
        strata: list[Ints],
        rng: np.random.Generator,
        progress: Progress,
    ) -> tuple[list[Effects], int]:
        """Refit on each sample; say how many identified no effect."""
        refits: list[Effects] = []
        tries = 0
        while len(refits) < self.n_draws and tries < MOST_TRIES * self.n_draws:
            tries += 1
            effects = refit(estimator, panel, _sample(strata, rng))
            if effects is not None:
                refits.append(effects)
                progress(len(refits) / self.n_draws)
        if len(refits) < self.n_draws:
            raise NotApplicableError(
                f"Only {len(refits)} of {tries} samples of units identify an effect.",
                hint="Choose another inference method.",
            )
        return refits, tries - len(refits)


def _sample(strata: list[Ints], rng: np.random.Generator) -> Ints:
    return np.concatenate([rng.choice(units, len(units)) for units in strata])
