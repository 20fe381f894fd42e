r"""Donor weights by elastic net, free in sign and sum (Doudchenko and Imbens 2016, section 5).

.. math:: \min_{\mu, w} |y - \mu - X w|^2 + \lambda \bigl(\tfrac{1 - \alpha}{2}|w|^2
          + \alpha |w|_1\bigr)
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats

MIXES = (0.1, 0.5, 0.9)
N_PENALTIES = 20
SMALLEST = 1e-4
ROUGH = 1e-5
FINE = 1e-13
ROUGH_STEPS = 500
FINE_STEPS = 50_000
CONVERGED = 1e-8


def elastic_net(X: Floats, y: Floats, penalty: float, mix: float) -> tuple[Floats, bool]:
    r"""Solve one elastic net with a free constant.

    Parameters
    ----------
    X : Floats, shape (M, J)
        One column per donor.
    y : Floats, shape (M,)
        Target.
    penalty : float
        :math:`\lambda \ge 0`, in the units of the squared data.
    mix : float
        :math:`\alpha`: 1 is the lasso, 0 the ridge.

    Returns
    -------
    weights : Floats, shape (J,)
        Of either sign.
    converged : bool
        Whether the optimality conditions hold.
    """
    X, y = X - X.mean(axis=0), y - y.mean()
    size = float(np.abs(X).max())
    if size == 0.0:
        return np.zeros(X.shape[1]), True
    X, y, penalty = X / size, y / size, penalty / size**2
    gram, c = X.T @ X, X.T @ y
    w = _descend(gram, c[None], penalty, mix, np.zeros((1, len(c))), FINE, FINE_STEPS)[0]
    w = _polished(gram, c, penalty, mix, w)
    slope = c - gram @ w - 0.5 * penalty * (1.0 - mix) * w
    bound = 0.5 * penalty * mix
    off = np.where(w != 0.0, np.abs(slope - bound * np.sign(w)), np.abs(slope) - bound)
    return w, bool((off <= CONVERGED * max(float(np.abs(c).max()), bound)).all())


def choose_elastic_net(before: Floats, after: Floats) -> tuple[float, float, Floats]:
    """Choose penalty and mix by predicting each donor after treatment from the others.

    Parameters
    ----------
    before : Floats, shape (J, T0)
        Donors before treatment; at least two.
    after : Floats, shape (J, T1)
        Donors from the first treated period on.

    Returns
    -------
    penalty, mix : float
        The pair with the smallest mean squared error.
    errors : Floats, shape (3, 20)
        That error for each mix and penalty.
    """
    level = before.mean(axis=1, keepdims=True)
    X, later = (before - level).T, (after - level).T
    size = float(np.abs(X).max())
    if size == 0.0:
        return 0.0, MIXES[0], np.zeros((len(MIXES), N_PENALTIES))
    X, later = X / size, later / size
    gram = X.T @ X
    c = gram.copy()
    np.fill_diagonal(c, 0.0)
    errors = np.empty((len(MIXES), N_PENALTIES))
    penalties = np.empty_like(errors)
    for row, mix in enumerate(MIXES):
        most = 2.0 * float(np.abs(c).max()) / mix
        penalties[row] = most * np.geomspace(1.0, SMALLEST, N_PENALTIES)
        weights = np.zeros(gram.shape)
        for column, penalty in enumerate(penalties[row]):
            weights = _descend(gram, gram, penalty, mix, weights, ROUGH, ROUGH_STEPS, alone=True)
            errors[row, column] = np.square(later - later @ weights.T).mean()
    best = int(errors.argmin())
    return float(penalties.flat[best] * size**2), MIXES[best // N_PENALTIES], errors * size**2


def _descend(
    gram: Floats,
    c: Floats,
    penalty: float,
    mix: float,
    weights: Floats,
    small: float,
    max_steps: int,
    *,
    alone: bool = False,
) -> Floats:
    """Accelerated proximal gradient with restarts on B problems; ``alone`` bars the diagonal."""
    ridge = 0.5 * penalty * (1.0 - mix)
    length = 1.0 / (float(np.linalg.eigvalsh(gram)[-1]) + ridge)
    bound = 0.5 * penalty * mix * length
    point, momentum = weights, 1.0
    for _ in range(max_steps):
        moved = point - length * (point @ gram - c + ridge * point)
        new = np.sign(moved) * np.maximum(np.abs(moved) - bound, 0.0)
        if alone:
            np.fill_diagonal(new, 0.0)
        change = new - weights
        if float(np.abs(change).max()) <= small:
            return new
        if float(((point - new) * change).sum()) > 0.0:
            momentum = 1.0
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        point = new + (momentum - 1.0) / following * change
        weights, momentum = new, following
    return weights


def _polished(gram: Floats, c: Floats, penalty: float, mix: float, w: Floats) -> Floats:
    """Solve exactly for the weights that are not zero, if none changes its sign."""
    support = np.flatnonzero(w)
    if not len(support):
        return w
    signs = np.sign(w[support])
    system = gram[np.ix_(support, support)] + 0.5 * penalty * (1.0 - mix) * np.eye(len(support))
    exact = np.linalg.lstsq(system, c[support] - 0.5 * penalty * mix * signs, rcond=None)[0]
    if not (np.sign(exact) == signs).all():
        return w
    polished = np.zeros(len(w))
    polished[support] = exact
    return polished
