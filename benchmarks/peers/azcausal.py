"""Calls to azcausal."""

from __future__ import annotations

from azcausal.core.error import Bootstrap, Placebo
from azcausal.core.panel import CausalPanel
from azcausal.estimators.panel.sdid import SDID


def _fit(case):
    wide = {
        name: case.table.pivot(index="time", columns="unit", values=name)
        for name in ("y", "treated")
    }
    panel = CausalPanel(wide).setup(outcome="y", intervention="treated")
    method = SDID()
    return method, method.fit(panel)


def _att(result):
    return float(result.effect.value)


def sdid_fit(case):
    return lambda: _fit(case)[1], lambda result: {"att_stopped": _att(result)}


def _errors(kind):
    def task(case):
        def call():
            method, result = _fit(case)
            method.error(result, kind(n_samples=200))
            return result

        return call, lambda result: {"att_stopped": _att(result), "se": float(result.effect.se)}

    return task


TASKS = {
    "sdid_fit": sdid_fit,
    "sdid_placebo": _errors(Placebo),
    "sdid_bootstrap": _errors(Bootstrap),
}
