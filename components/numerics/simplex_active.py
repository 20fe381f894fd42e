"""Active sets: the last steps to the optimum of least squares on the simplex.

The problem is to bring ``P w`` close to zero, with ``P`` the donors minus the target, a ridge
``rho |w|^2``, and perhaps a price ``price'w`` on each donor. A set of donors carries weight; the
problem on that set alone, without the sign constraint, is solved with an orthogonal
factorisation; donors that turn negative leave, and the donor that promises the steepest
improvement enters.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats, Ints

ENTER = 1e-12
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
TINY = 1e-280
RANK = 1e-12
FREE = 1e-9
FAR = 1e9
STEPS_PER_DONOR = 4


def improvements(P: Floats, rho: float, w: Floats, price: Floats | None = None) -> Floats:
    """Say how much the fit would improve by moving weight to each donor.

    Parameters
    ----------
    P : Floats, shape (M, J)
        Donors minus target.
    rho : float
        Ridge.
    w : Floats, shape (J,)
        Weights on the simplex.
    price : Floats, shape (J,), optional
        Linear cost of each donor's weight.

    Returns
    -------
    Floats, shape (J,)
        Cosine of the angle between the residual and the way to each donor, less what rounding
        explains; 0 where nothing is left. No entry is positive at the optimum.
    """
    fitted = P @ w
    ways = P - fitted[:, None]
    squares = float(w @ w)
    slopes = -(fitted @ ways) - rho * (w - squares)
    lengths = np.sqrt(np.square(ways).sum(axis=0) + rho * np.maximum(1.0 + squares - 2.0 * w, 0.0))
    residual = float(np.sqrt(fitted @ fitted + rho * squares))
    noise = ROUNDING * (float(np.sqrt(np.square(P).sum(axis=0)) @ w) + 1.0)
    sizes = lengths * residual
    if price is not None:
        dearer = 0.5 * (price - price @ w)
        slopes -= dearer
        sizes += np.abs(dearer)
    sure = slopes - noise * (lengths + residual)
    scale = np.where(sure > 0.0, sizes, 1.0)
    return np.asarray(np.maximum(sure, 0.0) / np.maximum(scale, TINY))


def active_set(
    P: Floats, rho: float, w: Floats, price: Floats | None = None, max_steps: int | None = None
) -> Floats:
    """Carry weights to the optimum.

    Parameters
    ----------
    P : Floats, shape (M, J)
        Donors minus target.
    rho : float
        Ridge.
    w : Floats, shape (J,)
        Weights on the simplex to start from.
    price : Floats, shape (J,), optional
        Linear cost of each donor's weight.
    max_steps : int, optional
        Donors that may enter; four times their number by default.

    Returns
    -------
    Floats, shape (J,)
        Weights on the simplex; at the optimum unless the steps ran out.
    """
    gains = improvements(P, rho, w, price)
    for _ in range(STEPS_PER_DONOR * len(w) + 20 if max_steps is None else max_steps):
        entering = int(gains.argmax())
        if gains[entering] <= ENTER:
            break
        support = np.flatnonzero(w > 0.0)
        if w[entering] == 0.0:
            support = np.sort(np.append(support, entering))
        moved = _to_face(P, rho, w, support, price)
        stuck = float(np.abs(moved - w).max()) <= ROUNDING
        w = moved
        if stuck:
            break
        gains = improvements(P, rho, w, price)
    return w


def _to_face(P: Floats, rho: float, w: Floats, support: Ints, price: Floats | None) -> Floats:
    """Go to the optimum over a set of donors, dropping those that would turn negative."""
    while True:
        costs = None if price is None else price[support]
        best = _face_optimum(P[:, support], rho, w[support], costs)
        here = w[support]
        falling = best < 0.0
        if not falling.any():
            break
        ratio = here[falling] / (here[falling] - best[falling])
        length = float(ratio.min())
        here = np.maximum(here + length * (best - here), 0.0)
        here[np.flatnonzero(falling)[ratio <= length]] = 0.0
        w = np.zeros(len(w))
        w[support] = here / here.sum()
        support = support[here > 0.0]
    w = np.zeros(len(w))
    w[support] = best / best.sum()
    return w


def _face_optimum(P: Floats, rho: float, w: Floats, price: Floats | None) -> Floats:
    """Best weights that sum to one over all columns, of either sign."""
    origin = int(w.argmax())
    ways = np.delete(P, origin, axis=1) - P[:, [origin]]
    n_ways = ways.shape[1]
    if not n_ways:
        return np.ones(1)
    target = -P[:, origin]
    if rho > 0.0:
        root = float(np.sqrt(rho))
        ways = np.vstack([ways, root * np.eye(n_ways), np.full((1, n_ways), -root)])
        target = np.concatenate([target, np.zeros(n_ways), [-root]])
    lengths = np.sqrt(np.square(ways).sum(axis=0))
    lengths[lengths == 0.0] = 1.0
    ways = ways / lengths
    cheaper: Floats | float = 0.0
    if price is not None:
        half = 0.5 * (np.delete(price, origin) - price[origin]) / lengths
        shift = np.linalg.lstsq(ways.T, half, rcond=RANK)[0]
        target = target - shift
        left = half - shift @ ways
        cheaper = np.where(np.abs(left) > FREE * np.abs(half).max(), FAR * left, 0.0)
    steps = (np.linalg.lstsq(ways, target, rcond=None)[0] - cheaper) / lengths
    return np.insert(steps, origin, 1.0 - steps.sum())
