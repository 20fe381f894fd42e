"""Cells without an outcome: kept, left out with their unit or period, or interpolated."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from components.arrays import Bools, Floats
from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.roles import Gaps
from components.errors import DataError
from components.panel import Panel, period_label, unit_label


def close_gaps(panel: Panel, how: Gaps | None) -> tuple[Panel, list[Entry]]:
    """Do with the gaps of a panel what was chosen.

    Parameters
    ----------
    panel : Panel
    how : {"drop_units", "drop_periods", "interpolate"}, optional
        None keeps the gaps. Interpolation draws a straight line in time between the outcomes
        before and after a gap, where all cells from one to the other are treated or none is; it
        never reaches beyond the first or last known outcome, nor across the start of treatment.

    Returns
    -------
    panel : Panel
    entries : list of Entry
        What was left out or filled in, and where.

    Raises
    ------
    DataError
        Where too little would be left.
    """
    missing = ~panel.observed
    if how is None or not missing.any():
        return panel, []
    if how == "drop_units":
        gone = np.asarray(missing.any(axis=1))
        return _left(panel.take, ~gone, "unit", [unit_label(u) for u in panel.units[gone]])
    if how == "drop_periods":
        gone = np.asarray(missing.any(axis=0))
        names = [period_label(period) for period in panel.periods[gone]]
        return _left(panel.window, ~gone, "period", names)
    Y = _interpolated(panel)
    filled = missing & ~np.isnan(Y)
    left = int((missing & np.isnan(Y)).sum())
    rest = (
        f" {counted(left, 'cell')} at the ends of a unit or next to its first treated period stay "
        "empty."
        if left
        else ""
    )
    sentence = (
        f"{counted(int(filled.sum()), 'outcome')} interpolated between the unit's known ones "
        f"before and after, as chosen.{rest}"
    )
    places = [panel.cell_name(int(i), int(t)) for i, t in np.argwhere(filled)[:MAX_PLACES]]
    entry = Entry("filled", sentence, int(filled.sum()), tuple(places))
    return panel.with_outcomes(Y), [entry]


def _left(
    take: Callable[[Bools], Panel], keep: Bools, noun: str, names: list[str]
) -> tuple[Panel, list[Entry]]:
    if keep.sum() < 2:
        raise DataError(
            f"Only {counted(int(keep.sum()), noun)} would be left: the others have gaps.",
            hint="Choose another way with the gaps, or fill them in the file.",
        )
    sentence = f"{counted(len(names), noun)} with a missing outcome left out, as chosen."
    places = tuple(shown(name) for name in names[:MAX_PLACES])
    return take(keep), [Entry("dropped", sentence, len(names), places)]


def _interpolated(panel: Panel) -> Floats:
    stamps = panel.periods
    time = (stamps.asi8 if hasattr(stamps, "asi8") else stamps.to_numpy()).astype(np.float64)
    Y = panel.Y.copy()
    for row in np.flatnonzero((~panel.observed).any(axis=1)):
        known = np.flatnonzero(panel.observed[row])
        changes = np.append(0, np.cumsum(np.diff(panel.W[row].astype(np.int8)) != 0))
        for before, after in pairwise(known.tolist()):
            if after > before + 1 and changes[before] == changes[after]:
                gap = slice(before + 1, after)
                Y[row, gap] = np.interp(time[gap], time[[before, after]], Y[row, [before, after]])
    return Y
