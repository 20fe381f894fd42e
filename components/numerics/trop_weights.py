r"""Distances between units and periods, and the weights of the triply robust estimator.

A treated cell (i, t) gives unit j the weight :math:`\omega_j=\exp(-\lambda_{unit}\,d_{-t}(j,i))`
and period s the weight :math:`\theta_s=\exp(-\lambda_{time}|t-s|)`, where :math:`d_{-t}` is the
root mean squared difference of the two units over the other periods in which both are seen
untreated (Athey, Imbens, Qu and Viviano 2025, equations 2 and 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.arrays import Bools, Floats, Ints

Distance = Literal["levels", "demeaned"]

MIN_COMMON = 2
"""Fewer untreated periods in common than this say nothing about how far apart two units are."""


@dataclass(frozen=True, eq=False)
class UnitDistances:
    """Sums over common untreated periods from which every distance follows at once.

    Attributes
    ----------
    Y : Floats, shape (N, T)
        Outcomes less period means; 0 where not seen untreated.
    mask : Floats, shape (N, T)
        1 where a cell is seen untreated, else 0.
    squares, sums, counts : Floats, shape (N, N)
        Sum of squared differences, of differences (i less j at [i, j]) and number of periods.
    demeaned : bool
        Take the difference in means off first.
    """

    Y: Floats
    mask: Floats
    squares: Floats
    sums: Floats
    counts: Floats
    demeaned: bool

    @classmethod
    def of(cls, Y: Floats, seen: Bools, kind: Distance = "levels") -> UnitDistances:
        """Sum up all pairs: O(N^2 T) once.

        Parameters
        ----------
        Y : Floats, shape (N, T)
        seen : Bools, shape (N, T)
            Untreated and observed cells.
        kind : {"levels", "demeaned"}

        Returns
        -------
        UnitDistances
        """
        mask = seen.astype(np.float64)
        # Period means cancel in every difference; without them the sums lose fewer digits.
        level = np.where(seen, Y, 0.0).sum(axis=0) / np.maximum(mask.sum(axis=0), 1.0)
        Y = np.where(seen, Y - level, 0.0)
        own = (Y**2) @ mask.T
        first = Y @ mask.T
        return cls(
            Y=Y,
            mask=mask,
            squares=own + own.T - 2.0 * (Y @ Y.T),
            sums=first - first.T,
            counts=mask @ mask.T,
            demeaned=kind == "demeaned",
        )

    def to(self, rows: Ints, columns: Ints) -> Floats:
        r"""Distances :math:`d_{-t}(j,i)` of all units from the units of some cells.

        Parameters
        ----------
        rows, columns : Ints, shape (B,)
            Cells (i, t); period t is left out.

        Returns
        -------
        Floats, shape (B, N)
            In the unit of Y. Infinite where two units have fewer than two periods in common; but
            where that is so for every donor, all donors count as equally near, at 0.
        """
        both = (self.mask[:, columns] * self.mask[rows, columns]).T
        gap = (self.Y[rows, columns] - self.Y[:, columns]).T * both
        counts = self.counts[rows] - both
        mean_square = np.maximum(self.squares[rows] - gap**2, 0.0) / np.maximum(counts, 1.0)
        if self.demeaned:
            mean = (self.sums[rows] - gap) / np.maximum(counts, 1.0)
            mean_square = np.maximum(mean_square - mean**2, 0.0)
        distances = np.where(counts < MIN_COMMON, np.inf, np.sqrt(mean_square))
        each = np.arange(len(rows))
        distances[each, rows] = np.inf
        distances[np.isinf(distances).all(axis=1)] = 0.0
        distances[each, rows] = 0.0
        return distances


def block_unit_distances(
    Y: Floats, seen: Bools, treated: Bools, n_pre: int, kind: Distance = "levels"
) -> Floats:
    """Distance of each unit from the average of the treated ones before treatment.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    seen : Bools, shape (N, T)
        Observed cells.
    treated : Bools, shape (N,)
    n_pre : int
        Periods before treatment.
    kind : {"levels", "demeaned"}

    Returns
    -------
    Floats, shape (N,)
        Root mean squared difference; infinite without a common period.
    """
    Y, seen = Y[:, :n_pre], seen[:, :n_pre]
    count = seen[treated].sum(axis=0)
    average = np.where(seen[treated], Y[treated], 0.0).sum(axis=0) / np.maximum(count, 1)
    common = seen & (count > 0)
    gap = np.where(common, Y - average, 0.0)
    size = common.sum(axis=1)
    if kind == "demeaned":
        gap = np.where(common, gap - (gap.sum(axis=1) / np.maximum(size, 1))[:, None], 0.0)
    distance = np.sqrt((gap**2).sum(axis=1) / np.maximum(size, 1))
    far: Floats = np.where(size > 0, distance, np.inf)
    return far


def block_time_distances(n_periods: int, n_post: int) -> Floats:
    """Distance of each period from the centre of the treated block, shape (T,)."""
    distance: Floats = np.abs(np.arange(n_periods) - (n_periods - n_post / 2.0))
    return distance


def decay(distance: Floats, rate: Floats) -> Floats:
    """Weights ``exp(-rate * distance)``; a rate of zero gives ones, even at infinity.

    Parameters
    ----------
    distance : Floats, shape (B, ...) or (1, ...)
    rate : Floats, shape (B,)

    Returns
    -------
    Floats, shape (B, ...)
    """
    rate = rate.reshape(-1, *[1] * (distance.ndim - 1))
    exponent = np.where(rate > 0.0, np.where(rate > 0.0, distance, 0.0) * rate, 0.0)
    weights: Floats = np.exp(-exponent)
    return weights
