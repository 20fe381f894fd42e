"""Panels in which never-treated units stand in for the treated ones, so that the truth is zero."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from components.arrays import Ints
from components.inference.base import FEWEST_COMPARISONS
from components.panel import Panel, unit_label


@dataclass(frozen=True, eq=False)
class PseudoTreatments:
    """Which never-treated units take which treated units' periods.

    Attributes
    ----------
    panel : Panel
        The never-treated units alone.
    groups : Ints, shape (B, n)
        Rows of that panel that count as treated.
    patterns : Ints, shape (B, n)
        Row of the whole panel whose treated periods each of them takes.
    whole : Panel
        The panel with the truly treated units.
    possible : int
        How many such groups there are.
    """

    panel: Panel
    groups: Ints
    patterns: Ints
    whole: Panel
    possible: int

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def size(self) -> int:
        """Units that count as treated at a time."""
        return int(self.groups.shape[1])

    def at(self, number: int) -> Panel:
        """Give the panel of one pseudo-treatment."""
        W = np.zeros(self.panel.shape, dtype=np.bool_)
        W[self.groups[number]] = self.whole.W[self.patterns[number]]
        return self.panel.reassign(W)

    def name(self, number: int) -> str:
        """Name the units of one pseudo-treatment."""
        return " + ".join(unit_label(self.panel.units[row]) for row in self.groups[number])


def pseudo_treatments(panel: Panel, most: int, rng: np.random.Generator) -> PseudoTreatments:
    """Choose never-treated units to stand in for the treated ones.

    As many at a time as are treated, where the never-treated units are at least twice as many;
    else the same share of them as is treated in the whole panel. All choices where one pattern of
    treated periods is shared by all and there are few choices, else random ones.

    Parameters
    ----------
    panel : Panel
        With at least three never-treated units.
    most : int
        Choices at most.
    rng : numpy.random.Generator

    Returns
    -------
    PseudoTreatments
    """
    design = panel.design
    n_treated, n_controls = design.n_treated, design.n_controls
    treated = np.flatnonzero(design.treated)
    size = n_treated
    if n_controls < 2 * n_treated:
        size = max(1, round(n_controls * n_treated / len(panel.units)))
        size = max(1, min(size, n_controls - FEWEST_COMPARISONS))
    possible = comb(n_controls, size)
    alike = bool((panel.W[treated] == panel.W[treated[0]]).all())
    if alike and possible <= most:
        groups = np.array(list(combinations(range(n_controls), size)), dtype=np.int64)
    elif size == 1 and alike:
        groups = np.sort(rng.choice(n_controls, most, replace=False))[:, None]
    else:
        drawn = [rng.choice(n_controls, size, replace=False) for _ in range(most)]
        groups = np.array(drawn, dtype=np.int64)
    patterns = np.array([rng.choice(treated, size, replace=False) for _ in groups])
    return PseudoTreatments(panel.take(~design.treated), groups, patterns, panel, possible)
