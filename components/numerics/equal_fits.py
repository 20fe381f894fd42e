r"""The ends of what weights on the simplex can say while they fit nearly as well as the best.

.. math:: \max_{w \in \Delta}\ c'w \quad\text{s.t.}\quad |P w| \le R

With the multiplier of the ball written as :math:`1/(2t)` the solution minimises
:math:`|P w|^2 - 2t\,c'w`. Its distance :math:`|P w(t)|` grows with t and w(t) is piecewise linear,
so that t is bracketed by halving and the last piece is solved for exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from components.arrays import Floats
from components.numerics.simplex_active import active_set

SMALLEST, LARGEST = 1e-9, 1e9  # of t, with costs and distances scaled to one
HALVINGS = 200
PERFECT = 1e-8  # distance, in the donors' spread, that counts as none
TIGHT = 1e-12


@dataclass(frozen=True)
class Extreme:
    """The weights at one end.

    Attributes
    ----------
    weights : Floats, shape (J,)
        On the simplex.
    value : float
        c'w.
    gap : float
        How much higher any weights in the set could be, by the dual problem; rounding error.
    """

    weights: Floats
    value: float
    gap: float


def highest_in_ball(P: Floats, start: Floats, costs: Floats, radius: float) -> Extreme:
    """Maximise a linear form over the weights whose distance is at most the radius.

    Parameters
    ----------
    P : Floats, shape (M, J)
        Donors minus target.
    start : Floats, shape (J,)
        Weights inside the ball.
    costs : Floats, shape (J,)
        The c.
    radius : float
        R, in the units of P.

    Returns
    -------
    Extreme
    """
    spread = float(np.ptp(P, axis=1).max())
    size = float(np.ptp(costs))
    if spread == 0.0 or size == 0.0:
        return Extreme(start, float(costs @ start), 0.0)
    X, c, R = P / spread, (costs - costs.mean()) / size, radius / spread
    if PERFECT * np.sqrt(len(X)) >= R:
        w, gap = _exact_fits(X, start, c)
    else:
        w, gap = _on_the_path(X, start, c, R)
    return Extreme(w, float(costs @ w), gap * size)


def _on_the_path(X: Floats, start: Floats, c: Floats, R: float) -> tuple[Floats, float]:
    corner = np.zeros(len(c))
    corner[int(c.argmax())] = 1.0
    if float(np.linalg.norm(X @ corner)) <= R:
        return corner, 0.0
    low, high = SMALLEST, LARGEST
    inside, outside = start, active_set(X, 0.0, corner, -2.0 * high * c)
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        w = active_set(X, 0.0, inside, -2.0 * middle * c)
        if float(np.linalg.norm(X @ w)) <= R:
            low, inside = middle, w
        else:
            high, outside = middle, w
        if np.array_equal(inside > 0.0, outside > 0.0) and high <= 2.0 * low:
            break
        if high <= low * (1.0 + TIGHT):
            break
    w = inside + _step_to(X @ inside, X @ (outside - inside), R) * (outside - inside)
    return w, _gap(X, w, c, R)


def _step_to(here: Floats, along: Floats, R: float) -> float:
    """How far to go for the distance to become R."""
    a, b, gap = float(along @ along), float(here @ along), float(here @ here) - R * R
    if a == 0.0:
        return 0.0
    root = float(np.sqrt(max(b * b - a * gap, 0.0)))
    step = -gap / (b + root) if b > 0.0 else (root - b) / a
    return float(np.clip(step, 0.0, 1.0))


def _gap(X: Floats, w: Floats, c: Floats, R: float) -> float:
    """Bound from above what is missing, with the best multiplier of the ball.

    For every multiplier m the value at most rises by ``max_j g_j - w'g`` with
    ``g = c - m X'Xw``, since the ball's constraint holds with equality.
    """
    pull = X.T @ (X @ w)
    used = w > 0.0
    design = np.column_stack([pull[used], np.ones(int(used.sum()))])
    multiplier = max(float(np.linalg.lstsq(design, c[used], rcond=None)[0][0]), 0.0)
    g = c - multiplier * pull
    slack = multiplier * max(R * R - float(np.square(X @ w).sum()), 0.0) / 2.0
    return max(float(g.max() - w @ g), 0.0) + slack


def _exact_fits(X: Floats, start: Floats, c: Floats) -> tuple[Floats, float]:
    """Maximise over all weights with the same fitted values: a linear programme."""
    A = np.vstack([X, np.ones(len(c))])
    found = linprog(-c, A_eq=A, b_eq=A @ start, bounds=(0.0, None), method="highs")
    if not found.success:
        return start, 0.0
    w = np.maximum(found.x, 0.0)
    w /= w.sum()
    return w, max(float(c @ start - c @ w), 0.0)
