"""Slow, plain solvers to check the fast ones against."""

from __future__ import annotations

import numpy as np


def dummies(n, t, X):
    """Design of unit effects, period effects and covariates, one row per cell."""
    units, periods = np.kron(np.eye(n), np.ones((t, 1))), np.kron(np.ones((n, 1)), np.eye(t))
    return np.column_stack([units, periods, X.reshape(len(X), n * t).T])


def least_squares(Y, w, X):
    """Fitted values of weighted two-way effects and covariates, by dense least squares."""
    D, root = dummies(*Y.shape, X), np.sqrt(w.ravel())
    coefficients = np.linalg.lstsq(D * root[:, None], Y.ravel() * root, rcond=1e-13)[0]
    return (D @ coefficients).reshape(Y.shape), coefficients[len(coefficients) - len(X) :]


def proximal_gradient(Y, w, penalty, X, steps=20_000):
    """Minimise ``sum w (Y - effects - L)^2 + penalty * |L|_*`` by accelerated proximal gradient.

    Effects and slopes are refitted exactly at every step. Returns the fit, L and the slopes.
    """
    L = Z = np.zeros_like(Y)
    momentum, heaviest = 1.0, w.max()
    for _ in range(steps):
        rest = Y - Z - least_squares(Y - Z, w, X)[0]
        U, s, Vt = np.linalg.svd(Z + w / heaviest * rest, full_matrices=False)
        after = (U * np.maximum(s - penalty / (2 * heaviest), 0.0)) @ Vt
        if ((Z - after) * (after - L)).sum() > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        Z, moved = after + (momentum - 1) / following * (after - L), np.abs(after - L).max()
        L, momentum = after, following
        if moved < 1e-13:
            break
    effects, slopes = least_squares(Y - L, w, X)
    return effects + L, L, slopes


def objective(Y, w, penalty, fit, L):
    return (w * (Y - fit) ** 2).sum() + penalty * np.linalg.norm(L, "nuc")


def distance(Y, seen, j, i, t, *, demeaned=False):
    """Root mean squared difference of two units over common periods other than t, by a loop."""
    gaps = [Y[i, u] - Y[j, u] for u in range(Y.shape[1]) if u != t and seen[i, u] and seen[j, u]]
    if len(gaps) < 2:
        return np.inf
    gaps = np.array(gaps) - (np.mean(gaps) if demeaned else 0.0)
    return float(np.sqrt(np.mean(gaps**2)))
