"""Block pivots: many donors enter and leave the support at once.

From weights near the optimum, as those of the whole sample are for a sample of its rows, a
handful of exchanges finds the support of the optimum (Kim and Park 2011). Nothing promises that
they end, so there are few of them, and what they give is a start for a method that does.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats
from components.numerics.simplex_faces import (
    face_hessians,
    face_ways,
    in_slots,
    of_slots,
    spread_out,
)
from components.numerics.simplex_problems import SimplexProblems

MAX_PIVOTS = 12
PROMISING = 1e-12


def pivoted(batch: SimplexProblems, start: Floats) -> Floats:
    """Exchange donors until all weights are positive and no idle donor promises a gain.

    Parameters
    ----------
    batch : SimplexProblems
        Centred problems without barred donors.
    start : Floats, shape (B, J)
        Weights on the simplex.

    Returns
    -------
    Floats, shape (B, J)
        Weights on the simplex: at the optimum, or wherever the pivots ran out.
    """
    weights, grams = start.copy(), batch.grams
    rows, chosen = np.arange(len(start)), start > 0.0
    for _ in range(MAX_PIVOTS):
        w, slots = weights[rows], in_slots(chosen)
        half, _ = batch.gradient(w)
        hessian = face_hessians(grams, batch.ridge, rows, slots)
        try:
            way = face_ways(hessian, of_slots(half, slots), slots >= 0)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(way).all():
            break
        w += spread_out(way, slots, w.shape[1])
        half, _ = batch.gradient(w)
        level = np.einsum("bj,bj->b", half, w)[:, None]
        entering = ~chosen & (half < level - PROMISING * np.abs(level))
        leaving = w < 0.0
        positive = np.maximum(w, 0.0)
        weights[rows] = positive / positive.sum(axis=1, keepdims=True)
        open_ = (entering | leaving).any(axis=1)
        if not open_.any():
            break
        chosen = ((chosen & ~leaving) | entering)[open_]
        rows, batch = rows[open_], batch.only(open_)
    return weights
