"""A block design as arrays: donors, treated units, and the split in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.panel import Panel

NOT_SETTLED = (
    "The weights did not settle to their optimum; look at the fit before you use the estimate."
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


def weight_notes(*, converged: bool, unique: bool, n_pre: int, n_donors: int) -> tuple[str, ...]:
    """Caveats about unit weights, in sentences."""
    notes = []
    if not converged:
        notes.append(NOT_SETTLED)
    if not unique:
        notes.append(
            f"The unit weights are not unique: with {n_donors} donors and {n_pre} periods before "
            "treatment, others fit just as well. The most even ones are shown."
        )
    if n_pre == 1:
        notes.append(
            "There is a single period before treatment: how well the donors track the treated "
            "units cannot be seen."
        )
    return tuple(notes)
