r"""Ridge regressions of all lines of a table whose weights are products.

Where the weight of a cell is :math:`\omega_i\theta_t` times a mask, lines that share their mask
share their normal equations up to a factor: :math:`\omega_i G + \rho I`. One eigendecomposition of
G then solves all of them, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints

TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Lines:
    """Weights of the lines (rows, or columns) of B tables: a scale times those of a class.

    Attributes
    ----------
    scale : Floats, shape (B, M)
        Factor of each line.
    member : Ints, shape (B, M)
        Class of each line.
    cross : Floats, shape (B, C, S)
        Weights along the lines of each class.
    """

    scale: Floats
    member: Ints
    cross: Floats

    def take(self, keep: Bools | Ints) -> Lines:
        """Keep some of the tables."""
        return Lines(self.scale[keep], self.member[keep], self.cross[keep])


def regress_lines(
    given: Floats, lines: Lines, targets: Floats, ridge: Floats
) -> tuple[Floats, Floats]:
    """Regress every line on given factors and a constant.

    Parameters
    ----------
    given : Floats, shape (B, q, S)
        Factors along the lines, and last the effects to take off the outcome first.
    lines : Lines
    targets : Floats, shape (B, 1 + K, S, M)
        Weighted outcome, then weighted covariates.
    ridge : Floats, shape (B,)
        On the factors, not on the constant.

    Returns
    -------
    solution : Floats, shape (B, 1 + K, q, M)
    scores : Floats, shape (B, 1 + K, q, M)
        Right-hand sides of the normal equations.
    """
    features = given.copy()
    features[:, -1] = 1.0
    weighted = features[:, None] * lines.cross[:, :, None, :]
    gram = weighted @ features[:, None].swapaxes(2, 3)
    scores = features[:, None] @ targets
    each = np.arange(len(given))[:, None]
    net = (weighted @ given[:, None, -1, :, None])[..., 0]
    scores[:, 0] -= (net[each, lines.member] * lines.scale[:, :, None]).swapaxes(1, 2)

    slope, total = gram[:, :, :-1, -1], gram[:, :, -1, -1] + TINY
    mean = slope / total[:, :, None]
    spread, axes = np.linalg.eigh(gram[:, :, :-1, :-1] - slope[..., None] * mean[:, :, None, :])
    spread = np.maximum(spread, 0.0)
    constant = scores[:, :, -1]
    solution = np.zeros_like(scores)
    for c in range(lines.cross.shape[1]):
        own = lines.member == c
        factor = np.divide(
            1.0, spread[:, c, :, None] * lines.scale[:, None, :] + ridge[:, None, None]
        )
        factor *= own[:, None, :]
        right = scores[:, :, :-1] - mean[:, None, c, :, None] * constant[:, :, None, :]
        Q = axes[:, None, c]
        part = Q @ ((Q.swapaxes(2, 3) @ right) * factor[:, None])
        solution[:, :, :-1] += part
        mass = lines.scale * total[:, c, None] + TINY
        level = constant / mass[:, None] - (mean[:, None, c, None, :] @ part)[:, :, 0]
        solution[:, :, -1] += level * own[:, None]
    return solution, scores
