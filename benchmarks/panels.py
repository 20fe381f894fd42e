"""Panels of the benchmarks: one published, the others simulated from a seed."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
PROP99 = ROOT / "sample_data" / "prop99.csv"
RANK = 3
EFFECT = 1.0


@dataclass(frozen=True)
class Size:
    """Shape of a simulated panel: the last quarter of the periods is treated."""

    n_units: int
    n_periods: int
    n_treated: int

    @property
    def n_pre(self) -> int:
        """Periods before treatment."""
        return round(0.75 * self.n_periods)


SIZES = {
    "s50": Size(50, 40, 1),
    "s50m": Size(50, 40, 5),
    "s200": Size(200, 100, 2),
    "s200one": Size(200, 100, 1),
    "s1000": Size(1000, 200, 10),
    "s1000one": Size(1000, 200, 1),
    "s5000": Size(5000, 365, 50),
    "s5000one": Size(5000, 365, 1),
}


def write(name: str, folder: Path) -> Path:
    """Write a panel where every environment can read it, and give its path.

    Parameters
    ----------
    name : str
        "prop99", a key of `SIZES`, or "NxTxK": units, periods, treated units.
    folder : Path

    Returns
    -------
    Path
        Of an npz file with Y (N, T), W (N, T), units, periods and n_pre.
    """
    path = folder / f"{name}.npz"
    if name == "prop99":
        Y, W, units, periods = _prop99()
    else:
        size = SIZES.get(name) or Size(*map(int, name.split("x")))
        Y, W = simulate(size, seed=crc32(name.encode()))
        units = np.array([f"unit {i:04d}" for i in range(size.n_units)])
        periods = np.arange(2000, 2000 + size.n_periods)
    n_pre = int(np.flatnonzero(W.any(axis=0))[0])
    # Another run may be reading the old one.
    new = folder / f"{name}.{os.getpid()}.npz"
    np.savez(new, Y=Y, W=W, units=units, periods=periods, n_pre=n_pre)
    return new.replace(path)


def describe(name: str) -> str:
    """Write units x periods and the number of treated units."""
    if name == "prop99":
        return "39 x 31, 1 treated"
    size = SIZES.get(name) or Size(*map(int, name.split("x")))
    return f"{size.n_units} x {size.n_periods}, {size.n_treated} treated"


def simulate(size: Size, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw unit and period effects, three factors and noise of standard deviation one."""
    rng = np.random.default_rng(seed)
    n, t = size.n_units, size.n_periods
    effects = rng.normal(0.0, 2.0, (n, 1)) + rng.normal(0.0, 1.0, (1, t))
    factors = rng.normal(0.0, 1.0, (n, RANK)) @ rng.normal(0.0, 1.0, (RANK, t))
    W = np.zeros((n, t), dtype=np.bool_)
    W[: size.n_treated, size.n_pre :] = True
    return effects + factors + rng.normal(0.0, 1.0, (n, t)) + EFFECT * W, W


def _prop99() -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_], NDArray[np.int64]]:
    with PROP99.open(newline="") as file:
        rows = list(csv.DictReader(file))
    units = np.unique([row["state"] for row in rows])
    periods = np.unique([int(row["year"]) for row in rows])
    Y = np.full((len(units), len(periods)), np.nan)
    W = np.zeros(Y.shape, dtype=np.bool_)
    for row in rows:
        cell = np.searchsorted(units, row["state"]), np.searchsorted(periods, int(row["year"]))
        Y[cell], W[cell] = float(row["packs_per_capita"]), row["treated"] == "1"
    return Y, W, units, periods
