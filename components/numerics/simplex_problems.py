r"""Many small simplex problems on the same donors, as arrays.

.. math:: \min_{w \in \Delta,\ c} \sum_i m_i (x_i'w + c - y_i)^2 + \rho |w|^2

Every problem has its own target y, row multiplicities m, ridge :math:`\rho` and barred donors;
the matrix X is shared. Placebo fits of synthetic control differ in target and barred donors; the
time weights of synthetic DID in samples of units differ in the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from components.arrays import Bools, Floats, Ints

DUST = 16.0 * float(np.finfo(np.float64).eps)


def second_moments(X: Floats, mass: Floats) -> Floats:
    r"""Weighted second moments of the same rows, :math:`\sum_i m_{bi} x_i x_i'`, for B weightings.

    Parameters
    ----------
    X : Floats, shape (R, K)
        Rows.
    mass : Floats, shape (B, R)
        Weight of each row in each weighting.

    Returns
    -------
    Floats, shape (B, K, K)
    """
    size = X.shape[1]
    moments = np.empty((len(mass), size, size))
    for k in range(size):
        moments[:, k, k:] = moments[:, k:, k] = mass @ (X[:, k:] * X[:, [k]])
    return moments


@dataclass(frozen=True)
class SimplexProblems:
    """Problems that share their donors; :mod:`components.numerics.simplex_lockstep` solves them.

    Attributes
    ----------
    X : Floats, shape (R, J)
        One row per observation, one column per donor.
    targets : Floats, shape (B, R)
        The y of each problem.
    ridge : Floats, shape (B,)
        In the units of the squared data.
    mass : Floats, shape (B, R), optional
        How often each row counts; 1 by default.
    barred : Ints, shape (B, n), optional
        Donors that a problem may not use.
    intercept : bool
        Whether the constant c is free.
    """

    X: Floats
    targets: Floats
    ridge: Floats
    mass: Floats | None = None
    barred: Ints | None = None
    intercept: bool = False

    @cached_property
    def grams(self) -> Floats:
        """Half the Hessian of each problem, without ridge: (B, J, J), or (1, J, J) for all."""
        if self.mass is None:
            return np.asarray((self.X.T @ self.X)[None])
        grams = second_moments(self.X, self.mass)
        if self.intercept:
            sums = self.mass @ self.X
            means = sums / self.mass.sum(axis=1)[:, None]
            grams -= sums[:, :, None] * means[:, None, :]
        return grams

    def only(self, rows: Bools | slice) -> Self:
        """Keep some of the problems."""
        return replace(
            self,
            targets=self.targets[rows],
            ridge=self.ridge[rows],
            mass=None if self.mass is None else self.mass[rows],
            barred=None if self.barred is None else self.barred[rows],
        )

    def centred(self) -> Self:
        """Take off what all donors share, and measure the data in units of what is left."""
        shared = self.X.mean(axis=1)
        X, targets = self.X - shared[:, None], self.targets - shared
        if self.intercept:
            X, targets = X - X.mean(axis=0), targets - targets.mean(axis=1, keepdims=True)
        size = float(np.abs(X).max())
        if size <= DUST * float(np.sqrt(len(X))) * float(np.abs(self.X).max()):
            X, size = np.zeros(X.shape), 1.0
        return replace(
            self,
            X=X / size,
            targets=targets / size,
            ridge=self.ridge / size**2,
            intercept=self.intercept and self.mass is not None,
        )

    def gradient(self, weights: Floats) -> tuple[Floats, Floats]:
        """Half the gradient, shape (B, J), and the length of the residual, shape (B,).

        The gradient of barred donors is infinite.
        """
        gaps: Floats = weights @ self.X.T - self.targets
        weighted = gaps
        if self.mass is not None:
            if self.intercept:
                means = np.einsum("br,br->b", gaps, self.mass) / self.mass.sum(axis=1)
                gaps -= means[:, None]
            weighted = gaps * self.mass
        ridge = self.ridge[:, None] * weights
        length = np.einsum("br,br->b", weighted, gaps) + np.einsum("bj,bj->b", ridge, weights)
        half: Floats = weighted @ self.X + ridge
        if self.barred is not None:
            np.put_along_axis(half, self.barred, np.inf, axis=1)
        return half, np.sqrt(length)
