r"""The Frank-Wolfe solver of the R package synthdid, which stops early, to reproduce its digits.

It descends :math:`\zeta^2 |w|^2 + |A w + c - b|^2 / M` from even weights towards one corner of the
simplex at a time, with exact steps; after 100 steps weights below a quarter of the largest are
set to zero, and up to 10,000 steps follow. On Proposition 99 the unit weights run into that cap:
the published estimates belong to weights whose fit is up to 1 % worse than the optimum's.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats

STOP = 1e-5
STEPS_BEFORE_SPARSIFYING = 100
STEPS = 10_000


def frank_wolfe(
    A: Floats, b: Floats, zeta: float, smallest_decrease: float, *, intercept: bool
) -> Floats:
    r"""Run both rounds of the solver.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per weight.
    b : Floats, shape (M,)
        Target.
    zeta : float
        Regularisation, in the units of the data.
    smallest_decrease : float
        Stop when the objective falls by less than its square: synthdid takes
        :math:`10^{-5}\hat\sigma`, with ``STOP`` the factor.
    intercept : bool
        Whether the columns are centred first.

    Returns
    -------
    Floats, shape (J,)
        Weights on the simplex, near the optimum.
    """
    if intercept:
        A, b = A - A.mean(axis=0), b - b.mean()
    even = np.full(A.shape[1], 1.0 / A.shape[1])
    first = _descend(A, b, zeta, smallest_decrease**2, even, STEPS_BEFORE_SPARSIFYING)
    sparse = np.where(first <= first.max() / 4.0, 0.0, first)
    return _descend(A, b, zeta, smallest_decrease**2, sparse / sparse.sum(), STEPS)


def _descend(A: Floats, b: Floats, zeta: float, enough: float, w: Floats, max_steps: int) -> Floats:
    eta = len(b) * zeta**2
    columns = np.ascontiguousarray(A.T)
    previous = np.inf
    for step in range(max_steps):
        error = A @ w - b
        slope = columns @ error + eta * w
        corner = int(slope.argmin())
        way = -w
        way[corner] += 1.0
        change = columns[corner] - b - error
        curvature = float(change @ change + eta * (way @ way))
        if curvature == 0.0:
            break
        length = min(1.0, max(0.0, -float(slope @ way) / curvature))
        w = w + length * way
        error = A @ w - b
        value = float(zeta**2 * (w @ w) + error @ error / len(b))
        if step > 0 and previous - value <= enough:
            break
        previous = value
    return w
