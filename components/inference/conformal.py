"""Conformal inference: keep the effects that would leave ordinary residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
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

MOST_TREATED_SHARE = 0.25
PValues = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Conformal:
    r"""Test an effect by how its residuals look among all periods.

    For a hypothetical effect :math:`\theta` the treated outcomes lose :math:`\theta` after
    treatment, the model is fitted to **all** T periods under that null, and the mean absolute
    residual of the treated periods, :math:`S = T_1^{-1}\sum_{t > T_0} |\hat u_t|`, is ranked
    among its T cyclic shifts: :math:`p(\theta) = T^{-1}\#\{s : S_s \ge S\}`. The interval holds
    every constant effect with :math:`p(\theta) > 1 - \text{level}`. The band does the same for
    one treated period at a time, next to the untreated ones.

    Parameters
    ----------
    n_grid : int
        Hypothetical effects tried before the ends of the interval are refined by bisection.

    Notes
    -----
    Exact where the residuals are exchangeable over time, approximate where they are stationary
    and weakly dependent and the model is estimated well.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2021), JASA 116(536), 1849-1864, section 2.2 (moving block
    permutations) and Algorithms 1 and 2.
    """

    n_grid: int = 81

    card: ClassVar[Card] = Card(
        key="conformal",
        title="Conformal",
        idea="Keep each effect size that would leave the treated periods looking like the others.",
        reference="Chernozhukov, Wüthrich and Zhu (2021), JASA 116(536), 1849-1864.",
    )

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
        block = _tester(estimate, np.arange(n_periods), n_pre)
        found = invert(block, n_periods, level, estimate.att, reach, self.n_grid)
        progress(1 / (panel.design.n_post + 1))
        band = self._band(estimate, level, reach, progress)
        notes = list(_granularity(level, n_periods, n_pre + 1))
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
                (interval.upper - interval.lower) / 2, _block_means(estimate, interval)
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
            smallest_p=1 / n_periods,
            detectable=detectable,
            sentence=(
                f"{level_text(level)} conformal band: effects that would leave the period's "
                "residual looking like those before treatment; pointwise, two-sided. The interval "
                "is for an effect that is the same in every treated period."
            ),
            notes=tuple(notes),
        )

    def _band(
        self, estimate: Estimate, level: float, reach: float, progress: Progress
    ) -> Band | None:
        panel = estimate.panel
        n_pre, n_post = panel.design.n_pre, panel.design.n_post
        gap = estimate.paths["gap"].to_numpy()
        bounds = np.full((n_post, 2), np.nan)
        for step in range(n_post):
            columns = np.r_[np.arange(n_pre), n_pre + step]
            test = _tester(estimate, columns, n_pre)
            found = invert(test, n_pre + 1, level, gap[n_pre + step], reach, self.n_grid)
            if found.bounds is None:
                return None
            bounds[step] = found.bounds
            progress((step + 2) / (n_post + 1))
        post = panel.periods[n_pre:]
        return Band(
            pd.Series(bounds[:, 0], post), pd.Series(bounds[:, 1], post), level, simultaneous=False
        )


def _tester(estimate: Estimate, columns: np.ndarray, n_pre: int) -> PValues:
    """Give the function from hypothetical effects to p-values on these columns."""
    panel = estimate.panel.window(columns)
    model = estimate.estimator
    assert isinstance(model, NullModel)
    average = panel.Y[panel.design.treated].mean(axis=0)
    post = (np.arange(len(columns)) >= n_pre).astype(np.float64)
    n_post = int(post.sum())
    scale = float(np.abs(estimate.paths["gap"]).max())

    def p_values(effects: Floats) -> Floats:
        residuals = np.abs(model.null_residuals(panel, average - effects[:, None] * post))
        around = np.concatenate([residuals, residuals[:, : n_post - 1]], axis=1)
        sums = np.cumsum(np.pad(around, ((0, 0), (1, 0))), axis=1)
        sizes = (sums[:, n_post:] - sums[:, :-n_post]) / n_post
        shares: Floats = (sizes >= sizes[:, [n_pre]] - 1e-9 * scale).mean(axis=1)
        return shares

    return p_values


def _block_means(estimate: Estimate, interval: Interval) -> Floats:
    """Mean residual of each block as long as the treatment, under the interval's middle effect."""
    panel = estimate.panel
    model = estimate.estimator
    assert isinstance(model, NullModel)
    n_pre, n_post = panel.design.n_pre, panel.design.n_post
    post = (np.arange(panel.shape[1]) >= n_pre) * (interval.lower + interval.upper) / 2
    average = panel.Y[panel.design.treated].mean(axis=0) - post
    residuals = model.null_residuals(panel, average[None, :])[0]
    around = np.concatenate([residuals, residuals[: n_post - 1]])
    means: Floats = np.convolve(around, np.full(n_post, 1.0 / n_post), mode="valid")
    return means


def _reach(gap: Floats) -> float:
    largest = float(np.abs(gap).max())
    return 2.0 * largest if largest > 0 else 1.0


@dataclass(frozen=True)
class Inverted:
    """Ends of the interval, None where it is unbounded, and the p-value of no effect."""

    bounds: tuple[float, float] | None
    p_value: float
    p_of_zero: float


def invert(
    p_values: PValues, n: int, level: float, centre: float, reach: float, n_grid: int
) -> Inverted:
    """Find the smallest and the largest effect that is not rejected.

    The effects that are not rejected need not be an interval. The one around them holds zero
    where an effect on either side of zero is not rejected, and the p-value says the same: zero's
    own, or the largest that both sides reach.

    Parameters
    ----------
    p_values : callable
        From effects, shape (B,), to their p-values.
    n : int
        p-values are multiples of 1/n.
    level : float
    centre, reach : float
        Middle and half-length of the first grid.
    n_grid : int

    Returns
    -------
    Inverted
    """
    threshold = rejections_allowed(n, level) / n + 1e-12
    if threshold < 1 / n:
        return _unbounded(p_values)
    for _ in range(8):
        grid = np.union1d(np.linspace(centre - reach, centre + reach, n_grid), [0.0])
        values = p_values(grid)
        kept = np.flatnonzero(values > threshold)
        if len(kept) and kept[0] > 0 and kept[-1] < len(grid) - 1:
            break
        reach *= 0.3 if not len(kept) else 3.0
    else:
        return _unbounded(p_values)
    lower = _bisect(p_values, threshold, inside=grid[kept[0]], outside=grid[kept[0] - 1])
    upper = _bisect(p_values, threshold, inside=grid[kept[-1]], outside=grid[kept[-1] + 1])
    sides = values[grid <= 0.0].max(), values[grid >= 0.0].max()
    own = float(values[np.searchsorted(grid, 0.0)])
    return Inverted((lower, upper), float(min(sides)), own)


def _unbounded(p_values: PValues) -> Inverted:
    own = float(p_values(np.zeros(1))[0])
    return Inverted(None, own, own)


def _bisect(p_values: PValues, threshold: float, *, inside: float, outside: float) -> float:
    for _ in range(4):
        steps = np.linspace(inside, outside, 18)[1:-1]
        kept = p_values(steps) > threshold
        last = int(np.flatnonzero(kept)[-1]) if kept.any() else -1
        inside, outside = (
            float(steps[last]) if last >= 0 else inside,
            float(steps[last + 1]) if last + 1 < len(steps) else outside,
        )
    return inside


def _granularity(level: float, n_block: int, n_single: int) -> tuple[str, ...]:
    notes = []
    for n, what in ((n_block, "interval"), (n_single, "band")):
        if not rejections_allowed(n, level):
            notes.append(
                f"{n} periods give p-values of at least {1 / n:.3f}, so there is no "
                f"{level_text(level)} conformal {what}: choose a level of {highest_level(n)} or "
                "lower."
            )
    return tuple(notes)
