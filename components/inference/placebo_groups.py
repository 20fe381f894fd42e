"""Groups of never-treated units in the place of the treated ones, and refits with them."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from components.arrays import Floats, Ints
from components.estimators.base import Estimate, FastPlacebos, HeldPlacebos
from components.inference.base import Progress


def choose_groups(estimate: Estimate, n_draws: int, rng: np.random.Generator) -> tuple[Ints, bool]:
    """Pick groups as large as the treated one: all of them where they are few, else at random.

    Parameters
    ----------
    estimate : Estimate
        Of a block design with more never-treated than treated units.
    n_draws : int
        Number of random groups; where there are no more than these, all are taken. With one
        treated unit every never-treated unit is taken once.
    rng : numpy.random.Generator

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
    if n == 1 or comb(design.n_controls, n) <= n_draws:
        return np.array(list(combinations(controls.tolist(), n)), dtype=np.int64), True
    drawn = [rng.choice(controls, n, replace=False) for _ in range(n_draws)]
    return np.sort(np.array(drawn, dtype=np.int64), axis=1), False


def held_placebo_gaps(estimate: Estimate, groups: Ints, progress: Progress) -> Floats:
    """Refit with each group as if treated, at the tuning of the estimate where it can be held.

    Parameters
    ----------
    estimate : Estimate
        Its estimator is refitted.
    groups : Ints, shape (B, n)
        Rows of never-treated units.
    progress : callable
        Told the share that is done.

    Returns
    -------
    Floats, shape (B, T)
        Observed minus imputed, averaged over each group.
    """
    panel, estimator = estimate.panel, estimate.estimator
    if isinstance(estimator, HeldPlacebos):
        return estimator.held_placebo_gaps(panel, groups)
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
