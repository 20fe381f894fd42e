r"""What a cell would be if it went on from its neighbours, and how far it is from that.

The path that all units share is taken off first: the running sum of the middle change of the
untreated units. Through the nearest cells of the same unit, all treated or all untreated, goes the
line of Theil and Sen: its slope is the middle one of all pairs, so that one wrong neighbour does
not move it. The stand-in for a cell is that line at its period, plus the shared path.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from components.arrays import Bools, Floats, Ints

NEIGHBOURS = 6
FEWEST = 3  # neighbours with which a line can be told from one wrong cell
MAD = 1.4826  # middle absolute deviation to standard deviation, for normal errors
FLOOR = 0.25  # of the middle unit's spread: a unit is never taken for steadier than that


def stand_ins(Y: Floats, W: Bools) -> Floats:
    """Predict every cell from its neighbours in time.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes; NaN where unobserved.
    W : Bools, shape (N, T)
        True where treated; neighbours of a cell are treated where it is, untreated where it is
        not.

    Returns
    -------
    Floats, shape (N, T)
        In the unit of measure of Y; NaN where the cell has fewer than three neighbours.
    """
    shared = _shared_path(Y, W)
    rest = Y - shared
    found = np.full(Y.shape, np.nan)
    for treated in (False, True):
        usable = np.isfinite(Y) & (treated == W)
        wanted = (treated == W) & (usable.sum(axis=1, keepdims=True) > FEWEST)
        if wanted.any():
            found = np.where(wanted, _lines(rest, usable), found)
    return np.asarray(found + shared)


def spreads(errors: Floats) -> Floats:
    """Measure how far the cells of each unit usually are from their stand-ins.

    Parameters
    ----------
    errors : Floats, shape (N, T)
        Outcome minus stand-in; NaN where there is none.

    Returns
    -------
    Floats, shape (N,)
        Robust standard deviations, at least a quarter of the middle one; 0 where nothing varies.
    """
    sizes = np.abs(errors)
    has = np.isfinite(sizes).any(axis=1)
    own = np.zeros(len(errors))
    if not has.any():
        return own
    own[has] = MAD * np.nanmedian(sizes[has], axis=1)
    return np.asarray(np.maximum(own, FLOOR * float(np.median(own[has]))))


def _shared_path(Y: Floats, W: Bools) -> Floats:
    """Sum up the middle change from one period to the next, over units untreated in both."""
    untreated = np.where(W, np.nan, Y)
    changes = np.diff(untreated, axis=1)
    known = np.isfinite(changes).any(axis=0)
    middle = np.zeros(Y.shape[1] - 1)
    middle[known] = np.nanmedian(changes[:, known], axis=0)
    return np.append(0.0, np.cumsum(middle))


def _lines(rest: Floats, usable: Bools) -> Floats:
    """Put a line through the nearest usable cells of each cell, and read it off there."""
    columns, gaps = _nearest(usable)
    values = np.where(np.isfinite(gaps), np.take_along_axis(
        np.repeat(rest[:, :, None], columns.shape[2], axis=2), columns, axis=1
    ), np.nan)  # fmt: skip
    slopes = []
    for one, other in combinations(range(columns.shape[2]), 2):
        run = gaps[:, :, other] - gaps[:, :, one]
        slopes.append((values[:, :, other] - values[:, :, one]) / run)
    slope = _middle(np.stack(slopes, axis=2))
    found: Floats = _middle(values - slope[:, :, None] * gaps)
    return found


def _nearest(usable: Bools) -> tuple[Ints, Floats]:
    """Columns of the nearest other usable cells, and how many periods away; NaN where none."""
    n_units, n_periods = usable.shape
    most = min(NEIGHBOURS, n_periods - 1)
    periods = np.arange(n_periods)
    away = periods[None, :] - periods[:, None]
    columns = np.empty((n_units, n_periods, most), dtype=np.int64)
    gaps = np.empty((n_units, n_periods, most))
    for row in range(n_units):
        cost = np.where(usable[row][None, :] & (away != 0), np.abs(away), np.inf)
        nearest = np.argsort(cost, axis=1, kind="stable")[:, :most]
        columns[row] = nearest
        seen = np.isfinite(np.take_along_axis(cost, nearest, axis=1))
        gaps[row] = np.where(seen, np.take_along_axis(away, nearest, axis=1), np.nan)
    return columns, gaps


def _middle(values: Floats) -> Floats:
    """Median over the last axis, NaN left out; NaN where nothing is left."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    ordered = np.sort(np.where(known, values, np.inf), axis=-1)
    low = np.maximum((count - 1) // 2, 0)[..., None]
    high = np.minimum(count // 2, values.shape[-1] - 1)[..., None]
    both = np.concatenate(
        [np.take_along_axis(ordered, low, -1), np.take_along_axis(ordered, high, -1)], axis=-1
    )
    filled = np.where(count[..., None] > 0, both, np.nan)
    middle: Floats = filled.mean(axis=-1)
    return middle
