r"""Two-way effects and slopes for many weighted tables at once.

Each table b of a stack minimises
:math:`\sum_{it} w_{it}(Y_{it}-\alpha_i-\beta_t-X_{it}'\gamma)^2`
exactly: effects of the longer side are eliminated, the equations of the shorter side are solved
in one batch, and slopes follow by regression of residuals on residuals (Frisch and Waugh).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints

UNSEEN = -1


@dataclass(frozen=True, eq=False)
class EffectsStack:
    """Fitted effects of B tables.

    Attributes
    ----------
    alpha : Floats, shape (B, N)
    beta : Floats, shape (B, T)
        Zero for a unit or period without weight.
    slopes : Floats, shape (B, K)
    unit_component : Ints, shape (B, N)
    period_component : Ints, shape (B, T)
        Connected component of each unit and period; -1 without weight. A cell is predicted only
        where the two agree.
    """

    alpha: Floats
    beta: Floats
    slopes: Floats
    unit_component: Ints
    period_component: Ints

    def fitted(self, X: Floats) -> Floats:
        """Fit of every cell, shape (B, N, T), with covariates X of shape (B, K, N, T)."""
        total = self.alpha[:, :, None] + self.beta[:, None, :]
        if X.shape[1]:
            flat = X.reshape(len(X), X.shape[1], -1)
            total += (self.slopes[:, None, :] @ flat).reshape(total.shape)
        return total

    def linked(self, rows: Ints, columns: Ints) -> Bools:
        """Whether cells are identified: rows and columns of shape (B, p)."""
        unit = np.take_along_axis(self.unit_component, rows, axis=1)
        period = np.take_along_axis(self.period_component, columns, axis=1)
        same: Bools = (unit == period) & (unit != UNSEEN)
        return same


def effects_stack(Y: Floats, weights: Floats, X: Floats) -> EffectsStack:
    """Fit effects and slopes to every table of a stack.

    Parameters
    ----------
    Y : Floats, shape (B, N, T)
        Finite; values under weight 0 are ignored.
    weights : Floats, shape (B, N, T)
        Non-negative.
    X : Floats, shape (B, K, N, T)
        Covariates, finite; K may be 0.

    Returns
    -------
    EffectsStack
        A slope that the effects leave undetermined is the shortest solution.
    """
    solver = _Normal(weights)
    alpha, beta = solver.fit(weights * Y)
    # A second pass on the residuals restores digits lost where weights lie far apart.
    more = solver.fit(weights * (Y - alpha[:, :, None] - beta[:, None, :]))
    alpha, beta = alpha + more[0], beta + more[1]
    slopes = np.zeros((len(Y), X.shape[1]))
    if X.shape[1]:
        fits = [solver.fit(weights * X[:, k]) for k in range(X.shape[1])]
        level, trend = (np.stack(part, axis=1) for part in zip(*fits, strict=True))
        net = (X - level[..., None] - trend[:, :, None, :]).reshape(len(Y), X.shape[1], -1)
        weighted = net * weights.reshape(len(Y), 1, -1)
        rest = (Y - alpha[:, :, None] - beta[:, None, :]).reshape(len(Y), -1, 1)
        slopes = (np.linalg.pinv(weighted @ net.swapaxes(1, 2), rcond=1e-11) @ weighted @ rest)[
            ..., 0
        ]
        alpha = alpha - (slopes[:, None, :] @ level)[:, 0]
        beta = beta - (slopes[:, None, :] @ trend)[:, 0]
    return EffectsStack(alpha, beta, slopes, solver.units, solver.periods)


def components_stack(linked: Bools) -> tuple[Ints, Ints]:
    """Label connected units and periods in every table of a stack.

    Parameters
    ----------
    linked : Bools, shape (B, N, T)
        Cells that join their unit and their period.

    Returns
    -------
    units : Ints, shape (B, N)
    periods : Ints, shape (B, T)
        Labels from 0; -1 for a unit or period without any cell.
    """
    edges = linked.astype(np.float32)
    units = np.full(linked.shape[:2], UNSEEN, dtype=np.int64)
    periods = np.full((len(linked), linked.shape[2]), UNSEEN, dtype=np.int64)
    seen: Bools = np.asarray(linked.any(axis=1))
    label = 0
    while True:
        open_columns = seen & (periods == UNSEEN)
        if not open_columns.any():
            return units, periods
        columns = np.zeros_like(seen)
        columns[np.arange(len(seen)), open_columns.argmax(axis=1)] = open_columns.any(axis=1)
        reached = 0
        while reached != (reached := int(columns.sum())):
            rows = (edges @ columns[:, :, None].astype(np.float32))[:, :, 0] > 0
            columns |= (rows[:, None, :].astype(np.float32) @ edges)[:, 0] > 0
        units[rows] = label
        periods[columns] = label
        label += 1


class _Normal:
    """Normal equations of the effects, factored once for several outcomes."""

    def __init__(self, weights: Floats) -> None:
        self.units, self.periods = components_stack(weights > 0)
        self.turned = weights.shape[1] < weights.shape[2]
        self.weights = weights.swapaxes(1, 2) if self.turned else weights
        short = self.units if self.turned else self.periods
        rows, columns = self.weights.sum(axis=2), self.weights.sum(axis=1)
        self.rows = np.where(rows > 0, rows, 1.0)
        self.root = np.sqrt(np.where(columns > 0, columns, 1.0))
        half = self.weights / np.sqrt(self.rows)[:, :, None] / self.root[:, None, :]
        system = -(half.swapaxes(1, 2) @ half)
        order = np.arange(system.shape[1])
        system[:, order, order] += 1.0
        # In each component the constant is free; fixing it leaves fits as they are.
        for label in range(int(short.max(initial=UNSEEN)) + 1):
            null = np.where(short == label, self.root, 0.0)
            null /= np.maximum(np.linalg.norm(null, axis=1, keepdims=True), np.finfo(float).tiny)
            system += null[:, :, None] * null[:, None, :]
        self.system = system

    def fit(self, weighted: Floats) -> tuple[Floats, Floats]:
        """Fit the effects to weighted outcomes, shape (B, N, T)."""
        if self.turned:
            weighted = weighted.swapaxes(1, 2)
        means = weighted.sum(axis=2) / self.rows
        gaps = weighted.sum(axis=1) - (means[:, None, :] @ self.weights)[:, 0]
        short = np.linalg.solve(self.system, (gaps / self.root)[:, :, None])[:, :, 0] / self.root
        long = means - (self.weights @ short[:, :, None])[:, :, 0] / self.rows
        return (short, long) if self.turned else (long, short)
