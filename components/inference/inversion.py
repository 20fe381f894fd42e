"""The interval of all effects that a test does not reject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from components.arrays import Floats
from components.inference.base import rejections_allowed

PValues = Callable[[Floats], Floats]


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
