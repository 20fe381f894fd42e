"""Tables that are no placebo block: shares of weight, hidden cells, and treatment on and off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.estimators import (
    TROP,
    DifferenceInDifferences,
    MatrixCompletion,
    SyntheticControl,
)
from components.estimators.base import Estimator
from components.inference.base import Progress, silent
from components.numerics.trop_weights import block_time_distances, block_unit_distances
from components.panel import Panel
from components.simulation.factor_model import FactorWorld
from components.simulation.masks import (
    BernoulliSwitching,
    MarkovSwitching,
    SimultaneousMask,
    StaggeredMask,
    mask_dates,
)
from components.simulation.replication import (
    COLUMNS,
    SEED,
    Generator,
    generator,
    settings_of,
)
from components.simulation.replication_data import load
from components.simulation.replication_designs import Design
from components.simulation.replication_fits import CV_PENALTIES
from components.simulation.worlds import MaskedWorld, PlaceboWorld

N_CLOSE = 5
SWITCH_SEED = 123


@dataclass(frozen=True)
class WeightShares:
    """Table 6: how much of TROP's weight lies on recent periods and near units.

    Attributes
    ----------
    design : Design
        A row of table 2, top, with one treated unit: the printed shares come from that. The
        weights are not squared.
    n_draws : int
    """

    design: Design
    n_draws: int = 1000
    table: str = "6"

    @property
    def row(self) -> str:
        """As in table 2."""
        return self.design.row


@dataclass(frozen=True)
class HiddenCells:
    """One date of the matrix-completion paper's study: Proposition 99 without California.

    Attributes
    ----------
    row : str
    staggered : bool
        35 units one after the other, instead of 8 at once.
    n_pre : int
    n_runs : int
        The paper has 10.
    """

    row: str
    staggered: bool
    n_pre: int
    n_runs: int = 20
    table: str = "MC, Proposition 99"


@dataclass(frozen=True)
class OnAndOff:
    """Treatment that switches, on panels like CPS log wage.

    Attributes
    ----------
    row : str
    markov : bool
        Treatment tends to last, instead of a coin for each cell.
    n_panels : int
    """

    row: str
    markov: bool
    n_panels: int = 8
    table: str = "on and off"


Study = WeightShares | HiddenCells | OnAndOff


def studies(rows: tuple[Design, ...]) -> tuple[Study, ...]:
    """Give all of them, in the order of the document."""
    panels = (replace(design, n_treated=1) for design in rows if design.table == "2 top")
    shares = tuple(WeightShares(design) for design in panels)
    hidden = tuple(
        HiddenCells(f"{kind}, from {n_pre / 31:.3f}".replace("0.", "."), staggered, n_pre)
        for kind, staggered in (("simultaneous", False), ("staggered", True))
        for n_pre in mask_dates(31)
    )
    switching = (OnAndOff("Bernoulli, cells", False), OnAndOff("Markov, cells", True))
    return shares + hidden + switching


def simulate(study: Study, folder: Path, progress: Progress = silent) -> pd.DataFrame:
    """Run a study and give its rows as ``replication.replicate`` does."""
    start = time.process_time()
    if isinstance(study, WeightShares):
        found = _shares(study, generator(study.design, folder))
    elif isinstance(study, HiddenCells):
        found = _hidden(study, folder, progress)
    else:
        found = _switching(study, folder, progress)
    seconds = round((time.process_time() - start) / len(found), 2)
    rows = [
        (
            study.table,
            study.row,
            column,
            form,
            *_summary(values),
            stream,
            settings_of(study),
            seconds,
        )
        for column, form, stream, values in found
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


Found = list[tuple[str, str, str, Floats]]
"""Column, form, stream, and one figure for each draw."""


def _summary(values: Floats) -> tuple[float, float, float, int]:
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    return float(values.mean()), error, 0.0, len(values)


def _shares(study: WeightShares, source: Generator) -> Found:
    draws = source.draw(study.n_draws, source.stream())
    unit, when, _ = study.design.fits[0].penalties
    n_units, n_periods = draws.Y.shape[1:]
    recent = np.exp(-when * block_time_distances(n_periods, draws.n_post))
    everything = np.ones((n_units, n_periods), dtype=np.bool_)
    near = np.stack(
        [
            np.exp(-unit * block_unit_distances(Y, everything, chosen, draws.n_pre, "levels"))
            for Y, chosen in zip(draws.Y, draws.treated, strict=True)
        ]
    )
    late = np.full(len(near), _top(recent[None], N_CLOSE)[0])
    return [
        ("last 5 periods", "weights", "replayed", late),
        ("closest 5 units", "weights", "replayed", _top(near, N_CLOSE)),
        ("closest half", "weights", "replayed", _top(near, round(n_units / 2))),
    ]


def _top(weights: Floats, n: int) -> Floats:
    ordered = np.sort(weights, axis=1)[:, ::-1]
    share: Floats = ordered[:, :n].sum(axis=1) / ordered.sum(axis=1)
    return share


def _hidden(study: HiddenCells, folder: Path, progress: Progress) -> Found:
    Y, treated = load(folder, "smoking")
    Y = Y[~treated]
    n_units, n_periods = Y.shape
    mask = StaggeredMask if study.staggered else SimultaneousMask
    world = MaskedWorld(Y, mask(n_units, n_periods, study.n_pre))
    rng = np.random.default_rng([SEED, crc32(study.row.encode())])
    methods: dict[str, tuple[str, Callable[[Panel], Floats]]] = {
        "DID": ("did", _one_by_one(DifferenceInDifferences())),
        "MC": ("mc", _at_once(MatrixCompletion(n_penalties=CV_PENALTIES))),
        "SC": ("sc", _one_by_one(SyntheticControl())),
    }
    errors: dict[str, list[float]] = {column: [] for column in methods}
    for run in range(study.n_runs):
        panel, _ = world.draw(rng)
        for column, (_, errors_of) in methods.items():
            errors[column].append(float(np.sqrt(np.mean(errors_of(panel) ** 2))))
        progress((run + 1) / study.n_runs)
    return [(name, methods[name][0], "own", np.array(values)) for name, values in errors.items()]


def _at_once(estimator: Estimator) -> Callable[[Panel], Floats]:
    def errors(panel: Panel) -> Floats:
        found: Floats = estimator.fit(panel).effects[panel.W]
        return found

    return errors


def _one_by_one(estimator: Estimator) -> Callable[[Panel], Floats]:
    """Compare every treated unit with the never-treated ones alone, as the paper's code does."""

    def errors(panel: Panel) -> Floats:
        never = np.flatnonzero(~panel.design.treated)
        parts = (panel.take([*never, row]) for row in np.flatnonzero(panel.design.treated))
        return np.concatenate([estimator.fit(part).effects[part.W] for part in parts])

    return errors


def _switching(study: OnAndOff, folder: Path, progress: Progress) -> Found:
    Y, _ = load(folder, "log_wage")
    switching = MarkovSwitching(*Y.shape) if study.markov else BernoulliSwitching(*Y.shape)
    world = PlaceboWorld(FactorWorld.calibrated(Y), switching)
    rng = np.random.default_rng(SWITCH_SEED)
    squares: dict[tuple[str, str], list[float]] = {}
    for number in range(study.n_panels):
        panel, _ = world.draw(rng)
        untreated = int((~panel.W).sum())
        for column, form, estimator in _switchers(untreated):
            effects = estimator.fit(panel).effects[panel.W]
            squares.setdefault((column, form), []).append(float(np.sqrt(np.mean(effects**2))))
        progress((number + 1) / study.n_panels)
    return [(*names, "own", np.array(values)) for names, values in squares.items()]


def _switchers(n_untreated: int) -> list[tuple[str, str, Estimator]]:
    """Give the methods that allow treatment to end, with penalties set by hand."""
    methods: list[tuple[str, str, Estimator]] = [("TWFE", "did", DifferenceInDifferences())]
    for nn in (0.3, 0.6, 1.0, 1.5, 2.5, 4.0):
        name = f"MC {nn:g}".replace("0.", ".")
        methods.append((name, "mc_fixed", MatrixCompletion(penalty=nn / n_untreated)))
    for unit, when, nn in ((0.0, 0.2, np.inf), (1.0, 0.2, 0.6), (0.0, 0.1, 0.6), (1.0, 0.3, 1.0)):
        name = f"TROP ({unit:g}, {when:g}, {nn:g})".replace("0.", ".")
        methods.append((name, "trop_percell", TROP("percell", unit, when, nn, scale="all")))
    return methods
