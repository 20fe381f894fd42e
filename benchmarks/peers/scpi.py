"""Calls to scpi_pkg."""

from __future__ import annotations

import numpy as np
from scpi_pkg.scdata import scdata
from scpi_pkg.scest import scest
from scpi_pkg.scpi import scpi


def _data(case):
    return scdata(
        case.table,
        id_var="unit",
        time_var="time",
        outcome_var="y",
        period_pre=case.periods[: case.n_pre],
        period_post=case.periods[case.n_pre :],
        unit_tr=str(case.units[case.treated][0]),
        unit_co=case.donors,
        verbose=False,
    )


def sc_fit(case):
    def call():
        return scest(_data(case), w_constr={"name": "simplex"})

    def read(fit):
        named = {str(index[-1]): value for index, value in fit.w.iloc[:, 0].items()}
        return case.sc_answer(case.aligned(named))

    return call, read


def prediction_intervals(case):
    def call():
        np.random.seed(0)  # noqa: NPY002 - the package draws from there
        simplex = {"name": "simplex"}
        return scpi(_data(case), simplex, e_method="gaussian", sims=200, cores=1, verbose=False)

    def read(found):
        band = found.CI_all_gaussian.iloc[:, :2].to_numpy(dtype=np.float64)
        return {"mean_length": float((band[:, 1] - band[:, 0]).mean())}

    return call, read


TASKS = {"sc_fit": sc_fit, "prediction_intervals": prediction_intervals}
