"""Standard errors of event studies, clustered by unit, with a band for all event times at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.estimators.event_study import event_study
from components.inference.base import (
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_t,
    level_text,
)
from components.inference.refits import too_few_treated

WITH_ERRORS = ("did", "callaway_santanna", "sun_abraham")


@dataclass(frozen=True)
class EventStudyErrors:
    r"""Clustered standard errors, and a band that holds for all event times together.

    The average effect has the t interval :math:`\hat\tau \pm t_{N_1 - 1}\,\widehat{se}`. The band
    by event time is :math:`\hat\theta_e \pm c\,\widehat{se}_e`, where c is the level's quantile of
    :math:`\max_e |n^{-1/2}\sum_i \xi_i \psi_{ie}| / \hat s_e` over random multipliers
    :math:`\xi_i` (the sup-t or multiplier bootstrap).

    Parameters
    ----------
    n_draws : int
        Draws of the multiplier bootstrap.
    simultaneous : bool
        Cover all event times together; otherwise each on its own.

    References
    ----------
    Callaway and Sant'Anna (2021), J. Econometrics 225(2), Algorithm 1; Sun and Abraham (2021),
    J. Econometrics 225(2); for difference in differences the variance of Borusyak, Jaravel and
    Spiess (2024), REStud 91(6), section 4.3.
    """

    n_draws: int = 1999
    simultaneous: bool = True

    card: ClassVar[Card] = Card(
        key="event_study",
        title="Event-study errors",
        idea="Standard errors clustered by unit, and one band that covers all event times.",
        reference="Callaway and Sant'Anna (2021), J. Econometrics 225(2), 200-230.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for an estimator with standard errors, lasting treatment and enough units."""
        if estimate.estimator.card.key not in WITH_ERRORS:
            return (
                f"{estimate.estimator.card.title} has no clustered standard error of its own; use "
                "the jackknife, the bootstrap or placebo in space."
            )
        if estimate.panel.design.kind == "reversing":
            return "Event-study errors need treatment that lasts; here it ends again."
        return too_few_treated(estimate, "A clustered standard error")

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Read the errors off the event study, and draw the multipliers.

        Raises
        ------
        NotApplicableError
            Where the average effect has no standard error.
        """
        study = event_study(estimate)
        error, df = study.standard_error, estimate.panel.design.n_treated - 1
        if not np.isfinite(error) or error <= 0:
            raise NotApplicableError(
                "The average effect has no standard error here.",
                hint="Choose another inference method.",
            )
        quantile = float(student.ppf(0.5 + level / 2, df))
        c = quantile
        if self.simultaneous:
            c = float(student.ppf(norm.cdf(study.critical_value(level, rng, self.n_draws)), df))
        table = study.table[np.isfinite(study.table["standard_error"])]
        half = pd.Series(c * table["standard_error"], table.index)
        kind = "all event times together" if self.simultaneous else "pointwise"
        return Uncertainty(
            method=self,
            level=level,
            interval=Interval(
                estimate.att - quantile * error, estimate.att + quantile * error, level
            ),
            event_band=Band(
                table["att"] - half, table["att"] + half, level, simultaneous=self.simultaneous
            ),
            p_value=float(2 * student.sf(abs(estimate.att) / error, df)),
            standard_error=error,
            detectable=detectable_by_t(error, df, level),
            sentence=(
                f"{level_text(level)} band from standard errors clustered by unit; {kind}, "
                "two-sided."
            ),
            notes=(*study.notes, *self._notes(level)),
            n_random=self.n_draws if self.simultaneous else 0,
            details={"event_study": study.table},
        )

    def _notes(self, level: float) -> tuple[str, ...]:
        if not self.simultaneous:
            return ()
        error = np.sqrt(level * (1.0 - level) / self.n_draws)
        return (
            f"The band's level comes from {self.n_draws} draws and is good to "
            f"{100 * error:.2g} percentage points (Monte Carlo standard error).",
        )
