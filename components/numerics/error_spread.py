"""Tests of whether errors are larger in some units, or in some periods, than in others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as fisher

from components.arrays import Floats
from components.numerics.twoway import TwoWay

FLOOR = 1e-12
"""Squared errors below this share of their mean count as this large."""


@dataclass(frozen=True)
class SpreadTest:
    """Test of whether the size of errors differs between units, or between periods.

    Attributes
    ----------
    factor : {"unit", "time"}
    statistic : float
        F.
    df : tuple of float
        Of numerator and denominator.
    p_value : float
    """

    factor: str
    statistic: float
    df: tuple[float, float]
    p_value: float


def spread_tests(errors: Floats) -> tuple[SpreadTest, SpreadTest]:
    r"""F tests of unit and period factors in :math:`\log e_{js}^2` (Harvey 1976).

    Parameters
    ----------
    errors : Floats, shape (N, T)
        Placebo errors, NaN where there is none.

    Returns
    -------
    unit, time : SpreadTest
        Each factor given the other. The p-value is NaN where the cells are too few.
    """
    seen = np.isfinite(errors)
    squares = np.where(seen, errors, 0.0) ** 2
    floor = FLOOR * float(squares[seen].mean()) if seen.any() else 0.0
    logs = np.log(np.maximum(squares, floor or 1.0))
    rows, columns = seen.any(axis=1), seen.any(axis=0)
    full = float(np.square(TwoWay.of(seen).residual(logs)).sum())
    spare = float(seen.sum() - rows.sum() - columns.sum() + 1)
    tests = []
    for factor, axis, levels in (("unit", 0, rows.sum()), ("time", 1, columns.sum())):
        count = np.maximum(seen.sum(axis=axis, keepdims=True), 1)
        means = np.where(seen, logs, 0.0).sum(axis=axis, keepdims=True) / count
        without = float(np.square(np.where(seen, logs - means, 0.0)).sum())
        df = (float(levels - 1), spare)
        enough = df[0] > 0 and spare > 0 and full > 0
        statistic = (without - full) / df[0] / (full / spare) if enough else np.nan
        tests.append(SpreadTest(factor, statistic, df, float(fisher.sf(statistic, *df))))
    return tests[0], tests[1]
