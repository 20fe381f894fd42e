"""A block design as arrays: donors, treated units, and the split in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Estimator
from components.numerics.sdid import TIME_RIDGE, noise_level
from components.numerics.simplex import SimplexFit, simplex_fit
from components.numerics.simplex_frank_wolfe import STOP, frank_wolfe
from components.panel import Panel

NOT_SETTLED = (
    "The weights did not settle to their optimum; look at the fit before you use the estimate."
)
STOPPED_EARLY = (
    "The weights are those of synthdid's Frank-Wolfe solver, which stops early: they reproduce "
    "published digits, and fit a little worse than the best ones."
)


@dataclass(frozen=True)
class Block:
    """Outcomes of a block design.

    Attributes
    ----------
    controls : Floats, shape (N0, T)
        Never-treated units, the donors.
    treated : Floats, shape (N1, T)
        Treated units.
    n_pre : int
        Periods before treatment.
    donors : pandas.Index, length N0
        Names of the donors.
    """

    controls: Floats
    treated: Floats
    n_pre: int
    donors: pd.Index[Any]

    @classmethod
    def of(cls, panel: Panel) -> Block:
        """Split a panel with one adoption date."""
        treated = panel.design.treated
        return cls(panel.Y[~treated], panel.Y[treated], panel.design.n_pre, panel.units[~treated])

    @property
    def average(self) -> Floats:
        """Mean of the treated units, shape (T,)."""
        return np.asarray(self.treated.mean(axis=0))

    @property
    def before(self) -> Floats:
        """Donors before treatment, shape (N0, T0)."""
        return self.controls[:, : self.n_pre]

    @property
    def after(self) -> Floats:
        """Donors from the first treated period on, shape (N0, T1)."""
        return self.controls[:, self.n_pre :]


def others(n_donors: int, groups: Ints) -> Floats:
    """Count every donor once, except those of each group; shape (B, N0).

    Parameters
    ----------
    n_donors : int
        N0.
    groups : Ints, shape (B, n)
        Positions among the donors.

    Returns
    -------
    Floats, shape (B, N0)
    """
    mass = np.ones((len(groups), n_donors))
    np.put_along_axis(mass, groups, 0.0, axis=1)
    return mass


def refitted_gaps(estimator: Estimator, panel: Panel, groups: Ints) -> Floats:
    """Refit an estimator with groups of donors in the place of the treated units, one by one.

    Parameters
    ----------
    estimator : Estimator
        What is refitted.
    panel : Panel
        A block design.
    groups : Ints, shape (B, n)
        Rows of never-treated units.

    Returns
    -------
    Floats, shape (B, T)
        Observed minus imputed, averaged over each group.
    """
    controls = panel.take(~panel.design.treated)
    gaps = np.empty((len(groups), panel.shape[1]))
    for row, group in enumerate(donor_positions(panel, groups)):
        W = np.zeros(controls.shape, dtype=np.bool_)
        W[group, panel.design.n_pre :] = True
        gaps[row] = estimator.fit(controls.reassign(W)).paths["gap"].to_numpy()
    return gaps


def donor_positions(panel: Panel, groups: Ints) -> Ints:
    """Turn rows of a panel into positions among its never-treated units.

    Parameters
    ----------
    panel : Panel
        The panel.
    groups : Ints, shape (B, n)
        Rows of never-treated units.

    Returns
    -------
    Ints, shape (B, n)

    Raises
    ------
    ValueError
        Where a row belongs to a treated unit.
    """
    treated = panel.design.treated
    rows = np.asarray(groups, dtype=np.int64)
    if treated[rows].any():
        raise ValueError("a placebo group may hold never-treated units only")
    positions: Ints = (np.cumsum(~treated) - 1)[rows]
    return positions


def counterfactual(panel: Panel, imputed: Floats) -> Floats:
    """Put imputed paths in the rows of treated units, shape (N, T); the rest is observed.

    Parameters
    ----------
    panel : Panel
        The panel.
    imputed : Floats, shape (N1, T) or (T,)
        A path for each treated unit, or one for all.

    Returns
    -------
    Floats, shape (N, T)
    """
    Y0 = panel.Y.copy()
    Y0[panel.design.treated] = imputed
    return Y0


def simplex_weights(
    block: Block,
    target: Floats,
    *,
    solver: Literal["exact", "frank_wolfe"] = "exact",
    intercept: bool = False,
) -> tuple[SimplexFit, tuple[str, ...]]:
    """Weight the donors to track a target before treatment.

    Parameters
    ----------
    block : Block
        The design.
    target : Floats, shape (T0,)
        What to track.
    solver : {"exact", "frank_wolfe"}
        The optimum, or where the R package synthdid stops.
    intercept : bool
        Whether to track up to a constant.

    Returns
    -------
    fit : SimplexFit
        Weights on the simplex.
    notes : tuple of str
        Caveats.
    """
    if solver == "frank_wolfe":
        sigma = noise_level(block.before)
        weights = frank_wolfe(
            block.before.T, target, TIME_RIDGE * sigma, STOP * sigma, intercept=intercept
        )
        return SimplexFit(weights, converged=True, unique=True), (STOPPED_EARLY,)
    fit = simplex_fit(block.before.T, target, intercept=intercept)
    return fit, weight_notes(fit, block)


def weight_notes(fit: SimplexFit, block: Block) -> tuple[str, ...]:
    """Name the caveats of fitted unit weights, in sentences."""
    notes = []
    if not fit.converged:
        notes.append(NOT_SETTLED)
    if not fit.unique:
        notes.append(
            f"The unit weights are not unique: with {len(block.donors)} donors and {block.n_pre} "
            "periods before treatment, others fit just as well. The most even ones are shown."
        )
    if block.n_pre == 1:
        notes.append(
            "There is a single period before treatment: how well the donors track the treated "
            "units cannot be seen."
        )
    return tuple(notes)
