r"""Cell-by-cell fits of the triply robust estimator: closed form and low rank.

With an infinite penalty on the low-rank part, a cell's fit is a weighted two-way regression whose
weights are a product :math:`\omega_j\theta_s` times the mask of untreated cells. Units that share
their mask then act as one, and so do periods: sums over classes leave a table of classes by
classes, three by three for a block design, however large the panel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.trop_factors import Stack
from components.numerics.trop_lines import Lines
from components.numerics.trop_solver import Solution, solve_in_chunks
from components.numerics.trop_weights import Distance, UnitDistances, decay

FEW_CLASSES = 4
"""Classes of units or of periods up to which one decomposition for each pays in any panel."""

GRID_CELLS = 2_000_000
"""Largest number of class cells held at once by the closed form."""


@dataclass(frozen=True)
class Penalties:
    """The three penalties, in the units in which Y is given.

    Attributes
    ----------
    unit : float
        Rate at which weights fall with the distance between units, in 1/Y.
    time : float
        Rate at which weights fall with the distance between periods, per period.
    nn : float
        Weight of the nuclear norm, in Y; may be infinite.
    """

    unit: float
    time: float
    nn: float


Choices = Sequence[Penalties]
"""One set of penalties for each problem."""


def column(penalties: Choices, name: str) -> Floats:
    """Gather one penalty of every problem, shape (B,)."""
    return np.array([getattr(choice, name) for choice in penalties], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class CellProblem:
    """Untreated outcomes of some cells, each predicted without that cell.

    Attributes
    ----------
    Y : Floats, shape (N, T)
        Finite wherever seen.
    seen : Bools, shape (N, T)
        Untreated, observed cells: all that the fits may use.
    rows, columns : Ints, shape (C,)
        The cells to predict.
    X : Floats, shape (K, N, T)
        Covariates, finite; K may be 0.
    distance : {"levels", "demeaned"}
    """

    Y: Floats
    seen: Bools
    rows: Ints
    columns: Ints
    X: Floats
    distance: Distance = "levels"

    @cached_property
    def clean(self) -> Floats:
        """Outcomes with 0 in the place of everything that must not be looked at."""
        return np.where(self.seen, self.Y, 0.0)

    @cached_property
    def distances(self) -> Floats:
        """Distances of all units from each cell's unit, shape (C, N)."""
        table = UnitDistances.of(self.Y, self.seen, self.distance)
        return table.to(self.rows, self.columns)

    def weights(self, penalties: Choices, index: Ints) -> tuple[Floats, Floats]:
        """Weights of units, shape (B, N), and of periods, shape (B, T), for some of the cells."""
        gap = np.abs(np.arange(self.Y.shape[1]) - self.columns[index][:, None])
        theta = decay(gap.astype(np.float64), column(penalties, "time"))
        return decay(self.distances[index], column(penalties, "unit")), theta

    def predict(self, penalties: Choices, index: Ints, *, tolerance: float = 1e-6) -> Floats:
        """Predict cells.

        Parameters
        ----------
        penalties : sequence of Penalties, length B
        index : Ints, shape (B,)
            Numbers of the cells.
        tolerance : float
            In the unit of Y.

        Returns
        -------
        Floats, shape (B,)
            NaN where the unit and the period of a cell are not connected.
        """
        closed = np.isinf(column(penalties, "nn")) & (len(self.X) == 0)
        values = np.empty(len(index))
        flat, other = np.flatnonzero(closed), np.flatnonzero(~closed)
        values[flat] = self._closed_form([penalties[int(k)] for k in flat], index[flat])
        if len(other):
            chosen = [penalties[int(k)] for k in other]
            values[other] = self.solve(chosen, index[other], tolerance=tolerance).values[:, 0]
        return values

    def solve(
        self,
        penalties: Choices,
        index: Ints,
        *,
        tolerance: float,
        progress: Callable[[float], None] | None = None,
    ) -> Solution:
        """Fit cells one by one with the general solver; the probe of each fit is its cell."""
        return solve_in_chunks(
            lambda part: self.stack([penalties[k] for k in part], index[part]),
            len(index),
            self.Y.size,
            tolerance=tolerance,
            progress=progress,
        )

    def stack(self, penalties: Choices, index: Ints) -> Stack:
        """Set up the regressions of some cells."""
        omega, theta = self.weights(penalties, index)
        weights = omega[:, :, None] * theta[:, None, :] * self.seen
        weights[np.arange(len(index)), self.rows[index], self.columns[index]] = 0.0
        i, t = self.rows[index], self.columns[index]
        units, periods, _ = self._classes
        return Stack(
            Y=np.broadcast_to(self.clean, weights.shape),
            weights=weights,
            penalty=column(penalties, "nn"),
            X=np.broadcast_to(self.X, (len(index), *self.X.shape)),
            rows=i[:, None],
            columns=t[:, None],
            units=_lines(units, self.seen, omega, theta, i, t),
            periods=_lines(periods, self.seen.T, theta, omega, t, i),
        )

    @cached_property
    def _classes(self) -> tuple[Floats, Floats, Bools]:
        """Indicators of unit classes (N, G) and period classes (T, H), and their mask (G, H)."""
        row_masks, row_class = np.unique(self.seen, axis=0, return_inverse=True)
        column_masks, column_class = np.unique(self.seen, axis=1, return_inverse=True)
        units = np.eye(len(row_masks))[row_class.ravel()]
        periods = np.eye(column_masks.shape[1])[column_class.ravel()]
        first_of_class = np.array(
            [column_class.ravel().tolist().index(h) for h in range(periods.shape[1])]
        )
        return units, periods, row_masks[:, first_of_class]

    def _closed_form(self, penalties: Choices, index: Ints) -> Floats:
        units, periods, _ = self._classes
        size = max(1, GRID_CELLS // ((units.shape[1] + 1) * (periods.shape[1] + 1)))
        parts = [
            self._closed_form_part(penalties[first : first + size], index[first : first + size])
            for first in range(0, len(index), size)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _closed_form_part(self, penalties: Choices, index: Ints) -> Floats:
        """Collapse to classes, the cell's own unit and period last, and fit the small table."""
        units, periods, mask = self._classes
        i, t, each = self.rows[index], self.columns[index], np.arange(len(index))
        omega, theta = self.weights(penalties, index)
        omega[each, i] = theta[each, t] = 0.0
        G, H = mask.shape
        weights = np.zeros((len(index), G + 1, H + 1))
        sums = np.zeros_like(weights)
        weights[:, :G, :H] = (omega @ units)[:, :, None] * (theta @ periods)[:, None, :] * mask
        weights[:, G, :H] = (theta * self.seen[i]) @ periods
        weights[:, :G, H] = (omega * self.seen[:, t].T) @ units
        for g in range(G):
            members = np.flatnonzero(units[:, g])
            sums[:, g, :H] = (theta * (omega[:, members] @ self.clean[members])) @ periods
        sums[:, G, :H] = (theta * self.clean[i]) @ periods
        sums[:, :G, H] = (omega * self.clean[:, t].T) @ units
        return corner_predictions(weights, sums)


def _lines(
    classes: Floats, seen: Bools, along: Floats, across: Floats, own: Ints, out: Ints
) -> Lines | None:
    """Classes of the lines of a table, and one for each cell's own line, without that cell."""
    n_lines, n_classes = classes.shape
    if n_classes + 1 > max(FEW_CLASSES, n_lines // 8):
        return None
    each = np.arange(len(own))
    member = np.tile(classes.argmax(axis=1), (len(own), 1))
    member[each, own] = n_classes
    masks = np.concatenate(
        [np.tile(seen[classes.argmax(axis=0)], (len(own), 1, 1)), seen[own][:, None]], axis=1
    )
    masks[each, -1, out] = False
    return Lines(along, member, masks * across[:, None])


def corner_predictions(weights: Floats, sums: Floats) -> Floats:
    r"""Two-way fit of the last row and last column of many small tables.

    A table is an electric network: rows and columns are nodes, each cell is a wire whose
    conductance is its weight and whose voltage is its mean outcome, and the fit is the voltage
    between the last row and the last column. Eliminating a node joins its neighbours by wires of
    conductance :math:`c_{ik}c_{kj}/\sum_j c_{kj}` that carry the sum of both voltages. Conductances
    are never subtracted, so the answer keeps its digits however far the weights lie apart.

    Parameters
    ----------
    weights : Floats, shape (B, G, H)
        Total weight of each class cell; the last corner is 0.
    sums : Floats, shape (B, G, H)
        Weighted sum of outcomes of each class cell.

    Returns
    -------
    Floats, shape (B,)
        Effect of the last row plus effect of the last column; NaN where not connected.
    """
    if weights.shape[1] < weights.shape[2]:
        weights, sums = weights.swapaxes(1, 2), sums.swapaxes(1, 2)
    size, _, order = weights.shape
    inner, rest = weights[:, :-1], sums[:, :-1]
    total = inner.sum(axis=2, keepdims=True)
    share = inner / np.where(total > 0, total, 1.0)
    # Columns are nodes 0..H-1 and the last row is node H; a current is conductance times voltage.
    conductance = np.zeros((size, order + 1, order + 1))
    current = np.zeros_like(conductance)
    conductance[:, :order, :order] = share.swapaxes(1, 2) @ inner
    half = share.swapaxes(1, 2) @ rest
    current[:, :order, :order] = half - half.swapaxes(1, 2)
    conductance[:, order, :order] = conductance[:, :order, order] = weights[:, -1]
    current[:, order, :order] = sums[:, -1]
    current[:, :order, order] = -sums[:, -1]
    order_inside = np.arange(order + 1)
    conductance[:, order_inside, order_inside] = 0.0
    while conductance.shape[1] > 2:
        wires, flows = conductance[:, 0, 1:], current[:, 0, 1:]
        total = wires.sum(axis=1, keepdims=True)
        parts = wires / np.where(total > 0, total, 1.0)
        through = parts[:, :, None] * flows[:, None, :]
        conductance = conductance[:, 1:, 1:] + parts[:, :, None] * wires[:, None, :]
        current = current[:, 1:, 1:] + through - through.swapaxes(1, 2)
        inside = np.arange(conductance.shape[1])
        conductance[:, inside, inside] = 0.0
    last, flow = conductance[:, 1, 0], current[:, 1, 0]
    voltage: Floats = np.divide(flow, last, out=np.full(size, np.nan), where=last > 0)
    return voltage
