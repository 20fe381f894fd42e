"""Assignments of placebo panels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from components.errors import DesignError, SpecError
from components.simulation.assignment import (
    ChanceBlock,
    FixedAssignment,
    RandomBlock,
    block,
    logistic_probabilities,
    similar_probabilities,
)
from components.simulation.factor_model import FactorWorld


@pytest.fixture
def left():
    return np.linalg.qr(np.random.default_rng(0).normal(size=(40, 4)))[0]


@pytest.fixture
def treated(left):
    odds = -1.0 + 8.0 * left[:, 0]
    return np.random.default_rng(1).uniform(size=40) < 1.0 / (1.0 + np.exp(-odds))


def test_published_probabilities(published):
    """The first three states of the CPS design with minimum-wage laws, as printed by its code."""
    table = published("cps_rounded.csv")
    Y = table.pivot_table(index="state", columns="year", values="log_wage").to_numpy()
    law = table.groupby("state")["min_wage"].max().astype(bool).to_numpy()
    left = FactorWorld.calibrated(Y).left
    early = logistic_probabilities(left, law, early=True)
    assert early[:3] == pytest.approx([0.18202, 0.03446, 0.04376], abs=5e-6)
    exact = logistic_probabilities(left, law)
    assert exact.sum() == pytest.approx(law.sum(), abs=1e-6)
    assert 1e-3 < np.abs(early / exact - 1.0).max() < 0.02


def test_probabilities_are_the_maximum_of_the_likelihood(left, treated):
    def loss(beta):
        odds = beta[0] + left @ beta[1:]
        return np.sum(np.log1p(np.exp(-np.where(treated, odds, -odds))))

    slow = minimize(
        loss,
        np.zeros(5),
        method="Nelder-Mead",
        options={"maxiter": 20_000, "fatol": 1e-12, "xatol": 1e-9},
    )
    expected = 1.0 / (1.0 + np.exp(-(slow.x[0] + left @ slow.x[1:])))
    assert logistic_probabilities(left, treated) == pytest.approx(expected, abs=1e-5)


def test_units_told_apart_without_error_are_refused(left):
    with pytest.raises(DesignError, match="without error"):
        logistic_probabilities(left, left[:, 1] > 0.0)
    with pytest.raises(DesignError, match="0 of 40"):
        logistic_probabilities(left, np.zeros(40, dtype=bool))


def test_chances_are_met():
    chances = np.linspace(0.02, 0.3, 20)
    assignment = ChanceBlock(chances, 12, n_most=19, n_post=4)
    rng = np.random.default_rng(0)
    drawn = np.array([assignment.draw(rng) for _ in range(4000)])
    assert not drawn[:, :, :8].any()
    assert (drawn[:, :, 8:] == drawn[:, :, 8:9]).all()
    found = drawn[:, :, -1].mean(axis=0)
    alone = np.prod(1.0 - chances) / 20.0  # nobody entered, so one is taken at random
    assert np.abs(found - chances - alone).max() < 4.0 * np.sqrt(0.3 * 0.7 / 4000)


def test_no_more_than_allowed_and_never_nobody():
    rng = np.random.default_rng(0)
    many = ChanceBlock(np.full(20, 0.9), 6, n_most=3, n_post=2)
    assert {int(many.draw(rng).any(axis=1).sum()) for _ in range(50)} == {3}
    nobody = np.zeros(20)
    one = ChanceBlock(nobody, 6, n_most=3, n_post=2)
    most = ChanceBlock(nobody, 6, n_most=3, n_post=2, if_none="most")
    assert one.draw(rng).any(axis=1).sum() == 1
    assert most.draw(rng).any(axis=1).sum() == 3


def test_the_legacy_stream_is_read_in_the_published_order():
    chances = np.full(30, 0.5)
    drawn = ChanceBlock(chances, 9, n_most=5, n_post=3).draw(np.random.RandomState(4))
    stream = np.random.RandomState(4)
    entered = np.argwhere(stream.binomial(n=1, p=chances) == 1).squeeze()
    expected = np.zeros((30, 9), dtype=bool)
    expected[stream.choice(entered, size=5, replace=False), -3:] = True
    np.testing.assert_array_equal(drawn, expected)


def test_random_units_are_equally_likely():
    rng = np.random.default_rng(0)
    assignment = RandomBlock(10, 6, n_treated=3, n_post=2)
    drawn = np.array([assignment.draw(rng)[:, -1] for _ in range(3000)])
    assert (drawn.sum(axis=1) == 3).all()
    assert np.abs(drawn.mean(axis=0) - 0.3).max() < 4.0 * np.sqrt(0.21 / 3000)


def test_fixed_cells_stay():
    W = block([1, 3], 5, 6, 2)
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    np.testing.assert_array_equal(FixedAssignment(W).draw(rng), W)
    assert rng.bit_generator.state == before


def test_similar_units_get_the_probability():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(8, 30)).cumsum(axis=1)
    Y[0] = 0.5 * Y[1] + 0.5 * Y[2]
    chances = similar_probabilities(Y, np.arange(8) == 0)
    assert chances[0] == 0.0
    assert chances.sum() == pytest.approx(1.0)
    assert chances[1] + chances[2] > 0.9
    with pytest.raises(DesignError, match="no unit can be weighted"):
        similar_probabilities(Y, np.zeros(8, dtype=bool))


@pytest.mark.parametrize("sizes", [(10, 6, 10, 2), (10, 6, 0, 2), (10, 6, 2, 6), (10, 6, 2, 0)])
def test_blocks_that_do_not_fit_are_refused(sizes):
    with pytest.raises(SpecError, match="do not fit"):
        RandomBlock(*sizes)
