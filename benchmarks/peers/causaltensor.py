"""Calls to causaltensor, which starts from matrices."""

from __future__ import annotations

import numpy as np
from causaltensor.cauest.OLSSyntheticControl import OLSSCPanelSolver
from causaltensor.cauest.SDID import SDID


def _wide(case):
    def table(column):
        return case.table.pivot(index="unit", columns="time", values=column).to_numpy(np.float64)

    return table("y"), table("treated")


def sc_fit(case):
    def call():
        Y, W = _wide(case)
        return OLSSCPanelSolver(Y.T, W.T).fit()

    return call, lambda fit: case.sc_answer(np.ravel(fit.beta))


def sdid_fit(case):
    return lambda: SDID(*_wide(case)), lambda fit: {"att": float(getattr(fit, "tau", fit))}


TASKS = {"sc_fit": sc_fit, "sdid_fit": sdid_fit}
