"""Synthetic difference in differences on arrays, in many samples of the same controls.

A placebo leaves some controls out, a bootstrap counts each unit several times: both are
multiplicities of the controls. Every sample gets what a fit on a panel with those units would give.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats
from components.numerics.simplex_many import resampled_fits, ridge_fits

TIME_RIDGE = 1e-6


def noise_level(before: Floats, *, demeaned: bool = False) -> float:
    r"""Measure how much the controls move from one period to the next before treatment.

    The standard deviation of their first differences: the :math:`\hat\sigma` of Arkhangelsky et
    al. (2021), below eq. 5, over all entries, their common mean removed, with one degree of
    freedom taken off.

    Parameters
    ----------
    before : Floats, shape (N0, T0)
        Controls before treatment.
    demeaned : bool
        Whether each period's own mean is removed instead, with one degree of freedom for each, so
        that shocks common to all controls do not count.

    Returns
    -------
    float
        In the units of the outcome; 0 where no degree of freedom is left.
    """
    return float(noise_levels(before, np.ones((1, len(before))), demeaned=demeaned)[0])


def noise_levels(before: Floats, mass: Floats, *, demeaned: bool = False) -> Floats:
    """Measure the noise level of B samples of the controls.

    Parameters
    ----------
    before : Floats, shape (N0, T0)
        Controls before treatment.
    mass : Floats, shape (B, N0)
        How often each control counts.
    demeaned : bool
        Whether each period's own mean is removed.

    Returns
    -------
    Floats, shape (B,)
        :func:`noise_level` of each sample.
    """
    changes = np.diff(before, axis=1)
    n_changes = changes.shape[1]
    if n_changes == 0:
        return np.zeros(len(mass))
    changes = changes - changes.mean()
    sums = mass @ changes
    count = mass.sum(axis=1)
    squares = mass @ np.square(changes).sum(axis=1)
    if demeaned:
        squares -= np.square(sums).sum(axis=1) / count
        freedom = (count - 1.0) * n_changes
    else:
        squares -= np.square(sums.sum(axis=1)) / (count * n_changes)
        freedom = count * n_changes - 1.0
    variance = np.divide(squares, freedom, out=np.zeros(len(mass)), where=freedom > 0.0)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def sdid_weights(
    controls: Floats, targets: Floats, n_pre: int, mass: Floats, zeta: Floats, sigma: Floats
) -> tuple[Floats, Floats]:
    r"""Solve for the weights of synthetic DID in B samples of the same controls.

    Parameters
    ----------
    controls : Floats, shape (N0, T)
        Outcomes of the controls.
    targets : Floats, shape (B, T0)
        Treated averages before treatment.
    n_pre : int
        T0, periods before treatment.
    mass : Floats, shape (B, N0)
        How often each control counts in each sample; at least one does.
    zeta : Floats, shape (B,)
        Regularisation :math:`\zeta` of the unit weights, in the units of the outcome.
    sigma : Floats, shape (B,)
        Noise levels, for the very small ridge of the time weights.

    Returns
    -------
    omega : Floats, shape (B, N0)
        Unit weights; a control that counts k times carries the sum of its k weights.
    lam : Floats, shape (B, T0)
        Time weights.
    """
    before, after = controls[:, :n_pre], controls[:, n_pre:].mean(axis=1)
    omega = ridge_fits(before.T, targets, n_pre * np.square(zeta), mass)
    ridge = mass.sum(axis=1) * np.square(TIME_RIDGE * sigma)
    lam = resampled_fits(before, after, ridge, mass)
    return omega, lam


def sdid_gaps(
    controls: Floats, averages: Floats, n_pre: int, mass: Floats, zeta: Floats, sigma: Floats
) -> Floats:
    """Effect curves of synthetic DID in B samples of the same controls.

    Parameters
    ----------
    controls : Floats, shape (N0, T)
        Outcomes of the controls.
    averages : Floats, shape (B, T)
        Treated averages.
    n_pre : int
        Periods before treatment.
    mass : Floats, shape (B, N0)
        How often each control counts in each sample.
    zeta : Floats, shape (B,)
        Regularisation of the unit weights, in the units of the outcome.
    sigma : Floats, shape (B,)
        Noise levels, for the very small ridge of the time weights.

    Returns
    -------
    Floats, shape (B, T)
        Observed minus imputed; their mean over the treated periods is the estimate.
    """
    omega, lam = sdid_weights(controls, averages[:, :n_pre], n_pre, mass, zeta, sigma)
    gaps = averages - omega @ controls
    level = np.einsum("bt,bt->b", gaps[:, :n_pre], lam)
    return np.asarray(gaps - level[:, None])
