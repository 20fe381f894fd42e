"""Which periods can take the place of the treated ones, for permutation tests over time."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from components.arrays import Floats


def shifts(n_periods: int, n_post: int) -> Floats:
    """Mark the places of the treated periods in every cyclic shift.

    Returns
    -------
    Floats, shape (T, S)
        One where a period takes the place of a treated one; the first column is the truth, with
        the treated periods last.
    """
    first = n_periods - n_post + np.arange(n_periods)
    rows = (first + np.arange(n_post)[:, None]) % n_periods
    marks = np.zeros((n_periods, n_periods))
    marks[rows, np.arange(n_periods)] = 1.0
    return marks


def all_choices(n_periods: int, n_post: int) -> Floats:
    """Mark every choice of as many periods as are treated, as `shifts` does."""
    rows = np.array(list(combinations(range(n_periods - 1, -1, -1), n_post))).T
    marks = np.zeros((n_periods, rows.shape[1]))
    marks[rows, np.arange(rows.shape[1])] = 1.0
    return marks


def drawn_choices(n_periods: int, n_post: int, n_draws: int, rng: np.random.Generator) -> Floats:
    """Mark the truth and drawn choices of as many periods, as `shifts` does."""
    places = rng.random((n_periods, n_draws)).argsort(axis=0).argsort(axis=0)
    truth = (np.arange(n_periods) >= n_periods - n_post)[:, None]
    return np.hstack([truth, places < n_post]).astype(np.float64)
