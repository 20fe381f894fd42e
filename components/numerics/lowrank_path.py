"""Cross-validation of a low-rank completion along a path of penalties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.lowrank import Filling
from components.numerics.twoway import TwoWay, identified

TOLERANCE = 3e-5
"""Gradient norm over data norm at which a fit of the path stops."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Cross-validated error along a path of penalties.

    Attributes
    ----------
    penalties : Floats, shape (P,)
        Decreasing, in the unit of measure of Y.
    errors : Floats, shape (P,)
        Mean squared error over held-out cells, averaged over folds; NaN where not tried.
    standard_errors : Floats, shape (P,)
        Standard error of that average over folds; NaN with a single fold.
    """

    penalties: Floats
    errors: Floats
    standard_errors: Floats

    @property
    def best(self) -> int:
        """Position of the smallest error."""
        return int(np.nanargmin(self.errors))

    @property
    def one_standard_error(self) -> int:
        """Position of the largest penalty within one standard error of the smallest error."""
        allowed = self.errors[self.best] + np.nan_to_num(self.standard_errors[self.best])
        return int(np.flatnonzero(self.errors <= allowed)[0])


def draw_folds(
    Y: Floats, observed: Bools, n_folds: int, keep: float, rng: np.random.Generator
) -> Bools:
    """Draw training masks: each observed cell is kept in each fold with the same probability.

    The draws go to units and periods in the order of their residual variance, so that neither
    the order of the rows nor the unit of measure has a say in which cells are held out.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)
    n_folds : int
    keep : float
        Between 0 and 1.
    rng : numpy.random.Generator

    Returns
    -------
    Bools, shape (n_folds, N, T)
        True where the cell is used for training.
    """
    squares = np.square(TwoWay.of(observed).residual(np.nan_to_num(Y)))
    rows, columns = _ranks(squares.sum(axis=1)), _ranks(squares.sum(axis=0))
    kept = rng.random((n_folds, *Y.shape))[:, rows[:, None], columns] < keep
    folds: Bools = kept & observed
    return folds


def cross_validate(
    Y: Floats, observed: Bools, folds: Bools, n_penalties: int, patience: int = 6
) -> Curve | None:
    """Predict the cells that each fold holds out, along a path of decreasing penalties.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    observed : Bools, shape (N, T)
    folds : Bools, shape (F, N, T)
        Training cells of each fold.
    n_penalties : int
        Number of penalties, spaced evenly in logarithms from the largest `penalty_max` of a fold
        down to a thousandth of it.
    patience : int
        The path stops once that many penalties in a row have not improved on the best.

    Returns
    -------
    Curve or None
        None if no fold holds out a cell that its training cells identify, or if the effects
        alone fit every fold exactly.
    """
    paths = [_Path(Y, observed, fold) for fold in folds]
    paths = [path for path in paths if path.held_out.size]
    largest = max((path.filling.penalty_max for path in paths), default=0.0)
    if largest == 0.0:
        return None
    penalties = largest * np.logspace(0.0, -3.0, n_penalties)
    errors = np.full((len(paths), n_penalties), np.nan)
    for p, penalty in enumerate(penalties):
        errors[:, p] = [path.advance(penalty) for path in paths]
        if p - int(errors[:, : p + 1].mean(axis=0).argmin()) >= patience:
            break
    spread = errors.std(axis=0, ddof=1) if len(paths) > 1 else np.full(n_penalties, np.nan)
    return Curve(penalties, errors.mean(axis=0), spread / np.sqrt(len(paths)))


class _Path:
    """One fold's fits along decreasing penalties, each started from those before it."""

    def __init__(self, Y: Floats, observed: Bools, training: Bools) -> None:
        self.filling = Filling(Y, training)
        scored = observed & ~training & identified(training)
        self.held_out = np.flatnonzero(scored[self.filling.block].ravel()[self.filling.missing])
        alpha, beta = self.filling.base
        rest = (Y - alpha[:, None] - beta)[self.filling.block].ravel()[self.filling.missing]
        self.target = rest[self.held_out]
        self.values = np.zeros(self.filling.missing.size)
        self.previous = self.values

    def advance(self, penalty: float) -> float:
        """Fit the next penalty and return the mean squared error over the held-out cells."""
        filling = self.filling
        if penalty < filling.penalty_max:
            start = 1.5 * self.values - 0.5 * self.previous
            point, _ = filling.descend(filling.threshold(penalty), start, TOLERANCE * filling.norm)
            self.previous, self.values = self.values, point.values
        guess = filling.scale * self.values[self.held_out]
        return float(np.square(self.target - guess).mean())


def _ranks(keys: Floats) -> Ints:
    return np.argsort(np.argsort(keys, kind="stable"), kind="stable").astype(np.int64)
