"""Effects by cohort and period (Callaway and Sant'Anna 2021), without covariates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from components.errors import SpecError
from components.estimators.base import Card, Estimate, unidentified_note
from components.estimators.staggered import (
    cohort_notes,
    group_time_details,
    needs_adoption,
    starts,
)
from components.numerics.group_time import GroupTime, long_differences
from components.panel import Panel


@dataclass(frozen=True)
class CallawaySantAnna:
    r"""Each cohort's change since its last untreated period, against that of its controls.

    .. math:: ATT(g,t) = E[Y_t-Y_{g-1} \mid g] - E[Y_t-Y_{g-1} \mid C], \qquad
              \hat Y_{it}(0) = Y_{i,g-1} + \frac{1}{n_C}\sum_{j \in C}(Y_{jt}-Y_{j,g-1})

    (eq. 2.8 and 2.9), so that the average of ``effects`` over any set of treated cells is the
    average of ATT(g,t) weighted by their number. Before treatment too Y0 keeps g - 1 as its base,
    whatever base the tables have. ``details`` hold the effects by cohort and
    period, by event time and by cohort with standard errors from influence functions, the three
    overall averages, and a joint test of the effects before treatment.

    Parameters
    ----------
    controls : {"never", "not_yet"}
        Units that are never treated, or all that are untreated up to the period.
    base_period : {"varying", "universal"}
        In the tables, compare a period before treatment with the one before it, or with g - 1.
        From treatment on both are the same.

    Raises
    ------
    SpecError
        Where an option is none of these.
    """

    controls: Literal["never", "not_yet"] = "never"
    base_period: Literal["varying", "universal"] = "varying"

    card: ClassVar[Card] = Card(
        key="callaway_santanna",
        title="Callaway and Sant'Anna",
        idea="Each cohort would have moved in parallel to its controls from its adoption on.",
        reference="Callaway and Sant'Anna (2021), Journal of Econometrics 225(2), 200-230.",
    )

    def __post_init__(self) -> None:
        options = {"controls": {"never", "not_yet"}, "base_period": {"varying", "universal"}}
        for name, allowed in options.items():
            if getattr(self, name) not in allowed:
                raise SpecError(
                    f"Callaway and Sant'Anna's estimator cannot have {name} = "
                    f"{getattr(self, name)!r}.",
                    hint=f"Make {name} one of {', '.join(sorted(allowed))}.",
                )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for lasting treatment, a period before it, and controls seen in both."""
        reason = needs_adoption(panel, never=self.controls == "never")
        if reason is None and not panel.observed.all():
            effects = self._effects(panel)
            if not np.isfinite(effects.att[effects.event_times >= 0]).any():
                return (
                    "No treated unit is seen both after its adoption and in the period just "
                    "before it, together with a control seen in both."
                )
        return reason

    def fit(self, panel: Panel) -> Estimate:
        """Compare changes, cohort by cohort and period by period."""
        effects = self._effects(panel)
        Y0 = np.where(panel.design.treated[:, None], effects.Y0, panel.Y)
        notes = unidentified_note(panel, Y0) + cohort_notes(panel)
        details = group_time_details(panel, effects)
        return Estimate(panel, self, Y0, notes=notes, details=details)

    def _effects(self, panel: Panel) -> GroupTime:
        return long_differences(
            panel.Y,
            starts(panel),
            never=self.controls == "never",
            universal=self.base_period == "universal",
        )
