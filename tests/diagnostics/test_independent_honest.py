"""A second published example of HonestDiD: Medicaid expansions, as printed in its documentation."""

from __future__ import annotations

import numpy as np
import pytest

from components.numerics.honest_bounds import (
    Coefficients,
    relative_interval,
    smoothness_interval,
)

# Share insured by state and year 2008-15, 22 states treated in 2014, 21 not by 2015 (the data of
# the documentation, github.com/Mixtape-Sessions/Advanced-DID). Differences of means relative to
# 2013, covariance clustered by state with the small-sample factor of reghdfe.
BETA = np.array(
    [-5.2853424, -11.2973184, -2.6759755, -1.4193119, 0.3396775, 46.4468645, 69.2061803]
)
LOWER = [
    [7.4657923325],
    [6.0215728712, 7.2444793666],
    [4.4311501490, 3.7778453032, 5.0367414798],
    [3.3755057032, 2.8578897124, 2.6655758970, 3.9910908044],
    [4.3148983162, 4.5295537027, 2.7697750638, 2.4055491692, 5.4461118556],
    [4.7514401165, 4.4154319195, 3.0513707412, 2.3736546154, 3.6713761184, 8.3502931981],
    [
        2.4177806599, 2.8160962300, 0.96083433252, 0.29150416003, 0.96935142209, 6.3022475358,
        10.679896462,
    ],
]  # fmt: skip
SIGMA = np.zeros((7, 7))
for place, entries in enumerate(LOWER):
    SIGMA[place, : place + 1] = SIGMA[: place + 1, place] = entries
# Printed to three digits; relative magnitudes are the outermost accepted points of a grid of
# 1000 over forty standard errors.
PRINTED, STEP = 5.1e-4, 4e-4


def study(target):
    return Coefficients(BETA / 1e3, SIGMA / 1e5, 5, np.array(target))


def test_the_intervals_under_parallel_trends():
    assert study([1.0, 0.0]).parallel(0.95) == pytest.approx((0.029, 0.064), abs=PRINTED)
    assert study([0.5, 0.5]).parallel(0.95) == pytest.approx((0.040, 0.075), abs=PRINTED)


@pytest.mark.parametrize(
    ("target", "M", "lower", "upper"),
    [
        ([1.0, 0.0], 0.5, 0.024, 0.067),
        ([1.0, 0.0], 1.0, 0.017, 0.072),
        ([1.0, 0.0], 1.5, 0.008, 0.080),
        ([1.0, 0.0], 2.0, -0.001, 0.088),
        ([0.5, 0.5], 0.5, 0.033, 0.080),
        ([0.5, 0.5], 1.0, 0.020, 0.090),
        ([0.5, 0.5], 1.5, 0.006, 0.103),
        ([0.5, 0.5], 2.0, -0.008, 0.117),
    ],
)
def test_relative_magnitudes(target, M, lower, upper):
    found = relative_interval(study(target), M, 0.95)
    assert lower - PRINTED - STEP <= found[0] <= lower + PRINTED
    assert upper - PRINTED <= found[1] <= upper + PRINTED + STEP


@pytest.mark.parametrize(
    ("M", "lower", "upper"),
    [
        (0.0, 0.026, 0.061),
        (0.01, 0.013, 0.079),
        (0.02, 0.003, 0.091),
        (0.03, -0.007, 0.101),
        (0.04, -0.017, 0.111),
        (0.05, -0.027, 0.121),
    ],
)
def test_smoothness(M, lower, upper):
    found = smoothness_interval(study([1.0, 0.0]), M, 0.95)
    assert found == pytest.approx((lower, upper), abs=PRINTED)
