"""What an estimator gets wrong in untreated cells that it has not seen, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats, Ints
from components.estimators.base import Estimate
from components.inference.base import Progress
from components.inference.placebo_refits import (
    Windows,
    cell_errors,
    has_windows,
    one_cell,
    pattern_errors,
    takes_cells,
    why_not_windows,
    window_errors,
)
from components.inference.refits import fixed
from components.numerics.conditional_variance import Target, independent_windows


@dataclass(frozen=True, eq=False)
class PlaceboErrors:
    """Placebo errors of one estimate, and the variances of any average that they give.

    Attributes
    ----------
    estimate : Estimate
    table : Floats, shape (N, T)
        One error for each untreated cell, NaN where there is none: with one-sided windows one
        period ahead; after treatment begins in a block design, that of the controls.
    across : Floats, shape (P, J, T)
        Errors of the J never-treated units over each of P patterns of treated periods.
    pattern : Ints, shape (K,)
        Pattern of each treated unit.
    windows : Windows or None
        Of a block design; None where single cells stand in for the treated ones.
    ahead : Floats, shape (N, R, L)
        Errors of all units in each window; empty without windows.
    """

    estimate: Estimate
    table: Floats
    across: Floats
    pattern: Ints
    windows: Windows | None
    ahead: Floats

    def target(self, cells: Bools) -> Target:
        """Gather what speaks for the average over some treated cells.

        Parameters
        ----------
        cells : Bools, shape (N, T)
            Treated cells that enter the average, each alike.

        Returns
        -------
        Target
        """
        panel = self.estimate.panel
        controls = np.flatnonzero(~panel.design.treated)
        everyone = np.flatnonzero(panel.design.treated)
        inside = cells[everyone].any(axis=1)
        treated, patterns = everyone[inside], self.pattern[inside]
        own = cells[treated]
        across = np.stack(
            [_row_means(self.across[p][:, c]) for p, c in zip(patterns, own, strict=True)]
        )
        if self.windows is None:
            base = self.table
            like = [np.square(self.table[controls][:, c]) for c in own]
            worth = np.isfinite(base).sum(axis=1).astype(np.float64)
        else:
            base, like, worth = self._windowed(own, patterns)
        donors = self.estimate.effective_donors
        return Target(
            base=base,
            treated=treated,
            controls=controls,
            shares=own.sum(axis=1) / own.sum(),
            across=across,
            yardstick=np.array([_mean(square) for square in like]),
            windows=worth,
            donors=donors if np.isfinite(donors) else float(len(controls)),
        )

    def _windowed(self, own: Bools, patterns: Ints) -> tuple[Floats, list[Floats], Floats]:
        """Average base errors over windows as long as the treated periods, or as windows go."""
        windows, n_pre = self.windows, self.estimate.panel.design.n_pre
        assert windows is not None
        steps = np.flatnonzero(own.any(axis=0)) - n_pre
        if len(steps) == 1:
            first = last = min(int(steps[0]), windows.length - 1)
            length = 1
        else:
            first, last = 0, min(len(steps), windows.length) - 1
            length = last + 1
        whole = windows.starts + last < n_pre
        base = self.ahead[:, whole, first : last + 1].mean(axis=2)
        like = [
            np.square(self.across[p][:, n_pre + first : n_pre + last + 1].mean(axis=1))
            for p in patterns
        ]
        worth = independent_windows(windows.starts[whole], length)
        return base, like, np.full(len(base), worth)

    def frame(self) -> pd.DataFrame:
        """Give the errors as a table of units by periods."""
        panel = self.estimate.panel
        return pd.DataFrame(self.table, index=panel.units, columns=panel.periods)


def placebo_errors(
    estimate: Estimate, sided: Literal["auto", "one", "two"], progress: Progress
) -> PlaceboErrors:
    """Refit the estimator on every placebo, with its tuning held.

    Parameters
    ----------
    estimate : Estimate
    sided : {"auto", "one", "two"}
        Whether placebo windows in a block design are predicted from earlier periods only;
        ``"auto"`` does so.
    progress : callable

    Returns
    -------
    PlaceboErrors
    """
    panel, estimator = estimate.panel, fixed(estimate)
    if not has_windows(panel):
        table = cell_errors(estimator, panel, lambda share: progress(0.7 * share))
        across, pattern = pattern_errors(
            estimator, panel, lambda share: progress(0.7 + 0.3 * share)
        )
        return PlaceboErrors(estimate, table, across, pattern, None, np.zeros((len(table), 0, 0)))
    design = panel.design
    windows = Windows.of(design.n_pre, design.n_post, "two" if sided == "two" else "one")
    table = np.full(panel.shape, np.nan)
    across, pattern = pattern_errors(estimator, panel, lambda share: progress(0.3 * share))
    if windows.length == 1 and takes_cells(estimator, panel, windows):
        table = cell_errors(estimator, panel, lambda share: progress(0.3 + 0.7 * share))
        ahead = table[:, : design.n_pre, None]
        if design.n_post == 1:
            across = table[None, ~design.treated]
    else:
        ahead = window_errors(estimator, panel, windows, lambda share: progress(0.3 + 0.7 * share))
        table[:, windows.starts] = ahead[:, :, 0]
    table[~design.treated, design.n_pre :] = across[0][:, design.n_pre :]
    return PlaceboErrors(estimate, table, across, pattern, windows, ahead)


def why_not_placebos(estimate: Estimate, sided: Literal["auto", "one", "two"]) -> str | None:
    """Say why the estimator cannot be refitted on placebos, or None.

    Parameters
    ----------
    estimate : Estimate
    sided : {"auto", "one", "two"}

    Returns
    -------
    str or None
    """
    panel, estimator, design = estimate.panel, fixed(estimate), estimate.panel.design
    title = estimator.card.title
    if design.n_controls < 2:
        return (
            "Conditional variance compares with at least two never-treated units, and there "
            f"{'is' if design.n_controls == 1 else 'are'} {design.n_controls}."
        )
    if not has_windows(panel):
        if sided == "one":
            return (
                "One-sided time placebos need a complete table in which all treated units start "
                "in one period and stay: choose two-sided ones."
            )
        row, column = np.argwhere(panel.observed & ~panel.W)[0]
        reason = estimator.why_not(one_cell(panel, int(row), np.array([column])))
        return f"{title} cannot be refitted for single cells. {reason}" if reason else None
    windows = Windows.of(design.n_pre, design.n_post, "two" if sided == "two" else "one")
    if len(windows.starts) < 2:
        return (
            f"There are {design.n_pre} periods before treatment: too few for two placebo windows "
            "that are refitted on the others."
        )
    reason = why_not_windows(estimator, panel, windows)
    return f"{title} cannot be refitted on placebo windows. {reason}" if reason else None


def _row_means(values: Floats) -> Floats:
    seen = np.isfinite(values)
    count = seen.sum(axis=1)
    total = np.where(seen, values, 0.0).sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return means


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
