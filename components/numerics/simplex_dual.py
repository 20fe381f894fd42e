r"""Ridge least squares on the simplex by Newton's method on the dual, many problems at once.

The problem, for donors with multiplicities :math:`m_j` (1 for a donor that is there once, 0 for
one that is barred, k for one drawn k times in a bootstrap), is

.. math:: \min_w \tfrac12 |X w - y|^2 + \tfrac{\rho}{2} \sum_j w_j^2 / m_j
          \quad\text{s.t.}\quad w \ge 0,\ \sum_j w_j = 1 .

Its dual has one variable per row of X, however many donors there are:

.. math:: \min_\eta \tfrac{\rho}{2}|\eta|^2 - y'\eta + \max_{w \in \Delta}
          \bigl(\eta'Xw - \tfrac12 \sum_j w_j^2 / m_j\bigr) .

The gradient :math:`\rho\eta - y + X\Pi(X'\eta)`, with :math:`\Pi` the projection on the simplex,
is piecewise linear, so Newton's method (Qi and Sun 1993) ends at rounding error after a handful
of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from components.arrays import Bools, Floats
from components.numerics.simplex_problems import second_moments

MAX_STEPS = 60
MAX_STAGES = 16
EASY = 0.3
STAGE = 0.1
LOOSE = 1e-3
MAX_CUTS = 25
OVERSHOOT = 0.3
TIGHT = 1e-15
SETTLED = 1e-12
FEW = 10
LARGE = 40_000
SPARSE = 0.2


def project_simplex(z: Floats, multiplicity: Floats | None = None) -> Floats:
    r"""Project vectors on the simplex, in the metric of the multiplicities.

    Minimises :math:`\tfrac12\sum_j w_j^2/m_j - z'w`; with all :math:`m_j = 1` this is the
    Euclidean projection.

    Parameters
    ----------
    z : Floats, shape (..., J)
        Points to project; an entry of minus infinity gets no weight.
    multiplicity : Floats, shape (..., J), optional
        Positive wherever z is finite.

    Returns
    -------
    Floats, shape (..., J)
        Non-negative, summing to one over the last axis.
    """
    z = z - z.max(axis=-1, keepdims=True)
    if multiplicity is None:
        falling = -np.sort(-z, axis=-1)
        level = (np.cumsum(falling, axis=-1) - 1.0) / np.arange(1.0, z.shape[-1] + 1.0)
        mass: Floats | float = 1.0
    else:
        order = np.argsort(-z, axis=-1)
        falling = np.take_along_axis(z, order, axis=-1)
        sorted_mass = np.take_along_axis(multiplicity, order, axis=-1)
        weighted = sorted_mass * np.where(sorted_mass > 0.0, falling, -1e300)
        level = (np.cumsum(weighted, axis=-1) - 1.0) / np.cumsum(sorted_mass, axis=-1)
        mass = multiplicity
    last = np.count_nonzero(falling > level, axis=-1, keepdims=True) - 1
    projected: Floats = mass * np.maximum(z - np.take_along_axis(level, last, axis=-1), 0.0)
    return projected


def ridge_simplex(
    X: Floats, targets: Floats, ridge: Floats, multiplicity: Floats | None = None
) -> tuple[Floats, Bools]:
    r"""Minimise :math:`|Xw - y|^2 + \rho\sum_j w_j^2/m_j` over the simplex, for B problems.

    Parameters
    ----------
    X : Floats, shape (M, J)
        One column per donor, shared by all problems.
    targets : Floats, shape (B, M)
        The y of each problem.
    ridge : Floats, shape (B,)
        The :math:`\rho > 0` of each, in the units of the squared data.
    multiplicity : Floats, shape (B, J), optional
        How often each donor counts; 1 by default, 0 bars it.

    Returns
    -------
    weights : Floats, shape (B, J)
        Total weight of each donor.
    converged : Bools, shape (B,)
        Whether the duality gap is at rounding error.
    """
    if len(X) > X.shape[1]:
        basis, X = np.linalg.qr(X)
        targets = targets @ basis
    size = float(np.square(X).sum(axis=0).max())
    eta = np.zeros(targets.shape)
    for step in range(MAX_STAGES):
        stage = np.maximum(ridge, size * EASY * STAGE**step)
        if (stage == ridge).all():
            break
        eta, _, _ = _descend(_Problems(X, targets, stage, multiplicity), eta, LOOSE * size)
    allowed = TIGHT * (size + np.square(targets).sum(axis=1))
    _, weights, gap = _descend(_Problems(X, targets, ridge, multiplicity), eta, allowed)
    return weights, gap <= SETTLED / TIGHT * allowed


def _descend(
    problems: _Problems, eta: Floats, allowed: Floats | float
) -> tuple[Floats, Floats, Floats]:
    """Take Newton steps until every duality gap is small enough, or stays at rounding error."""
    limits = np.zeros(len(eta)) + allowed
    eta = eta.copy()
    best = problems.weights(eta)
    gaps = np.full(len(eta), np.inf)
    rows = np.arange(len(eta))
    w, slope = best, problems.slope(eta, best)
    for _ in range(MAX_STEPS):
        gap = problems.gap(slope, w)
        better = gap < gaps[rows]
        best[rows[better]], gaps[rows[better]] = w[better], gap[better]
        stuck = ~better & (gap <= SETTLED / TIGHT * limits[rows])
        open_ = (gap > limits[rows]) & ~stuck
        if not open_.any():
            break
        if not open_.all():
            rows, w, slope = rows[open_], w[open_], slope[open_]
            problems = problems.only(open_)
        eta[rows], w, slope = _search(problems, eta[rows], slope, problems.newton(w, slope))
    return eta, best, gaps


@dataclass(frozen=True)
class _Problems:
    """The dual gradient and Hessian of problems that share their donors."""

    X: Floats
    targets: Floats
    ridge: Floats
    multiplicity: Floats | None

    @cached_property
    def barred(self) -> Bools | None:
        """Donors that a problem may not use, shape (B, J)."""
        return None if self.multiplicity is None else self.multiplicity <= 0.0

    @cached_property
    def mass(self) -> Floats | None:
        """The multiplicities, where they are not just 0 and 1."""
        m = self.multiplicity
        return None if m is None or bool(np.isin(m, (0.0, 1.0)).all()) else m

    def only(self, rows: Bools) -> _Problems:
        """Keep the problems of a mask."""
        m = None if self.multiplicity is None else self.multiplicity[rows]
        return _Problems(self.X, self.targets[rows], self.ridge[rows], m)

    def weights(self, eta: Floats) -> Floats:
        """Primal weights that go with dual points, shape (B, J)."""
        z = eta @ self.X
        if self.barred is not None:
            z[self.barred] = -np.inf
        return project_simplex(z, self.mass)

    def slope(self, eta: Floats, weights: Floats) -> Floats:
        """Gradient of the dual, shape (B, M)."""
        slope: Floats = self.ridge[:, None] * eta - self.targets + weights @ self.X.T
        return slope

    def gap(self, slope: Floats, weights: Floats) -> Floats:
        """Bound the duality gap: what the slope could still gain along the simplex."""
        pull = slope @ self.X
        here = np.einsum("bj,bj->b", pull, weights)
        if self.barred is not None:
            pull[self.barred] = np.inf
        bound: Floats = np.abs(here - pull.min(axis=1))
        return bound

    def newton(self, weights: Floats, slope: Floats) -> Floats:
        r"""Newton steps: solve :math:`\rho I + X(D - mm'/\sum m)X'`, over donors with weight."""
        m = np.where(weights > 0.0, 1.0 if self.mass is None else self.mass, 0.0)
        if len(m) < FEW or self.X.size > LARGE or np.count_nonzero(m) < SPARSE * m.size:
            hessian = np.stack([_second_moment(self.X, row) for row in m])
        else:
            hessian = second_moments(self.X.T, m)
        sums = m @ self.X.T
        hessian -= sums[:, :, None] * (sums / m.sum(axis=1, keepdims=True))[:, None, :]
        diagonal = np.einsum("bii->bi", hessian)
        diagonal += self.ridge[:, None] + 1e-15 * diagonal.max(axis=1, keepdims=True)
        return -np.asarray(np.linalg.solve(hessian, slope[:, :, None])[:, :, 0])


def _second_moment(X: Floats, m: Floats) -> Floats:
    support = np.flatnonzero(m)
    columns = X[:, support] * np.sqrt(m[support])
    return columns @ columns.T


def _search(
    problems: _Problems, eta: Floats, slope: Floats, step: Floats
) -> tuple[Floats, Floats, Floats]:
    """Go along Newton's steps, cutting back where the slope turns up too much."""
    descent = -np.einsum("bm,bm->b", slope, step)
    length = np.ones(len(eta))
    for _ in range(MAX_CUTS):
        trial = eta + length[:, None] * step
        w = problems.weights(trial)
        new = problems.slope(trial, w)
        rise = np.einsum("bm,bm->b", new, step)
        over = rise > OVERSHOOT * np.abs(descent)
        if not over.any():
            break
        cut = descent[over] / (descent[over] + rise[over])
        length[over] *= np.clip(cut, 0.1, 0.5)
    return trial, w, new
