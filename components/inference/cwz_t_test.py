"""A t-test for synthetic controls by cross-fitting over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Ints
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate, NullModel
from components.inference.base import Interval, Progress, Uncertainty, detectable_by_t, level_text
from components.inference.held_out import held_out_gaps, not_weighted_donors
from components.panel import period_label

FEWEST_TRAINING = 3


@dataclass(frozen=True)
class CrossFittedTTest:
    r"""Hold out blocks of pre-treatment periods, correct the bias that shows there, and compare.

    The last :math:`K r` periods before treatment are cut into K blocks :math:`H_k` of
    :math:`r = \min(\lfloor T_0/K \rfloor, T_1)` periods. Weights fitted without block k give

    .. math:: \hat\tau_k = \bar g_{post} - \bar g_{H_k}, \qquad
              \hat\tau = K^{-1}\sum_k \hat\tau_k, \qquad
              \widehat{se} = \sqrt{1 + K r / T_1}\,\frac{sd(\hat\tau_k)}{\sqrt K},

    and :math:`(\hat\tau - \tau)/\widehat{se}` is compared with a t distribution of
    :math:`K - 1` degrees of freedom.

    Parameters
    ----------
    n_folds : int
        K; the authors use 3.

    Notes
    -----
    Made for many periods before and after treatment whose gaps are stationary; weights may be
    misspecified. It says nothing about single periods.

    References
    ----------
    Chernozhukov, Wüthrich and Zhu (2018), "A t-test for synthetic controls", arXiv 1812.10820,
    section 2.
    """

    n_folds: int = 3

    card: ClassVar[Card] = Card(
        key="t_test",
        title="Cross-fitted t-test",
        idea="Hold out blocks of periods before treatment, and correct the bias that shows there.",
        reference="Chernozhukov, Wüthrich and Zhu (2018), arXiv 1812.10820.",
    )

    def __post_init__(self) -> None:
        if self.n_folds < 2:
            raise ValueError("n_folds must be at least 2")

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for weights from the pre-period alone, and enough periods for the folds."""
        if not isinstance(estimate.estimator, NullModel):
            return (
                f"{estimate.estimator.card.title} does not take its weights from the outcomes "
                "before treatment alone, which the cross-fitted t-test needs. Use placebo in space."
            )
        reason = not_weighted_donors(estimate, "The cross-fitted t-test")
        if reason is not None:
            return reason
        design = estimate.panel.design
        length = self._length(estimate)
        if length < 1 or design.n_pre - length < FEWEST_TRAINING:
            return (
                f"{self.n_folds} blocks need at least {FEWEST_TRAINING} more periods before "
                f"treatment than one block holds, and there are {design.n_pre}."
            )
        return None

    def _length(self, estimate: Estimate) -> int:
        design = estimate.panel.design
        return min(design.n_pre // self.n_folds, design.n_post)

    def blocks(self, estimate: Estimate) -> Ints:
        """Columns that each fold leaves out, shape (K, r)."""
        length, n_pre = self._length(estimate), estimate.panel.design.n_pre
        return np.arange(n_pre - self.n_folds * length, n_pre).reshape(self.n_folds, length)

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Fit without each block.

        Raises
        ------
        NotApplicableError
            Where all blocks give the same number, so that there is no spread to judge by.
        """
        panel, K = estimate.panel, self.n_folds
        n_pre, n_post = panel.design.n_pre, panel.design.n_post
        blocks = self.blocks(estimate)
        effects = np.empty(K)
        for number, block in enumerate(blocks):
            gaps, _ = held_out_gaps(estimate, block)
            effects[number] = gaps[n_pre:].mean() - gaps[block].mean()
            progress((number + 1) / K)
        spread = float(effects.std(ddof=1))
        if spread <= 1e-12 * float(np.abs(panel.Y).max()):
            raise NotApplicableError(
                "All blocks of held-out periods give the same effect, so the t-test has no "
                "spread to judge by.",
                hint="Choose another inference method.",
            )
        error = float(np.sqrt(1.0 + K * blocks.shape[1] / n_post) * spread / np.sqrt(K))
        centre = float(effects.mean())
        half = float(student.ppf(0.5 + level / 2, K - 1)) * error
        interval = Interval(centre - half, centre + half, level)
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            p_value=float(2 * student.sf(abs(centre) / error, K - 1)),
            standard_error=error,
            detectable=detectable_by_t(error, K - 1, level),
            draws=effects,
            sentence=(
                f"{level_text(level)} t interval for the average effect from {K} blocks of "
                f"held-out periods, with {K - 1} degrees of freedom; two-sided. It has no band "
                "for single periods."
            ),
            notes=self._notes(estimate, centre, interval),
            details={"folds": _folds(estimate, blocks, effects), "debiased_effect": centre},
        )

    def _notes(self, estimate: Estimate, centre: float, interval: Interval) -> tuple[str, ...]:
        outside = "" if estimate.att in interval else " The estimate lies outside the interval."
        return (
            f"The interval is centred at {centre:.4g}, the average after the bias in the held-out "
            f"blocks is taken off; the estimate itself is {estimate.att:.4g}.{outside}",
        )


def _folds(estimate: Estimate, blocks: Ints, effects: np.ndarray) -> pd.DataFrame:
    periods = estimate.panel.periods
    return pd.DataFrame(
        {
            "first_held_out": [period_label(periods[block[0]]) for block in blocks],
            "last_held_out": [period_label(periods[block[-1]]) for block in blocks],
            "effect": effects,
        }
    )
