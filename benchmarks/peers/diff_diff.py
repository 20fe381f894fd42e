"""Calls to diff-diff, whose inner loops are in Rust."""

from __future__ import annotations

import diff_diff._rust_backend as rust
import numpy as np
from diff_diff import SyntheticControl, SyntheticDiD, TwoWayFixedEffects

COLUMNS = {"outcome": "y", "unit": "unit", "time": "time"}
DRAWS = 200


def _synthetic_control(case):
    method = SyntheticControl(v_method="custom", custom_v=np.ones(case.n_pre), standardize="none")
    return method.fit(case.table, treatment="treated", **COLUMNS)


def sc_fit(case):
    def read(fit):
        table = fit.get_weights_df()
        return case.sc_answer(case.aligned(dict(zip(table["unit"], table["weight"], strict=True))))

    return lambda: _synthetic_control(case), read


def sc_placebo(case):
    def call():
        fit = _synthetic_control(case)
        fit.in_space_placebo()
        return fit

    return call, lambda fit: {"p_value_pool": float(fit.placebo_p_value)}


def sdid_fit(case):
    """Only the Rust kernels, from matrices: the class always adds a standard error."""
    before = np.ascontiguousarray(case.controls[:, : case.n_pre].T)
    after = np.ascontiguousarray(case.controls[:, case.n_pre :].T)
    average = case.average
    n_cells = float(case.W.sum())

    def call():
        sigma = rust.compute_noise_level(before)
        omega = rust.compute_sdid_unit_weights(
            before, average[: case.n_pre], n_cells**0.25 * sigma, True, 1e-5 * sigma
        )
        lam = rust.compute_time_weights(before, after, 1e-6 * sigma, True, 1e-5 * sigma)
        gap = average - omega @ np.concatenate([before, after]).T
        return omega, gap[case.n_pre :].mean() - lam @ gap[: case.n_pre]

    return call, lambda raw: case.sdid_answer(*raw, "att_stopped")


def _sdid_errors(method):
    def task(case):
        post = list(case.periods[case.n_pre :])

        def call():
            fit = SyntheticDiD(variance_method=method, n_bootstrap=DRAWS, seed=0)
            return fit.fit(case.table, treatment="ever", post_periods=post, **COLUMNS)

        return call, lambda fit: {"att_stopped": float(fit.att), "se": float(fit.se)}

    return task


def trop_loocv(case):
    Y, D = np.ascontiguousarray(case.Y.T), np.ascontiguousarray(case.W.T).astype(np.float64)
    periods = np.arange(len(Y))
    gaps = np.abs(periods[:, None] - periods)
    point = (np.array([0.1]), np.array([0.1]), np.array([np.inf]))

    def call():
        return rust.loocv_grid_search(Y, D, (D == 0).astype(np.uint8), gaps, *point, 100, 1e-6)

    return call, lambda found: {"score": float(found[3])}


def twfe(case):
    def call():
        method = TwoWayFixedEffects(cluster="unit")
        return method.fit(case.table, "y", "ever", "post", "unit")

    return call, lambda fit: {"att": float(fit.att), "se": float(fit.se)}


TASKS = {
    "sc_fit": sc_fit,
    "sc_placebo": sc_placebo,
    "sdid_fit": sdid_fit,
    "sdid_placebo": _sdid_errors("placebo"),
    "sdid_bootstrap": _sdid_errors("bootstrap"),
    "trop_loocv": trop_loocv,
    "twfe": twfe,
}
