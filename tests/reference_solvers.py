"""Slow solvers of the same problems, by other means, to test the fast ones against."""

from __future__ import annotations

import numpy as np


def objective(A, b, w, ridge=0.0, *, intercept=False):
    """|A w + c - b|^2 + ridge |w|^2 in extended precision, the constant c at its best."""
    residual = (np.asarray(A, np.longdouble) - np.asarray(b, np.longdouble)[:, None]) @ w
    if intercept:
        residual -= residual.mean()
    return float(residual @ residual + ridge * (np.asarray(w, np.longdouble) @ w))


def duality_gap(A, b, w, ridge=0.0, *, intercept=False):
    """How far, at most, the objective lies above its minimum; in extended precision."""
    P = np.asarray(A, np.longdouble) - np.asarray(b, np.longdouble)[:, None]
    if intercept:
        P -= P.mean(axis=0)
    slope = 2 * (P.T @ (P @ w) + ridge * np.asarray(w, np.longdouble))
    return float(slope @ w - slope.min())


def _onto_simplex(v):
    low, high = v.min() - 1.0, v.max()
    for _ in range(100):
        middle = (low + high) / 2
        if np.maximum(v - middle, 0).sum() > 1:
            low = middle
        else:
            high = middle
    w = np.maximum(v - high, 0)
    return w / w.sum()


def projected_gradient(A, b, ridge=0.0, *, intercept=False, steps=20_000):
    """Accelerated projected gradient with restarts, from even weights."""
    P = A - b[:, None]
    if intercept:
        P = P - P.mean(axis=0)
    size = np.abs(P).max()
    n_donors = P.shape[1]
    if size == 0.0:
        return np.full(n_donors, 1.0 / n_donors)
    P, ridge = P / size, ridge / size**2
    G = P.T @ P + ridge * np.eye(n_donors)
    length = 1.0 / np.linalg.eigvalsh(G)[-1]
    w = z = np.full(n_donors, 1.0 / n_donors)
    momentum = 1.0
    for _ in range(steps):
        new = _onto_simplex(z - length * (G @ z))
        if (z - new) @ (new - w) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        z = new + (momentum - 1) / following * (new - w)
        if np.abs(new - w).max() < 1e-16 and momentum > 50:
            break
        w, momentum = new, following
    return w
