"""What the specifications of a curve are fitted to, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from components.analysis.choices import WITH, Choice, Scale, net_of_covariates, windows
from components.arrays import Bools, Floats, Ints
from components.panel import Panel

PERFECT = 1e-12  # squared ratio of gaps below which a fit counts as without error


@dataclass(frozen=True, eq=False)
class Fits:
    """Average effects and fits of B targets in S specifications.

    Attributes
    ----------
    effects : Floats, shape (B, S)
        In the units of the outcome, whatever the scale of the fit: the counterfactual is put
        back into them, and then compared.
    ratios : Floats, shape (B, S)
        Root mean squared gap after treatment over that before, in the scale of the fit.
    n_donors, n_pre : Ints, shape (S,)
    """

    effects: Floats
    ratios: Floats
    n_donors: Ints
    n_pre: Ints

    def take(self, places: Ints) -> Fits:
        """Keep some of the specifications."""
        return Fits(
            self.effects[:, places], self.ratios[:, places], self.n_donors[places],
            self.n_pre[places],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class World:
    """Outcomes in one window and one scale.

    Attributes
    ----------
    mask : Bools, shape (T,)
        Periods of the window.
    scale : Scale
    Y : Floats, shape (N, T')
        In the units of the outcome.
    Z : Floats, shape (N, T')
        In the scale of the fit.
    n_early : int
        Periods of the window before anyone is treated.
    """

    mask: Bools
    scale: Scale
    Y: Floats
    Z: Floats
    n_early: int


def worlds(panel: Panel, every: list[Choice]) -> Iterator[tuple[World, Iterator[Choice]]]:
    """Go through the outcomes that the choices are about, each with its choices.

    Parameters
    ----------
    panel : Panel
    every : list of Choice
        Sorted so that choices on the same outcomes come one after the other.

    Yields
    ------
    World, iterator of Choice
    """
    n_pre = panel.design.n_pre
    parts = windows(n_pre, panel.shape[1])
    net = net_of_covariates(panel) if any(choice.covariates == WITH for choice in every) else None
    for key, some in groupby(every, lambda c: (c.start, c.end, c.transform, c.covariates)):
        start, end, transform, covariates = key
        world = net if covariates == WITH and net is not None else panel
        mask: Bools = parts[start, end]
        Y, n_early = world.Y[:, mask], int(mask[:n_pre].sum())
        scale = Scale.of(transform, Y, n_early)
        yield World(mask, scale, Y, scale.forth(Y), n_early), some


def ratio_of(early: Floats, late: Floats) -> Floats:
    """Root mean square of late gaps over that of early ones, along the last axis."""
    before, after = np.square(early).mean(axis=-1), np.square(late).mean(axis=-1)
    smallest = np.maximum(PERFECT * after, np.finfo(np.float64).tiny)
    ratio: Floats = np.sqrt(after / np.maximum(before, smallest))
    return ratio
