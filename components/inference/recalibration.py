"""Interval and bands as wide as the placebos of the panel need them to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.inference.base import (
    Band,
    Interval,
    Uncertainty,
    detectable_by_draws,
    level_text,
    nth_largest,
    rejections_allowed,
)
from components.inference.honesty import Honesty, interval_factor


def recalibrated(uncertainty: Uncertainty, honest: Honesty) -> Uncertainty | None:
    """Widen or narrow interval and bands so that they cover on the placebos as they say.

    Half-widths are multiplied by the factor that as many placebos stay within as the level asks
    for, the treated unit counted among them: a placebo test whose yardstick is the method's own
    width. Bands have a factor for each period, or one for all where they are simultaneous.

    Parameters
    ----------
    uncertainty : Uncertainty
    honest : Honesty
        Of the same method and level.

    Returns
    -------
    Uncertainty or None
        None where there are too few placebos for the level, or no interval.
    """
    interval = uncertainty.interval
    factors = honest.placebos["factor"].to_numpy(np.float64)
    n = len(factors) + 1
    rank = rejections_allowed(n, honest.level)
    if interval is None or interval.lower == interval.upper or not rank:
        return None
    sizes = np.abs(factors)
    factor = float(nth_largest(sizes, rank))
    own = abs(interval_factor(interval))
    middle, half = (interval.lower + interval.upper) / 2, (interval.upper - interval.lower) / 2
    most = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    signed = np.clip(factors, -most, most)
    kind = "simultaneous" if honest.simultaneous else "pointwise"
    return replace(
        uncertainty,
        interval=Interval(middle - factor * half, middle + factor * half, interval.level),
        band=_scaled(uncertainty.band, honest.by_period, honest.level),
        event_band=_scaled(uncertainty.event_band, honest.by_event_time, honest.level),
        p_value=(1 + int((sizes >= own * (1 - 1e-12)).sum())) / n,
        smallest_p=1 / n,
        standard_error=None,
        detectable=detectable_by_draws(factor * half, signed * half),
        sentence=(
            f"{level_text(honest.level)} band, recalibrated: half-widths multiplied until "
            f"{level_text(honest.level)} of {n - 1} placebos and the treated are covered; {kind}, "
            "two-sided."
        ),
        details={
            name: table
            for name, table in uncertainty.details.items()
            if name not in ("ranking", "placebo_gaps")
        }
        | {"recalibrated": factor},
    )


def _scaled(band: Band | None, factors: pd.DataFrame, level: float) -> Band | None:
    if band is None:
        return None
    table = factors.reindex(columns=band.lower.index).abs()
    if band.simultaneous:
        largest = table.max(axis=1)
        table = pd.DataFrame(dict.fromkeys(table.columns, largest))
    scale = np.array([_quantile(table[name].dropna().to_numpy(), level) for name in table])
    if np.isfinite(scale).any():  # a period that few placebos have takes the largest of the others
        scale[np.isnan(scale)] = scale[np.isfinite(scale)].max()
    middle, half = (band.lower + band.upper) / 2, (band.upper - band.lower) / 2
    return replace(band, lower=middle - scale * half, upper=middle + scale * half)


def _quantile(sizes: Floats, level: float) -> float:
    rank = rejections_allowed(len(sizes) + 1, level)
    return float(nth_largest(sizes, rank)) if rank else float("nan")
