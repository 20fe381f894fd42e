"""The specification curve: the same question under every combination of choices."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product

import numpy as np
import pandas as pd

from components.analysis.choices import (
    ALL,
    LEVELS,
    WITH,
    WITHOUT,
    Choice,
    Scale,
    donor_rules,
    donors_of,
    net_of_covariates,
    sc_weights,
    transforms,
    windows,
)
from components.analysis.curve_worlds import Fits, ratio_of, worlds
from components.analysis.path_fits import fit_paths
from components.analysis.path_placebos import path_curves, why_no_paths
from components.arrays import Ints
from components.errors import NotApplicableError
from components.estimators import ESTIMATORS
from components.inference.base import Progress, silent
from components.numerics.curve_fits import METHODS, curve_weights
from components.panel import Panel

DRAWS = 99
FEWEST_PLACEBOS = 9
FIELDS = ("estimator", "donors", "start", "end", "transform", "covariates")


def choices(panel: Panel, *, in_logs: bool, extra: tuple[str, ...] = ()) -> list[Choice]:
    """List every combination that can be fitted on this panel.

    Parameters
    ----------
    panel : Panel
        As prepared for the spec.
    in_logs : bool
        The outcome is a logarithm already.
    extra : tuple of str
        Keys of slower estimators; they take all donors.

    Returns
    -------
    list of Choice
        Sorted so that choices on the same outcomes come one after the other.

    Raises
    ------
    NotApplicableError
        Where no estimator can run.
    """
    design = panel.design
    able = [key for key in METHODS if ESTIMATORS[key]().why_not(panel) is None]
    if not able:
        raise NotApplicableError(
            "No estimator of the curve can run here: some units are treated from the first period "
            "on, or there is nothing to compare with.",
            hint="Drop those units on the design page.",
        )
    parts = windows(design.n_pre, panel.shape[1])
    shortest = min(int(mask[: design.n_pre].sum()) for mask in parts.values())
    plain = design.n_controls > 0 and design.n_pre > 0 and bool(panel.observed.all())
    rules = donor_rules(design.n_controls) if plain else (ALL,)
    scales = [(scale, "without") for scale in transforms(panel.Y, shortest, in_logs=in_logs)]
    if net_of_covariates(panel) is not None:
        scales.append((LEVELS, WITH))
    found = [
        Choice(key, rule, start, end, scale, covariates)
        for (start, end), (scale, covariates), key, rule in product(parts, scales, able, rules)
    ]
    slower = [key for key in extra if ESTIMATORS[key]().why_not(panel) is None]
    return found + [
        Choice(key, ALL, start, end, scale, covariates)
        for (start, end), (scale, covariates), key in product(parts, scales, slower)
    ]


def is_quick(panel: Panel) -> bool:
    """Tell whether the curve is fitted in batches: no gaps."""
    return bool(panel.observed.all())


def curve(
    panel: Panel, in_logs: bool, extra: tuple[str, ...] = (), progress: Progress = silent
) -> pd.DataFrame:
    """Fit every specification.

    Parameters
    ----------
    panel : Panel
    in_logs : bool
    extra : tuple of str
        As in `choices`; each of these fits is made on its own.
    progress : callable, optional

    Returns
    -------
    pandas.DataFrame
        The fields of `Choice`, effect and ratio as in `Fits`, n_donors, n_pre.
    """
    every = choices(panel, in_logs=in_logs, extra=extra)
    n_batched = len(choices(panel, in_logs=in_logs)) if is_quick(panel) else 0
    parts = []
    if n_batched and panel.design.kind == "block":
        treated = np.flatnonzero(panel.design.treated)[None]
        parts.append(fit_groups(panel, every[:n_batched], treated, progress))
    elif n_batched:
        own = np.arange(panel.shape[0])[None]
        parts.append(fit_paths(panel, every[:n_batched], own, progress))
    if every[n_batched:]:
        parts.append(_one_by_one(panel, every[n_batched:], progress))
    table = pd.DataFrame([asdict(choice) for choice in every])
    return table.assign(
        effect=np.concatenate([fits.effects[0] for fits in parts]),
        ratio=np.concatenate([fits.ratios[0] for fits in parts]),
        n_donors=np.concatenate([fits.n_donors for fits in parts]),
        n_pre=np.concatenate([fits.n_pre for fits in parts]),
    )


def why_no_placebos(panel: Panel) -> str | None:
    """Say why the whole curve cannot be compared with placebo curves, or None."""
    design = panel.design
    if design.kind != "block" or not panel.observed.all():
        return why_no_paths(panel)
    left = design.n_controls - design.n_treated
    if left < FEWEST_PLACEBOS:
        return (
            f"{design.n_controls} never-treated units are too few to stand in for "
            f"{design.n_treated} treated and leave {FEWEST_PLACEBOS} as donors."
        )
    return None


def placebo_places(panel: Panel, in_logs: bool) -> Ints:
    """Give the numbers of the choices that placebo curves have.

    All of them in a block design. Where paths are dealt out anew, those without covariates, whose
    part in the outcomes would change with every deal.
    """
    every = choices(panel, in_logs=in_logs)
    block = panel.design.kind == "block"
    return np.flatnonzero([block or choice.covariates == WITHOUT for choice in every])


def placebo_curves(panel: Panel, in_logs: bool, seed: int, progress: Progress = silent) -> Fits:
    """Fit the specifications with other units in the place of the treated ones.

    Parameters
    ----------
    panel : Panel
        That `why_no_placebos` lets pass. In a block design never-treated units stand in, and the
        truly treated ones are left out; in any other the treatment paths of all units are dealt
        out anew (`components.analysis.path_placebos.path_curves`).
    in_logs : bool
    seed : int
        Of what is drawn.
    progress : callable, optional

    Returns
    -------
    Fits
        One row for each never-treated unit, for each of 99 random groups of them, or for each
        deal; specifications as in `placebo_places`.
    """
    every = choices(panel, in_logs=in_logs)
    if panel.design.kind != "block":
        kept = [every[place] for place in placebo_places(panel, in_logs)]
        return path_curves(panel, kept, seed, progress)
    controls = np.flatnonzero(~panel.design.treated)
    n = panel.design.n_treated
    groups = controls[:, None]
    if n > 1:
        rng = np.random.default_rng(seed)
        groups = np.stack([rng.choice(controls, n, replace=False) for _ in range(DRAWS)])
    return fit_groups(panel, every, groups, progress)


def fit_groups(panel: Panel, every: list[Choice], groups: Ints, progress: Progress) -> Fits:
    """Fit every specification for groups of units, with never-treated units as donors.

    Parameters
    ----------
    panel : Panel
        A block design without gaps.
    every : list of Choice
    groups : Ints, shape (B, n)
        Rows that count as treated.
    progress : callable

    Returns
    -------
    Fits
    """
    treated, n_pre = panel.design.treated, panel.design.n_pre
    controls = np.flatnonzero(~treated)
    others = ~(controls[None, :, None] == groups[:, None, :]).any(axis=2)
    before = panel.Y[controls][:, :n_pre]
    targets = panel.Y[groups].mean(axis=1)[:, :n_pre]
    heaviest = sc_weights(before, targets, others)
    donors = {
        rule: donors_of(rule, before, targets, others, heaviest)
        for rule in dict.fromkeys(choice.donors for choice in every)
    }
    effects, ratios = np.empty((2, len(groups), len(every)))
    n_donors, lengths = np.empty((2, len(every)), dtype=np.int64)
    place = 0
    for world, some in worlds(panel, every):
        Y, Z, n_early = world.Y, world.Z, world.n_early
        for choice in some:
            allowed = donors[choice.donors]
            omega, lam = curve_weights(
                choice.estimator, Z[controls], Z[groups].mean(axis=1), n_early, allowed,
                groups.shape[1],
            )  # fmt: skip
            synthetic = (omega @ Z[controls])[:, None]
            levels = ((Z[groups] - synthetic)[:, :, :n_early] * lam[:, None]).sum(axis=2)
            imputed = synthetic + levels[:, :, None]
            gaps = (Z[groups] - imputed).mean(axis=1)
            ratios[:, place] = ratio_of(gaps[:, :n_early], gaps[:, n_early:])
            later = Y[groups] - world.scale.back(imputed, groups)
            effects[:, place] = later[:, :, n_early:].mean(axis=(1, 2))
            n_donors[place], lengths[place] = int(allowed[0].sum()), n_early
            place += 1
        progress(place / len(every))
    return Fits(effects, ratios, n_donors, lengths)


def fit_choice(panel: Panel, choice: Choice) -> tuple[float, float, int, int]:
    """Fit one specification by the estimator itself, on a panel made for it.

    Parameters
    ----------
    panel : Panel
    choice : Choice

    Returns
    -------
    effect, ratio, n_donors, n_pre
        As in `Fits`; the ratio is over all cells of treated units.
    """
    treated, n_pre = panel.design.treated, panel.design.n_pre
    keep = np.ones(panel.shape[0], dtype=np.bool_)
    if choice.donors != ALL:
        target = panel.Y[treated].mean(axis=0)[None, :n_pre]
        before, others = panel.Y[~treated][:, :n_pre], np.ones((1, (~treated).sum()), np.bool_)
        heaviest = sc_weights(before, target, others)
        keep[~treated] = donors_of(choice.donors, before, target, others, heaviest)[0]
    mask = windows(n_pre, panel.shape[1])[choice.start, choice.end]
    world = net_of_covariates(panel) if choice.covariates == WITH else panel
    assert world is not None
    part = world.take(keep).window(mask)
    scale = Scale.of(choice.transform, part.Y, part.design.n_pre)
    fitted = ESTIMATORS[choice.estimator]().fit(part.with_outcomes(scale.forth(part.Y)))
    rows = np.arange(part.shape[0])
    effects = part.Y - scale.back(fitted.Y0, rows)
    early = fitted.effects[part.design.treated[:, None] & ~part.W & np.isfinite(fitted.effects)]
    late = fitted.effects[part.W & np.isfinite(fitted.effects)]
    ratio = float(ratio_of(early[None], late[None])[0])
    n_donors = int((~part.design.treated).sum())
    return float(np.nanmean(effects[part.W])), ratio, n_donors, part.design.n_pre


def _one_by_one(panel: Panel, every: list[Choice], progress: Progress) -> Fits:
    rows = []
    for number, choice in enumerate(every):
        rows.append(fit_choice(panel, choice))
        progress((number + 1) / len(every))
    effects, ratios, n_donors, n_pre = (np.array(column) for column in zip(*rows, strict=True))
    return Fits(effects[None], ratios[None], n_donors, n_pre)
