"""Calls to mlsynth."""

from __future__ import annotations

import numpy as np
from mlsynth.estimators.mcnnm import MCNNM
from mlsynth.estimators.sdid import SDID
from mlsynth.estimators.vanillasc import VanillaSC


def _config(case, **options):
    columns = {"outcome": "y", "treat": "treated", "unitid": "unit", "time": "time"}
    return {"df": case.table, **columns, "display_graphs": False, **options}


def sc_fit(case):
    def call():
        return VanillaSC(_config(case, inference=False)).fit()

    return call, lambda fit: case.sc_answer(case.aligned(fit.weights.donor_weights))


def sc_placebo(case):
    def call():
        return VanillaSC(_config(case, inference="placebo")).fit()

    return call, lambda fit: {"p_value": float(fit.inference.p_value)}


def prediction_intervals(case):
    """Both parts at 5 %, as scpi_pkg has it by default."""

    def call():
        return VanillaSC(_config(case, inference="scpi", scpi_sims=200, alpha=0.05)).fit()

    def read(fit):
        details = fit.inference.details
        lengths = details["counterfactual_upper"] - details["counterfactual_lower"]
        return {"mean_length": float(np.nanmean(lengths))}

    return call, read


def _sdid(draws):
    def task(case):
        def call():
            return SDID(_config(case, B=draws)).fit()

        def read(fit):
            answer = {"att": float(fit.effects.att)}
            if draws:
                answer["se"] = float(fit.inference.standard_error)
            return answer

        return call, read

    return task


def mc_cv(case):
    def call():
        return MCNNM(_config(case, n_lambda=40, n_folds=5)).fit()

    return call, lambda fit: {"att": float(fit.effects.att)}


TASKS = {
    "sc_fit": sc_fit,
    "sc_placebo": sc_placebo,
    "prediction_intervals": prediction_intervals,
    "sdid_fit": _sdid(0),
    "sdid_placebo": _sdid(200),
    "mc_cv": mc_cv,
}
