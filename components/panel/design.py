"""What the treatment matrix says about the experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.arrays import Bools, Ints, frozen

Kind = Literal["none", "block", "staggered", "reversing"]


@dataclass(frozen=True)
class Cohort:
    """Units that are first treated in the same period.

    Attributes
    ----------
    start : int
        Column of the first treated period.
    rows : Ints, shape (n,)
        Rows of the panel that belong to the cohort.
    """

    start: int
    rows: Ints


@dataclass(frozen=True)
class Design:
    """The shape of the assignment, derived from the treatment matrix alone.

    Attributes
    ----------
    kind : {"none", "block", "staggered", "reversing"}
        No cell treated; all treated units from one date to the end; from different dates to the
        end; or treatment that ends again.
    treated : Bools, shape (N,)
        Units with at least one treated cell.
    n_pre : int
        Periods before anyone is treated.
    n_periods : int
        All periods.
    cohorts : tuple of Cohort
        Treated units by their first treated period, earliest first.
    """

    kind: Kind
    treated: Bools
    n_pre: int
    n_periods: int
    cohorts: tuple[Cohort, ...]

    @classmethod
    def of(cls, W: Bools) -> Design:
        """Read the design off a treatment matrix.

        Parameters
        ----------
        W : Bools, shape (N, T)
            True where a unit is treated.

        Returns
        -------
        Design
        """
        treated: Bools = frozen(np.asarray(W.any(axis=1)))
        starts = W.argmax(axis=1)
        n_periods = W.shape[1]
        cohorts = tuple(
            Cohort(int(start), frozen(np.flatnonzero(treated & (starts == start)).astype(np.int64)))
            for start in np.unique(starts[treated])
        )
        absorbing = bool((np.maximum.accumulate(W, axis=1) == W).all())
        kind: Kind
        if not cohorts:
            kind = "none"
        elif not absorbing:
            kind = "reversing"
        else:
            kind = "block" if len(cohorts) == 1 else "staggered"
        n_pre = cohorts[0].start if cohorts else n_periods
        return cls(kind, treated, n_pre, n_periods, cohorts)

    @property
    def n_treated(self) -> int:
        """Number of units that are ever treated."""
        return int(self.treated.sum())

    @property
    def n_controls(self) -> int:
        """Number of units that are never treated."""
        return int((~self.treated).sum())

    @property
    def n_post(self) -> int:
        """Number of periods from the first treated one on."""
        return self.n_periods - self.n_pre
