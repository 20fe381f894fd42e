"""Weights of four estimators for many targets at once, each with donors of its own."""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats
from components.numerics.sdid import noise_levels, sdid_weights
from components.numerics.simplex_many import simplex_fits

METHODS = ("did", "sc", "sc_intercept", "sdid")


def curve_weights(
    method: str, controls: Floats, targets: Floats, n_pre: int, allowed: Bools, n_treated: int
) -> tuple[Floats, Floats]:
    """Weight donors and periods for many targets.

    Parameters
    ----------
    method : {"did", "sc", "sc_intercept", "sdid"}
    controls : Floats, shape (J, T)
        Donors.
    targets : Floats, shape (B, T)
        Treated averages, or units in their place.
    n_pre : int
        Periods before treatment.
    allowed : Bools, shape (B, J)
        Donors that each fit may use, the same number in every row.
    n_treated : int
        Units behind each target, for the regularisation of synthetic DID.

    Returns
    -------
    omega : Floats, shape (B, J)
        Unit weights, as the estimators with default options give them.
    lam : Floats, shape (B, T0)
        Time weights; 0 for synthetic control, whose level is not shifted.
    """
    before = controls[:, :n_pre]
    even = np.full((len(targets), n_pre), 1.0 / n_pre)
    if method == "did":
        return allowed / allowed.sum(axis=1, keepdims=True), even
    if method == "sdid":
        mass = allowed.astype(np.float64)
        sigma = noise_levels(before, mass)
        zeta = (n_treated * (controls.shape[1] - n_pre)) ** 0.25 * sigma
        return sdid_weights(controls, targets[:, :n_pre], n_pre, mass, zeta, sigma)
    barred = np.argsort(allowed, axis=1, kind="stable")[:, : int((~allowed[0]).sum())]
    with_level = method == "sc_intercept"
    omega = simplex_fits(before.T, targets[:, :n_pre], barred, intercept=with_level)
    return omega, even if with_level else np.zeros(even.shape)
