"""The triply robust estimator: printed numbers, special cases, theorem 5.1, invariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import replicate_trop_row as paper
from components.errors import SpecError
from components.estimators.did import DifferenceInDifferences
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.trop import TROP, tune
from components.estimators.trop_tuning import prepare
from components.numerics.trop_cells import CellProblem, Penalties
from components.numerics.trop_scores import LeaveOneCellOut
from components.numerics.trop_treated import impute
from components.panel import Panel
from conftest import PUBLISHED
from panels import block_panel
from trop_reference import proximal_gradient

INF = np.inf


def fixed(unit, time, nn, **options):
    return TROP(lambda_unit=unit, lambda_time=time, lambda_nn=nn, **options)


def read(published, file, unit, time, outcome):
    return Panel.from_long(
        published(file), unit=unit, time=time, outcome=outcome, treatment="treated"
    )


@pytest.fixture
def prop99(published):
    return read(published, "california_prop99.csv", "state", "year", "packs_per_capita")


def scattered_panel(seed=0, n=12, t=10, share=0.2):
    panel = block_panel(seed=seed, n=n, t=t)
    W = np.random.default_rng(seed).random((n, t)) < share
    return panel.reassign(W)


def staggered_panel():
    panel = block_panel(n=12, t=12)
    W = np.zeros(panel.shape, dtype=bool)
    W[0, 8:], W[1, 6:], W[2, 6:] = True, True, True
    return panel.reassign(W)


DESIGNS = {
    "block": block_panel(n=12, t=10, n_treated=2, n_post=3),
    "staggered": staggered_panel(),
    "scattered": scattered_panel(),
}


@pytest.fixture(params=DESIGNS.values(), ids=DESIGNS.keys())
def design(request):
    return request.param


# Computed for METHODS B.1 with an independent solver, printed to five decimals.
GOLDENS = [
    ((0.0, 0.0, INF), -27.34911),
    ((0.0, 0.0, 1.0), -19.98294),
    ((0.0, 0.0, 0.1), -19.71323),
    ((0.5, 0.8, INF), -20.22500),
    ((0.5, 0.8, 0.0111), -20.44168),
    ((0.25, 0.4, 0.0111), -21.70585),
    ((0.25, 0.4, 0.1), -21.28179),
    ((1.0, 0.2, 0.1), -24.98504),
]


@pytest.mark.parametrize(("lambdas", "att"), GOLDENS)
def test_proposition_99_cell_by_cell(prop99, lambdas, att):
    estimate = fixed(*lambdas, form="percell", scale="all").fit(prop99)
    assert estimate.att == pytest.approx(att, abs=2e-5)
    assert estimate.details["certificate"] <= 1.0 + 1e-6


# Sums of squared errors over the 1197 untreated cells, outcomes in standard deviations of all.
LEFT_OUT = {
    (0, 0): 165.731282, (0, 0.2): 39.774213, (0, 0.5): 20.030122, (0, 1): 14.557894,
    (1, 0.5): 19.148075, (2, 0.5): 19.004173, (1, 1): 14.106602, (2, 1): 14.066745,
    (3, 1): 14.321140, (5, 1.5): 14.146083,
}  # fmt: skip


def test_proposition_99_cells_left_out(prop99):
    setup = prepare(prop99, "percell", "all", "levels", ())
    assert setup.scale == pytest.approx(32.75384988, abs=1e-7)
    rows, columns = np.nonzero(~prop99.W)
    score = LeaveOneCellOut(CellProblem(setup.Y, ~prop99.W, rows, columns, setup.X))
    penalties = [Penalties(unit, time, INF) for unit, time in LEFT_OUT]
    errors = score.errors(penalties, np.arange(score.n_items), tolerance=1e-6)
    np.testing.assert_allclose((errors**2).sum(axis=1), list(LEFT_OUT.values()), rtol=1e-7)


def test_proposition_99_score_with_a_low_rank_part(prop99):
    # diff-diff 3.13.0, raw outcomes, (unit, time, nn) = (.1, .1, 10): 42836.2473. The data of that
    # run had the outcomes in single precision, which moves the last digits.
    rows, columns = np.nonzero(~prop99.W)
    score = LeaveOneCellOut(
        CellProblem(prop99.Y, ~prop99.W, rows, columns, np.zeros((0, *prop99.shape)))
    )
    errors = score.errors([Penalties(0.1, 0.1, 10.0)], np.arange(1197), tolerance=1e-5)
    assert (errors**2).sum() == pytest.approx(42836.2473, rel=1e-6)


def test_proposition_99_tuned(prop99):
    estimate = TROP().fit(prop99)
    details = estimate.details
    assert details["form"] == "block_masked"
    assert details["tuning"] == "placebo_block"
    chosen = (details["lambda_unit"], details["lambda_time"], details["lambda_nn"])
    # What a full search of all 245 combinations finds (benchmarks: trop_unhurried_block).
    assert chosen == (1.0, 0.8, pytest.approx(0.0188, abs=1e-4))
    held = estimate.estimator.tuned(estimate)
    assert held.fit(prop99).att == pytest.approx(estimate.att, abs=1e-9)


# Table 2 of the paper, log wage and minimum wage: 1000 draws of the published generator.
def test_published_simulation_of_log_wages(published):
    published("cps_rounded.csv")
    world = paper.calibrated("cps", PUBLISHED)
    assert world.ar == pytest.approx([0.00966, -0.05710], abs=1e-5)
    assert world.chance[:3] == pytest.approx([0.18202, 0.03446, 0.04376], abs=1e-5)
    rng = np.random.RandomState(0)
    draws = [world.draw(rng) for _ in range(1000)]
    printed = {"did": 0.049102, "trop": 0.025450}
    # The sign of singular vectors may differ between LAPACKs, and with it the draws.
    same_draws = np.sqrt(np.mean(paper.did(world, draws) ** 2))
    tolerance = 5e-4 if same_draws == pytest.approx(printed["did"], rel=1e-4) else 0.05
    assert same_draws == pytest.approx(printed["did"], rel=tolerance)
    found = paper.effects(world, draws, Penalties(0.0, 0.1, 0.9))
    assert np.sqrt(np.mean(found**2)) == pytest.approx(printed["trop"], rel=tolerance)


@pytest.mark.parametrize(
    ("row", "penalties"),
    [("cps", Penalties(0.0, 0.1, 0.9)), ("pwt", Penalties(0.3, 0.4, 0.15))],
)
def test_published_form_against_a_slow_solver(published, row, penalties):
    published(paper.ROWS[row][0])
    world, rng = paper.calibrated(row, PUBLISHED), np.random.RandomState(0)
    draws = [world.draw(rng) for _ in range(6 if row == "cps" else 1)]
    found = paper.effects(world, draws, penalties)
    n_periods = world.F.shape[1]
    theta = np.exp(-2 * penalties.time * np.abs(np.arange(n_periods) - (n_periods - 5.0)))
    for (Y, treated), effect in zip(draws, found, strict=True):
        gap = Y[:, :-10] - Y[treated, :-10].mean(axis=0)
        omega = np.exp(-2 * penalties.unit * np.sqrt((gap**2).mean(axis=1)))
        D = np.zeros((1, *Y.shape))
        D[0, treated, -10:] = 1.0
        _, _, slopes = proximal_gradient(Y, np.outer(omega, theta), penalties.nn, D)
        assert effect == pytest.approx(slopes[0], abs=1e-5)


def markov(rng, shape):
    W = np.zeros(shape, dtype=bool)
    W[:, 0] = rng.random(shape[0]) < 0.2
    for t in range(1, shape[1]):
        stay, enter = rng.random(shape[0]) < 0.75, rng.random(shape[0]) < 0.0625
        W[:, t] = np.where(W[:, t - 1], stay, enter)
    return W


# METHODS F: root mean squared error of a cell, for assignment by coin and by Markov chain.
ON_AND_OFF = [
    ((0.0, 0.0, INF), 0.1451, 0.1477),
    ((0.0, 0.2, INF), 0.1121, 0.1250),
    ((0.0, 0.0, 1.5), 0.1157, 0.1257),
    ((1.0, 0.3, 1.0), 0.1097, 0.1225),
]


def test_treatment_that_switches_on_and_off(published):
    published("cps_rounded.csv")
    world, rng = paper.calibrated("cps", PUBLISHED), np.random.default_rng(123)
    root, shape = np.linalg.cholesky(world.covariance), world.F.shape

    def outcomes():
        return world.F + world.M + rng.standard_normal(shape) @ root.T

    coins = [(outcomes(), rng.random(shape) < 0.2) for _ in range(8)]
    chains = [(outcomes(), markov(rng, shape)) for _ in range(8)]
    for penalties, *printed in ON_AND_OFF:
        for panels, expected in zip((coins, chains), printed, strict=True):
            squares = []
            for Y, W in panels:
                cells = CellProblem(Y, ~W, *np.nonzero(W), np.zeros((0, *shape)))
                done = impute(cells, Penalties(*penalties), tolerance=1e-5)
                squares.append(((Y - done.outcomes)[W]) ** 2)
            assert np.sqrt(np.concatenate(squares).mean()) == pytest.approx(expected, abs=6e-5)


def test_without_penalties_it_is_difference_in_differences(design):
    expected = DifferenceInDifferences().fit(design)
    for form in ("percell", "auto"):
        estimate = fixed(0.0, 0.0, INF, form=form).fit(design)
        np.testing.assert_allclose(
            estimate.Y0[design.W], expected.Y0[design.W], atol=1e-8, equal_nan=True
        )


@pytest.mark.parametrize("form", ["percell", "auto"])
def test_with_the_nuclear_norm_alone_it_is_matrix_completion(design, form):
    estimate = fixed(0.0, 0.0, 0.4, form=form).fit(design)
    untreated = (design.observed & ~design.W).sum()
    other = MatrixCompletion(penalty=0.4 * estimate.details["scale"] / untreated).fit(design)
    np.testing.assert_allclose(estimate.Y0[design.W], other.Y0[design.W], atol=1e-4)


def test_one_treated_cell_is_a_weighted_double_difference():
    panel = block_panel(n=10, t=8, n_post=1)
    estimate = fixed(0.7, 0.3, INF, form="percell").fit(panel)
    omega, theta = estimate.unit_weights.to_numpy(), estimate.time_weights.to_numpy()
    Y = panel.Y
    expected = (Y[0, 7] - theta @ Y[0, :7]) - omega @ (Y[1:, 7] - Y[1:, :7] @ theta)
    assert estimate.att == pytest.approx(expected, abs=1e-8)


def loadings_panel(near, far, post_factor, seed=0):
    """Treated unit at loading 0; donors in pairs at plus and minus; one factor, no noise."""
    rng = np.random.default_rng(seed)
    t = len(post_factor)
    loading = np.concatenate([[0.0], near, -near, far, -far])
    level = rng.normal(size=(1, t))
    Y = level + np.outer(loading, post_factor)
    W = np.zeros(Y.shape, dtype=bool)
    W[0, -1] = True
    return Panel(Y, W, pd.RangeIndex(len(Y)), pd.RangeIndex(t))


def test_no_bias_where_unit_weights_balance_the_loadings():
    # Theorem 5.1, first factor zero: pairs of donors are equally far and cancel, whatever the
    # factor does after treatment.
    factor = np.array([0.3, -1.0, 0.7, 0.2, -0.4, 50.0])
    panel = loadings_panel(np.array([0.5, 0.8]), np.array([2.0]), factor)
    for unit, time in ((0.0, 0.0), (1.5, 0.0), (1.5, 0.7)):
        assert fixed(unit, time, INF).fit(panel).att == pytest.approx(0.0, abs=1e-9)
    lopsided = replace(panel, Y=panel.Y[[0, 1, 1, 2, 2, 5, 6]])
    assert abs(fixed(1.5, 0.7, INF).fit(lopsided).att) > 1.0


@pytest.mark.parametrize("rate", [0.0, 0.6])
def test_no_bias_where_time_weights_balance_the_factors(rate):
    # Theorem 5.1, second factor zero: the treated period's factor is the weighted mean of the
    # others, and loadings are anything.
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(7, 2))
    theta = np.exp(-rate * np.arange(6, 0, -1))
    factor[6] = theta @ factor[:6] / theta.sum()
    loading = rng.normal(size=(9, 2)) + np.eye(9, 2) * 4
    Y = rng.normal(size=(9, 1)) + rng.normal(size=(1, 7)) + loading @ factor.T
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 6] = True
    panel = Panel(Y, W, pd.RangeIndex(9), pd.RangeIndex(7))
    # Cell by cell: distances in time are from the treated period itself.
    for unit in (0.0, 0.8):
        estimate = fixed(unit, rate, INF, form="percell").fit(panel)
        assert estimate.att == pytest.approx(0.0, abs=1e-9)
        assert abs(fixed(unit, rate + 0.5, INF, form="percell").fit(panel).att) > 1e-3


def test_no_bias_where_the_low_rank_part_is_recovered():
    # Theorem 5.1, third factor zero: an exact factor model and a vanishing penalty.
    rng = np.random.default_rng(2)
    loading = np.append(2.0, rng.normal(size=13))
    Y = np.outer(loading, np.linspace(-1.0, 1.0, 12)) + rng.normal(size=(14, 1))
    W = np.zeros(Y.shape, dtype=bool)
    W[0, 9:] = True
    panel = Panel(Y, W, pd.RangeIndex(14), pd.RangeIndex(12))
    biases = [abs(fixed(0.2, 0.1, nn).fit(panel).att) for nn in (1e-1, 1e-2, 1e-3)]
    assert biases[0] > biases[1] > biases[2]
    assert biases[2] < 1e-2
    assert abs(fixed(0.2, 0.1, INF).fit(panel).att) > 1.0


LAMBDAS = [(0.7, 0.3, INF), (0.7, 0.3, 0.3)]


@pytest.mark.parametrize("lambdas", LAMBDAS)
def test_common_shocks_and_scale(design, lambdas):
    estimator = fixed(*lambdas)
    effects = estimator.fit(design).effects[design.W]
    shocks = np.random.default_rng(1).normal(0, 5, design.shape[1])
    moved = estimator.fit(design.with_outcomes(design.Y + shocks)).effects[design.W]
    np.testing.assert_allclose(moved, effects, atol=1e-6)
    scaled = estimator.fit(design.with_outcomes(-7.0 * design.Y)).effects[design.W]
    np.testing.assert_allclose(scaled, -7.0 * effects, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "unit", "same"),
    [({"distance": "demeaned"}, 0.7, True), ({}, 0.7, False), ({}, 0.0, True)],
)
def test_unit_levels(options, unit, same):
    panel = block_panel()
    levels = np.random.default_rng(4).normal(0, 3, (panel.shape[0], 1))
    other = panel.with_outcomes(panel.Y + levels)
    # The standard unit of level distances sees levels, so compare where there is no low rank.
    estimator = fixed(unit, 0.3, INF, **options)
    gap = abs(estimator.fit(other).att - estimator.fit(panel).att)
    assert (gap < 1e-8) == same


@pytest.mark.parametrize("form", ["percell", "auto"])
def test_treated_outcomes_stay_unseen(design, form):
    estimator = fixed(0.7, 0.3, 0.3, form=form)
    assert not estimator.uses_treated_outcomes
    noise = np.random.default_rng(2).normal(0, 1e4, design.shape)
    moved = design.with_outcomes(design.Y + noise * design.W)
    np.testing.assert_array_equal(
        estimator.fit(moved).Y0[design.W], estimator.fit(design).Y0[design.W]
    )


def test_the_published_form_says_that_it_sees_treated_outcomes():
    panel = block_panel()
    estimate = fixed(0.5, 0.2, 0.3, form="block_tau").fit(panel)
    assert estimate.estimator.uses_treated_outcomes
    assert estimate.details["uses_treated_outcomes"]
    assert any("treated outcomes" in note for note in estimate.notes)
    assert fixed(0.5, 0.2, 0.3, scale="all").uses_treated_outcomes


def test_squared_weights_are_doubled_penalties():
    panel = block_panel()
    one = fixed(0.4, 0.2, 0.3, squared_weights=True).fit(panel)
    other = fixed(0.8, 0.4, 0.3).fit(panel)
    np.testing.assert_array_equal(one.Y0, other.Y0)


def test_missing_cells_and_units_that_come_and_go():
    panel = staggered_panel()
    Y = panel.Y.copy()
    Y[5, :4] = Y[6, 9:] = Y[7, 3] = Y[0, 2] = Y[1, 10] = np.nan
    holed = panel.with_outcomes(Y)
    for lambdas in LAMBDAS:
        estimate = fixed(*lambdas).fit(holed)
        assert np.isfinite(estimate.Y0[holed.W]).all()
        assert estimate.n_cells == holed.W.sum() - 1
        assert estimate.notes == ()


def test_cells_without_a_comparison_are_named():
    panel = staggered_panel()
    Y = panel.Y.copy()
    Y[0, :8] = np.nan  # never seen untreated
    estimate = fixed(0.5, 0.2, 0.3).fit(panel.with_outcomes(Y))
    assert np.isnan(estimate.Y0[0, 8:]).all()
    assert "no counterfactual" in estimate.notes[0]
    assert np.isfinite(estimate.att)


def test_refuses_with_reasons():
    panel = block_panel(n=5, n_treated=3)
    assert "no covariate" in TROP(covariates=("x",)).why_not(panel)
    assert "one period" in TROP(form="block_tau").why_not(staggered_panel())
    assert "leave 2 donors" in TROP(tuning="placebo_block").why_not(panel)
    assert TROP().why_not(panel) is None
    assert TROP().why_not(panel.reassign(np.zeros(panel.shape))) is not None
    assert TROP().why_not(panel.reassign(np.ones(panel.shape))) is not None


@pytest.mark.parametrize(
    "options",
    [
        {"form": "block"}, {"lambda_unit": -1.0}, {"lambda_time": INF}, {"lambda_nn": 0.0},
        {"lambda_nn": float("nan")}, {"n_trials": 0}, {"scale": "sd"}, {"seed": -1},
    ],
)  # fmt: skip
def test_refuses_options_out_of_range(options):
    with pytest.raises(SpecError, match=next(iter(options))):
        TROP(**options)


def test_infinity_is_written_as_a_number():
    estimator = fixed(0.5, 0.2, INF)
    assert "lambda_nn=1e999" in repr(estimator)
    assert estimator == TROP(lambda_unit=0.5, lambda_time=0.2, lambda_nn=1e999)
    assert hash(estimator) == hash(TROP(lambda_unit=0.5, lambda_time=0.2, lambda_nn=1e999))
    assert estimator.lambda_nn == INF


@pytest.mark.parametrize("form", ["percell", "auto", "block_tau"])
@pytest.mark.parametrize("nn", [INF, 0.3])
def test_covariates_take_their_part(form, nn):
    x = np.random.default_rng(9).normal(size=(14, 12))
    panel = replace(block_panel(n=14, t=12), X={"x": x})
    bent = panel.with_outcomes(panel.Y + 5.0 * x)
    # Distances between units see what covariates do to outcomes, and so does the standard unit.
    plain = fixed(0.0, 0.3, nn, form=form, covariates=("x",)).fit(panel)
    held = nn * plain.details["scale"] / TROP(form=form).setup(bent).scale
    other = fixed(0.0, 0.3, held, form=form, covariates=("x",)).fit(bent)
    np.testing.assert_allclose(other.effects[panel.W], plain.effects[panel.W], atol=1e-5)
    without = fixed(0.0, 0.3, held, form=form).fit(bent)
    assert abs(without.att - plain.att) > 0.1


def test_a_cell_without_its_covariate_is_not_used():
    panel = block_panel(n=14, t=12)
    x = np.random.default_rng(9).normal(size=panel.shape)
    x[5, 3] = np.nan
    known = panel.Y.copy()
    known[5, 3] = 1e6
    fits = [
        fixed(0.5, 0.2, 0.3, covariates=("x",)).fit(replace(panel, Y=Y, X={"x": x}))
        for Y in (panel.Y, known)
    ]
    np.testing.assert_array_equal(fits[0].Y0[panel.W], fits[1].Y0[panel.W])
    assert np.isfinite(fits[0].att)


def two_dates():
    panel = block_panel(n=9, t=8, n_treated=2, n_post=2)
    W = panel.W.copy()
    W[1, 5:] = True
    return panel.reassign(W)


SMALL = {"block": block_panel(n=9, t=8, n_treated=2, n_post=3), "staggered": two_dates()}


@pytest.mark.parametrize("rule", ["placebo_block", "leave_one_cell_out"])
@pytest.mark.parametrize("kind", SMALL)
def test_tuning_is_deterministic_and_can_be_held(rule, kind):
    panel, shares = SMALL[kind], []
    estimator = TROP(lambda_time=0.2, tuning=rule, n_trials=4, n_cells=12)
    estimate = estimator.fit_told(panel, shares.append)
    found = tune(panel, estimator)
    assert [estimate.details[name] for name in ("lambda_unit", "lambda_time", "lambda_nn")] == [
        found.lambda_unit,
        found.lambda_time,
        found.lambda_nn,
    ]
    assert estimate.details["score"] == found.score
    assert found.rule == estimate.details["tuning"] == rule
    assert found.n_items == (4 if rule == "placebo_block" else 12)
    assert shares == sorted(shares)
    held = estimator.with_tuning(found)
    assert estimator.tuned(estimate) == held
    np.testing.assert_array_equal(held.fit(panel).Y0, estimate.Y0)
    assert set(estimate.details["curves"]) == {"lambda_unit", "lambda_time", "lambda_nn"}


def test_penalties_that_are_given_are_kept():
    panel = DESIGNS["block"]
    found = tune(panel, TROP(lambda_unit=0.3, lambda_nn=INF, squared_weights=True, n_trials=5))
    assert found.lambda_unit == pytest.approx(0.3)
    assert found.lambda_nn == INF
    assert len(found.curves["lambda_time"].values) == 7


def test_placebo_gaps_are_refits():
    panel = block_panel(n=8, n_treated=1)
    estimator = fixed(0.5, 0.2, 0.3)
    gaps = estimator.placebo_gaps(panel, np.array([[2], [5]]))
    controls = panel.take(np.arange(1, 8))
    W = np.zeros(controls.shape, dtype=bool)
    W[4, panel.design.n_pre :] = True
    expected = estimator.fit(controls.reassign(W)).paths["gap"]
    np.testing.assert_allclose(gaps[1], expected, atol=1e-9)


def test_weights_sum_to_one_and_fall_with_distance():
    panel = block_panel(n=12, t=15)
    estimate = fixed(0.8, 0.3, INF).fit(panel)
    assert estimate.unit_weights.sum() == pytest.approx(1.0)
    assert estimate.time_weights.sum() == pytest.approx(1.0)
    assert list(estimate.unit_weights.index) == list(panel.units[1:])
    assert (np.diff(estimate.time_weights) > 0).all()
    n_pre = panel.design.n_pre
    distance = np.sqrt(((panel.Y[1:, :n_pre] - panel.Y[0, :n_pre]) ** 2).mean(axis=1))
    assert (np.diff(estimate.unit_weights.to_numpy()[np.argsort(distance)]) < 0).all()
