"""Treatment on and off, and the masks of the matrix-completion paper."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import SpecError
from components.simulation.masks import (
    BernoulliSwitching,
    MarkovSwitching,
    SimultaneousMask,
    StaggeredMask,
    mask_dates,
)


def test_published_dates():
    assert mask_dates(31) == (4, 10, 16, 22, 28)
    assert [round(date / 31, 3) for date in mask_dates(31)] == [0.129, 0.323, 0.516, 0.710, 0.903]


def test_simultaneous_mask():
    W = SimultaneousMask(38, 31, n_pre=10).draw(np.random.default_rng(0))
    assert W.any(axis=1).sum() == 8
    assert (W[W.any(axis=1)] == (np.arange(31) >= 10)).all()


def test_staggered_mask_follows_the_published_loop():
    W = StaggeredMask(38, 31, n_pre=16).draw(np.random.default_rng(5))
    rows = np.random.default_rng(5).choice(38, size=35, replace=False)
    expected = np.zeros((38, 31), dtype=bool)
    for k, row in enumerate(rows, 1):
        expected[row, int(np.floor(16 + 15 * (k - 1) / 35)) :] = True
    np.testing.assert_array_equal(W, expected)


def test_bernoulli_share():
    W = BernoulliSwitching(200, 100, 0.2).draw(np.random.default_rng(0))
    assert W.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / W.size))


def test_markov_chances():
    chain = MarkovSwitching(2000, 40)
    assert chain.share == pytest.approx(0.2)
    W = chain.draw(np.random.default_rng(0))
    before, after = W[:, :-1], W[:, 1:]
    assert W[:, 0].mean() == pytest.approx(0.2, abs=0.04)
    assert W[:, -1].mean() == pytest.approx(0.2, abs=0.04)
    assert after[before].mean() == pytest.approx(0.75, abs=0.02)
    assert after[~before].mean() == pytest.approx(0.0625, abs=0.005)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(SpecError, match="share = 1"):
        BernoulliSwitching(5, 5, 1.0)
    with pytest.raises(SpecError, match="stay = 0"):
        MarkovSwitching(5, 5, stay=0.0)
    for mask in (SimultaneousMask, StaggeredMask):
        with pytest.raises(SpecError, match="do not fit"):
            mask(5, 8, n_pre=8, n_treated=2)
        with pytest.raises(SpecError, match="do not fit"):
            mask(5, 8, n_pre=4, n_treated=5)
