"""The search for penalties finds what a full search finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from components.numerics.trop_blocks import BlockProblem
from components.numerics.trop_cells import CellProblem, Penalties
from components.numerics.trop_grid import Grid
from components.numerics.trop_scores import (
    LeaveOneCellOut,
    PlaceboBlock,
    PlaceboCells,
    placebo_groups,
)
from components.numerics.trop_search import Search

SMALL = Grid(unit=(0.0, 0.5, 2.0), time=(0.0, 0.2, 0.8), share=(np.inf, 0.5, 0.2, 0.1))


def factor_table(seed, n=14, t=12):
    rng = np.random.default_rng(seed)
    L = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)).cumsum(axis=1) * 0.3
    Y = rng.normal(size=(n, 1)) + rng.normal(size=(1, t)) + L + 0.2 * rng.normal(size=(n, t))
    return (Y - Y.mean()) / Y.std()


def cells(seed):
    Y = factor_table(seed, n=11, t=10)
    rows, columns = np.indices(Y.shape).reshape(2, -1)
    seen = np.ones(Y.shape, dtype=bool)
    return LeaveOneCellOut(CellProblem(Y, seen, rows, columns, np.zeros((0, *Y.shape))))


def blocks(seed, *, common=False):
    Y = factor_table(seed)
    groups = placebo_groups(len(Y), 2, 25, np.random.default_rng(seed))
    seen = np.ones(Y.shape, dtype=bool)
    return PlaceboBlock(BlockProblem(Y, seen, groups, 8, np.zeros((0, *Y.shape)), common))


@dataclass
class Counting:
    """A score that counts how many errors it was asked for."""

    score: object
    asked: list = field(default_factory=list)

    @property
    def n_items(self):
        return self.score.n_items

    def largest_useful(self, unit, time):
        return self.score.largest_useful(unit, time)

    def errors(self, penalties, index, *, tolerance):
        self.asked.append(len(penalties) * len(index))
        return self.score.errors(penalties, index, tolerance=tolerance)


@pytest.mark.parametrize(("make", "seed"), [(cells, 0), (cells, 1), (blocks, 0), (blocks, 1)])
def test_race_and_early_stop_find_the_winner_of_the_full_search(make, seed):
    score = make(seed)
    full, hurried = Counting(score), Counting(score)
    slow = Search(full, SMALL, early_stop=False).joint()
    stopped = Search(Counting(score), SMALL).joint()
    raced = Search(hurried, SMALL).race()
    assert slow.n_exact == slow.n_trials == 36
    assert sum(full.asked) == 36 * score.n_items
    assert stopped.n_exact < 36
    for found in (stopped, raced):
        assert found.penalties == slow.penalties
        # Predictions in a score are good to 1e-5, in both searches.
        assert found.rmse == pytest.approx(slow.rmse, abs=2e-5)


def test_sums_of_dropped_candidates_are_lower_bounds():
    score = cells(3)
    slow, quick = Search(score, SMALL, early_stop=False), Search(score, SMALL)
    slow.joint()
    quick.joint()
    dropped = [point for point, trial in quick.trials.items() if not trial.exact]
    assert dropped
    for point in dropped:
        assert quick.trials[point].total <= slow.trials[point].total * (1 + 1e-4)
        assert quick.trials[point].total > slow.trials[slow.best].total


def test_score_is_the_root_mean_square_of_its_errors():
    score = blocks(4)
    found = Search(score, SMALL).race()
    errors = score.errors([found.penalties], np.arange(score.n_items), tolerance=1e-9)
    assert found.rmse == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-4)
    for name, value in (
        ("lambda_unit", found.penalties.unit),
        ("lambda_time", found.penalties.time),
        ("lambda_nn", found.penalties.nn),
    ):
        curve = found.curves[name]
        best = int(np.argmin(np.where(curve.exact, curve.rmse, np.inf)))
        assert curve.values[best] == value
        assert curve.rmse[best] == pytest.approx(found.rmse)
        assert (curve.rmse >= found.rmse).all()


def test_penalties_that_are_given_stay():
    score = cells(5)
    fixed = Search(score, Grid(unit=(0.5,), time=(0.0, 0.4), fixed_nn=0.3)).race()
    assert (fixed.penalties.unit, fixed.penalties.nn) == (0.5, 0.3)
    endless = Search(score, Grid(fixed_nn=np.inf)).race()
    assert endless.penalties.nn == np.inf
    assert endless.n_trials == 49


def test_progress_only_rises():
    shares = []
    Search(blocks(6), SMALL, progress=shares.append).race()
    assert shares == sorted(shares)
    assert shares[0] >= 0.0
    assert shares[-1] <= 1.0


def test_nothing_to_leave_out_leaves_the_first_candidate():
    Y, none = factor_table(0), np.zeros(0, dtype=int)
    problem = CellProblem(Y, np.ones(Y.shape, bool), none, none, np.zeros((0, *Y.shape)))
    found = Search(LeaveOneCellOut(problem), SMALL).race()
    assert found.penalties == Penalties(0.0, 0.0, np.inf)


def test_placebo_groups_carry_the_dates_of_the_treated():
    Y, seen = factor_table(7), np.ones((14, 12), dtype=bool)
    seen[3, 10] = False
    patterns = np.zeros((2, 12), dtype=bool)
    patterns[0, 6:], patterns[1, 9:] = True, True
    groups = np.array([[3, 5], [0, 1]])
    score = PlaceboCells(Y, seen, groups, patterns, np.zeros((0, 14, 12)))
    penalties = [Penalties(0.5, 0.2, np.inf), Penalties(0.5, 0.2, 0.2)]
    found = score.errors(penalties, np.array([0, 1]), tolerance=1e-9)
    W = np.zeros((14, 12), dtype=bool)
    W[[3, 5]] = patterns
    rows, columns = np.nonzero(W & seen)
    assert len(rows) == 8
    problem = CellProblem(Y, seen & ~W, rows, columns, np.zeros((0, 14, 12)))
    for k, choice in enumerate(penalties):
        gaps = Y[rows, columns] - problem.predict([choice] * 8, np.arange(8), tolerance=1e-9)
        assert found[k, 0] == pytest.approx(gaps.mean(), abs=1e-7)
