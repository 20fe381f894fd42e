"""What two-way effects get wrong in each cell when that cell is left out, without refitting."""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.twoway import TwoWay

BRIDGE = 1e-9
"""Share of a cell's own residual below which nothing else connects its unit and period."""


def leave_one_out(Y: Floats, seen: Bools) -> Floats:
    r"""Errors of two-way effects in every seen cell, each fitted without that cell.

    With residual r and leverage h of the fit to all seen cells the error is :math:`r/(1-h)`; on a
    complete table :math:`1-h=(N-1)(T-1)/(NT)`.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes; ignored where not seen.
    seen : Bools, shape (N, T)
        Cells to use.

    Returns
    -------
    Floats, shape (N, T)
        In the unit of measure of Y; NaN where a cell is not seen, or where nothing else connects
        its unit and its period.
    """
    if len(seen) < len(seen.T):
        return leave_one_out(Y.T, seen.T).T
    two_way = TwoWay.of(seen)
    if two_way.inverse is None:
        leverage = 1.0 / max(seen.any(axis=1).sum(), 1) + 1.0 / max(seen.any(axis=0).sum(), 1)
        spare = 1.0 - leverage + 1.0 / max(seen.sum(), 1)
        left = np.full(seen.shape, spare)
    else:
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        share = seen / count
        reach = share @ two_way.inverse
        own = (reach * share).sum(axis=1, keepdims=True)
        left = 1.0 - (1.0 / count + np.diag(two_way.inverse) - 2.0 * reach + own)
    errors = np.full(seen.shape, np.nan)
    np.divide(two_way.residual(Y), left, out=errors, where=seen & (left > BRIDGE))
    return errors


def one_cell_masked(Y: Floats, rows: Ints, columns: Ints) -> Floats:
    r"""Errors as :func:`leave_one_out` gives them in many complete tables with one masked cell.

    Parameters
    ----------
    Y : Floats, shape (B, N, T)
        Complete tables.
    rows, columns : Ints, shape (B,)
        The masked cell of each: no other cell's error depends on its outcome.

    Returns
    -------
    Floats, shape (B, N, T)
        The masked cell holds its own error, which is the estimated effect.
    """
    each = np.arange(len(Y))
    _, n, t = Y.shape
    residual = Y - Y.mean(axis=2, keepdims=True)
    residual -= residual.mean(axis=1, keepdims=True)
    spare = (n - 1) * (t - 1) / (n * t)
    target = residual[each, rows, columns] / spare
    hat = np.full(Y.shape, -1.0 / (n * t))
    hat[each, rows] += 1.0 / t
    hat[each, :, columns] += 1.0 / n
    errors: Floats = (residual + hat * target[:, None, None]) / (spare - hat**2 / spare)
    errors[each, rows, columns] = target
    return errors
