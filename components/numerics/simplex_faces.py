"""Optima over the supports of many simplex problems: one batch of small linear systems.

The support of each problem stands in slots, -1 where a slot is empty, so that problems with
supports of different sizes fit in one array.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats, Ints

JITTER = 1e-14
TINY = 1e-280


def in_slots(chosen: Bools) -> Ints:
    """Put the donors of a mask, shape (B, J), in slots, shape (B, K); one is empty at least."""
    width = int(np.count_nonzero(chosen, axis=1).max()) + 1
    slots = np.argsort(~chosen, axis=1, kind="stable")[:, :width]
    return np.where(np.take_along_axis(chosen, slots, axis=1), slots, -1)


def of_slots(values: Floats, slots: Ints) -> Floats:
    """Read one value of each donor, shape (B, J), in slots, shape (B, K); 0 in empty ones."""
    return np.where(slots >= 0, np.take_along_axis(values, slots, axis=1), 0.0)


def spread_out(values: Floats, slots: Ints, n_donors: int) -> Floats:
    """Put values in slots, shape (B, K), where their donors stand, shape (B, J)."""
    dense = np.zeros((len(slots), n_donors))
    problem, slot = np.nonzero(slots >= 0)
    dense[problem, slots[problem, slot]] = values[problem, slot]
    return dense


def face_hessians(grams: Floats, ridge: Floats, rows: Ints, slots: Ints) -> Floats:
    """Half the Hessian over the slots; an empty slot has a row of its own.

    A constant is added, which changes nothing where weights sum to one.

    Parameters
    ----------
    grams : Floats, shape (G, J, J)
        One for each problem, or a single one for all.
    ridge : Floats, shape (B,)
    rows : Ints, shape (B,)
        Which Gram belongs to each problem, where there are several.
    slots : Ints, shape (B, K)

    Returns
    -------
    Floats, shape (B, K, K)
    """
    used, size = slots >= 0, grams.shape[-1]
    donors = np.where(used, slots, 0)
    start = donors * size
    if len(grams) > 1:
        start += rows[:, None] * size**2
    hessian: Floats = grams.ravel().take(start[:, :, None] + donors[:, None, :])
    diagonal = np.einsum("bkk->bk", hessian)
    lift = np.maximum(diagonal.mean(axis=1)[:, None], TINY)
    diagonal += ridge[:, None] + JITTER * lift
    hessian += lift[:, :, None]
    hessian *= used[:, :, None] & used[:, None, :]
    diagonal += np.where(used, 0.0, lift)
    return hessian


def face_ways(hessian: Floats, half: Floats, used: Bools) -> Floats:
    """Way to the optimum over the slots without regard to signs, summing to zero.

    Parameters
    ----------
    hessian : Floats, shape (B, K, K)
        From `face_hessians`.
    half : Floats, shape (B, K)
        Half the gradient.
    used : Bools, shape (B, K)
        Slots that hold a donor.

    Returns
    -------
    Floats, shape (B, K)
    """
    solved = np.linalg.solve(hessian, np.stack([-half, used], axis=2))
    along, shift = solved[:, :, 0], solved[:, :, 1]
    along -= shift * (along.sum(axis=1) / shift.sum(axis=1))[:, None]
    return np.asarray(along)
