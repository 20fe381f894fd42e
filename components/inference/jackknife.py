"""Jackknife over units: how much the estimate hangs on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty, level_text
from components.inference.refits import Effects, fixed, from_spread, refit, too_few_treated


@dataclass(frozen=True)
class Jackknife:
    r"""Leave out one unit at a time and refit; a t interval from the spread.

    .. math:: \widehat{se}^2 = \frac{N - 1}{N} \sum_i (\hat\tau_{(-i)} - \bar\tau)^2

    with :math:`N_1 - 1` degrees of freedom, :math:`N_1` the number of treated units. Tuning that
    was chosen from the data is held at its choice.

    References
    ----------
    Efron and Stein (1981), Annals of Statistics 9(3). Unlike Algorithm 3 of Arkhangelsky et al.
    (2021), weights are fitted anew in each refit.
    """

    card: ClassVar[Card] = Card(
        key="jackknife",
        title="Jackknife over units",
        idea="Leave out one unit at a time: how far does the estimate move?",
        reference="Efron and Stein (1981), Annals of Statistics 9(3), 586-596.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for enough treated and never-treated units."""
        return too_few_treated(estimate, "The jackknife")

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit without each unit.

        Raises
        ------
        NotApplicableError
            Where no effect is left without one of the units.
        """
        panel, estimator = estimate.panel, fixed(estimate)
        n = panel.shape[0]
        refits: list[Effects] = []
        for row in range(n):
            effects = refit(estimator, panel, np.delete(np.arange(n), row))
            if effects is None:
                raise NotApplicableError(
                    f"Without {panel.units[row]} no effect is identified, so the jackknife says "
                    "nothing here.",
                    hint="Choose another inference method.",
                )
            refits.append(effects)
            progress((row + 1) / n)
        return from_spread(
            estimate,
            refits,
            method=self,
            level=level,
            factor=float(n - 1),
            df=panel.design.n_treated - 1,
            sentence=(
                f"{level_text(level)} jackknife band: the spread of {n} refits that leave out one "
                "unit each; pointwise, two-sided."
            ),
        )
