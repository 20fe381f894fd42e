"""Refit an estimator with untreated cells in the place of the treated ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.estimators.base import Estimator, FastPlacebos
from components.estimators.did import DifferenceInDifferences
from components.estimators.trop import TROP
from components.inference.base import Progress
from components.numerics.leave_one_out import leave_one_out
from components.numerics.trop_scores import LeaveOneCellOut
from components.panel import Panel

Sided = Literal["one", "two"]

BATCH = 200  # cells that are left out at once
TOLERANCE = 1e-6  # of their fits, in standard units
FEWEST_WINDOWS = 4  # windows side by side that the untreated periods should hold


@dataclass(frozen=True)
class Windows:
    """Untreated windows that stand in for the treated periods of a block design.

    Attributes
    ----------
    starts : Ints, shape (R,)
        First period of each.
    length : int
        Most periods in one; those at the end of the untreated periods are shorter.
    sided : {"one", "two"}
        Refit on earlier periods only, or on all other untreated ones.
    """

    starts: Ints
    length: int
    sided: Sided

    @classmethod
    def of(cls, n_pre: int, n_post: int, sided: Sided) -> Windows:
        """Choose windows as long as the treatment, but no longer than a fair number of them allows.

        One-sided windows begin in the second half of the untreated periods, so that each refit
        has at least half of them.
        """
        first = (n_pre + 1) // 2 if sided == "one" else 0
        length = min(n_post, max(1, (n_pre - first) // FEWEST_WINDOWS))
        last = n_pre if sided == "one" else n_pre - length + 1
        return cls(np.arange(first, last), length, sided)

    def columns(self, start: int, n_pre: int) -> Ints:
        """Give the periods of the window that begins at ``start``."""
        return np.arange(start, min(start + self.length, n_pre))


def has_windows(panel: Panel) -> bool:
    """Tell whether untreated windows can stand in for the treated periods."""
    return panel.design.kind == "block" and bool(panel.observed.all())


def cell_errors(estimator: Estimator, panel: Panel, progress: Progress) -> Floats:
    """Leave out one untreated cell at a time; treated cells are masked throughout.

    Parameters
    ----------
    estimator : Estimator
    panel : Panel
    progress : callable

    Returns
    -------
    Floats, shape (N, T)
        NaN where there is no error.
    """
    seen = panel.observed & ~panel.W
    table = np.full(panel.shape, np.nan)
    cells = np.argwhere(seen)
    if isinstance(estimator, DifferenceInDifferences) and not estimator.covariates:
        return leave_one_out(panel.Y, seen)
    if isinstance(estimator, TROP) and estimator.form in {"auto", "percell"}:
        # In the standard units of the whole panel, as when the penalties are chosen.
        setup = estimator.setup(panel)
        problem = replace(setup.cells(), rows=cells[:, 0], columns=cells[:, 1])
        score, index = LeaveOneCellOut(problem), np.arange(len(cells))
        for part in np.array_split(index, len(index) // BATCH + 1):
            errors = score.errors([estimator.penalties()], part, tolerance=TOLERANCE)[0]
            table[cells[part, 0], cells[part, 1]] = setup.scale * errors
            progress(float(part[-1] + 1) / len(cells))
        return table
    for number, (row, column) in enumerate(cells):
        table[row, column] = refit(estimator, panel, int(row), np.array([column]))[0]
        progress((number + 1) / len(cells))
    return table


def pattern_errors(estimator: Estimator, panel: Panel, progress: Progress) -> tuple[Floats, Ints]:
    """Put every pattern of treated periods on every never-treated unit.

    Parameters
    ----------
    estimator : Estimator
    panel : Panel
    progress : callable

    Returns
    -------
    across : Floats, shape (P, J, T)
        Errors of the J units over the periods of each of P patterns, NaN elsewhere.
    pattern : Ints, shape (K,)
        Pattern of each treated unit.
    """
    design = panel.design
    controls = np.flatnonzero(~design.treated)
    patterns, pattern = np.unique(panel.W[design.treated], axis=0, return_inverse=True)
    across = np.full((len(patterns), len(controls), panel.shape[1]), np.nan)
    if has_windows(panel) and isinstance(estimator, FastPlacebos):
        gaps = estimator.placebo_gaps(panel, controls[:, None])
        across[0][:, patterns[0]] = gaps[:, patterns[0]]
        return across, pattern.ravel()
    for p, columns in enumerate(patterns):
        for j, row in enumerate(controls):
            seen = np.flatnonzero(columns & panel.observed[row])
            across[p, j, seen] = refit(estimator, panel, int(row), seen)
            progress((p * len(controls) + j + 1) / across[:, :, 0].size)
    return across, pattern.ravel()


def window_errors(
    estimator: Estimator, panel: Panel, windows: Windows, progress: Progress
) -> Floats:
    """Put every window on every unit, the treated ones too: none is treated yet.

    Parameters
    ----------
    estimator : Estimator
    panel : Panel
        A complete block design.
    windows : Windows
    progress : callable

    Returns
    -------
    Floats, shape (N, R, L)
        NaN beyond the end of a shorter window.
    """
    n_pre = panel.design.n_pre
    ahead = np.full((panel.shape[0], len(windows.starts), windows.length), np.nan)
    direct = takes_cells(estimator, panel, windows)
    for number, start in enumerate(windows.starts.tolist()):
        columns = windows.columns(start, n_pre)
        sub = panel if direct else as_block(panel, windows, start)
        if isinstance(estimator, FastPlacebos) and not direct:
            ahead[:, number, : len(columns)] = _all_units(estimator, sub, len(columns))
        else:
            for row in range(panel.shape[0]):
                ahead[row, number, : len(columns)] = refit(estimator, sub, row, columns)
                progress((number + (row + 1) / panel.shape[0]) / len(windows.starts))
        progress((number + 1) / len(windows.starts))
    return ahead


def takes_cells(estimator: Estimator, panel: Panel, windows: Windows) -> bool:
    """Tell whether two-sided windows can be left out where they are, between other periods."""
    cells = one_cell(panel, 0, windows.columns(int(windows.starts[0]), panel.design.n_pre))
    return windows.sided == "two" and estimator.why_not(cells) is None


def why_not_windows(estimator: Estimator, panel: Panel, windows: Windows) -> str | None:
    """Say why the estimator cannot be refitted on the first window, or None.

    Parameters
    ----------
    estimator : Estimator
    panel : Panel
        A complete block design.
    windows : Windows

    Returns
    -------
    str or None
    """
    if takes_cells(estimator, panel, windows):
        return None
    start = int(windows.starts[0])
    columns = windows.columns(start, panel.design.n_pre)
    if windows.sided == "two" and not isinstance(estimator, FastPlacebos):
        return estimator.why_not(one_cell(panel, 0, columns))
    sub = as_block(panel, windows, start)
    return estimator.why_not(one_cell(sub, 0, np.arange(sub.shape[1] - len(columns), sub.shape[1])))


def as_block(panel: Panel, windows: Windows, start: int) -> Panel:
    """Give the untreated periods with one window at their end.

    Parameters
    ----------
    panel : Panel
        A complete block design.
    windows : Windows
    start : int
        First period of the window.

    Returns
    -------
    Panel
        No unit is treated; the window comes after the periods before it, or after all others.
    """
    n_pre = panel.design.n_pre
    inside = windows.columns(start, n_pre)
    if windows.sided == "one":
        order = np.arange(inside[-1] + 1)
        periods = panel.periods[order]
    else:
        order = np.r_[np.setdiff1d(np.arange(n_pre), inside), inside]
        periods = pd.RangeIndex(n_pre)
    return Panel(
        Y=panel.Y[:, order],
        W=np.zeros((panel.shape[0], len(order)), dtype=np.bool_),
        units=panel.units,
        periods=periods,
        outcome=panel.outcome,
        X={name: values[:, order] for name, values in panel.X.items()},
    )


def _all_units(estimator: FastPlacebos, panel: Panel, length: int) -> Floats:
    """Errors of every unit over the last periods, with all others as its donors.

    Fast placebos leave out the treated units, so that one more unit has to be the treated one.
    """
    n, rows = panel.shape[0], np.r_[np.arange(panel.shape[0]), 0]
    W = np.zeros((n + 1, panel.shape[1]), dtype=np.bool_)
    W[n, -length:] = True
    gaps = estimator.placebo_gaps(
        panel.take(rows, repeated=True).reassign(W), np.arange(n)[:, None]
    )
    return gaps[:, -length:]


def one_cell(panel: Panel, row: int, columns: Ints) -> Panel:
    """Treat one unit in some of its untreated cells, with all treated cells masked."""
    W = np.zeros(panel.shape, dtype=np.bool_)
    W[row, columns] = True
    return panel.with_outcomes(np.where(panel.W, np.nan, panel.Y)).reassign(W)


def refit(estimator: Estimator, panel: Panel, row: int, columns: Ints) -> Floats:
    """Errors of one unit in some of its untreated cells, with all treated cells masked."""
    placebo = one_cell(panel, row, columns)
    if panel.design.kind == "block" and estimator.why_not(placebo) is not None:
        placebo = placebo.take(~panel.design.treated)
        row = int(np.flatnonzero(placebo.W.any(axis=1))[0])
    if estimator.why_not(placebo) is not None:
        return np.full(len(columns), np.nan)
    effects = estimator.fit(placebo).effects[row, columns]
    return np.asarray(effects)
