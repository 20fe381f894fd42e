"""Calls to pyfixest."""

from __future__ import annotations

import pyfixest


def twfe(case):
    def call():
        return pyfixest.feols("y ~ treated | unit + time", case.table, vcov={"CRV1": "unit"})

    return call, lambda fit: {"att": float(fit.coef().iloc[0]), "se": float(fit.se().iloc[0])}


TASKS = {"twfe": twfe}
