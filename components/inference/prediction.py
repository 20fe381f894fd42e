"""Prediction intervals for a synthetic control: unsure weights and unsure periods, apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from components.arrays import Floats
from components.estimators.base import Card, Estimate
from components.estimators.synthetic_control import SyntheticControl
from components.inference.base import POWER, Band, Interval, Progress, Uncertainty, level_text
from components.inference.held_out import average_note
from components.numerics.prediction_intervals import Fit, in_sample_draws, later_errors
from components.numerics.rounding import rounding_of
from components.panel import period_label

FEWEST_PERIODS = 5
SHORT = 0.1  # of the residuals' own spread


@dataclass(frozen=True)
class PredictionIntervals:
    r"""Prediction intervals with an in-sample and an out-of-sample part.

    In-sample: the weights were fitted under noise, simulated ``n_draws`` times; each draw bounds
    what the true weights would give. Out-of-sample: the later period has an error of its own,
    taken as sub-Gaussian with a mean and a spread predicted from the donors,
    :math:`\varepsilon_t = \sqrt{2\log(2/\alpha_2)}\,\sigma_t`. Each part is given half of
    :math:`\alpha = 1 - \text{level}`.

    Parameters
    ----------
    n_draws : int
        Draws of the in-sample noise.
    differences : bool
        Predict the residuals by the donors' changes, for outcomes that drift (cointegrated ones);
        otherwise by their levels.
    simultaneous : bool
        Cover all treated periods together; otherwise each on its own.
    spread : {"corrected", "published"}
        ``"published"`` is the rule of the package scpi, whose :math:`\sigma_t` comes out at about
        half of what it should be for normal errors; by simulation its band can fall short
        (docs/coverage.md). ``"corrected"`` takes :math:`\sigma_t` for normal errors, and their
        quantile in the place of the sub-Gaussian bound.

    Notes
    -----
    The interval for the average effect takes the same draws for the donors' average over the
    treated periods, and :math:`\sqrt{2\log(2/\alpha_2)}\,\bar\sigma` with the mean of the
    :math:`\sigma_t`: an average of sub-Gaussian errors is no wider than that however they depend
    on each other over time. The p-value is one minus the highest level whose interval leaves out
    zero.

    In the simultaneous band the in-sample part is the smallest and the largest bound over the
    treated periods in each draw, and :math:`\varepsilon_t` is multiplied by
    :math:`\max(1, \sqrt{\log(T_1 + 1)})`.

    References
    ----------
    Cattaneo, Feng and Titiunik (2021), JASA 116(536), 1865-1880; Cattaneo, Feng, Palomba and
    Titiunik (2025), J. Statistical Software 113(1).
    """

    n_draws: int = 200
    differences: bool = True
    simultaneous: bool = False
    spread: Literal["corrected", "published"] = "corrected"

    card: ClassVar[Card] = Card(
        key="prediction",
        title="Prediction intervals",
        idea="How wrong the weights may be, and how far a single period may stray on its own.",
        reference="Cattaneo, Feng and Titiunik (2021), JASA 116(536), 1865-1880.",
    )

    def __post_init__(self) -> None:
        if self.n_draws < 20:
            raise ValueError("n_draws must be at least 20")

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for plain synthetic control with residuals to learn from."""
        estimator, design = estimate.estimator, estimate.panel.design
        if not isinstance(estimator, SyntheticControl):
            return (
                "Prediction intervals are worked out for synthetic control, not for "
                f"{estimator.card.title}."
            )
        if estimator.fit_to == "each" and design.n_treated == 1:
            estimator = replace(estimator, fit_to="average")
        if estimator != SyntheticControl():
            return (
                "Prediction intervals need synthetic control without predictors, penalty or "
                "correction, fitted to the average of the treated units."
            )
        if design.kind != "block":
            return "Prediction intervals need all treated units to start in one period and stay."
        if design.n_pre < FEWEST_PERIODS:
            return (
                f"Prediction intervals need at least {FEWEST_PERIODS} periods before treatment, "
                f"and there are {design.n_pre}."
            )
        if estimate.pre_rmspe <= rounding_of(estimate.paths["observed"].to_numpy()):
            return (
                "The donors track the treated unit exactly before treatment: no residual is left "
                "to learn from."
            )
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Simulate the in-sample part, predict the out-of-sample part, and add them up."""
        bounds = _Bounds(self, estimate, rng)
        progress(0.9)
        alpha = 1.0 - level
        post = estimate.panel.periods[estimate.panel.design.n_pre :]
        gap = estimate.paths["gap"][post]
        interval = band = None
        table = bounds.table(alpha)
        if alpha >= bounds.smallest_p:
            lower, upper = bounds.of_average(alpha)
            interval = Interval(estimate.att - upper, estimate.att - lower, level)
            band = Band(
                gap - (table["upper"] - table["counterfactual"]),
                gap - (table["lower"] - table["counterfactual"]),
                level,
                simultaneous=self.simultaneous,
            )
        progress(1.0)
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            band=band,
            p_value=bounds.p_value(estimate.att),
            smallest_p=bounds.smallest_p,
            detectable=None if interval is None else bounds.detectable(alpha),
            n_random=self.n_draws,
            sentence=self._sentence(level),
            notes=tuple(bounds.notes(alpha, interval, band, gap)),
            details={"prediction": table, "rho": bounds.fit.rho},
        )

    def _sentence(self, level: float) -> str:
        kind = "simultaneous" if self.simultaneous else "pointwise"
        half = level_text(0.5 + level / 2)
        return (
            f"{level_text(level)} prediction band: where the untreated outcome may lie, half of "
            f"the error for the weights ({half} in-sample) and half for the period itself "
            f"({half} out-of-sample); {kind}, two-sided."
        )


class _Bounds:
    """Bounds of the untreated outcome around the synthetic one, at any level."""

    def __init__(
        self, method: PredictionIntervals, estimate: Estimate, rng: np.random.Generator
    ) -> None:
        panel, weights = estimate.panel, estimate.unit_weights
        assert weights is not None
        self.method = method
        n_pre = panel.design.n_pre
        donors = panel.Y[~panel.design.treated].T
        paths = estimate.paths
        self.periods = panel.periods[n_pre:]
        self.counterfactual = paths["counterfactual"].to_numpy()[n_pre:]
        self.fit = Fit(
            donors[:n_pre],
            donors[n_pre:],
            paths["gap"].to_numpy()[:n_pre],
            np.asarray(weights.to_numpy(), dtype=np.float64),
            method.differences,
        )
        later = self.fit.later
        directions = np.concatenate([later, later.mean(axis=0, keepdims=True)])
        noise = rng.standard_normal((method.n_draws, n_pre - self.fit.start))
        self.low, self.high = in_sample_draws(self.fit, directions, noise)
        self.mean, self.spread = later_errors(self.fit, corrected=method.spread == "corrected")

    @cached_property
    def smallest_p(self) -> float:
        """Smallest alpha whose in-sample quantile lies among the draws."""
        return 4.0 / (self.method.n_draws + 1)

    def of_average(self, alpha: float) -> tuple[float, float]:
        """Bounds of the average untreated outcome, less the synthetic average."""
        low, high = self._in_sample(self.low[:, -1], self.high[:, -1], alpha)
        reach = self._reach(alpha) * self.spread.mean()
        return float(low + self.mean.mean() - reach), float(high + self.mean.mean() + reach)

    def detectable(self, alpha: float) -> float:
        """Half of the average's interval, and what a normal error of that spread adds."""
        lower, upper = self.of_average(alpha)
        return (upper - lower) / 2 + float(norm.ppf(POWER) * self.spread.mean())

    def table(self, alpha: float) -> pd.DataFrame:
        """Both parts by period."""
        low, high, widen = self.low[:, :-1], self.high[:, :-1], 1.0
        if self.method.simultaneous:
            low = np.broadcast_to(low.min(axis=1, keepdims=True), low.shape)
            high = np.broadcast_to(high.max(axis=1, keepdims=True), high.shape)
            widen = max(1.0, float(np.sqrt(np.log(len(self.periods) + 1))))
        inner = self._in_sample(low, high, alpha)
        reach = self._reach(alpha) * widen * self.spread
        return pd.DataFrame(
            {
                "counterfactual": self.counterfactual,
                "in_sample_lower": inner[0],
                "in_sample_upper": inner[1],
                "out_of_sample_lower": self.mean - reach,
                "out_of_sample_upper": self.mean + reach,
                "lower": self.counterfactual + inner[0] + self.mean - reach,
                "upper": self.counterfactual + inner[1] + self.mean + reach,
            },
            index=self.periods,
        )

    def _reach(self, alpha: float) -> float:
        """Bound of half of alpha, in units of the spread."""
        if self.method.spread == "corrected":
            return float(norm.isf(alpha / 4.0))
        return float(np.sqrt(2.0 * np.log(4.0 / alpha)))

    def _in_sample(self, low: Floats, high: Floats, alpha: float) -> tuple[Floats, Floats]:
        return (
            np.asarray(np.quantile(low, alpha / 4, axis=0)),
            np.asarray(np.quantile(high, 1.0 - alpha / 4, axis=0)),
        )

    def p_value(self, att: float) -> float:
        """Smallest alpha at which the average's interval leaves out zero; 1 where none does."""

        def excludes(alpha: float) -> bool:
            lower, upper = self.of_average(alpha)
            return not att - upper <= 0.0 <= att - lower

        low, high = self.smallest_p, 1.0
        if excludes(low):
            return low
        if not excludes(high):
            return 1.0
        while (middle := 0.5 * (low + high)) not in (low, high):
            low, high = (low, middle) if excludes(middle) else (middle, high)
        return high

    def notes(
        self, alpha: float, interval: Interval | None, band: Band | None, gap: pd.Series[float]
    ) -> list[str]:
        """Name what a reader of these intervals should know."""
        found = []
        if interval is None:
            found.append(
                f"{self.method.n_draws} draws reach levels of at most "
                f"{level_text(np.floor(1000 * (1 - self.smallest_p)) / 1000)}: draw more for this "
                "one."
            )
        else:
            found.append(
                f"The ends of the average's interval are good to about "
                f"{self._monte_carlo(alpha):.2g} ({self.method.n_draws} draws)."
            )
            found += average_note(self.fit.residuals, len(self.periods))
        if not (self.fit.weights >= self.fit.rho).any():
            found.append(
                f"Every donor's weight is below {self.fit.rho:.2g}, so the published rule takes "
                "all weights as known and the in-sample part is zero: these intervals may be far "
                "too short."
            )
        own = float(self.fit.residuals.std())
        short = self.periods[self.spread < SHORT * own]
        if len(short):
            several = "" if len(short) == 1 else f" and {len(short) - 1} more"
            found.append(
                "The predicted spread of the period's own error is less than a tenth of that "
                f"before treatment in {period_label(short[0])}{several}: its band may be too short."
            )
        if band is not None and bool(((band.lower > gap) | (band.upper < gap)).any()):
            found.append(
                "In some periods the estimate lies outside its band: the residuals before "
                "treatment predict that the synthetic control is off there."
            )
        if interval is not None and gap.mean() not in interval:
            found.append(
                "The average estimate lies outside its interval: the residuals before treatment "
                "predict that the synthetic control is off."
            )
        return found

    def _monte_carlo(self, alpha: float) -> float:
        """Half the distance between the order statistics one standard error from the quantile."""
        tail, n = alpha / 4, self.method.n_draws
        error = np.sqrt(tail * (1.0 - tail) / n)
        ends = np.clip([tail - error, tail + error], 0.0, 1.0)
        low = np.ptp(np.quantile(self.low[:, -1], ends))
        high = np.ptp(np.quantile(self.high[:, -1], 1.0 - ends))
        return float(max(low, high) / 2)
