"""Calls to pysyncon.

Its public fit divides every period by a standard deviation, which is another problem; the solver
inside takes the outcomes as they are.
"""

from __future__ import annotations

import numpy as np
from pysyncon.base import VanillaOptimMixin


def sc_fit(case):
    treated = str(case.units[case.treated][0])
    identity = np.eye(case.n_pre)

    def call():
        wide = case.table.pivot(index="time", columns="unit", values="y").iloc[: case.n_pre]
        donors = wide.drop(columns=treated)
        weights, _ = VanillaOptimMixin.w_optimize(
            identity, donors.to_numpy(), wide[treated].to_numpy()
        )
        return weights

    return call, case.sc_answer


TASKS = {"sc_fit": sc_fit}
