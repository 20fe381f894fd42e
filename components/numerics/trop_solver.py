r"""Exact weighted nuclear-norm regressions: the right rank, and a certificate of the optimum.

A fit is the optimum if and only if the weighted residual :math:`Z = 2\,w\circ e` satisfies
:math:`\|Z\|_2 \le \lambda` and agrees with the subgradient of the norm at L. Stationary factors
give the second part; the first is checked for every problem, and wherever it fails the missing
direction is added and the alternation goes on. At L = 0 it says which :math:`\lambda` are so large
that the fit is the two-way one, in closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from components.arrays import Floats, Ints
from components.numerics.nuclear import spectral_norms
from components.numerics.trop_effects import effects_stack
from components.numerics.trop_factors import Factors, Stack, alternate

CHUNK = 200_000
"""Cells that are worked on at once: as much as the second-level cache holds."""

EXCESS = 100.0
"""Relative excess of the dual norm, over the tolerance, that is still taken for the optimum."""

ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Solution:
    """Fits of B problems, read off at their probes.

    Attributes
    ----------
    values : Floats, shape (B, p)
        Fit at the probes, NaN where effects are not identified.
    slopes : Floats, shape (B, K)
    rank : Ints, shape (B,)
        Singular values of L that are not negligible.
    sweeps : Ints, shape (B,)
        Alternations; 0 for the closed form.
    certificate : Floats, shape (B,)
        Dual norm over penalty; at most 1 at the optimum, 0 for an infinite penalty.
    """

    values: Floats
    slopes: Floats
    rank: Ints
    sweeps: Ints
    certificate: Floats


def solve_stack(stack: Stack, *, tolerance: float) -> Solution:
    """Solve every problem of a stack to its optimum.

    Parameters
    ----------
    stack : Stack
        Penalties may be infinite.
    tolerance : float
        Movement of the probes, in the unit of Y, below which a problem is at rest.

    Returns
    -------
    Solution
    """
    if stack.Y.shape[1] < stack.Y.shape[2]:
        stack = stack.turned()
    effects = effects_stack(stack.Y, stack.weights, stack.X)
    each = np.arange(len(stack.Y))[:, None]
    fitted = effects.fitted(stack.X)
    values = fitted[each, stack.rows, stack.columns]
    solution = Solution(
        values=np.where(effects.linked(stack.rows, stack.columns), values, np.nan),
        slopes=effects.slopes.copy(),
        rank=np.zeros(len(each), dtype=np.int64),
        sweeps=np.zeros(len(each), dtype=np.int64),
        certificate=np.zeros(len(each)),
    )
    finite = np.flatnonzero(np.isfinite(stack.penalty) & np.isfinite(solution.values).any(axis=1))
    if not len(finite):
        return solution
    # From here on in deviations from the two-way fit, which is the optimum at L = 0.
    rest = stack.Y[finite] - fitted[finite]
    Z = 2.0 * stack.weights[finite] * rest
    squares, directions = np.linalg.eigh(Z.swapaxes(1, 2) @ Z)
    spectrum = np.sqrt(np.maximum(squares[:, ::-1], 0.0))
    penalty = stack.penalty[finite]
    solution.certificate[finite] = spectrum[:, 0] / penalty
    above = (spectrum > penalty[:, None]).sum(axis=1)
    order = np.argsort(above, kind="stable")
    order = order[above[order] > 0]
    for part in _of_like_rank(order, above):
        place = finite[part]
        problems = replace(stack.take(place), Y=rest[part])
        start = _start(problems, spectrum[part], directions[part], int(above[part[-1]]))
        _settle(problems, start, solution, place, tolerance)
    return solution


def solve_in_chunks(
    make: Callable[[Ints], Stack],
    count: int,
    cells: int,
    *,
    tolerance: float,
    progress: Callable[[float], None] | None = None,
) -> Solution:
    """Solve many problems piece by piece, so that memory stays small.

    Parameters
    ----------
    make : callable
        From problem numbers to their stack.
    count : int
        Number of problems.
    cells : int
        N times T.
    tolerance : float
    progress : callable, optional
        Told the share done.

    Returns
    -------
    Solution
    """
    size = max(1, CHUNK // max(cells, 1))
    parts = []
    for first in range(0, count, size):
        parts.append(
            solve_stack(make(np.arange(first, min(first + size, count))), tolerance=tolerance)
        )
        if progress is not None:
            progress(min(first + size, count) / count)
    return Solution(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("values", "slopes", "rank", "sweeps", "certificate")
        )
    )


def _of_like_rank(order: Ints, above: Ints) -> list[Ints]:
    """Split problems, sorted by likely rank, so that none carries many idle columns."""
    parts: list[Ints] = []
    while len(order):
        limit = max(above[order[0]] + 2, int(1.3 * above[order[0]]))
        count = int(np.searchsorted(above[order], limit, side="right"))
        parts.append(order[:count])
        order = order[count:]
    return parts


def _start(stack: Stack, spectrum: Floats, directions: Floats, above: int) -> Floats:
    """Begin at the first proximal step from L = 0, with one column to spare."""
    rank = min(above + 1, stack.Y.shape[2])
    top = spectrum[:, :rank]
    heaviest = stack.weights.max(axis=(1, 2))
    size = np.maximum(top - stack.penalty[:, None], 0.01 * top[:, :1]) / (2.0 * heaviest[:, None])
    columns = directions[:, :, ::-1][:, :, :rank].swapaxes(1, 2) * np.sqrt(size)[:, :, None]
    return np.concatenate([columns, np.zeros_like(columns[:, :1])], axis=1)


def _settle(stack: Stack, start: Floats, solution: Solution, place: Ints, tolerance: float) -> None:
    """Alternate, certify, add what is missing; then add the outcome to the two-way solution."""
    each, todo = np.arange(len(place))[:, None], np.arange(len(place))
    values, slopes = solution.values[place], solution.slopes[place]
    for _ in range(ROUNDS):
        factors = alternate(stack, start, tolerance=tolerance)
        fitted = factors.fitted()
        if stack.n_covariates:
            fitted += stack.explained(factors.slopes)
        Z = 2.0 * stack.weights * (stack.Y - fitted)
        excess = spectral_norms(Z) / stack.penalty
        at = place[todo]
        solution.values[at] = values[todo] + fitted[each, stack.rows, stack.columns]
        solution.slopes[at] = slopes[todo] + factors.slopes
        solution.certificate[at] = excess
        solution.sweeps[at] += factors.sweeps
        solution.rank[at] = _ranks(factors)
        short = np.flatnonzero(excess > 1.0 + EXCESS * tolerance)
        if not len(short):
            return
        start = _enlarged(factors, Z, stack, short)
        stack, todo, each = stack.take(short), todo[short], each[: len(short)]


def _enlarged(factors: Factors, Z: Floats, stack: Stack, short: Ints) -> Floats:
    """Give problems whose certificate failed the direction in which it failed."""
    right = factors.right[short]
    Z = Z[short]
    squares, directions = np.linalg.eigh(Z.swapaxes(1, 2) @ Z)
    top = np.sqrt(np.maximum(squares[:, -1], 0.0))
    heaviest = stack.weights[short].max(axis=(1, 2))
    size = np.maximum(top - stack.penalty[short], 0.0) / (2.0 * heaviest)
    column = directions[:, :, -1] * np.sqrt(size)[:, None]
    if right.shape[1] - 1 < right.shape[2]:
        return np.concatenate([column[:, None, :], right], axis=1)
    # Full rank already: put it in the place of the weakest column.
    weakest = (right[:, :-1] ** 2).sum(axis=2).argmin(axis=1)
    right = right.copy()
    right[np.arange(len(short)), weakest] += column
    return right


def _ranks(factors: Factors) -> Ints:
    """Count singular values of L = U V' above a millionth of the largest."""
    U, V = factors.left[:, :-1], factors.right[:, :-1]
    squares, axes = np.linalg.eigh(U @ U.swapaxes(1, 2))
    rooted = np.sqrt(np.maximum(squares, 0.0))[:, :, None] * axes.swapaxes(1, 2) @ V
    values = np.linalg.eigvalsh(rooted @ rooted.swapaxes(1, 2))
    count: Ints = (values > 1e-12 * values[:, -1:]).sum(axis=1)
    return count
