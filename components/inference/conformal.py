"""Conformal inference: keep the effects that would leave ordinary residuals."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate, NullModel
from components.inference.base import (
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_draws,
    highest_level,
    level_text,
    rejections_allowed,
)
from components.inference.inversion import PValues, invert
from components.inference.placements import all_choices, drawn_choices, shifts

MOST_TREATED_SHARE = 0.25


@dataclass(frozen=True)
class Conformal:
    r"""Test an effect by how its residuals look among all periods.

    For a hypothetical effect :math:`\theta` the treated outcomes lose :math:`\theta` after
    treatment, the model is fitted to **all** T periods under that null, and the residuals of the
    treated periods, in one number, :math:`S = |T_1^{-1}\sum_{t > T_0} \hat u_t|`, are ranked
    among their T cyclic shifts: :math:`p(\theta) = T^{-1}\#\{s : S_s \ge S\}`. The interval holds
    every constant effect with :math:`p(\theta) > 1 - \text{level}`. The published statistic is
    :math:`T_1^{-1}\sum_{t > T_0} |\hat u_t|` (``statistic="size"``, docs/coverage.md). The band
    does the same for one treated period at a time, next to the untreated ones.

    Parameters
    ----------
    n_grid : int
        Hypothetical effects tried before the ends of the interval are refined by bisection.
    statistic : {"average", "size"}
        ``"average"`` ranks the size of the average residual, which looks for an effect on average;
        ``"size"`` the average size of residuals, as published, which sees effects of changing sign
        too, but gives intervals for the average that are more than half as long again. With one
        treated period they are the same.
    permutations : {"block", "iid"}
        ``"block"`` shifts the whole path, in as many ways as there are periods; ``"iid"`` takes
        any periods, as many as are treated, in the place of the treated ones. The second resolves
        smaller p-values, but holds only if errors do not last from period to period.
    n_draws : int
        Most choices of periods under ``"iid"``; more are drawn at random.

    Notes
    -----
    Exact with either statistic where the residuals are exchangeable over time. Under ``"block"``
    approximate where they are stationary and weakly dependent and the model is estimated well.
    Errors that last long next to the time before treatment make intervals too short
    (docs/coverage.md).

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021), JASA 116(536), 1849-1864, section 2.2 (moving block
    permutations) and Algorithms 1 and 2.
    """

    n_grid: int = 81
    statistic: Literal["average", "size"] = "average"
    permutations: Literal["block", "iid"] = "block"
    n_draws: int = 5000

    card: ClassVar[Card] = Card(
        key="conformal",
        title="Conformal",
        idea="Keep each effect size that would leave the treated periods looking like the others.",
        reference="Chernozhukov, Wüthrich and Zhu (2021), JASA 116(536), 1849-1864.",
    )

    def __post_init__(self) -> None:
        if self.n_draws < 19:
            raise ValueError("n_draws must be at least 19")

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a block design and a model that treats all periods alike."""
        if not isinstance(estimate.estimator, NullModel):
            return (
                f"{estimate.estimator.card.title} weights periods by whether they come before "
                "treatment; conformal inference refits a model that treats all periods alike. "
                "Use placebo in space."
            )
        if estimate.panel.design.kind != "block":
            return "Conformal inference needs all treated units to start in one period and stay."
        if not np.isfinite(estimate.paths["gap"]).all():
            return "Conformal inference needs a table without missing cells."
        try:
            average = estimate.paths["observed"].to_numpy()[None, :]
            estimate.estimator.null_residuals(estimate.panel, average)
        except NotApplicableError as error:
            return f"{error.message} {error.hint}"
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Invert the test for the average effect, then period by period."""
        panel = estimate.panel
        n_pre, n_periods = panel.design.n_pre, panel.shape[1]
        gap = estimate.paths["gap"].to_numpy()
        reach = _reach(gap)
        places = self._places(n_periods, panel.design.n_post, rng)
        test = _tester(estimate, np.arange(n_periods), places, self.statistic)
        n = places.shape[1]
        found = invert(test, n, level, estimate.att, reach, self.n_grid)
        progress(1 / (panel.design.n_post + 1))
        band = self._band(estimate, level, reach, progress)
        notes = list(_granularity(level, n, n_pre + 1, self.permutations))
        if self._draws(n_periods, panel.design.n_post):
            notes.append(
                f"{self.n_draws:,} choices of periods were drawn at random; near p = 0.05 the "
                f"Monte Carlo error is {np.sqrt(0.05 * 0.95 / n):.3f}."
            )
        if panel.design.n_post > MOST_TREATED_SHARE * n_pre:
            notes.append(
                "Conformal inference is made for few treated periods next to many untreated ones; "
                f"here they are {panel.design.n_post} and {n_pre}, so the model refitted under "
                "each hypothetical effect can absorb part of it."
            )
        if found.p_of_zero < found.p_value:
            notes.append(
                f"No effect at all has p = {found.p_of_zero:.3f}, but effects on both sides of it "
                f"reach {found.p_value:.3f}: the interval around them holds zero, and the p-value "
                "is theirs."
            )
        interval = detectable = None
        if found.bounds is not None:
            interval = Interval(*found.bounds, level)
            detectable = detectable_by_draws(
                (interval.upper - interval.lower) / 2, _null_means(estimate, interval, places)
            )
            if estimate.att not in interval:
                notes.append(
                    "The estimate lies outside its conformal interval: the interval refits the "
                    "model to all periods under each hypothetical effect, the estimate to the "
                    "untreated periods alone."
                )
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            band=band,
            p_value=found.p_value,
            smallest_p=1 / n,
            detectable=detectable,
            n_random=n - 1 if self._draws(n_periods, panel.design.n_post) else 0,
            sentence=(
                f"{level_text(level)} conformal band: effects that would leave the period's "
                "residual looking like those before treatment; pointwise, two-sided. The interval "
                "is for an effect that is the same in every treated period."
            ),
            notes=tuple(notes),
        )

    def _draws(self, n_periods: int, n_post: int) -> bool:
        return self.permutations == "iid" and comb(n_periods, n_post) > self.n_draws

    def _places(self, n_periods: int, n_post: int, rng: np.random.Generator) -> Floats:
        if self.permutations == "block":
            return shifts(n_periods, n_post)
        if self._draws(n_periods, n_post):
            return drawn_choices(n_periods, n_post, self.n_draws, rng)
        return all_choices(n_periods, n_post)

    def _band(
        self, estimate: Estimate, level: float, reach: float, progress: Progress
    ) -> Band | None:
        panel = estimate.panel
        n_pre, n_post = panel.design.n_pre, panel.design.n_post
        gap = estimate.paths["gap"].to_numpy()
        bounds = np.full((n_post, 2), np.nan)
        for step in range(n_post):
            columns = np.r_[np.arange(n_pre), n_pre + step]
            test = _tester(estimate, columns, shifts(n_pre + 1, 1), self.statistic)
            found = invert(test, n_pre + 1, level, gap[n_pre + step], reach, self.n_grid)
            if found.bounds is None:
                return None
            bounds[step] = found.bounds
            progress((step + 2) / (n_post + 1))
        post = panel.periods[n_pre:]
        return Band(
            pd.Series(bounds[:, 0], post), pd.Series(bounds[:, 1], post), level, simultaneous=False
        )


def _tester(estimate: Estimate, columns: Ints, places: Floats, statistic: str) -> PValues:
    """Give the function from hypothetical effects to p-values on these columns."""
    panel = estimate.panel.window(columns)
    model = estimate.estimator
    assert isinstance(model, NullModel)
    average = panel.Y[panel.design.treated].mean(axis=0)
    post = places[:, 0]
    scale = float(np.abs(estimate.paths["gap"]).max())

    def p_values(effects: Floats) -> Floats:
        residuals = model.null_residuals(panel, average - effects[:, None] * post)
        if statistic == "size":
            residuals = np.abs(residuals)
        sizes = np.abs(residuals @ places) / post.sum()
        shares: Floats = (sizes >= sizes[:, [0]] - 1e-9 * scale).mean(axis=1)
        return shares

    return p_values


def _null_means(estimate: Estimate, interval: Interval, places: Floats) -> Floats:
    """Mean residual in the place of the treated periods, under the interval's middle effect."""
    panel = estimate.panel
    model = estimate.estimator
    assert isinstance(model, NullModel)
    middle = places[:, 0] * (interval.lower + interval.upper) / 2
    average = panel.Y[panel.design.treated].mean(axis=0) - middle
    means: Floats = model.null_residuals(panel, average[None, :])[0] @ places
    return means / panel.design.n_post


def _reach(gap: Floats) -> float:
    largest = float(np.abs(gap).max())
    return 2.0 * largest if largest > 0 else 1.0


def _granularity(level: float, n_block: int, n_single: int, permutations: str) -> tuple[str, ...]:
    ways = "periods" if permutations == "block" else "choices of periods"
    notes = []
    for n, of, what in ((n_block, ways, "interval"), (n_single, "periods", "band")):
        if not rejections_allowed(n, level):
            notes.append(
                f"{n} {of} give p-values of at least {1 / n:.3f}, so there is no "
                f"{level_text(level)} conformal {what}: choose a level of {highest_level(n)} or "
                "lower."
            )
    return tuple(notes)
