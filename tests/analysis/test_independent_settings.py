"""Every setting survives the link and the script to its last digit."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys

import numpy as np
import pytest

from components.analysis import (
    Treatment,
    load_table,
    run,
    sample_spec,
    to_script,
    words_of,
)
from components.analysis.link import from_query, to_query
from components.data import to_panel
from components.estimators import ESTIMATORS
from components.inference import METHODS

INFINITE = float("inf")
ESTIMATORS_SET = {
    "did": {},
    "sc": {"pairwise_penalty": 0.1 / 3},
    "sc_intercept": {"solver": "frank_wolfe"},
    "mc": {"penalty": 1 / 81},
    "sdid": {"ridge_scale": 1 / 3, "noise": "demeaned"},
    "trop": {"lambda_unit": 1 / 7, "lambda_time": 0.4, "lambda_nn": INFINITE},
    "callaway_santanna": {},
    "sun_abraham": {},
}
METHODS_SET = {
    "placebo_in_space": {"max_mspe_ratio": 20.0 / 3, "n_draws": 50},
    "conditional": {"given": "unit", "sided": "one"},
    "placebo_variance": {"n_draws": 33},
    "conformal": {"n_grid": 41},
    "prediction": {"n_draws": 60, "simultaneous": True, "spread": "published"},
    "t_test": {"n_folds": 4},
    "jackknife_plus": {"conservative": True},
    "jackknife": {"weights": "refitted"},
    "bootstrap": {"n_draws": 21},
    "parametric": {"n_draws": 21, "n_factors": 1},
    "event_study": {"n_draws": 77},
}
BASE = sample_spec("prop99").with_(
    treatment=Treatment(("California", "Utah", "Nevada", "Ohio", "Iowa"), "1994"),
    window=("1980", "1999"),
    dropped=("Maine", "Texas"),
    skipped=("1985",),
    smoothed=(("Colorado", "1987"),),
    level=1 / 1.1,
    seed=7,
)


def back(spec):
    query = to_query(spec)
    return from_query({k: [v] if isinstance(v, str) else v for k, v in query.items()})


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("method", METHODS)
def test_settings_come_back_from_the_link_to_the_last_digit(estimator, method):
    spec = BASE.with_(
        estimator=ESTIMATORS[estimator](**ESTIMATORS_SET[estimator]),
        inference=METHODS[method](**METHODS_SET[method]),
    )
    assert back(spec) == spec


def test_any_number_comes_back_from_the_link():
    rng = np.random.default_rng(5)
    for _ in range(30):
        level = float(rng.uniform(0.5, 0.999))
        size = float(10.0 ** rng.uniform(-12, 12))
        spec = BASE.with_(level=level, estimator=ESTIMATORS["mc"](penalty=size))
        assert back(spec) == spec


PAIRS = [
    ("did", "event_study"),
    ("did", "placebo_in_space"),
    ("sc", "placebo_variance"),
    ("sc_intercept", "t_test"),
    ("sdid", "jackknife"),
    ("trop", None),
    ("sun_abraham", "bootstrap"),
]


@pytest.mark.parametrize(("estimator", "method"), PAIRS)
def test_the_script_says_what_the_screen_says(estimator, method, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = BASE.with_(
        estimator=ESTIMATORS[estimator](**ESTIMATORS_SET[estimator]),
        inference=None if method is None else METHODS[method](**METHODS_SET[method]),
    )
    panel, ledger = to_panel(load_table(spec.source, reading=spec.columns.reading), spec.columns)
    result = run(spec, panel)
    assert result.refusal is None
    path = tmp_path / "analysis.py"
    path.write_text(to_script(result, words_of(spec), "t.csv", ledger), encoding="utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(path), run_name="__main__")
    assert json.JSONDecoder().raw_decode(printed.getvalue())[0] == result.numbers()
