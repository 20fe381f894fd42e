"""Panels without an effect that look like the user's own: placebo assignments and worlds.

Neither looks at an outcome of a treated cell, so that choosing an estimator by them does not peek.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import combinations
from math import comb
from typing import Protocol
from zlib import crc32

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.estimators import MatrixCompletion
from components.numerics.lowrank import complete
from components.panel import Panel
from components.simulation.factor_model import SMALLEST, FactorWorld, Variant

FEWEST = 3
"""Never-treated units that a placebo assignment needs: one to treat, two donors."""

MOST_LISTED = 200
"""Groups of placebo units that are gone through one by one; more are drawn at random."""

RANK = 4


class Scheme(Protocol):
    """Gives panels in which the true effect is zero."""

    @property
    def key(self) -> str:
        """Name of its random stream."""
        ...

    @property
    def identity(self) -> str:
        """All that its panels depend on."""
        ...

    def draw(self, number: int, rng: np.random.Generator) -> Panel:
        """Give one panel."""
        ...


@dataclass(frozen=True, eq=False)
class PlaceboAssignments:
    """The user's assignment moved to never-treated units.

    Attributes
    ----------
    untreated : Panel
        Nobody is treated. In a block or staggered design the never-treated units; where treatment
        ends again all units, with truly treated cells empty.
    candidates : Ints, shape (n,)
        Rows of never-treated units.
    patterns : Bools, shape (K, T)
        Treated periods of each truly treated unit.
    size : int
        Units to treat: K, or fewer where K would leave less than half of the candidates as donors;
        then the share of treated units is that of the panel.
    seed : int
    """

    untreated: Panel
    candidates: Ints
    patterns: Bools
    size: int
    seed: int = 0

    key = "placebo assignments"

    @classmethod
    def of(cls, panel: Panel, seed: int = 0) -> PlaceboAssignments:
        """Take the untreated cells of a panel and the shape of its assignment.

        Parameters
        ----------
        panel : Panel
            One for which :func:`why_no_placebos` gives None.
        seed : int

        Returns
        -------
        PlaceboAssignments
        """
        design = panel.design
        never = np.flatnonzero(~design.treated)
        nobody = panel.with_outcomes(np.where(panel.W, np.nan, panel.Y)).reassign(
            np.zeros_like(panel.W)
        )
        if design.kind != "reversing":
            nobody, candidates = nobody.take(never), np.arange(len(never))
        else:
            candidates = never
        n = design.n_treated
        fits = 2 * n <= len(never)
        size = n if fits else max(1, len(never) * n // len(panel.units))
        return cls(nobody, candidates, panel.W[design.treated], size, seed)

    @cached_property
    def listed(self) -> Ints | None:
        """All groups in a random order, shape (B, size), where there are few of them."""
        alike = bool((self.patterns == self.patterns[0]).all())
        if not alike or comb(len(self.candidates), self.size) > MOST_LISTED:
            return None
        groups = np.array(list(combinations(self.candidates.tolist(), self.size)))
        rng = np.random.default_rng([self.seed, crc32(b"order of placebos")])
        return groups[rng.permutation(len(groups))]

    @property
    def most(self) -> int | None:
        """How many different assignments there are, where that is few enough to try all."""
        return None if self.listed is None else len(self.listed)

    @property
    def identity(self) -> str:
        """All that its panels depend on."""
        patterns = sha256(self.patterns.tobytes()).hexdigest()
        return f"{self.key} {self.untreated.fingerprint} {patterns} {self.size} {self.seed}"

    def draw(self, number: int, rng: np.random.Generator) -> Panel:
        """Treat a group of never-treated units, and nobody else.

        Parameters
        ----------
        number : int
            Place in ``listed``, where there is such a list.
        rng : numpy.random.Generator
            Draws the group where there is none.

        Returns
        -------
        Panel
        """
        if self.listed is not None:
            rows = self.listed[number]
        else:
            rows = rng.choice(self.candidates, self.size, replace=False)
        return _assigned(self.untreated, rows, self.patterns, rng)


@dataclass(frozen=True, eq=False)
class CalibratedWorlds:
    """Outcomes drawn from a factor model of the panel's untreated cells.

    Attributes
    ----------
    world : FactorWorld
    template : Panel
        Names, covariates and gaps of the panel; its outcomes are 0, or NaN where unobserved.
    patterns : Bools, shape (K, T)
        Treated periods of each truly treated unit; they go to K units at random.
    variant : str
        What the world leaves out.
    seed : int
    """

    world: FactorWorld
    template: Panel
    patterns: Bools
    variant: Variant = "baseline"
    seed: int = 0

    key = "calibrated worlds"

    @classmethod
    def of(cls, panel: Panel, seed: int = 0) -> CalibratedWorlds:
        """Fit a factor model to the untreated cells of a panel.

        Treated and unobserved cells are filled in by matrix completion of the untreated ones. They
        add nothing to the noise, so that its variance is taken from the untreated cells alone.

        Parameters
        ----------
        panel : Panel
            One for which :func:`why_no_worlds` gives None.
        seed : int

        Returns
        -------
        CalibratedWorlds
        """
        Y, seen = untreated_filled(panel)
        world = FactorWorld.calibrated(Y, min(RANK, min(Y.shape) - 1))
        rest = np.square((Y - world.centre) / world.scale - world.systematic)
        whole = float(rest.mean())
        factor = float(rest[seen].mean()) / whole if whole > 0.0 else 1.0
        template = panel.with_outcomes(np.where(panel.observed, 0.0, np.nan))
        return cls(
            replace(world, covariance=factor * world.covariance),
            template.reassign(np.zeros_like(panel.W)),
            panel.W[panel.design.treated],
            seed=seed,
        )

    def without(self, variant: Variant) -> CalibratedWorlds:
        """Leave a part of the world out; draws and assignments stay as they were."""
        return replace(self, variant=variant)

    @property
    def identity(self) -> str:
        """All that its panels depend on."""
        digest = sha256(self.template.fingerprint.encode())
        for array in (self.world.additive, self.world.interactive, self.world.covariance):
            digest.update(array.tobytes())
        digest.update(self.patterns.tobytes())
        units = f"{self.world.scale.hex()} {self.world.centre.hex()}"
        return f"{self.key} {digest.hexdigest()} {units} {self.variant} {self.seed}"

    def draw(self, number: int, rng: np.random.Generator) -> Panel:
        """Draw outcomes without an effect, and who is treated.

        Parameters
        ----------
        number : int
        rng : numpy.random.Generator

        Returns
        -------
        Panel
        """
        Y = self._world.in_units(self._world.draw(rng))
        rows = rng.choice(len(Y), len(self.patterns), replace=False)
        panel = self.template.with_outcomes(Y + self.template.Y)
        return _assigned(panel, rows, self.patterns, rng)

    @cached_property
    def _world(self) -> FactorWorld:
        return self.world.variant(self.variant)


def why_no_placebos(panel: Panel) -> str | None:
    """Say why the assignment cannot be moved to never-treated units, or None."""
    n = panel.design.n_controls
    if panel.design.kind == "none":
        return "No cell is treated."
    if n < FEWEST:
        units = "1 unit was" if n == 1 else f"{n} units were"
        return f"{units} never treated; placebo assignments need at least {FEWEST}."
    return None


def why_no_worlds(panel: Panel) -> str | None:
    """Say why no factor model can be fitted to the untreated cells, or None."""
    if panel.design.kind == "none":
        return "No cell is treated."
    if min(panel.shape) < SMALLEST:
        return (
            f"The panel has {panel.shape[0]} units and {panel.shape[1]} periods; a factor model "
            f"needs at least {SMALLEST} of each."
        )
    Y, _ = untreated_filled(panel)
    if not np.isfinite(Y).all():
        return "Some units or periods have no untreated cell, so nothing is known about them."
    return "All untreated outcomes are equal." if np.ptp(Y) == 0.0 else None


def untreated_filled(panel: Panel) -> tuple[Floats, Bools]:
    """Fill treated and unobserved cells in from the untreated ones, by matrix completion.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    Y : Floats, shape (N, T)
        NaN where nothing is known.
    seen : Bools, shape (N, T)
        Untreated and observed.
    """
    seen = panel.observed & ~panel.W
    Y = np.where(seen, panel.Y, np.nan)
    if not (seen.any(axis=0).all() and seen.any(axis=1).all()):
        return Y, seen
    masked = panel.with_outcomes(Y)
    penalty = float(MatrixCompletion().fit(masked).details["penalty"])
    fitted = complete(Y, seen, penalty if penalty > 0.0 else np.inf).fitted
    return np.where(seen, Y, fitted), seen


def _assigned(panel: Panel, rows: Ints, patterns: Bools, rng: np.random.Generator) -> Panel:
    """Give each row the treated periods of one treated unit, in a random order."""
    order = rng.permutation(len(patterns))[: len(rows)]
    W = np.zeros(panel.shape, dtype=np.bool_)
    W[rows] = patterns[order]
    return panel.reassign(W)
