"""Whole treatment paths given to other units, as if chance had dealt them out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import factorial, prod

import numpy as np

from components.analysis.choices import WITHOUT, Choice
from components.analysis.curve_worlds import Fits
from components.analysis.path_fits import fit_paths
from components.arrays import Bools, Ints
from components.inference.base import Progress
from components.panel import Panel

DRAWS = 99
FEWEST = 19  # other assignments with which a p-value of 0.05 can be reached


def n_assignments(W: Bools) -> int:
    """Count the ways in which the units can share out their treatment paths.

    Parameters
    ----------
    W : Bools, shape (N, T)

    Returns
    -------
    int
        N! over the product of the factorials of how many units share each path.
    """
    _, counts = np.unique(W, axis=0, return_counts=True)
    return factorial(len(W)) // prod(factorial(int(count)) for count in counts)


def deal(W: Bools, most: int, seed: int) -> tuple[Ints, bool]:
    """Deal the treatment paths out to the units.

    Parameters
    ----------
    W : Bools, shape (N, T)
    most : int
        All other assignments are taken where there are no more than these; else so many are
        drawn, each as likely as any other, the actual one among them.
    seed : int

    Returns
    -------
    takers : Ints, shape (B, N)
        The unit that takes the path of each row.
    enumerated : bool
        Whether these are all assignments but the actual one.
    """
    if n_assignments(W) - 1 <= most:
        kinds = np.unique(W, axis=0, return_inverse=True)[1].ravel()
        groups = [np.flatnonzero(kinds == kind) for kind in range(kinds.max() + 1)]
        order = np.concatenate(groups)
        every = np.empty((n_assignments(W), len(W)), dtype=np.int64)
        for place, units in enumerate(_shared_out(tuple(range(len(W))), list(map(len, groups)))):
            every[place, order] = units
        actual = (kinds[np.argsort(every, axis=1)] == kinds).all(axis=1)
        return every[~actual], True
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(len(W)) for _ in range(most)]).astype(np.int64), False


def _shared_out(units: tuple[int, ...], sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """Go through all ways to split units into groups of given sizes, in order."""
    if len(sizes) == 1:
        yield units
        return
    for chosen in combinations(units, sizes[0]):
        left = tuple(unit for unit in units if unit not in chosen)
        for rest in _shared_out(left, sizes[1:]):
            yield (*chosen, *rest)


def why_no_paths(panel: Panel) -> str | None:
    """Say why treatment paths cannot be dealt out anew, or None."""
    if not panel.observed.all():
        return "The placebo curves need a table without gaps."
    others = n_assignments(panel.W) - 1
    if others < FEWEST:
        return (
            f"There are only {others} other ways to share these treatment paths out among "
            f"{panel.shape[0]} units: too few to tell a curve like this one from chance."
        )
    return None


def path_curves(panel: Panel, every: list[Choice], seed: int, progress: Progress) -> Fits:
    """Fit the specifications with the treatment paths of all units dealt out anew.

    Outcomes stay where they are. Were there no effect on anyone, and had chance decided who took
    which path, the actual curve would be one of these like any other.

    Parameters
    ----------
    panel : Panel
        That `why_no_paths` lets pass.
    every : list of Choice
        Without covariates, whose part in the outcomes would depend on the assignment.
    seed : int
    progress : callable

    Returns
    -------
    Fits
        One row for each assignment.
    """
    assert all(choice.covariates == WITHOUT for choice in every)
    takers, _ = deal(panel.W, DRAWS, seed)
    return fit_paths(panel, every, takers, progress)
