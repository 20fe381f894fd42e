"""One half of an alternation: every line of many tables is regressed on given factors."""

from __future__ import annotations

import numpy as np

from components.arrays import Floats
from components.numerics.trop_lines import Lines, regress_lines

SMALL_SYSTEM = 20
"""Up to this order, one elimination vectorised over many systems beats a call of LAPACK each."""

BLOCK = 300_000
"""Entries of small systems that are set up at once: they should stay in the cache."""

LINES_FROM = 5
"""Order from which one decomposition for each class of lines beats one system for each line."""

TINY = 1e-300


def regress(
    given: Floats,
    weights: Floats,
    targets: Floats,
    moments: Floats,
    ridge: Floats,
    lines: Lines | None,
) -> tuple[Floats, Floats, Floats]:
    """Regress every line of the table on given factors and a constant, and all on covariates.

    Parameters
    ----------
    given : Floats, shape (B, q, S)
        Factors along the line, and last the effects to take off first.
    weights : Floats, shape (B, S, M)
        One column per line.
    targets : Floats, shape (B, 1 + K, S, M)
        Weighted outcome, then weighted covariates.
    moments : Floats, shape (B, 1 + K, 1 + K)
        Weighted cross products of outcome and covariates; those with the outcome, in the first
        column, net of the effects to take off.
    ridge : Floats, shape (B,)
        On the factors, not on the constant.
    lines : Lines, optional
        The weights again, where they are products.

    Returns
    -------
    solution : Floats, shape (B, q, M)
    slopes : Floats, shape (B, K)
    gain : Floats, shape (B,)
        By how much the solution lowers the penalised sum of squares.
    """
    if lines is not None and given.shape[1] >= LINES_FROM:
        found, scores = regress_lines(given, lines, targets, ridge)
        return _with_slopes(found.transpose(2, 1, 0, 3), scores.transpose(2, 1, 0, 3), moments)
    order, width = given.shape[1], weights.shape[2]
    block = max(1, BLOCK // (order * (order + 1) // 2 * width))
    parts = []
    for first in range(0, len(given), block):
        part = slice(first, first + block)
        parts.append(
            _regress_block(given[part], weights[part], targets[part], moments[part], ridge[part])
        )
    if len(parts) == 1:
        return parts[0]
    solution, slopes, gain = zip(*parts, strict=True)
    return np.concatenate(solution), np.concatenate(slopes), np.concatenate(gain)


def _regress_block(
    given: Floats, weights: Floats, targets: Floats, moments: Floats, ridge: Floats
) -> tuple[Floats, Floats, Floats]:
    size, order, _ = given.shape
    features = given.copy()
    features[:, -1] = 1.0
    first, second = np.tril_indices(order)
    count = len(first)
    products = np.concatenate(
        [features[:, first] * features[:, second], features * given[:, -1:]], axis=1
    )
    # Equation first, problem later: the elimination below then runs over contiguous memory.
    sums = np.empty((count + order, size, weights.shape[2]))
    np.matmul(products, weights, out=sums.transpose(1, 0, 2))
    scores = np.empty((order, targets.shape[1], size, weights.shape[2]))
    np.matmul(features[:, None], targets, out=scores.transpose(2, 1, 0, 3))
    gram = sums[:count]
    scores[:, 0] -= sums[count:]
    diagonal = np.flatnonzero(first == second)
    gram[diagonal[:-1]] += ridge[:, None]
    gram[diagonal[-1]] += TINY
    if order <= SMALL_SYSTEM:
        solution = _eliminate(gram, scores.copy())
    else:
        place = np.zeros((order, order), dtype=np.int64)
        place[first, second] = place[second, first] = np.arange(count)
        full = np.ascontiguousarray(gram.transpose(1, 2, 0))[:, :, place]
        solution = np.linalg.solve(full, scores.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)
    return _with_slopes(solution, scores, moments)


def _with_slopes(
    solution: Floats, scores: Floats, moments: Floats
) -> tuple[Floats, Floats, Floats]:
    """Join the lines' regressions by slopes common to all lines (Frisch and Waugh)."""
    if solution.shape[1] == 1:
        gain = (solution * scores).sum(axis=(0, 1, 3))
        return solution[:, 0].transpose(1, 0, 2), np.zeros((len(gain), 0)), gain
    explained = np.einsum("qkbm,qlbm->bkl", solution, scores)
    rest = moments - explained
    system, right = rest[:, 1:, 1:], rest[:, 1:, :1]
    size = np.trace(moments[:, 1:, 1:], axis1=1, axis2=2)[:, None, None]
    slopes = np.linalg.solve(system + (1e-13 * size + TINY) * np.eye(system.shape[1]), right)
    gain = explained[:, 0, 0] + (slopes * right).sum(axis=(1, 2))
    lines = solution[:, 0] - np.einsum("bk,qkbm->qbm", slopes[:, :, 0], solution[:, 1:])
    return lines.transpose(1, 0, 2), np.asarray(slopes[:, :, 0]), gain


def _eliminate(gram: Floats, scores: Floats) -> Floats:
    """Solve many small positive definite systems by one vectorised Cholesky factorisation.

    Parameters
    ----------
    gram : Floats, shape (q (q + 1) / 2, B, M)
        Lower triangles, row by row; overwritten.
    scores : Floats, shape (q, 1 + K, B, M)
        Right-hand sides; overwritten with the solution, which is also returned.
    """
    order = len(scores)
    cell = [[gram[i * (i + 1) // 2 + j] for j in range(i + 1)] for i in range(order)]
    small, product = np.empty_like(scores[0, 0]), np.empty_like(scores[0])
    for k in range(order):
        pivot = cell[k][k]
        for i in range(k, order):
            for m in range(k):
                np.multiply(cell[i][m], cell[k][m], out=small)
                cell[i][k] -= small
            if i == k:
                np.sqrt(np.maximum(pivot, TINY, out=pivot), out=pivot)
                np.divide(1.0, pivot, out=pivot)
            else:
                cell[i][k] *= pivot
        for m in range(k):
            np.multiply(cell[k][m], scores[m], out=product)
            scores[k] -= product
        scores[k] *= pivot
    for k in reversed(range(order)):
        for m in range(k + 1, order):
            np.multiply(cell[m][k], scores[m], out=product)
            scores[k] -= product
        scores[k] *= cell[k][k]
    return scores
