"""Jackknife+ over the periods before treatment: leave one out, see how well it is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.estimators.base import Card, Estimate
from components.inference.base import (
    ROUNDING,
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_draws,
    highest_level,
    level_text,
)
from components.inference.held_out import average_note, held_out_gaps, not_weighted_donors

FEWEST_PERIODS = 4


@dataclass(frozen=True)
class JackknifePlus:
    r"""Leave out one period before treatment at a time, predict it, and predict the later ones.

    Without period s the model errs by :math:`e_s = |g_s^{(-s)}|` there and gives the gap
    :math:`g_t^{(-s)}` in a later period. The band for period t holds the effects between

    .. math:: q^-_{\alpha}\{g_t^{(-s)} - e_s\} \quad\text{and}\quad
              q^+_{1-\alpha}\{g_t^{(-s)} + e_s\},

    the :math:`\lfloor \alpha(T_0+1) \rfloor`-th smallest and largest of :math:`T_0` values. The
    conservative version takes :math:`\min_s g_t^{(-s)} - q_{1-\alpha}(e)` to
    :math:`\max_s g_t^{(-s)} + q_{1-\alpha}(e)`.

    Parameters
    ----------
    conservative : bool
        Use the min-max version, which covers with the full level instead of
        :math:`1 - 2\alpha`.

    Notes
    -----
    Exchangeable periods are assumed, so that an error after treatment would be as large as one
    before. Then coverage is at least :math:`1 - 2\alpha` (in practice about :math:`1 - \alpha`).
    Effects may differ between periods, so the interval for the average effect uses the average of
    the later gaps with the error of a **single** period, which is more than an average needs
    unless errors persist. The p-value is the smallest level of error at which zero is left out.

    References
    ----------
    Barber, Candès, Ramdas and Tibshirani (2021), Annals of Statistics 49(1), eq. 1.4 and
    Theorem 1; for synthetic controls the R package augsynth.
    """

    conservative: bool = False

    card: ClassVar[Card] = Card(
        key="jackknife_plus",
        title="Jackknife+ over periods",
        idea="Leave out one period before treatment at a time: how well is it predicted?",
        reference="Barber, Candès, Ramdas and Tibshirani (2021), Annals of Statistics 49(1).",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a weighted donor path and a few periods before treatment."""
        reason = not_weighted_donors(estimate, "Jackknife+")
        if reason is not None:
            return reason
        if estimate.panel.design.n_pre < FEWEST_PERIODS:
            return (
                f"Jackknife+ needs at least {FEWEST_PERIODS} periods before treatment, and there "
                f"are {estimate.panel.design.n_pre}."
            )
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit without each period before treatment."""
        panel = estimate.panel
        n_pre = panel.design.n_pre
        gaps = np.empty((n_pre, panel.design.n_post))
        signed = np.empty(n_pre)
        for period in range(n_pre):
            refitted, _ = held_out_gaps(estimate, np.array([period]))
            gaps[period], signed[period] = refitted[n_pre:], refitted[period]
            progress((period + 1) / n_pre)
        means, errors = gaps.mean(axis=1, keepdims=True), np.abs(signed)
        rank = int(np.floor((1.0 - level) * (n_pre + 1) + ROUNDING))
        interval = band = detectable = None
        if rank:
            lower, upper = self._bounds(gaps, errors, rank)
            post = panel.periods[n_pre:]
            band = Band(pd.Series(lower, post), pd.Series(upper, post), level, simultaneous=False)
            ends = self._bounds(means, errors, rank)
            interval = Interval(float(ends[0][0]), float(ends[1][0]), level)
            detectable = detectable_by_draws((interval.upper - interval.lower) / 2, signed)
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            band=band,
            p_value=self._p_value(means, errors),
            smallest_p=1 / (n_pre + 1),
            detectable=detectable,
            draws=means[:, 0],
            sentence=self._sentence(level, n_pre),
            notes=_notes(estimate, level, interval, band, signed),
            details={
                "left_out": pd.DataFrame(
                    {"error": errors, "average_effect": means[:, 0]}, index=panel.periods[:n_pre]
                )
            },
        )

    def _bounds(self, gaps: Floats, errors: Floats, rank: int) -> tuple[Floats, Floats]:
        """Bounds of each column of gaps, where ``rank`` values may lie beyond each end."""
        n = len(errors)
        if self.conservative:
            reach = np.sort(errors)[n - rank]
            return gaps.min(axis=0) - reach, gaps.max(axis=0) + reach
        lower = np.sort(gaps - errors[:, None], axis=0)[rank - 1]
        upper = np.sort(gaps + errors[:, None], axis=0)[n - rank]
        return lower, upper

    def _p_value(self, means: Floats, errors: Floats) -> float:
        n = len(errors)
        for rank in range(1, n + 1):
            lower, upper = self._bounds(means, errors, rank)
            if not lower[0] <= 0.0 <= upper[0]:
                return rank / (n + 1)
        return 1.0

    def _sentence(self, level: float, n_pre: int) -> str:
        alpha = 1.0 - level
        sure = level_text(level if self.conservative else max(0.0, 1.0 - 2.0 * alpha))
        version = "jackknife-minmax" if self.conservative else "jackknife+"
        return (
            f"{level_text(level)} {version} band from {n_pre} refits that leave out one period "
            f"before treatment each; pointwise, two-sided. It is sure to cover in {sure} of cases "
            "where periods are exchangeable."
        )


def _notes(
    estimate: Estimate,
    level: float,
    interval: Interval | None,
    band: Band | None,
    signed: Floats,
) -> tuple[str, ...]:
    n = estimate.panel.design.n_pre + 1
    if interval is None or band is None:
        return (
            f"{n - 1} periods before treatment give p-values of at least {1 / n:.3f}, so there is "
            f"no {level_text(level)} interval: choose a level of {highest_level(n)} or lower.",
        )
    gap = estimate.paths["gap"].iloc[n - 1 :]
    outside = bool(((gap < band.lower) | (gap > band.upper)).any()) or estimate.att not in interval
    notes = average_note(signed, estimate.panel.design.n_post)
    if outside:
        notes += (
            "An estimate lies outside its interval: the refits without one period differ from "
            "the fit to all of them.",
        )
    return notes
