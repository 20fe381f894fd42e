"""Placebo in space: how large an effect appears where there was no treatment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats
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
from components.inference.placebo_groups import (
    choose_groups,
    group_names,
    known_means,
    placebo_gaps,
)
from components.inference.refits import fixed
from components.numerics.rounding import GRAIN

MOST_ENUMERATED = 5000  # groups of placebo units; above, they are drawn at random
EXACT = 1e-12  # of the largest gap: a fit before treatment that counts as without error


@dataclass(frozen=True)
class PlaceboInSpace:
    r"""Rank the treated units among placebo units that were never treated.

    Each never-treated unit in turn (each group of them, where several units are treated) counts
    as treated from the same date on, with the other never-treated units as donors. With gaps
    :math:`g_{jt}`, pre-period fit :math:`s_j = (T_0^{-1}\sum_{t \le T_0} g_{jt}^2)^{1/2}` and
    average post-period gap :math:`\bar g_j`, the p-value of an effect :math:`\theta` is

    .. math:: p(\theta) = \frac{1 + \#\{j : |\bar g_j| / s_j \ge |\hat\tau - \theta| / s_1\}}
              {1 + J},

    and the interval holds every :math:`\theta` with :math:`p(\theta) > 1 - \text{level}`. The
    band does the same with the gap of each single period.

    Parameters
    ----------
    statistic : {"scaled_gap", "gap", "rmspe_ratio"}
        The average gap over the pre-period RMSPE; the average gap as it is; or the ratio of post-
        to pre-period RMSPE, which has a p-value but no interval for the average effect.
    max_mspe_ratio : float, optional
        Leave out placebos whose pre-period MSPE is more than this many times that of the treated
        units (2, 5 and 20 are customary); None keeps all.
    n_draws : int
        Random groups of placebo units where there are too many to enumerate.

    Notes
    -----
    ``details["placebo_gaps"]`` holds the gaps as the band uses them: times :math:`s_1 / s_j` unless
    the statistic is the gap as it is. The rank is exact when treated and never-treated units could
    have swapped places.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), JASA 105(490), section 2.4, and (2015), AJPS 59(2).
    Inverting the rank test: Firpo and Possebom (2018), J. Causal Inference 6(2), eq. 11.
    """

    statistic: Literal["scaled_gap", "gap", "rmspe_ratio"] = "scaled_gap"
    max_mspe_ratio: float | None = None
    n_draws: int = 1000

    card: ClassVar[Card] = Card(
        key="placebo_in_space",
        title="Placebo in space",
        idea="Pretend that each donor was treated, and see how often so large a gap appears.",
        reference="Abadie, Diamond and Hainmueller (2010), JASA 105(490), 493-505.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for a block design with more never-treated than treated units."""
        design = estimate.panel.design
        if design.kind != "block":
            return "Placebo in space needs all treated units to start in one period and stay."
        if design.n_controls <= design.n_treated:
            return (
                f"Placebo in space needs more never-treated units ({design.n_controls}) than "
                f"treated ones ({design.n_treated})."
            )
        return None

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit every placebo group and invert the rank test.

        Raises
        ------
        NotApplicableError
            Where no placebo has a pre-period fit within ``max_mspe_ratio``.
        """
        groups, enumerated = choose_groups(
            estimate, self.n_draws, rng, enumerate_up_to=MOST_ENUMERATED
        )
        gaps = placebo_gaps(estimate, fixed(estimate), groups, progress)
        n_pre = estimate.panel.design.n_pre
        own = estimate.paths["gap"].to_numpy()
        exact = _exact(estimate, own, gaps)
        own_fit = max(float(_rms(own[:n_pre])), exact)
        fits = np.maximum(_rms(gaps[:, :n_pre]), exact)
        seen = np.isfinite(fits) & np.isfinite(known_means(gaps[:, n_pre:]))
        if not (seen.any() and np.isfinite(own_fit)):
            raise NotApplicableError(
                "Too few outcomes are known for gaps before and after treatment to be compared.",
                hint="Leave out units or periods with missing outcomes on the design page.",
            )
        kept = seen & self._kept(own_fit, fits)
        gaps, fits, groups = gaps[kept], fits[kept], groups[kept]
        averages = known_means(gaps[:, n_pre:])
        size, scale = self._scales(estimate.att, own, own_fit, gaps, fits, n_pre)
        own_size, sizes = size
        names = group_names(estimate, groups)
        n = len(gaps) + 1
        p_value = (1 + int((sizes >= own_size * (1 - 1e-12)).sum())) / n
        rank = rejections_allowed(n, level)
        interval, band, detectable = None, None, None
        if rank and self.statistic != "rmspe_ratio":
            width = float(nth_largest(np.abs(averages) * scale, rank))
            interval = Interval(estimate.att - width, estimate.att + width, level)
            detectable = detectable_by_draws(width, averages * scale)
        if rank:
            widths = _widths(np.abs(gaps[:, n_pre:]) * scale[:, None], level)
            post = pd.Series(own[n_pre:], estimate.panel.periods[n_pre:])
            known = np.isfinite(widths) & np.isfinite(own[n_pre:])
            band = Band((post - widths)[known], (post + widths)[known], level, simultaneous=False)
        return Uncertainty(
            method=self,
            level=level,
            interval=interval,
            band=band,
            p_value=p_value,
            smallest_p=1 / n,
            detectable=detectable,
            n_random=0 if enumerated else n - 1,
            draws=averages,
            sentence=self._sentence(estimate, level, n - 1, band is not None),
            notes=(
                *_notes(level, n, int((seen & ~kept).sum()), int((~seen).sum()), enumerated),
                *_held(estimate),
            ),
            details={
                "ranking": _ranking(estimate, names, fits, gaps, own_fit, own_size, sizes),
                "placebo_gaps": pd.DataFrame(
                    gaps * scale[:, None],
                    index=pd.Index(names),
                    columns=estimate.panel.periods,
                ),
            },
        )

    def _kept(self, own_fit: float, fits: Floats) -> Bools:
        if self.max_mspe_ratio is None:
            return np.ones(len(fits), dtype=np.bool_)
        kept: Bools = fits**2 <= self.max_mspe_ratio * own_fit**2
        if not kept.any():
            raise NotApplicableError(
                f"No placebo fits the pre-period within {self.max_mspe_ratio:g} times the "
                "treated unit's own mean squared error.",
                hint="Raise the limit on the placebo fit, or keep all placebos.",
            )
        return kept

    def _scales(
        self, att: float, own: Floats, own_fit: float, gaps: Floats, fits: Floats, n_pre: int
    ) -> tuple[tuple[float, Floats], Floats]:
        """Size of the treated unit's statistic and the placebos', and what widths scale by."""
        ratio, average = own_fit / fits, np.abs(known_means(gaps[:, n_pre:]))
        if self.statistic == "gap":
            return (abs(att), average), np.ones(len(gaps))
        if self.statistic == "scaled_gap":
            return (abs(att) / own_fit, average / fits), ratio
        return (float(_rms(own[n_pre:])) / own_fit, _rms(gaps[:, n_pre:]) / fits), ratio

    def _sentence(self, estimate: Estimate, level: float, n: int, exists: bool) -> str:
        if not exists:
            return ""
        what = "unit" if estimate.panel.design.n_treated == 1 else "group"
        scaled = "" if self.statistic == "gap" else ", scaled by the fit before treatment"
        return (
            f"{level_text(level)} placebo band: what {n} placebo {what}s show in each period"
            f"{scaled}; pointwise, two-sided."
        )


def _rms(values: Floats) -> Floats:
    root: Floats = np.sqrt(known_means(np.square(values)))
    return root


def _widths(sizes: Floats, level: float) -> Floats:
    """Give the half-width of each period from the placebos that are seen in it."""
    if np.isfinite(sizes).all():
        return np.asarray(nth_largest(sizes, rejections_allowed(len(sizes) + 1, level)))
    widths = np.full(sizes.shape[1], np.nan)
    for period, column in enumerate(sizes.T):
        known = column[np.isfinite(column)]
        rank = rejections_allowed(len(known) + 1, level)
        if rank:
            widths[period] = float(nth_largest(known, rank))
    return widths


def _exact(estimate: Estimate, own: Floats, gaps: Floats) -> float:
    """Give the fit below which a gap is rounding error, so that all such fits are alike."""
    size = float(np.nan_to_num(np.abs(np.vstack([gaps, own]))).max())
    level = float(np.abs(estimate.panel.Y[estimate.panel.observed]).max())
    return max(EXACT * size, GRAIN * level, float(np.finfo(np.float64).tiny))


def _held(estimate: Estimate) -> tuple[str, ...]:
    if fixed(estimate) == estimate.estimator:
        return ()
    return ("Tuning is held at the choice made for the treated units.",)


def _notes(level: float, n: int, left_out: int, unseen: int, enumerated: bool) -> tuple[str, ...]:
    notes = []
    if not rejections_allowed(n, level):
        notes.append(
            f"{n - 1} placebos give p-values of at least {1 / n:.3f}, so there is no "
            f"{level_text(level)} interval: choose a level of {highest_level(n)} or lower."
        )
    if left_out:
        notes.append(f"{left_out} placebos were left out for their fit before treatment.")
    if unseen:
        notes.append(
            f"{unseen} placebos were left out because no outcome of theirs is known before or "
            "after treatment."
        )
    if not enumerated:
        error = np.sqrt(0.05 * 0.95 / n)
        notes.append(
            f"{n - 1} groups were drawn at random; near p = 0.05 the Monte Carlo error is "
            f"{error:.3f}."
        )
    return tuple(notes)


def _ranking(
    estimate: Estimate,
    names: list[str],
    fits: Floats,
    gaps: Floats,
    own_fit: float,
    own_size: float,
    sizes: Floats,
) -> pd.DataFrame:
    panel = estimate.panel
    own = np.flatnonzero(panel.design.treated)[None, :]
    names = group_names(estimate, own) + names
    statistic = np.r_[own_size, sizes]
    order = np.argsort(-statistic, kind="stable")
    average = np.r_[estimate.att, known_means(gaps[:, panel.design.n_pre :])]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(order) + 1),
            "unit": [names[place] for place in order],
            "treated": order == 0,
            "pre_rmspe": np.r_[own_fit, fits][order],
            "average_gap": average[order],
            "statistic": statistic[order],
        }
    )
