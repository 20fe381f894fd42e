"""The interaction-weighted event study of Sun and Abraham (2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from components.estimators.base import Card, Estimate, unidentified_note
from components.estimators.staggered import (
    cohort_notes,
    group_time_details,
    needs_adoption,
    starts,
)
from components.numerics.saturated import saturated_regression
from components.panel import Panel


@dataclass(frozen=True)
class SunAbraham:
    r"""One dummy for each cohort and event time, next to unit and period effects.

    .. math:: Y_{it} = \alpha_i+\lambda_t+\sum_g\sum_{l \ne -1}\delta_{gl}
              \mathbf 1[i \in g]\,\mathbf 1[t-g=l] + \epsilon_{it}

    (eq. 26) with never-treated units as controls; the effect at event time l is the mean of
    :math:`\delta_{gl}` with the cohorts' shares of the cells as weights, and these count as fixed
    in the standard errors, which are clustered by unit with the factor
    :math:`\frac{G}{G-1}\cdot\frac{n-1}{n-K}`. ``details`` are those of
    `CallawaySantAnna`; without missing cells both give the same effects.

    In a cohort without missing cells the counterfactual is :math:`Y_{i,g-1}` plus the controls'
    fitted change. In a cohort with some, the regression links a unit to its base period through
    the cohort's other periods, treated ones too, and the counterfactual is the outcome minus
    :math:`\hat\delta`.
    """

    card: ClassVar[Card] = Card(
        key="sun_abraham",
        title="Sun and Abraham",
        idea="A two-way regression in which each cohort has effects of its own.",
        reference="Sun and Abraham (2021), Journal of Econometrics 225(2), 175-199.",
    )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for lasting treatment, a period before it, and never-treated units."""
        reason = needs_adoption(panel, never=True)
        if reason is None and not panel.observed.all():
            effects = saturated_regression(panel.Y, starts(panel)).effects
            if not np.isfinite(effects.att[effects.event_times >= 0]).any():
                return (
                    "No treated period of a cohort is connected to the period before its adoption "
                    "through observed cells, both among its units and among the never-treated."
                )
        return reason

    def fit(self, panel: Panel) -> Estimate:
        """Fit the regression, one two-way fit per cohort, and average by shares."""
        regression = saturated_regression(panel.Y, starts(panel))
        Y0 = np.where(panel.design.treated[:, None], regression.effects.Y0, panel.Y)
        details = group_time_details(
            panel, regression.effects, factor=regression.factor, shares_estimated=False
        )
        notes = unidentified_note(panel, Y0) + cohort_notes(panel) + _gap_note(panel)
        return Estimate(panel, self, Y0, notes=notes, details=details)


def _gap_note(panel: Panel) -> tuple[str, ...]:
    gaps = ~panel.observed[panel.design.treated]
    if not gaps.any():
        return ()
    return (
        f"{int(gaps.sum())} cells of treated units have no outcome; in their cohorts the "
        "regression draws on treated outcomes too to place each unit's level.",
    )
