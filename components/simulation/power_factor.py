r"""Size and power of the four variance estimators in worlds like a published panel.

The additive design of :mod:`components.simulation.power` has independent errors around unit and
period effects. Here the untreated outcomes are a fitted matrix of rank four plus AR(2) noise: what
unit and period effects get wrong in a cell is then mostly the same in every draw, because it is
the factors that they leave out.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Floats
from components.inference.base import Progress, silent
from components.numerics.conditional_variance import cell_variances, degrees_of_freedom
from components.numerics.leave_one_out import leave_one_out, one_cell_masked
from components.simulation.factor_model import FactorWorld
from components.simulation.power import CHUNK_CELLS, Draws, PowerTables, behaviour, curve

PARTS = {"without factors": ("interactive",), "rank four": ()}
"""What each world leaves out of the fitted model, by name."""


def squared_errors(world: FactorWorld) -> Floats:
    r"""Give the expected squared error of difference in differences in each cell, left out.

    .. math:: b_{js}^2 + \Big(\frac{NT}{(N-1)(T-1)}\Big)^2 \frac{N-1}{N}\,(C\Sigma C)_{ss}

    with :math:`b` the error without noise, :math:`\Sigma` the covariance of a unit's noise and
    :math:`C` what takes the mean over periods off.

    Parameters
    ----------
    world : FactorWorld

    Returns
    -------
    Floats, shape (N, T)
        In squared standard units.
    """
    n, t = world.shape
    bias = leave_one_out(world.systematic, np.ones((n, t), dtype=np.bool_))
    centred = np.eye(t) - 1.0 / t
    noise = np.diag(centred @ world.covariance @ centred) * (n - 1) / n
    spare = (n - 1) * (t - 1) / (n * t)
    found: Floats = bias**2 + noise / spare**2
    return found


def draw(
    world: FactorWorld,
    n_draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
    progress: Progress = silent,
) -> Draws:
    """Simulate panels of one world, with a treated cell drawn at random in each.

    Parameters
    ----------
    world : FactorWorld
    n_draws : int
    rng : numpy.random.Generator
    level : float
        Of the interval; a test rejects below one minus it.
    progress : callable, optional

    Returns
    -------
    Draws
        In units of the root of the mean squared error over cells.
    """
    n, t = world.shape
    size = max(1, CHUNK_CELLS // (n * t))
    squares = squared_errors(world)
    parts = []
    for first in range(0, n_draws, size):
        many = min(size, n_draws - first)
        Y = np.stack([world.draw(rng) for _ in range(many)])
        rows, columns = rng.integers(n, size=many), rng.integers(t, size=many)
        errors = one_cell_masked(Y, rows, columns)
        own = errors[np.arange(many), rows, columns]
        parts.append((own, cell_variances(errors, rows, columns), squares[rows, columns]))
        progress((first + many) / n_draws)
    own, variances, truth = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    critical = student.ppf(0.5 + level / 2, degrees_of_freedom(n - 1, t - 1))
    mean = float(squares.mean())
    return Draws(own / np.sqrt(mean), variances / mean, truth / mean, critical)


def simulate(
    Y: Floats,
    effects: tuple[float, ...],
    n_draws: int,
    seed: int = 0,
    progress: Progress = silent,
) -> PowerTables:
    """Simulate size and power in worlds fitted to a panel, with and without its factors.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Complete, without treated cells.
    effects : tuple of float
        In units of the root mean squared error of an estimate.
    n_draws : int
        Panels of each world.
    seed : int
    progress : callable, optional

    Returns
    -------
    PowerTables
        ``kind`` is a key of ``PARTS``.
    """
    fitted = FactorWorld.calibrated(Y)
    curves: list[pd.DataFrame] = []
    figures: list[pd.DataFrame] = []
    for name, left_out in PARTS.items():
        rng = np.random.default_rng([seed, crc32(name.encode())])
        draws = draw(fitted.without(*left_out), n_draws, rng, progress=progress)
        for tables, table in ((curves, curve(draws, effects)), (figures, behaviour(draws))):
            table.insert(0, "kind", name)
            tables.append(table)
    return PowerTables(pd.concat(curves, ignore_index=True), pd.concat(figures, ignore_index=True))
