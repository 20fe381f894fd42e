"""Calls to scpi_pkg."""

from __future__ import annotations

from scpi_pkg.scdata import scdata
from scpi_pkg.scest import scest


def sc_fit(case):
    treated = str(case.units[case.treated][0])

    def call():
        data = scdata(
            case.table,
            id_var="unit",
            time_var="time",
            outcome_var="y",
            period_pre=case.periods[: case.n_pre],
            period_post=case.periods[case.n_pre :],
            unit_tr=treated,
            unit_co=case.donors,
            verbose=False,
        )
        return scest(data, w_constr={"name": "simplex"})

    def read(fit):
        named = {str(index[-1]): value for index, value in fit.w.iloc[:, 0].items()}
        return case.sc_answer(case.aligned(named))

    return call, read


TASKS = {"sc_fit": sc_fit}
