"""What every inference method keeps, with every estimator that it applies to."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from components.estimators import ESTIMATORS
from components.inference import METHODS, silent
from conftest import ROOT
from panels import block_panel

CHEAP = {
    "trop": {"lambda_unit": 0.5, "lambda_time": 0.2, "lambda_nn": float("inf")},
    "mc": {"penalty": 0.05},
}
FEW_DRAWS = {"bootstrap": 39, "parametric": 39, "prediction": 80, "event_study": 99}
RANDOM = {"bootstrap", "parametric", "prediction", "event_study"}
LEVELS = (0.8, 0.95)
# Their interval is centred elsewhere, or made of refits; a note says so where the estimate is out.
ELSEWHERE = {"conformal", "t_test", "prediction", "jackknife_plus"}


def staggered(panel):
    W = panel.W.copy()
    W[:2, -7:] = True
    return panel.reassign(W)


PANELS = {
    "one treated": block_panel(n=14, t=26, n_post=3, effect=0.4),
    "six treated": block_panel(n=14, t=14, n_treated=6, n_post=4, effect=0.2),
    "staggered": staggered(block_panel(n=14, t=14, n_treated=6, n_post=4, effect=0.2)),
}


def estimator_of(key):
    return ESTIMATORS[key](**CHEAP.get(key, {}))


def method_of(key):
    return METHODS[key](**({"n_draws": FEW_DRAWS[key]} if key in FEW_DRAWS else {}))


@cache
def fitted(design, key):
    panel, estimator = PANELS[design], estimator_of(key)
    return estimator.fit(panel) if estimator.why_not(panel) is None else None


@cache
def assessed(design, estimator, method, level):
    return assess(fitted(design, estimator), method, level)


def assess(estimate, method, level, seed=0):
    rng = np.random.default_rng(seed)
    return method_of(method).assess(estimate, level=level, rng=rng, progress=silent)


PAIRS = [
    (design, estimator, method)
    for design in PANELS
    for estimator in ESTIMATORS
    for method in METHODS
    if fitted(design, estimator) is not None
    and method_of(method).why_not(fitted(design, estimator)) is None
]
NAMES = [" ".join(pair) for pair in PAIRS]


def test_every_method_is_tried():
    assert {method for _, _, method in PAIRS} == set(METHODS)
    assert {estimator for _, estimator, _ in PAIRS} == set(ESTIMATORS)


@pytest.mark.parametrize(("design", "estimator", "method"), PAIRS, ids=NAMES)
def test_one_procedure_one_answer(design, estimator, method):
    estimate = fitted(design, estimator)
    before = None
    for level in LEVELS:
        result = assessed(design, estimator, method, level)
        if result.interval is None:
            assert result.notes
            continue
        assert (result.p_value <= 1 - level + 1e-9) == (0.0 not in result.interval)
        inside = estimate.att in result.interval
        assert inside or (method in ELSEWHERE and any("outside" in n for n in result.notes))
        assert result.detectable >= (result.interval.upper - result.interval.lower) / 2 - 1e-9
        if before is not None:
            assert result.interval.lower <= before.lower + 1e-9
            assert result.interval.upper >= before.upper - 1e-9
        before = result.interval
        said = result.sentence
        assert f"{100 * level:g}%" in said
        assert "two-sided" in said
        for band in (result.band, result.event_band):
            assert band is None or band.kind in said or "together" in said
        if result.smallest_p is not None:
            assert result.p_value >= result.smallest_p - 1e-12
        assert (result.n_random > 0) == (method in RANDOM)


@pytest.mark.parametrize(("design", "estimator", "method"), PAIRS, ids=NAMES)
def test_intervals_follow_a_change_of_units(design, estimator, method):
    panel, fit = PANELS[design], estimator_of(estimator)
    scale = 40.0
    if estimator == "mc":
        fit = ESTIMATORS["mc"](penalty=scale * CHEAP["mc"]["penalty"])
    moved = fit.fit(panel.with_outcomes(300.0 + scale * panel.Y))
    one = assessed(design, estimator, method, 0.9)
    other = assess(moved, method, 0.9)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-3, abs=1e-6)
    if one.interval is not None:
        width = one.interval.upper - one.interval.lower
        for end in ("lower", "upper"):
            expected = scale * getattr(one.interval, end)
            assert getattr(other.interval, end) == pytest.approx(expected, abs=2e-3 * scale * width)
        assert other.detectable == pytest.approx(scale * one.detectable, rel=5e-3)


@pytest.mark.parametrize("design", PANELS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("method", METHODS)
def test_every_refusal_has_its_reason(design, estimator, method):
    estimate = fitted(design, estimator)
    if estimate is None:
        reason = estimator_of(estimator).why_not(PANELS[design])
    else:
        reason = method_of(method).why_not(estimate)
    assert reason is None or (len(reason) > 30 and reason.endswith("."))


def bits():
    """Write the bits of one interval per random method, and of an honesty check."""
    from components.inference.honesty import honesty

    found = []
    for method in sorted(RANDOM):
        result = (
            assess(fitted("six treated", "did"), method, 0.9, seed=3)
            if method != ("prediction")
            else assess(fitted("one treated", "sc"), method, 0.9, seed=3)
        )
        found.append(np.float64(result.interval.upper).tobytes().hex())
        if result.event_band is not None:
            found.append(result.event_band.upper.to_numpy().tobytes().hex())
    honest = honesty(fitted("six treated", "did"), method_of("parametric"), 0.9, 3, seed=5)
    found.append(honest.placebos["upper"].to_numpy().tobytes().hex())
    return " ".join(found)


def test_same_seed_same_bits_in_two_processes():
    code = "import sys; sys.path[:0] = ['.', 'tests', 'tests/inference']\n"
    code += "from test_properties import bits; print(bits())"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.strip() == bits()
