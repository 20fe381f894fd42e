"""Replication of the published placebo tables, row by row, side by side with the print."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar
from zlib import crc32

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats
from components.inference.base import Progress, silent
from components.simulation.assignment import (
    Assignment,
    ChanceBlock,
    RandomBlock,
    logistic_probabilities,
    similar_probabilities,
)
from components.simulation.factor_model import FactorWorld, Rng
from components.simulation.replication_data import load
from components.simulation.replication_designs import PUBLISHED, Design, Fit
from components.simulation.replication_fits import FORMS, Draws
from components.simulation.worlds import PlaceboWorld

RESULTS = PUBLISHED / "results.csv"
SEED = 0
BATCH = 100
COLUMNS = [
    "table",
    "row",
    "column",
    "form",
    "value",
    "mc_error",
    "bias",
    "n_draws",
    "stream",
    "settings",
    "seconds",
]


@dataclass(frozen=True, eq=False)
class Generator:
    """What draws the panels of a row.

    Attributes
    ----------
    model : FactorWorld
    assignment : Assignment
    design : Design
    """

    model: FactorWorld
    assignment: Assignment
    design: Design

    def stream(self) -> Rng:
        """Start the random numbers: numpy's legacy stream, seed 0, where draws are replayed."""
        if self.design.recipe == "trop":
            return np.random.RandomState(SEED)
        key = f"{self.design.table}, {self.design.row}"
        return np.random.default_rng([SEED, crc32(key.encode())])

    def world(self) -> PlaceboWorld:
        """Give the same as a world, one panel at a time; without drawing units anew."""
        return PlaceboWorld(self.model, self.assignment)

    def draw(self, n: int, rng: Rng) -> Draws:
        """Draw n panels without any effect."""
        pairs = [self._one(rng) for _ in range(n)]
        Y, treated = (np.stack(part) for part in zip(*pairs, strict=True))
        return Draws(Y, treated, self.design.n_post)

    def _one(self, rng: Rng) -> tuple[Floats, Bools]:
        model, assignment = self.model, self.assignment
        if self.design.resampled:
            rows = rng.choice(model.shape[0], size=self.design.resampled, replace=True)
            model = model.of_units(rows)
            if isinstance(assignment, ChanceBlock):
                assignment = replace(assignment, probabilities=assignment.probabilities[rows])
        Y = model.draw(rng)
        return Y, np.asarray(assignment.draw(rng).any(axis=1))


def generator(design: Design, folder: Path) -> Generator:
    """Calibrate the world of a row to its panel.

    Parameters
    ----------
    design : Design
    folder : pathlib.Path
        Where the panels are.

    Returns
    -------
    Generator

    Raises
    ------
    DataError
        Where the panel is not there.
    """
    Y, treated = load(folder, design.dataset, design.treatment)
    published = design.recipe == "trop"
    model = FactorWorld.calibrated(Y, ar_digits=None if published else 2)
    n_units, n_periods = Y.shape
    if design.assignment == "random":
        drawn = design.resampled or n_units
        block = RandomBlock(drawn, n_periods, design.n_treated, design.n_post)
        return Generator(model.variant(design.variant), block, design)
    if design.assignment == "logistic":
        chances = logistic_probabilities(model.left, treated, early=published)
    else:
        chances = similar_probabilities(Y, treated)
    sizes = (n_periods, design.n_treated, design.n_post)
    entering = ChanceBlock(chances, *sizes, if_none="one" if published else "most")
    return Generator(model.variant(design.variant), entering, design)


def replicate(design: Design, folder: Path, progress: Progress = silent) -> pd.DataFrame:
    """Simulate a row.

    Parameters
    ----------
    design : Design
    folder : pathlib.Path
    progress : callable, optional

    Returns
    -------
    pandas.DataFrame
        One row per column of the table. ``value`` is the root mean squared effect, where there
        is none, in standard units; ``mc_error`` its standard error.
    """
    source = generator(design, folder)
    rng = source.stream()
    n_draws = max(fit.n_draws for fit in design.fits)
    found: dict[Fit, list[Floats]] = {fit: [] for fit in design.fits}
    seconds = dict.fromkeys(design.fits, 0.0)
    for first in range(0, n_draws, BATCH):
        draws = source.draw(min(BATCH, n_draws - first), rng)
        for fit in design.fits:
            wanted = draws.first(max(0, fit.n_draws - first))
            if len(wanted.Y):
                start = time.process_time()
                found[fit].append(FORMS[fit.form](wanted, fit.penalties))
                seconds[fit] += time.process_time() - start
        progress(min(1.0, (first + BATCH) / n_draws))
    rows = [_summary(design, fit, np.concatenate(found[fit]), seconds[fit]) for fit in design.fits]
    return pd.DataFrame(rows, columns=COLUMNS)


def rmse(effects: Floats) -> tuple[float, float]:
    """Take the root mean squared effect, and its standard error by the delta method."""
    squares = effects**2
    value = float(np.sqrt(squares.mean()))
    spread = float(squares.std()) / np.sqrt(len(effects))
    return value, spread / (2.0 * value) if value > 0.0 else 0.0


class Row(Protocol):
    """What stands in one row of a table; its representation holds all its settings."""

    @property
    def table(self) -> str:
        """Name of the table."""
        ...

    @property
    def row(self) -> str:
        """Name of the row."""
        ...


AnyRow = TypeVar("AnyRow", bound=Row)


def settings_of(row: Row) -> str:
    """Give a short key of everything that decides a row's numbers."""
    return f"{crc32(repr(row).encode()):08x}"


def run(
    wanted: Sequence[AnyRow],
    simulate: Callable[[list[AnyRow]], Iterable[tuple[AnyRow, pd.DataFrame]]],
    tell: Callable[[str], None],
    path: Path = RESULTS,
) -> pd.DataFrame:
    """Simulate what is not stored yet, and store each row as soon as it is there.

    Parameters
    ----------
    wanted : sequence of Row
    simulate : callable
        Given rows, the figures of each as ``replicate`` gives them, in any order.
    tell : callable
        Told a sentence about each row.
    path : pathlib.Path
        Of the stored results; rows with other settings are simulated anew.

    Returns
    -------
    pandas.DataFrame
        Results of all wanted rows, in their order.
    """
    rows = read(path).groupby(["table", "row", "settings"], sort=False)
    stored = {key: part for key, part in rows if len(part)}

    def name(row: Row) -> tuple[str, str, str]:
        return row.table, row.row, settings_of(row)

    missing = [row for row in wanted if name(row) not in stored]
    tell(f"{len(wanted) - len(missing)} of {len(wanted)} parts are there.")
    for number, (row, part) in enumerate(simulate(missing), 1):
        stored[name(row)] = part
        write(pd.concat([stored[key] for key in map(name, wanted) if key in stored]), path)
        seconds = part["seconds"].sum()
        tell(f"{number}/{len(missing)} table {row.table}, {row.row}: {seconds:.0f} s")
    return read(path)


def read(path: Path = RESULTS) -> pd.DataFrame:
    """Read stored results; an empty table where there are none."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    return pd.read_csv(path, dtype={"settings": str, "table": str}, keep_default_na=False)


def write(table: pd.DataFrame, path: Path) -> None:
    """Store results in one step, so that a stop leaves the old file or the new one."""
    new = path.with_suffix(".new")
    table.to_csv(new, index=False, float_format="%.8g", lineterminator="\n")
    new.replace(path)


def _summary(design: Design, fit: Fit, effects: Floats, seconds: float) -> tuple[object, ...]:
    stream = "replayed" if design.recipe == "trop" else "own"
    value, error = rmse(effects)
    return (
        design.table,
        design.row,
        fit.column,
        fit.form,
        value,
        error,
        float(effects.mean()),
        len(effects),
        stream,
        settings_of(design),
        round(seconds, 2),
    )
