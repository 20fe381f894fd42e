"""Every specification for many assignments of whole treatment paths to units, at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from components.analysis.choices import Choice, donors_of, sc_weights
from components.analysis.curve_worlds import Fits, World, ratio_of, worlds
from components.arrays import Bools, Floats, Ints
from components.inference.base import Progress
from components.numerics.curve_fits import METHODS, curve_weights
from components.numerics.twoway import TwoWay, identified
from components.panel import Panel

BY_WEIGHTS = tuple(key for key in METHODS if key != "did")


@dataclass(frozen=True, eq=False)
class Paths:
    """Who takes whose treatment path, in B assignments.

    Attributes
    ----------
    panel : Panel
        Without gaps.
    takers : Ints, shape (B, N)
        The unit that takes the path of each row of the panel.
    """

    panel: Panel
    takers: Ints

    @cached_property
    def W(self) -> Bools:
        """Treated cells, shape (B, N, T)."""
        W = np.empty((len(self.takers), *self.panel.shape), dtype=np.bool_)
        W[np.arange(len(self.takers))[:, None], self.takers] = self.panel.W
        return W

    @cached_property
    def controls(self) -> Bools:
        """Units that are never treated, shape (B, N)."""
        return np.asarray(~self.W.any(axis=2))

    def donors(self, rules: tuple[str, ...]) -> dict[str, Bools]:
        """Choose donors by each rule, as seen from the average of the treated, shape (B, N)."""
        if not self.controls.any() or not self.panel.design.n_pre:
            return dict.fromkeys(rules, self.controls)
        design = self.panel.design
        before = self.panel.Y[:, : design.n_pre]
        targets = before[self.takers[:, design.treated]].mean(axis=1)
        heaviest = sc_weights(before, targets, self.controls)
        return {rule: donors_of(rule, before, targets, self.controls, heaviest) for rule in rules}


def fit_paths(panel: Panel, every: list[Choice], takers: Ints, progress: Progress) -> Fits:
    """Fit every specification under every assignment of the panel's treatment paths.

    Parameters
    ----------
    panel : Panel
        Without gaps, of any design.
    every : list of Choice
        With difference in differences; in a block or staggered design also with estimators by
        weights, cohort by cohort. What covariates explain is taken off as under the panel's own
        assignment.
    takers : Ints, shape (B, N)
        As in `Paths`.
    progress : callable

    Returns
    -------
    Fits
        As the estimators give them one by one; ratios are over all cells of treated units.
    """
    paths = Paths(panel, takers)
    donors = paths.donors(tuple(dict.fromkeys(choice.donors for choice in every)))
    effects, ratios = np.empty((2, len(takers), len(every)))
    n_donors, lengths = np.empty((2, len(every)), dtype=np.int64)
    two_way: dict[tuple[str, str, str], list[tuple[TwoWay, Bools]]] = {}
    place = 0
    for world, some in worlds(panel, every):
        W = paths.W[:, :, world.mask]
        for choice in some:
            allowed = donors[choice.donors]
            if choice.estimator in BY_WEIGHTS:
                Z0 = _by_cohort(paths, choice.estimator, world, allowed)
            else:
                key = (choice.donors, choice.start, choice.end)
                if key not in two_way:
                    two_way[key] = _factored(W, allowed)
                Z0 = _two_way(world.Z, two_way[key])
            effects[:, place], ratios[:, place] = _summaries(world, Z0, W)
            n_donors[place], lengths[place] = int(allowed[0].sum()), world.n_early
            place += 1
        progress(place / len(every))
    return Fits(effects, ratios, n_donors, lengths)


def _by_cohort(paths: Paths, method: str, world: World, allowed: Bools) -> Floats:
    """Impute each cohort's outcomes by weights on its donors, shape (B, N, T'); NaN elsewhere."""
    Z, each = world.Z, np.arange(len(allowed))[:, None]
    Z0 = np.full((len(allowed), *Z.shape), np.nan)
    for cohort in paths.panel.design.cohorts:
        start, rows = int(world.mask[: cohort.start].sum()), paths.takers[:, cohort.rows]
        omega, lam = curve_weights(
            method, Z, Z[rows].mean(axis=1), start, allowed, len(cohort.rows)
        )
        synthetic = (omega @ Z)[:, None]
        levels = ((Z[rows] - synthetic)[:, :, :start] * lam[:, None]).sum(axis=2)
        Z0[each, rows] = synthetic + levels[:, :, None]
    return Z0


def _factored(W: Bools, allowed: Bools) -> list[tuple[TwoWay, Bools]]:
    """Two-way regressions on the untreated cells of treated units and donors, ready to be used."""
    units = allowed | W.any(axis=2)
    cells = ~W & units[:, :, None]
    return [(TwoWay.of(seen), identified(seen)) for seen in cells]


def _two_way(Z: Floats, fits: list[tuple[TwoWay, Bools]]) -> Floats:
    Z0 = np.empty((len(fits), *Z.shape))
    for place, (two_way, known) in enumerate(fits):
        alpha, beta = two_way.fit(Z)
        Z0[place] = np.where(known, alpha[:, None] + beta, np.nan)
    return Z0


def _summaries(world: World, Z0: Floats, W: Bools) -> tuple[Floats, Floats]:
    """Average effect in the units of the outcome, and ratio of late to early gaps, shape (B,)."""
    n_units = len(world.Z)
    imputed = world.scale.back(Z0, np.arange(n_units))
    gaps, effects = world.Z - Z0, world.Y - imputed
    early: Bools = np.asarray(W.any(axis=2))[:, :, None] & ~W
    found = np.empty((2, len(W)))
    for place in range(len(W)):
        late = W[place] & np.isfinite(gaps[place])
        seen = early[place] & np.isfinite(gaps[place])
        found[0, place] = effects[place][late].mean()
        found[1, place] = ratio_of(gaps[place][seen], gaps[place][late])
    return found[0], found[1]
