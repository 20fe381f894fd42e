"""Groups of never-treated units in the place of the treated ones, and refits with them."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from components.arrays import Floats, Ints
from components.estimators.base import Estimate, Estimator, FastPlacebos, HeldPlacebos
from components.inference.base import Progress
from components.panel import unit_label


def choose_groups(
    estimate: Estimate, n_draws: int, rng: np.random.Generator, *, enumerate_up_to: int
) -> tuple[Ints, bool]:
    """Pick groups as large as the treated one: all of them where they are few, else at random.

    Parameters
    ----------
    estimate : Estimate
        Of a block design with more never-treated than treated units.
    n_draws : int
        Number of random groups.
    rng : numpy.random.Generator
    enumerate_up_to : int
        All groups are taken where there are no more than these.

    Returns
    -------
    groups : Ints, shape (B, n)
        Rows of the panel, increasing within each group.
    enumerated : bool
        Whether these are all groups.
    """
    design = estimate.panel.design
    controls = np.flatnonzero(~design.treated)
    n = design.n_treated
    if comb(design.n_controls, n) <= enumerate_up_to:
        return np.array(list(combinations(controls.tolist(), n)), dtype=np.int64), True
    drawn = [rng.choice(controls, n, replace=False) for _ in range(n_draws)]
    return np.sort(np.array(drawn, dtype=np.int64), axis=1), False


def placebo_gaps(
    estimate: Estimate, estimator: Estimator, groups: Ints, progress: Progress
) -> Floats:
    """Refit with each group of never-treated units in the place of the treated ones.

    Parameters
    ----------
    estimate : Estimate
    estimator : Estimator
        What is refitted; the truly treated units are left out.
    groups : Ints, shape (B, n)
        Rows of never-treated units.
    progress : callable
        Told the share that is done.

    Returns
    -------
    Floats, shape (B, T)
        Observed minus imputed, averaged over each group.
    """
    panel = estimate.panel
    if isinstance(estimator, FastPlacebos):
        return estimator.placebo_gaps(panel, groups)
    controls = np.flatnonzero(~panel.design.treated)
    donors = panel.take(controls)
    gaps = np.empty((len(groups), panel.shape[1]))
    for number, group in enumerate(groups):
        W = np.zeros(donors.shape, dtype=np.bool_)
        W[np.searchsorted(controls, group), panel.design.n_pre :] = True
        gaps[number] = estimator.fit(donors.reassign(W)).paths["gap"].to_numpy()
        progress((number + 1) / len(groups))
    return gaps


def held_placebo_gaps(estimate: Estimate, groups: Ints, progress: Progress) -> Floats:
    """Refit as :func:`placebo_gaps`, at the regularisation of the panel where it can be held.

    Returns
    -------
    Floats, shape (B, T)
    """
    estimator = estimate.estimator
    if isinstance(estimator, HeldPlacebos):
        return estimator.held_placebo_gaps(estimate.panel, groups)
    return placebo_gaps(estimate, estimator, groups, progress)


def known_means(values: Floats) -> Floats:
    """Average over the last axis, over what is known; NaN where nothing is.

    Parameters
    ----------
    values : Floats, shape (..., K)
        NaN where an outcome is missing.

    Returns
    -------
    Floats, shape (...)
    """
    known = np.isfinite(values)
    if known.all():
        return np.asarray(values.mean(axis=-1))
    total = np.where(known, values, 0.0).sum(axis=-1)
    count = known.sum(axis=-1)
    means: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return means


def group_names(estimate: Estimate, groups: Ints) -> list[str]:
    """Name each group by its units."""
    names = [unit_label(unit) for unit in estimate.panel.units.tolist()]
    return [" + ".join(names[row] for row in group) for group in groups.tolist()]
