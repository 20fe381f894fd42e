"""Weights on the simplex after one entry of the donors' matrix has changed, many at once."""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.simplex import simplex_fit

ROUNDS = 25
OPTIMAL = 1e-9
FIRM = 1e-11


def entry_fits(
    A: Floats,
    b: Floats,
    rows: Ints,
    columns: Ints,
    change: Floats,
    ridge: Floats,
    start: Floats,
    *,
    intercept: bool,
) -> Floats:
    r"""Fit weights on the simplex after one entry of the donors' matrix has changed.

    With :math:`P = A - b1'` the optimum over a support S is proportional to
    :math:`(P_S'P_S + \rho I)^{-1} 1`, and a change of one entry changes one row and one column of
    :math:`P'P`.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    b : Floats, shape (M,)
        Target.
    rows, columns : Ints, shape (B,)
        The entry that changes in each problem.
    change : Floats, shape (B,)
        By how much.
    ridge : Floats, shape (B,)
        In the units of the squared data.
    start : Floats, shape (J,)
        Weights without any change.
    intercept : bool
        Whether a constant is free.

    Returns
    -------
    Floats, shape (B, J)
        As :func:`components.numerics.simplex.simplex_fit` gives them.
    """
    P = A - b[:, None]
    if intercept:
        P = P - P.mean(axis=0)
    size = float(np.abs(P).max()) or 1.0
    P, step, rho = P / size, change / size, ridge / size**2
    gram = P.T @ P
    pulls = step[:, None] * P[rows]
    own = np.square(step) * (1.0 - 1.0 / len(A) if intercept else 1.0)
    weights = np.zeros((len(rows), A.shape[1]))
    active = np.tile(start > 0.0, (len(rows), 1))
    idle = _untouched(P, start, rows, columns, step) & (rho == 0.0)
    weights[idle] = start
    open_ = np.flatnonzero(~idle)
    for _ in range(ROUNDS if len(open_) else 0):
        w, firm = _on_support(gram, pulls[open_], columns[open_], own[open_], rho[open_],
                              active[open_])  # fmt: skip
        half = _gradient(gram, pulls[open_], columns[open_], own[open_], rho[open_], w)
        level = np.einsum("bj,bj->b", w, half)
        scale = np.abs(half).max(axis=1) + np.abs(level)
        gain = np.where(active[open_], -np.inf, level[:, None] - half)
        best = gain.argmax(axis=1)
        improves = gain[np.arange(len(best)), best] > OPTIMAL * scale
        falls = (w < 0.0).any(axis=1)
        done = firm & ~improves & ~falls & (level > OPTIMAL * np.diag(gram).max())
        weights[open_[done]] = w[done]
        enters = np.flatnonzero(improves & ~falls)
        now = active[open_]
        now[enters, best[enters]] = True
        now[w < 0.0] = False
        active[open_] = now
        open_ = open_[~done & firm & (improves | falls)]
        if not len(open_):
            break
    for place in np.flatnonzero(weights.sum(axis=1) < 0.5):
        changed = A.copy()
        changed[rows[place], columns[place]] += change[place]
        fit = simplex_fit(changed, b, float(ridge[place]), intercept=intercept)
        weights[place] = fit.weights
    return weights


def _untouched(P: Floats, start: Floats, rows: Ints, columns: Ints, step: Floats) -> Bools:
    """Tell where a donor without weight gets none after its change either, without a ridge."""
    residual = P @ start
    level = float(residual @ residual)
    half = residual @ P
    changed = half[columns] + step * residual[rows]
    scale = np.abs(half).max() + np.abs(changed) + level
    firm = level > OPTIMAL * float(np.square(P).sum(axis=0).max())
    idle: Bools = (start[columns] == 0.0) & (level - changed <= OPTIMAL * scale) & firm
    return idle


def _on_support(
    gram: Floats, pulls: Floats, columns: Ints, own: Floats, rho: Floats, active: Bools
) -> tuple[Floats, Bools]:
    """Optimum over a support, of either sign, and whether the support determines it."""
    width = max(int(active.sum(axis=1).max()), 1)
    slots = np.argsort(~active, axis=1, kind="stable")[:, :width]
    used = np.take_along_axis(active, slots, axis=1)
    system = gram[slots[:, :, None], slots[:, None, :]]
    is_own = (slots == columns[:, None]) & used
    pull = np.take_along_axis(pulls, slots, axis=1)
    system += is_own[:, :, None] * pull[:, None, :] + pull[:, :, None] * is_own[:, None, :]
    system += (is_own[:, :, None] & is_own[:, None, :]) * own[:, None, None]
    system *= used[:, :, None] & used[:, None, :]
    diagonal = np.einsum("bkk->bk", system)
    lift = np.maximum(diagonal.max(axis=1), np.finfo(np.float64).tiny)[:, None]
    diagonal += np.where(used, rho[:, None], lift)
    spectrum = np.linalg.eigvalsh(system)
    firm = spectrum[:, 0] > FIRM * spectrum[:, -1]
    system[~firm] = np.eye(width)
    x = np.linalg.solve(system, used[:, :, None].astype(np.float64))[:, :, 0]
    x = np.where(used, x, 0.0)
    w = np.zeros(pulls.shape)
    np.put_along_axis(w, slots, x / x.sum(axis=1, keepdims=True), axis=1)
    return w, firm


def _gradient(
    gram: Floats, pulls: Floats, columns: Ints, own: Floats, rho: Floats, w: Floats
) -> Floats:
    """Half the gradient at given weights."""
    each = np.arange(len(w))
    mine = w[each, columns]
    half: Floats = w @ gram + rho[:, None] * w + mine[:, None] * pulls
    half[each, columns] += np.einsum("bj,bj->b", pulls, w) + own * mine
    return half
