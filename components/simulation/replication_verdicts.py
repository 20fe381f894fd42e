"""The replicated tables beside the printed ones: what agrees, and what does not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.simulation.replication import RESULTS, read
from components.simulation.replication_designs import (
    KEYNOTE,
    PUBLISHED,
    TABLE_OF_RESTRICTIONS,
    designs,
)

PRINTED, EXTRA = PUBLISHED / "printed.csv", PUBLISHED / "extra.csv"
SIX = ("TROP", "SDID", "SC", "DID", "MC", "DIFP")
RELATIVE = ("1, other panels", TABLE_OF_RESTRICTIONS)
"""Tables printed as ratios: to the row's smallest, and to TROP."""

EXACT = 1e-5
LARGE_NN, SMALL_NN, FROM_NN = 5e-4, 0.04, 0.1
"""Relative tolerance of low-rank fits: published ones stop early where the penalty is small."""

ERRORS = 3.0
PRINTED_DRAWS = {"MC, Proposition 99": 10, "on and off": 8}
AGREES, NEAR, DIFFERS = "agrees", "within Monte Carlo error", "differs"


def comparison(results: Path = RESULTS, extra: Path = EXTRA) -> pd.DataFrame:
    """Put every printed number beside ours.

    Parameters
    ----------
    results, extra : pathlib.Path
        Of the stored results.

    Returns
    -------
    pandas.DataFrame
        table, row, column, form, printed, digits (after the point), ours, mc_error, ratio,
        n_draws, stream, tolerance, verdict. A number agrees if it lies within the tolerance of
        its kind plus half a unit of the last printed digit: 1e-5 for the estimators whose draws
        and optimum are replayed; for low-rank fits 5e-4 of the value, or 4 % where the penalty is
        below 0.1. Otherwise it may lie within three Monte Carlo errors of both.
    """
    printed = pd.read_csv(PRINTED, dtype=str)
    numbers = {"mc_error": float, "n_draws": float, "bias": float}
    ours = in_print(pd.concat([read(results), read(extra)], ignore_index=True))
    table = ours.astype(numbers).merge(printed, on=["table", "row", "column"], how="inner")
    table["digits"] = table["printed"].str.partition(".")[2].str.len()
    table["printed"] = table["printed"].astype(float)
    table["ratio"] = table["ours"] / table["printed"]
    table["tolerance"] = [_tolerance(line) for _, line in table.iterrows()]
    gap = (table["ours"] - table["printed"]).abs()
    draws = table["table"].map(PRINTED_DRAWS).fillna(1000.0).astype(float)
    both = table["mc_error"] * np.sqrt(1.0 + table["n_draws"] / draws)
    half = 0.5 * 10.0 ** -table["digits"].astype(float)
    table["verdict"] = np.select(
        [gap <= table["tolerance"], gap <= ERRORS * both + half], [AGREES, NEAR], DIFFERS
    )
    return table


def in_print(results: pd.DataFrame) -> pd.DataFrame:
    """Bring results to the form of their table: ratios where ratios are printed."""
    parts = []
    for (name, _), part in results.groupby(["table", "row"], sort=False):
        value = part["value"].to_numpy(dtype=float)
        error = part["mc_error"].to_numpy(dtype=float)
        if name in RELATIVE and "TROP" not in set(part["column"]):
            continue
        if name in RELATIVE:
            columns = ("TROP",) if name == TABLE_OF_RESTRICTIONS else SIX
            base = int(np.argmin(np.where(part["column"].isin(columns), value, np.inf)))
            relative = np.hypot(error / value, error[base] / value[base])
            value = value / value[base]
            error = value * relative
        parts.append(part.assign(ours=value, mc_error=error))
    return pd.concat(parts, ignore_index=True).drop(columns="value")


def keynote(results: Path = RESULTS) -> pd.DataFrame:
    """Give the nine rows of the comparison figure.

    Parameters
    ----------
    results : pathlib.Path

    Returns
    -------
    pandas.DataFrame
        row, estimator, series ("printed", "replicated", "as defined"), form, rmse, mc_error,
        n_draws, relative (to the smallest of the row and series).
    """
    ours = read(results)
    ours = ours[ours["table"] == KEYNOTE]
    printed = pd.read_csv(PRINTED, dtype={"table": str})
    printed = printed[printed["table"] == KEYNOTE].rename(columns={"printed": "rmse"})
    printed = printed.assign(series="printed", form="", mc_error=np.nan, n_draws=1000)
    ours = ours.rename(columns={"value": "rmse"})
    replicated = ours[ours["column"].isin(SIX)].assign(series="replicated")
    named = ours["column"].str.endswith(" as defined")
    same = ours["form"].isin(("sc", "did", "sc_intercept"))
    defined = ours[named | same].assign(
        series="as defined", column=ours["column"].str.removesuffix(" as defined")
    )
    columns = ["row", "column", "series", "form", "rmse", "mc_error", "n_draws"]
    table = pd.concat([part[columns] for part in (printed, replicated, defined)])
    table["rmse"] = table["rmse"].astype(float)
    smallest = table.groupby(["row", "series"])["rmse"].transform("min")
    table["relative"] = table["rmse"] / smallest
    return table.rename(columns={"column": "estimator"}).reset_index(drop=True)


@cache
def _penalties() -> dict[tuple[str, str, str], float]:
    return {
        (design.table, design.row, fit.column): fit.penalties[2]
        for design in designs()
        for fit in design.fits
    }


def _tolerance(line: pd.Series[Any]) -> float:
    half, printed = float(0.5 * 10.0 ** -line["digits"]), float(line["printed"])
    if line["stream"] != "replayed" or line["form"] == "weights":
        return half
    if line["table"] in RELATIVE:
        return SMALL_NN * printed + half
    if line["form"] in {"trop_published", "mc_untuned"}:
        nn = _penalties()[line["table"], line["row"], line["column"]]
        return (LARGE_NN if nn >= FROM_NN else SMALL_NN) * printed + half
    return EXACT + half
