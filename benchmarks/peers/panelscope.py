"""Calls to Panelscope, from a long table or from what it keeps of one: the panel.

Imports come late, so that a part that is not built yet is missed only by its own task.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components.estimators import ESTIMATORS
from components.panel import Panel

DRAWS = 200
BLOCKS = {"tuning": "placebo_block"}
CELLS = {"tuning": "leave_one_cell_out", "form": "percell"}


def _source(case):
    """Give a function that returns the panel: read from the table anew, or at hand."""

    def read():
        return Panel.from_long(
            case.table, unit="unit", time="time", outcome="y", treatment="treated"
        )

    if case.source == "table":
        return read
    panel = read()
    return lambda: panel


def _estimator(key, **tuning):
    if key not in ESTIMATORS:
        raise ImportError(f"there is no estimator {key!r} yet")
    return ESTIMATORS[key](**tuning)


def sc_fit(case):
    panel, estimator = _source(case), _estimator("sc")

    def call():
        estimate = estimator.fit(panel())
        return estimate, estimate.att

    return call, lambda raw: case.sc_answer(raw[0].unit_weights)


def sc_placebo(case):
    from components.inference import METHODS, silent

    panel, estimator = _source(case), _estimator("sc")
    method = METHODS["placebo_in_space"](statistic="rmspe_ratio")
    rng = np.random.default_rng(0)

    def call():
        estimate = estimator.fit(panel())
        return method.assess(estimate, level=0.9, rng=rng, progress=silent)

    return call, lambda found: {"p_value": found.p_value, "p_value_pool": _pool_p_value(case)}


def _pool_p_value(case):
    """Rank with the treated unit among the donors of every placebo, as diff-diff has it."""
    from components.numerics.simplex_many import simplex_fits

    before = case.Y[:, : case.n_pre]
    weights = simplex_fits(before.T, before, np.arange(len(before))[:, None])
    squares = (case.Y - weights @ case.Y) ** 2
    ratios = squares[:, case.n_pre :].mean(axis=1) / squares[:, : case.n_pre].mean(axis=1)
    return float((ratios >= ratios[case.treated]).mean())


def prediction_intervals(case):
    from components.inference import METHODS, silent

    if "prediction" not in METHODS:
        raise ImportError("there are no prediction intervals yet")
    panel, estimator = _source(case), _estimator("sc")
    method = METHODS["prediction"](n_draws=DRAWS, differences=False, simultaneous=False)

    def call():
        rng = np.random.default_rng(0)
        return method.assess(estimator.fit(panel()), level=0.9, rng=rng, progress=silent)

    def read(found):
        return {"mean_length": float((found.band.upper - found.band.lower).mean())}

    return call, read


def sdid_fit(case):
    panel, estimator = _source(case), _estimator("sdid")

    def call():
        estimate = estimator.fit(panel())
        return estimate, estimate.att

    return call, lambda raw: {
        **case.sdid_answer(raw[0].unit_weights, raw[1]),
        "att_stopped": _stopped(case),
    }


def _stopped(case):
    """Estimate with the solver that stops where synthdid does, as the peers' solvers do."""
    panel = Panel.from_long(case.table, unit="unit", time="time", outcome="y", treatment="treated")
    return _estimator("sdid", solver="frank_wolfe").fit(panel).att


def _sdid_errors(draw):
    def task(case):
        panel, estimator = _source(case), _estimator("sdid")

        def call():
            estimate = estimator.fit(panel())
            design = estimate.panel.design
            gaps, correction = draw(estimator, estimate.panel, np.random.default_rng(0))
            draws = gaps[:, design.n_pre :].mean(axis=1)
            return estimate.att, float(draws.std() * correction)

        return call, lambda raw: {"att": raw[0], "att_stopped": _stopped(case), "se": raw[1]}

    return task


def _placebo(estimator, panel, rng):
    """Draw as many never-treated units as are treated: Algorithm 4."""
    controls = np.flatnonzero(~panel.design.treated)
    size = panel.design.n_treated
    groups = np.stack([rng.choice(controls, size, replace=False) for _ in range(DRAWS)])
    return estimator.placebo_gaps(panel, groups), 1.0


def _bootstrap(estimator, panel, rng):
    """Draw units with repetition until both kinds are in every sample: Algorithm 2."""
    n, treated = panel.shape[0], panel.design.treated
    counts = []
    while len(counts) < DRAWS:
        drawn = np.bincount(rng.integers(0, n, n), minlength=n)
        if 0 < drawn[treated].sum() < n:
            counts.append(drawn)
    return estimator.bootstrap_gaps(panel, np.array(counts)), 1.0


def read_table(case):
    """Only what every analysis of a table does first."""
    panel = _source(case)
    return lambda: panel().design.n_pre, lambda n_pre: {"n_pre": n_pre}


def _fit(key, **tuning):
    return lambda case: _plain(case, key, **tuning)


def _plain(case, key, **tuning):
    panel, estimator = _source(case), _estimator(key, **tuning)

    def call():
        estimate = estimator.fit(panel())
        return estimate, estimate.att

    def read(raw):
        estimate, att = raw
        chosen = {
            name: float(value)
            for name, value in estimate.details.items()
            if isinstance(value, int | float)
        }
        return {**chosen, "att": att}

    return call, read


def mc_fixed(case):
    """Fit at a fifth of the penalty at which the low-rank part vanishes."""
    from components.numerics.lowrank import penalty_max

    return _plain(case, "mc", penalty=0.2 * penalty_max(np.where(case.W, np.nan, case.Y), ~case.W))


def trop_loocv(case):
    """All untreated cells left out in turn, from matrices."""
    from components.numerics.trop_cells import CellProblem, Penalties
    from components.numerics.trop_scores import LeaveOneCellOut

    rows, columns = np.nonzero(~case.W)
    X = np.zeros((0, *case.Y.shape))

    def call():
        score = LeaveOneCellOut(CellProblem(case.Y, ~case.W, rows, columns, X))
        every = np.arange(score.n_items)
        return score.errors([Penalties(0.1, 0.1, np.inf)], every, tolerance=1e-6)

    return call, lambda errors: {"score": float(np.sum(errors**2))}


def _trop_block(nn):
    def task(case):
        from components.numerics.trop_blocks import BlockProblem
        from components.numerics.trop_cells import Penalties

        groups = np.flatnonzero(case.treated)[None]
        observed, X = np.ones(case.Y.shape, dtype=np.bool_), np.zeros((0, *case.Y.shape))
        one = np.zeros(1, dtype=np.int64)

        def call():
            problem = BlockProblem(case.Y, observed, groups, case.n_pre, X)
            return problem.effects([Penalties(0.1, 0.1, nn)], one, tolerance=1e-6)

        return call, lambda effects: {"att": float(effects[0])}

    return task


def _trop_tuning(**tuning):
    """Choose all three penalties and fit."""

    def task(case):
        panel, estimator = _source(case), _estimator("trop", **tuning)

        def call():
            estimate = estimator.fit(panel())
            return estimate, estimate.att

        return call, lambda raw: {**_penalties(estimator.tuned(raw[0])), "att": raw[1]}

    return task


def _trop_unhurried(**tuning):
    """Look at every candidate of the grid, each until it cannot win any more."""

    def task(case):
        from components.estimators.trop import tune

        panel, estimator = _source(case), _estimator("trop", **tuning)
        return lambda: tune(panel(), estimator, exhaustive=True), _penalties

    return task


def _penalties(chosen):
    names = ("lambda_unit", "lambda_time", "lambda_nn")
    return {name: float(getattr(chosen, name)) for name in names}


def twfe(case):
    from components.numerics.twoway import regress_two_way

    panel = _source(case)

    def call():
        at_hand = panel()
        return regress_two_way(at_hand.Y, at_hand.W[None].astype(np.float64), at_hand.observed)

    def read(found):
        return {"att": float(found.coefficients[0]), "se": float(found.standard_errors[0])}

    return call, read


TASKS = {
    "sc_fit": sc_fit,
    "sc_placebo": sc_placebo,
    "prediction_intervals": prediction_intervals,
    "sdid_fit": sdid_fit,
    "sdid_placebo": _sdid_errors(_placebo),
    "sdid_bootstrap": _sdid_errors(_bootstrap),
    "read_table": read_table,
    "did_fit": _fit("did"),
    "sc_intercept_fit": _fit("sc_intercept"),
    "sdid_plain": _fit("sdid"),
    "mc_cv": _fit("mc"),
    "mc_fixed": mc_fixed,
    "trop_loocv": trop_loocv,
    "trop_block": _trop_block(np.inf),
    "trop_block_nn": _trop_block(10.0),
    "trop_fixed": _fit("trop", lambda_unit=0.5, lambda_time=0.1, lambda_nn=1.0),
    "trop_fit": _fit("trop"),
    "trop_tuning_block": _trop_tuning(**BLOCKS),
    "trop_unhurried_block": _trop_unhurried(**BLOCKS),
    "trop_tuning_cells": _trop_tuning(**CELLS),
    "trop_unhurried_cells": _trop_unhurried(**CELLS),
    "twfe": twfe,
}
