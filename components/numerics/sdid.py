"""The arithmetic of synthetic difference in differences on arrays."""

from __future__ import annotations

import numpy as np

from components.arrays import Floats


def noise_level(before: Floats) -> float:
    r"""Measure how much the controls move from one period to the next before treatment.

    The standard deviation of their first differences: the :math:`\hat\sigma` of Arkhangelsky et al. (2021), below eq. 5: over all entries, their
    common mean removed, with one degree of freedom taken off.

    Parameters
    ----------
    before : Floats, shape (N0, T0)
        Controls before treatment.

    Returns
    -------
    float
        In the units of the outcome; 0 where there are fewer than two differences.
    """
    changes = np.diff(before, axis=1)
    return float(changes.std(ddof=1)) if changes.size > 1 else 0.0
