"""Calls to trop, the package of the paper's authors; it starts from matrices."""

from __future__ import annotations

import numpy as np
from trop import TROP_TWFE_average


def _block(nn):
    def task(case):
        units = np.flatnonzero(case.treated)
        n_post = case.Y.shape[1] - case.n_pre
        W = case.W.astype(np.float64)

        def call():
            return TROP_TWFE_average(
                case.Y,
                W,
                units,
                lambda_unit=0.1,
                lambda_time=0.1,
                lambda_nn=nn,
                treated_periods=n_post,
            )

        return call, lambda att: {"att": float(att)}

    return task


TASKS = {"trop_block": _block(np.inf), "trop_block_nn": _block(10.0)}
