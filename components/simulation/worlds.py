"""Worlds with known truth: panels to draw, and the effects that are in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats, frozen
from components.errors import DataError
from components.panel import Panel
from components.simulation.assignment import Assignment
from components.simulation.factor_model import FactorWorld, Rng

Drawn = tuple[Panel, Floats]
"""A panel, and how much treatment moved each cell, shape (N, T)."""


class World(Protocol):
    """Something that panels can be drawn from."""

    def draw(self, rng: Rng) -> Drawn:
        """Draw a panel and the true effects in it; equal streams give equal panels."""
        ...

    def without_effect(self) -> Self:
        """Give the same world with treatment that does nothing."""
        ...


@dataclass(frozen=True, eq=False)
class PlaceboWorld:
    """A factor model like the data, and an assignment; the published designs have no effect.

    Attributes
    ----------
    model : FactorWorld
    assignment : Assignment
        For as many units and periods as the model has.
    effect : float
        On each treated cell, in standard units.
    in_units : bool
        Draw in the unit of measure of the data; the effect is then in it too.
    """

    model: FactorWorld
    assignment: Assignment
    effect: float = 0.0
    in_units: bool = False

    def draw(self, rng: Rng) -> Drawn:
        """Draw outcomes, then who is treated."""
        Y = self.model.draw(rng)
        if self.in_units:
            Y = self.model.in_units(Y)
        W = self.assignment.draw(rng)
        effects: Floats = self.effect * W.astype(np.float64)
        return as_panel(Y + effects, W), effects

    def without_effect(self) -> PlaceboWorld:
        """Give the same world with treatment that does nothing."""
        return replace(self, effect=0.0)


@dataclass(frozen=True, eq=False)
class MaskedWorld:
    """Real outcomes that nobody changed, and cells that are hidden as if treated.

    Attributes
    ----------
    Y : Floats, shape (N, T)
        Complete, untreated outcomes.
    assignment : Assignment
    effect : float
        On each hidden cell, in the unit of measure of the data.

    Raises
    ------
    DataError
        Where a cell is empty.
    """

    Y: Floats
    assignment: Assignment
    effect: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "Y", frozen(self.Y))
        if np.isnan(self.Y).any():
            raise DataError(
                f"{int(np.isnan(self.Y).sum())} cells are empty, so their truth is not known.",
                hint="Leave out the units or the periods with empty cells.",
            )

    def draw(self, rng: Rng) -> Drawn:
        """Draw which cells are hidden."""
        W = self.assignment.draw(rng)
        effects: Floats = self.effect * W.astype(np.float64)
        return as_panel(self.Y + effects, W), effects

    def without_effect(self) -> MaskedWorld:
        """Give the same world with treatment that does nothing."""
        return replace(self, effect=0.0)


def as_panel(Y: Floats, W: Bools) -> Panel:
    """Make a panel of numbered units and periods.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    W : Bools, shape (N, T)

    Returns
    -------
    Panel
    """
    digits = len(str(len(Y)))
    units = pd.Index([f"unit {i:0{digits}d}" for i in range(1, len(Y) + 1)])
    return Panel(Y, W, units, pd.RangeIndex(1, Y.shape[1] + 1))
