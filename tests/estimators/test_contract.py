"""What every estimator promises, on simulated panels (METHODS E.6, TRUST 3.1).

A promise that an estimator does not make is listed in EXEMPT with the reason.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.errors import DataError
from components.estimators import ESTIMATORS, Estimator
from components.panel import Panel
from conftest import ROOT
from panels import block_panel

# Levels enter: SC matches levels, and TROP's unit distances see them.
UNIT_LEVELS = {
    "sc": "matches levels without an intercept",
    "trop": "measures the distance between units in levels, as published",
}
# SDID's published ridge uses the spread of raw first differences, which common shocks widen.
COMMON_SHOCKS = {"sdid": "its ridge is set from raw first differences (Arkhangelsky et al.)"}
PRE_ORDER = {
    "sdid": "its ridge is set from differences of neighbouring periods",
    "callaway_santanna": "the last period before treatment is the base",
    "sun_abraham": "the last period before treatment is the base",
    "trop": "weights periods by how near they are to treatment",
}
EXEMPT = {"unit levels": UNIT_LEVELS, "common shocks": COMMON_SHOCKS, "pre order": PRE_ORDER}


@pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS.keys())
def estimator(request):
    return request.param()


def promises(estimator, what):
    if estimator.card.key in EXEMPT[what]:
        pytest.skip(f"{estimator.card.title}: {EXEMPT[what][estimator.card.key]}")


def shifted(panel, by):
    return panel.with_outcomes(panel.Y + by)


def scale_of(panel):
    return float(np.ptp(panel.Y))


def test_is_an_estimator_with_a_card(estimator):
    assert isinstance(estimator, Estimator)
    card = estimator.card
    assert all((card.key, card.title, card.idea.endswith("."), card.reference))
    assert eval(repr(estimator), {type(estimator).__name__: type(estimator)}) == estimator
    assert hash(estimator) == hash(type(estimator)())


def test_fit_is_pure_and_deterministic(estimator, panel):
    before = panel.fingerprint
    one, other = estimator.fit(panel), estimator.fit(panel)
    assert one.Y0.tobytes() == other.Y0.tobytes()
    assert panel.fingerprint == before


def test_same_bits_in_another_process(estimator, panel, tmp_path):
    path = tmp_path / "panel.npz"
    np.savez(path, Y=panel.Y, W=panel.W)
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from components.estimators import ESTIMATORS\n"
        "from components.panel import Panel\n"
        "a = np.load(sys.argv[1])\n"
        "n, t = a['Y'].shape\n"
        "p = Panel(a['Y'], a['W'], pd.Index([f'unit {i:02d}' for i in range(n)]),"
        " pd.RangeIndex(2000, 2000 + t))\n"
        f"print(ESTIMATORS[{estimator.card.key!r}]().fit(p).att.hex())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == float(estimator.fit(panel).att).hex()


def test_counterfactual_keeps_what_was_observed_elsewhere(estimator, panel):
    estimate = estimator.fit(panel)
    controls = ~panel.design.treated
    np.testing.assert_array_equal(estimate.Y0[controls], panel.Y[controls])
    assert np.isfinite(estimate.Y0).all()
    assert estimate.att == pytest.approx(estimate.effects[panel.W].mean())


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_never_looks_at_treated_outcomes(estimator, panel, size):
    path = size * np.linspace(1, 2, panel.shape[1])
    one, other = estimator.fit(panel), estimator.fit(shifted(panel, path * panel.W))
    np.testing.assert_allclose(other.Y0[panel.W], one.Y0[panel.W], atol=1e-9 * scale_of(panel))
    moved = (other.effects - one.effects)[panel.W]
    np.testing.assert_allclose(moved, (path * panel.W)[panel.W], rtol=1e-6, atol=1e-9)


def test_unit_weights_ignore_post_outcomes(estimator, panel):
    rng = np.random.default_rng(1)
    noise = np.zeros(panel.shape)
    noise[:, panel.design.n_pre :] = rng.normal(size=(panel.shape[0], panel.design.n_post))
    one, other = estimator.fit(panel), estimator.fit(shifted(panel, noise * panel.W))
    if one.unit_weights is not None:
        np.testing.assert_allclose(one.unit_weights, other.unit_weights, atol=1e-10)


def test_constant_added_to_all_periods_and_linear_trend_change_nothing(estimator, panel):
    att = estimator.fit(panel).att
    for common in (np.full(panel.shape[1], 50.0), np.linspace(-3, 3, panel.shape[1])):
        moved = estimator.fit(shifted(panel, common)).att
        assert moved == pytest.approx(att, abs=1e-4 * scale_of(panel))


def test_common_shocks_change_nothing(estimator, panel):
    promises(estimator, "common shocks")
    shocks = np.random.default_rng(3).normal(0, 3, panel.shape[1])
    moved = estimator.fit(shifted(panel, shocks)).att
    assert moved == pytest.approx(estimator.fit(panel).att, abs=1e-4 * scale_of(panel))


def test_unit_levels_change_nothing(estimator, panel):
    promises(estimator, "unit levels")
    levels = np.random.default_rng(4).normal(0, 2, (panel.shape[0], 1))
    moved = estimator.fit(shifted(panel, levels)).att
    assert moved == pytest.approx(estimator.fit(panel).att, abs=1e-4 * scale_of(panel))


@pytest.mark.parametrize(
    ("a", "b"), [(0, 1e-12), (0, 1e-6), (0, -1), (0, 1e6), (0, 1e12), (100, 1), (1e6, 1)]
)
def test_change_of_measure(estimator, panel, a, b):
    one, other = estimator.fit(panel), estimator.fit(panel.with_outcomes(a + b * panel.Y))
    assert other.att / b == pytest.approx(one.att, abs=1e-5 * scale_of(panel))
    if one.unit_weights is not None:
        np.testing.assert_allclose(other.unit_weights, one.unit_weights, atol=1e-4)


def test_order_of_units_does_not_matter(estimator, panel):
    order = np.random.default_rng(5).permutation(panel.shape[0])
    one, other = estimator.fit(panel), estimator.fit(panel.take(order))
    assert other.att == pytest.approx(one.att, abs=1e-6 * scale_of(panel))
    if one.unit_weights is not None:
        aligned = other.unit_weights.reindex(one.unit_weights.index)
        np.testing.assert_allclose(aligned, one.unit_weights, atol=1e-5)


def test_order_of_periods_before_treatment(estimator, panel):
    promises(estimator, "pre order")
    order = np.r_[
        np.random.default_rng(6).permutation(panel.design.n_pre),
        np.arange(panel.design.n_pre, panel.shape[1]),
    ]
    moved = estimator.fit(panel.with_outcomes(panel.Y[:, order])).att
    assert moved == pytest.approx(estimator.fit(panel).att, abs=1e-6 * scale_of(panel))


def test_names_and_dates_do_not_matter(estimator, panel):
    renamed = replace(
        panel,
        units=pd.Index([f"x{i}" for i in range(panel.shape[0])][::-1]),
        periods=pd.date_range("2001-01-01", periods=panel.shape[1]),
    )
    assert estimator.fit(renamed).att == pytest.approx(estimator.fit(panel).att, abs=1e-10)


def as_type(values, kind):
    if kind == "Fortran":
        return np.asfortranarray(values)
    if kind == "strided":
        return np.repeat(values, 2, axis=0)[::2]
    return values.astype(kind)


@pytest.mark.parametrize("kind", ["float32", "int64", "int16", "uint8", "Fortran", "strided"])
def test_number_types_do_not_matter(estimator, panel, kind):
    whole = np.clip(np.round(panel.Y * 5), 0, 250)
    one = estimator.fit(panel.with_outcomes(whole))
    other = estimator.fit(panel.with_outcomes(as_type(whole, kind)))
    assert other.att == pytest.approx(one.att, rel=1e-10)


CORNERS = {
    "one donor": {"n": 2, "t": 8, "n_post": 3},
    "all but one treated": {"n": 6, "t": 9, "n_treated": 5, "n_post": 3},
    "one period before": {"n": 6, "t": 4, "n_post": 3},
    "one period after": {"n": 6, "t": 8, "n_post": 1},
    "more donors than periods": {"n": 30, "t": 8, "n_post": 3},
    "more periods than donors": {"n": 4, "t": 40, "n_post": 10},
}


@pytest.mark.parametrize("corner", CORNERS)
def test_corners_are_finite_or_refused_with_a_reason(estimator, corner):
    panel = block_panel(**CORNERS[corner])
    reason = estimator.why_not(panel)
    if reason is not None:
        assert reason.endswith(".")
        return
    assert np.isfinite(estimator.fit(panel).att)


@pytest.mark.parametrize("flat", ["constant", "zero", "identical", "collinear"])
def test_flat_panels_are_finite(estimator, flat):
    t = np.arange(12.0)
    Y = {
        "constant": np.full((6, 12), 3.0),
        "zero": np.zeros((6, 12)),
        "identical": np.tile(np.sin(t), (6, 1)),
        "collinear": np.outer(np.arange(1.0, 7.0), t),
    }[flat]
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 8:] = True
    panel = Panel(Y, W, pd.Index(list("abcdef")), pd.RangeIndex(12))
    reason = estimator.why_not(panel)
    if reason is None:
        att = estimator.fit(panel).att
        assert np.isfinite(att)
        if flat != "collinear":
            assert att == pytest.approx(0.0, abs=1e-6)


def test_two_by_two_by_hand(estimator):
    panel = Panel(
        [[1.0, 6.0], [2.0, 4.0]], [[0, 1], [0, 0]], pd.Index(["a", "b"]), pd.Index([1, 2])
    )
    if estimator.why_not(panel) is None:
        expected = {"sc": 2.0}.get(estimator.card.key, 3.0)
        assert estimator.fit(panel).att == pytest.approx(expected, abs=1e-6)


def test_a_donor_that_is_the_treated_unit_leaves_no_effect(estimator, panel):
    Y = panel.Y.copy()
    Y[3] = Y[0] - 2.0 * panel.W[0]
    estimate = estimator.fit(panel.with_outcomes(Y))
    if estimator.card.key in {"sc", "sc_intercept"}:
        assert estimate.att == pytest.approx(2.0, abs=1e-6)
        assert estimate.unit_weights.iloc[2] == pytest.approx(1.0, abs=1e-6)


def none_treated(panel):
    return panel.reassign(np.zeros(panel.shape, dtype=bool))


def all_treated(panel):
    return panel.reassign(np.ones(panel.shape, dtype=bool))


def treated_from_the_first_period(panel):
    W = np.zeros(panel.shape, dtype=bool)
    W[0] = True
    return panel.reassign(W)


@pytest.mark.parametrize("change", [none_treated, all_treated, treated_from_the_first_period])
def test_designs_without_an_effect_are_refused_in_a_sentence(estimator, panel, change):
    reason = estimator.why_not(change(panel))
    assert reason
    assert reason.endswith(".")


def test_missing_cells_are_used_or_named_but_never_filled(estimator, panel):
    Y = panel.Y.copy()
    Y[4, 9] = np.nan  # the last period before treatment: every method uses it
    holed = panel.with_outcomes(Y)
    reason = estimator.why_not(holed)
    if reason is not None:
        assert "unit 04, 2009" in reason
        return
    filled = panel.with_outcomes(np.nan_to_num(Y, nan=1e5))
    assert np.isfinite(estimator.fit(holed).att)
    assert estimator.fit(filled).att != pytest.approx(estimator.fit(holed).att, abs=1e-3)


def test_infinite_outcomes_never_reach_an_estimator(panel):
    Y = panel.Y.copy()
    Y[1, 1] = np.inf
    with pytest.raises(DataError, match="infinite for unit 01, 2001"):
        panel.with_outcomes(Y)


def test_global_random_state_is_left_alone(estimator, panel):
    np.random.seed(7)  # noqa: NPY002 - the legacy state is what is checked
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    estimator.fit(panel)
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002


def test_identities_between_estimates(estimator):
    panel = block_panel(n_treated=3, n_post=4)
    estimate = estimator.fit(panel)
    assert estimate.by_period().mean() == pytest.approx(estimate.att)
    assert estimate.by_unit().mean() == pytest.approx(estimate.att)
    assert estimate.total == pytest.approx(estimate.cumulative().iloc[-1])
    assert estimate.by_event_time().loc[0:].mean() == pytest.approx(estimate.att)
    assert estimate.total == pytest.approx(estimate.att * 12)
