"""Columns that could have been the outcome are counted from the table, and nothing else is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis import load_table, sample_spec
from components.analysis.outcomes import other_outcomes
from components.data import Roles
from components.data.columnar import table_from_frame

ROLES = Roles("shop", "year", "sales", "treated")


def frame():
    rng = np.random.default_rng(0)
    units, years = np.repeat(np.arange(6), 8), np.tile(np.arange(2000, 2008), 6)
    return pd.DataFrame(
        {
            "shop": [f"shop {unit}" for unit in units],
            "year": years,
            "sales": rng.normal(size=48).round(3),
            "treated": ((units == 0) & (years >= 2005)).astype(int),
            "returns": rng.normal(size=48).round(3),
            "complaints": rng.integers(0, 9, size=48),
            "area": np.repeat(rng.normal(size=6).round(3), 8),
            "national_price": np.tile(rng.normal(size=8).round(3), 6),
            "open": rng.integers(0, 2, size=48),
            "true_effect": rng.normal(size=48).round(3),
            "remark": [f"text {place}" for place in range(48)],
        }
    )


def test_only_numbers_that_vary_over_both_are_counted():
    table = table_from_frame(frame())
    assert other_outcomes(table, ROLES) == ("returns", "complaints")


def test_covariates_and_other_roles_do_not_count():
    table = table_from_frame(frame())
    roles = Roles("shop", "year", "returns", "treated", covariates=("complaints",))
    assert other_outcomes(table, roles) == ("sales",)


def test_a_table_with_periods_in_columns_has_one_outcome():
    roles = Roles("shop", "year", "sales", "treated", shape="periods in columns")
    assert other_outcomes(table_from_frame(frame()), roles) == ()


def test_samples():
    known = {"prop99": (), "texas": ("white_men_in_prison",), "staggered": ()}
    for key, names in known.items():
        spec = sample_spec(key)
        assert other_outcomes(load_table(spec.source), spec.columns) == names
