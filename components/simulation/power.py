r"""Size and power of the four variance estimators for one treated cell, by simulation.

The estimator is difference in differences with the treated cell left out of its own fit, and its
t statistic is compared with the t reference of each variance. The design is that of Almeida,
Athey, Imbens, Lestant and Olaizola (2025), arXiv 2510.11841, as far as its abstract tells it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Floats
from components.errors import SpecError
from components.inference.base import Progress, silent
from components.numerics.conditional_variance import GIVEN, cell_variances, degrees_of_freedom
from components.numerics.leave_one_out import one_cell_masked
from components.simulation.heteroskedastic import KINDS, HeteroskedasticWorld

CHUNK_CELLS = 1_000_000
TERCILES = ("quiet", "middle", "noisy")
STORED = Path(__file__).parent


@dataclass(frozen=True)
class PowerStudy:
    """What to simulate.

    Parameters
    ----------
    kinds : tuple of str
        Keys of ``KINDS``.
    effects : tuple of float
        Effect sizes, in units of the average standard deviation of an error.
    n_units, n_periods : int
        Size of each panel.
    n_draws : int
        Panels of each kind.
    level : float
        Of the interval; a test rejects below one minus it.
    seed : int

    Raises
    ------
    SpecError
        Where a setting makes no sense.
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    effects: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
    n_units: int = 50
    n_periods: int = 40
    n_draws: int = 100_000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown:
            raise SpecError(
                f"There is no heteroskedasticity of kind {unknown[0]!r}.",
                hint=f"Choose among {', '.join(KINDS)}.",
            )
        if not (self.n_draws >= 2 and 0.0 < self.level < 1.0):
            raise SpecError(
                f"{self.n_draws} draws at level {self.level:g} give no power curve.",
                hint="Take two draws or more, and a level between 0 and 1.",
            )


@dataclass(frozen=True, eq=False)
class Draws:
    """Simulated estimates without an effect, and the variances that belong to them.

    Attributes
    ----------
    errors : Floats, shape (B,)
        Estimated effect where there is none.
    variances : Floats, shape (4, B)
        In the order of ``GIVEN``.
    truth : Floats, shape (B,)
        Error variance of the treated cell.
    critical : Floats, shape (4,)
        Quantile of each t reference.
    """

    errors: Floats
    variances: Floats
    truth: Floats
    critical: Floats

    def rejects(self, effect: float) -> Floats:
        """Tell, as ones and zeros of shape (4, B), which tests find an effect of this size."""
        half = self.critical[:, None] * np.sqrt(self.variances)
        found: Floats = (np.abs(self.errors + effect) > half).astype(np.float64)
        return found


def draw(study: PowerStudy, kind: str, progress: Progress = silent) -> Draws:
    """Simulate panels of one kind.

    Parameters
    ----------
    study : PowerStudy
    kind : str
        One of ``KINDS``; its draws do not depend on which other kinds are studied.
    progress : callable, optional

    Returns
    -------
    Draws
    """
    world = HeteroskedasticWorld(study.n_units, study.n_periods, *KINDS[kind])
    rng = np.random.default_rng([study.seed, crc32(kind.encode())])
    size = max(1, CHUNK_CELLS // (study.n_units * study.n_periods))
    parts = []
    for first in range(0, study.n_draws, size):
        Y, truth, rows, columns = world.draw(min(size, study.n_draws - first), rng)
        errors = one_cell_masked(Y, rows, columns)
        own = errors[np.arange(len(Y)), rows, columns]
        parts.append((own, cell_variances(errors, rows, columns), truth))
        progress(min(1.0, (first + size) / study.n_draws))
    own, variances, truth = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    freedom = degrees_of_freedom(study.n_units - 1, study.n_periods - 1)
    return Draws(own, variances, truth, student.ppf(0.5 + study.level / 2, freedom))


@dataclass(frozen=True, eq=False)
class PowerTables:
    """What a study finds.

    Attributes
    ----------
    curves : pandas.DataFrame
        kind, given, effect, power, mc_error (standard error of ``power``). Power at effect zero
        is the size of the test.
    behaviour : pandas.DataFrame
        kind, given, figure, value, mc_error. The figures: ``size``, the same in the terciles of
        the true variance (``size, quiet`` and so on), ``sd of V``, ``corr(V, true)`` where the
        true variance varies, and ``median half-width``.
    """

    curves: pd.DataFrame
    behaviour: pd.DataFrame


def simulate(study: PowerStudy, progress: Progress = silent) -> PowerTables:
    """Simulate the power of all four variances, and what lies behind it.

    Parameters
    ----------
    study : PowerStudy
    progress : callable, optional

    Returns
    -------
    PowerTables
    """
    curves: list[pd.DataFrame] = []
    figures: list[pd.DataFrame] = []
    for number, kind in enumerate(study.kinds):

        def part(share: float, done: int = number) -> None:
            progress((done + share) / len(study.kinds))

        draws = draw(study, kind, part)
        for tables, table in ((curves, curve(draws, study.effects)), (figures, behaviour(draws))):
            table.insert(0, "kind", kind)
            tables.append(table)
    return PowerTables(pd.concat(curves, ignore_index=True), pd.concat(figures, ignore_index=True))


def stored() -> PowerTables:
    """Read the tables of the default study, as ``make power`` has left them.

    Returns
    -------
    PowerTables
    """
    curves, figures = (
        pd.read_csv(STORED / name, keep_default_na=False) for name in ("power.csv", "behaviour.csv")
    )
    return PowerTables(curves, figures)


def curve(draws: Draws, effects: tuple[float, ...]) -> pd.DataFrame:
    """Tabulate the power of each variance: given, effect, power, mc_error."""
    rows = []
    for effect in effects:
        power = draws.rejects(effect).mean(axis=1)
        errors = np.sqrt(power * (1.0 - power) / len(draws.errors))
        rows += [(*row, effect) for row in zip(GIVEN, power, errors, strict=True)]
    table = pd.DataFrame(rows, columns=["given", "power", "mc_error", "effect"])
    return table[["given", "effect", "power", "mc_error"]]


def behaviour(draws: Draws) -> pd.DataFrame:
    """Tabulate what lies behind the power of each variance: given, figure, value, mc_error."""
    found = draws.rejects(0.0)
    varies = bool(np.ptp(draws.truth) > 0.0)
    cuts = np.quantile(draws.truth, [1 / 3, 2 / 3])
    tercile = np.searchsorted(cuts, draws.truth)
    rows = []
    for number, given in enumerate(GIVEN):
        rows.append((given, "size", *_share(found[number])))
        if varies:
            for place, name in enumerate(TERCILES):
                rows.append((given, f"size, {name}", *_share(found[number][tercile == place])))
            rows.append((given, "corr(V, true)", *_correlation(draws.variances[number], draws)))
        rows.append((given, "sd of V", *_deviation(draws.variances[number])))
        half = draws.critical[number] * np.sqrt(draws.variances[number])
        rows.append((given, "median half-width", *_median(half)))
    return pd.DataFrame(rows, columns=["given", "figure", "value", "mc_error"])


def _share(found: Floats) -> tuple[float, float]:
    share = float(found.mean())
    return share, float(np.sqrt(share * (1.0 - share) / len(found)))


def _deviation(values: Floats) -> tuple[float, float]:
    """Take the standard deviation, and its standard error from the fourth moment."""
    squares = np.square(values - values.mean())
    variance = float(squares.mean())
    return float(np.sqrt(variance)), float(squares.std() / (2.0 * np.sqrt(variance * len(values))))


def _median(values: Floats) -> tuple[float, float]:
    """Take the median, and its standard error from the order statistics around it."""
    n = len(values)
    reach = 0.5 / np.sqrt(n)
    low, middle, high = np.quantile(values, [0.5 - reach, 0.5, 0.5 + reach])
    return float(middle), float((high - low) / 2.0)


def _correlation(values: Floats, draws: Draws) -> tuple[float, float]:
    """Correlate with the true variance; give the standard error from its influence function."""
    x = (values - values.mean()) / values.std()
    y = (draws.truth - draws.truth.mean()) / draws.truth.std()
    r = float((x * y).mean())
    influence = x * y - r * (x**2 + y**2) / 2.0
    return r, float(influence.std() / np.sqrt(len(x)))
