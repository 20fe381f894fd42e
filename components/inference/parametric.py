"""Parametric bootstrap: simulate worlds without an effect, and see how far the estimate errs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.inference.base import (
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_draws,
    highest_level,
    level_text,
    nth_largest,
    rejections_allowed,
)
from components.inference.error_model import ErrorModel, fit_error_model
from components.inference.refits import Effects, as_tables, fixed
from components.numerics.rounding import rounding_of
from components.panel import unit_label

FEWEST_UNITS = 5
FEWEST_PERIODS = 6
FEWEST_OWN = 4  # untreated cells of each unit
TWO_WAY = ("did", "callaway_santanna", "sun_abraham")
NOTHING = 1e-6  # size of an error, next to the range of the outcome
BIASED = 0.5  # mean error of the simulated estimates, in their standard deviations


@dataclass(frozen=True)
class ParametricBootstrap:
    r"""Simulate untreated outcomes around a fitted model, estimate, and look at the errors.

    The model is :math:`Y_{it}(0) = \alpha_i + \beta_t + \lambda_i'f_t + \varepsilon_{it}`, fitted
    to the untreated cells, with normal errors that follow an AR(2) over time and have a noise
    level for each unit, moderated towards the common one. The treated units' mean is the
    counterfactual that the estimator itself makes of the others' means. In each simulated world
    nothing has an effect, so that the estimate is its own error :math:`e_b`, the noise of the
    treated cells included. Then

    .. math:: p(\theta) = \frac{1 + \#\{b : |e_b| \ge |\hat\tau - \theta|\}}{1 + B},

    and the interval holds every :math:`\theta` with :math:`p(\theta) > 1 - \text{level}`; the band
    does the same with the effect of each period. Tuning that was chosen from the data is held at
    its choice.

    Parameters
    ----------
    n_draws : int
        Simulated worlds, B. The smallest p-value is 1/(B + 1).
    n_factors : int, optional
        Factors besides unit and period effects. By default none for estimators of unit and period
        effects alone, and as many as an information criterion finds for all others.

    Notes
    -----
    Works with a single treated unit and any assignment. It is as good as its model: errors count
    as normal and independent between units, given the factors, and the estimator as right but for
    noise. That the model itself is estimated is not in the interval.

    References
    ----------
    Xu (2017), Political Analysis 25(1), Algorithm 2, and Liu, Wang and Xu (2024), AJPS 68(1),
    draw around a factor model too, with residuals in the place of normal errors; errors with
    autocorrelation as in Arkhangelsky et al. (2021), AER 111(12), section 3. Number of factors: Bai
    and Ng (2002), Econometrica 70(1); noise levels: Smyth (2004), Stat. Appl. Genet. Mol. Biol.
    3(1).
    """

    n_draws: int = 499
    n_factors: int | None = None

    card: ClassVar[Card] = Card(
        key="parametric",
        title="Parametric bootstrap",
        idea="Simulate this panel without an effect, and see how far the estimate strays from "
        "zero.",
        reference="Xu (2017), Political Analysis 25(1), 57-76, Algorithm 2.",
    )

    def __post_init__(self) -> None:
        if self.n_draws < 19:
            raise ValueError("n_draws must be at least 19")
        if self.n_factors is not None and self.n_factors < 0:
            raise ValueError("n_factors must not be negative")

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for an estimator that looks at outcomes alone, and for enough untreated cells."""
        panel, estimator = estimate.panel, estimate.estimator
        if getattr(estimator, "predictors", ()) or getattr(estimator, "covariates", ()):
            return (
                "The parametric bootstrap simulates outcomes alone, and "
                f"{estimator.card.title} as it is set here looks at covariates too."
            )
        n, t = panel.shape
        if n < FEWEST_UNITS or t < FEWEST_PERIODS:
            return (
                f"The parametric bootstrap needs at least {FEWEST_UNITS} units and "
                f"{FEWEST_PERIODS} periods to learn the errors from, and there are {n} and {t}."
            )
        seen = panel.observed & ~panel.W
        own = seen.sum(axis=1)
        if own.min() < FEWEST_OWN:
            row = int(own.argmin())
            return (
                f"{unit_label(panel.units[row])} has {own[row]} untreated cells with an outcome; "
                f"the parametric bootstrap needs {FEWEST_OWN} to learn its errors from."
            )
        if seen.sum(axis=0).min() < 2:
            return "In some periods fewer than two untreated units are seen."
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Simulate, estimate, and invert the rank of the estimate among the errors.

        Raises
        ------
        NotApplicableError
            Where the model fits all untreated cells exactly, so that no error is left.
        """
        panel = estimate.panel
        model = self._model(estimate)
        if not model.variances.max() > rounding_of(panel.Y, NOTHING) ** 2:
            raise NotApplicableError(
                "A factor model fits all untreated cells exactly: no error is left to simulate.",
                hint="Choose another inference method.",
            )
        errors, tables = self._errors(estimate, model, rng, progress)
        n = len(errors) + 1
        rank = rejections_allowed(n, level)
        interval = detectable = band = event_band = None
        if rank:
            half = float(nth_largest(np.abs(errors), rank))
            interval = Interval(estimate.att - half, estimate.att + half, level)
            detectable = detectable_by_draws(half, errors)
            series = (estimate.by_period().dropna(), estimate.by_event_time().dropna())
            band, event_band = (
                _band(point, table, rank, level)
                for point, table in zip(series, tables, strict=True)
            )
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            band=band,
            event_band=event_band,
            p_value=(1 + int((np.abs(errors) >= abs(estimate.att) * (1 - 1e-12)).sum())) / n,
            smallest_p=1 / n,
            detectable=detectable,
            n_random=self.n_draws,
            standard_error=float(errors.std()),
            draws=errors,
            sentence=(
                f"{level_text(level)} band: how far the estimate strays from no effect in "
                f"{self.n_draws} worlds simulated around a fitted factor model; pointwise, "
                "two-sided."
            ),
            notes=_notes(estimate, model, errors, level),
            details={
                "noise_levels": pd.DataFrame(
                    {
                        "noise_sd": np.sqrt(model.variances),
                        "treated": panel.design.treated,
                    },
                    index=panel.units.rename("unit"),
                )
            },
        )

    def _model(self, estimate: Estimate) -> ErrorModel:
        """Fit the model, and let the estimator say what the treated units would do in it."""
        panel, estimator = estimate.panel, fixed(estimate)
        seen = panel.observed & ~panel.W
        two_way = estimator.card.key in TWO_WAY
        number = 0 if two_way and self.n_factors is None else self.n_factors
        model = fit_error_model(np.where(seen, panel.Y, 0.0), seen, number)
        treated = panel.design.treated[:, None]
        smooth = np.where(panel.observed, np.where(treated, estimate.Y0, model.mean), np.nan)
        own = estimator.fit(panel.with_outcomes(smooth)).Y0
        return replace(model, mean=np.where(treated & np.isfinite(own), own, model.mean))

    def _errors(
        self, estimate: Estimate, model: ErrorModel, rng: np.random.Generator, progress: Progress
    ) -> tuple[Floats, tuple[Floats, Floats]]:
        """Estimate in each simulated world: average effect, by period and by event time."""
        panel, estimator = estimate.panel, fixed(estimate)
        plain = panel.design.kind == "block" and bool(panel.observed.all())
        gaps, refits = [], []
        for number in range(self.n_draws):
            outcomes = np.where(panel.observed, model.draw(rng), np.nan)
            fit = estimator.fit(panel.with_outcomes(outcomes))
            if plain:
                gaps.append((outcomes - fit.Y0)[panel.design.treated].mean(axis=0))
            else:
                refits.append(Effects.of(fit))
            progress((number + 1) / self.n_draws)
        if plain:
            late = np.array(gaps)[:, panel.design.n_pre :]
            return late.mean(axis=1), (late, np.array(gaps))
        return as_tables(estimate, refits)


def _band(point: pd.Series[float], table: Floats, rank: int, level: float) -> Band:
    half = nth_largest(np.abs(table), rank)
    return Band(point - half, point + half, level, simultaneous=False)


def _notes(estimate: Estimate, model: ErrorModel, errors: Floats, level: float) -> tuple[str, ...]:
    n, treated = len(errors) + 1, estimate.panel.design.treated
    factors = "1 factor" if model.n_factors == 1 else f"{model.n_factors} factors"
    spread = np.sqrt(model.variances)
    own, others = float(np.median(spread[treated])), float(np.median(spread[~treated]))
    first, second = model.autoregression
    notes = [
        f"The simulated worlds have unit and period effects and {factors}; errors follow an AR(2) "
        f"with coefficients {first:.2f} and {second:.2f}, and those of the treated are "
        f"{own / others if others else 1.0:.2f} times as large as a typical other unit's."
        if (~treated).any()
        else f"The simulated worlds have unit and period effects and {factors}."
    ]
    if not rejections_allowed(n, level):
        notes.append(
            f"{n - 1} draws give p-values of at least {1 / n:.3g}, so there is no "
            f"{level_text(level)} interval: draw more, or choose a level of {highest_level(n)} or "
            "lower."
        )
    else:
        error = np.sqrt(level * (1.0 - level) / n)
        notes.append(
            f"With {n - 1} draws the level is good to {100 * error:.2g} percentage points (Monte "
            "Carlo standard error)."
        )
    if abs(errors.mean()) > BIASED * errors.std():
        notes.append(
            f"In the simulated worlds the estimate is off by {errors.mean():.3g} on average; the "
            "interval is wide enough for that, and stays centred at the estimate."
        )
    return tuple(notes)
