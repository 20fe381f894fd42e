"""How small a number has to be to count as the rounding error of the outcomes it is made of."""

from __future__ import annotations

import numpy as np

from components.arrays import Floats

GRAIN = 64.0 * float(np.finfo(np.float64).eps)
"""Of the level of the outcomes: what sums and differences of them lose."""


def rounding_of(Y: Floats, share: float = 1e-9) -> float:
    """Give the size below which a difference of outcomes says nothing.

    Parameters
    ----------
    Y : Floats
        Outcomes, NaN where unknown; at least one is known.
    share : float
        Of their range. Adding a constant to all outcomes changes nothing but their grain.

    Returns
    -------
    float
        In the unit of measure of Y.
    """
    known = Y[np.isfinite(Y)]
    return max(share * float(np.ptp(known)), GRAIN * float(np.abs(known).max()))
