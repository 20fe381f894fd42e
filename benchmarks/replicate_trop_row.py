"""Replay rows of table 2 of the TROP paper: RMSE of the placebo effect over 1000 simulated panels.

    python benchmarks/replicate_trop_row.py                       # both rows, 1000 draws
    python benchmarks/replicate_trop_row.py cps --draws 100
    python benchmarks/replicate_trop_row.py --data path/to/panels

The design is that of Arkhangelsky et al. (2021), section III, as in Athey, Imbens, Qu and Viviano
(2025): an observed panel is split into a rank-four part and autoregressive noise, units are treated
with probabilities fitted to a real law, and nothing happens to them. The estimator is the one
behind the published tables: squared weights, and one common effect fitted together with the rest.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import toeplitz
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.numerics.trop_blocks import BlockProblem  # noqa: E402
from components.numerics.trop_cells import Penalties  # noqa: E402

Floats = NDArray[np.float64]

RANK = 4
BATCH = 100


@dataclass(frozen=True, eq=False)
class Design:
    """A world to draw panels from.

    Attributes
    ----------
    F, M : Floats, shape (N, T)
        Two-way and interactive part of the rank-four approximation.
    covariance : Floats, shape (T, T)
        Of the noise within a unit.
    ar : Floats, shape (2,)
        Autoregressive coefficients of the noise.
    chance : Floats, shape (N,)
        Probability that a unit is treated.
    n_treated, n_post : int
        Most treated units, and treated periods.
    """

    F: Floats
    M: Floats
    covariance: Floats
    ar: Floats
    chance: Floats
    n_treated: int
    n_post: int

    @classmethod
    def of(cls, Y: Floats, law: NDArray[np.bool_], n_treated: int = 10, n_post: int = 10) -> Design:
        """Calibrate to an observed panel, shape (N, T), and to the units under a law."""
        Y = Y / Y.std()
        Y = Y - Y.mean()
        U, s, Vt = np.linalg.svd(Y, full_matrices=False)
        L = (U[:, :RANK] * s[:RANK]) @ Vt[:RANK]
        F = L.mean(axis=1, keepdims=True) + L.mean(axis=0) - L.mean()
        E = Y - L
        ar = _ar2(E)
        correlation = toeplitz(_autocorrelation(ar, Y.shape[1]))
        size = np.linalg.norm(E.T @ E / len(E)) / np.linalg.norm(correlation)
        chance = _logit(U[:, :RANK] * np.sqrt(len(Y)), law)
        return cls(F, L - F, size * correlation, ar, chance, n_treated, n_post)

    def draw(self, rng: np.random.RandomState) -> tuple[Floats, NDArray[np.int64]]:
        """Draw outcomes and treated units, in the order of the authors' code."""
        n_units, n_periods = self.F.shape
        noise = rng.multivariate_normal(np.zeros(n_periods), self.covariance, size=n_units)
        treated = np.flatnonzero(rng.binomial(1, self.chance, size=n_units))
        if not len(treated):
            treated = rng.choice(n_units, size=1)
        elif len(treated) > self.n_treated:
            treated = rng.choice(treated, size=self.n_treated, replace=False)
        return self.F + self.M + noise, np.sort(treated)


def _ar2(E: Floats) -> Floats:
    now, one, two = E[:, 2:], E[:, 1:-1], E[:, :-2]
    moments = np.array([[(one**2).sum(), (one * two).sum()], [(one * two).sum(), (two**2).sum()]])
    return np.linalg.solve(moments, [(one * now).sum(), (two * now).sum()])


def _autocorrelation(ar: Floats, length: int) -> Floats:
    r = [1.0, ar[0] / (1.0 - ar[1])]
    while len(r) < length:
        r.append(ar[0] * r[-1] + ar[1] * r[-2])
    return np.array(r[:length])


def _logit(x: Floats, law: NDArray[np.bool_]) -> Floats:
    """Fitted probabilities of a logistic regression with a constant, as far as the authors took it.

    They used scikit-learn, whose quasi-Newton steps end at a gradient of 1e-4. The chances differ
    from the maximum in the third digit, and with them the draws.
    """
    X = np.column_stack([x, np.ones(len(x))])

    def loss(beta: Floats) -> tuple[float, Floats]:
        index = X @ beta
        slope = X.T @ (1.0 / (1.0 + np.exp(-index)) - law)
        return float((np.logaddexp(0.0, index) - law * index).mean()), slope / len(X)

    options = {"maxiter": 100, "maxls": 50, "gtol": 1e-4, "ftol": 64.0 * np.finfo(float).eps}
    start = np.zeros(X.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return 1.0 / (1.0 + np.exp(-X @ found.x))


def effects(
    design: Design, draws: list[tuple[Floats, NDArray[np.int64]]], penalties: Penalties
) -> Floats:
    """Estimate the common effect in every draw, with squared weights."""
    doubled = Penalties(2.0 * penalties.unit, 2.0 * penalties.time, penalties.nn)
    n_units, n_periods = design.F.shape
    observed, X = np.ones((n_units, n_periods), dtype=bool), np.zeros((0, n_units, n_periods))
    found = np.empty(len(draws))
    sizes = np.array([len(treated) for _, treated in draws])
    for size in np.unique(sizes):
        place = np.flatnonzero(sizes == size)
        for part in np.array_split(place, -(-len(place) // BATCH)):
            problem = BlockProblem(
                Y=np.stack([draws[k][0] for k in part]),
                observed=observed,
                groups=np.stack([draws[k][1] for k in part]),
                n_pre=n_periods - design.n_post,
                X=X,
                common_effect=True,
            )
            each = np.arange(len(part))
            found[part] = problem.effects([doubled] * len(part), each, tolerance=1e-7)
    return found


def did(design: Design, draws: list[tuple[Floats, NDArray[np.int64]]]) -> Floats:
    """Double differences of means: a check that the draws are those of the paper."""
    found = []
    for Y, treated in draws:
        gap = Y[:, -design.n_post :].mean(axis=1) - Y[:, : -design.n_post].mean(axis=1)
        inside = np.isin(np.arange(len(Y)), treated)
        found.append(gap[inside].mean() - gap[~inside].mean())
    return np.array(found)


# Draws depend on the order of units. The authors' file has countries by ISO code; these are the
# codes of the countries in the order of their names.
ISO_CODES = """
DZA ARG AUS AUT BGD BRB BEL BEN BOL BWA BRA BFA BDI CPV CMR CAN CAF TCD CHL CHN HKG COL COM
COG CRI CIV CYP COD DNK DOM ECU EGY SLV GNQ ETH FJI FIN FRA GAB GMB DEU GHA GRC GTM GIN GNB
HTI HND ISL IND IDN IRN IRL ISR ITA JAM JPN JOR KEN LSO LUX MDG MWI MYS MLI MLT MRT MUS MEX
MAR MOZ NAM NPL NLD NZL NIC NER NGA NOR PAK PAN PRY PER PHL PRT KOR ROU RWA SEN SYC SGP ZAF
ESP LKA SWE CHE SYR TWN THA TGO TTO TUN TUR TZA UGA GBR USA URY VEN ZMB ZWE
"""

ROWS = {
    # file, unit, time, outcome, law, penalties as printed, printed RMSE of TROP and of DID
    "cps": ("cps_rounded.csv", "state", "year", "log_wage", "min_wage",
            Penalties(0.0, 0.1, 0.9), 0.02545, 0.04910),
    "pwt": ("penn_world_table.csv", "country", "year", "log_gdp", "dem",
            Penalties(0.3, 0.4, 0.006), 0.02339, 0.19820),
}  # fmt: skip


def calibrated(row: str, folder: Path) -> Design:
    """Read a row's panel and calibrate its design."""
    file, unit, when, outcome, law, *_ = ROWS[row]
    table = pd.read_csv(folder / file)
    Y = table.pivot_table(index=unit, columns=when, values=outcome)
    treated = table.groupby(unit)[law].max().reindex(Y.index).astype(bool).to_numpy()
    order = np.argsort(ISO_CODES.split()) if row == "pwt" else np.arange(len(Y))
    return Design.of(Y.to_numpy()[order], treated[order])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", default=list(ROWS), help="cps, pwt")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    for row in options.rows:
        *_, penalties, trop_printed, did_printed = ROWS[row]
        design = calibrated(row, options.data)
        rng = np.random.RandomState(0)  # the generator of the published draws
        draws = [design.draw(rng) for _ in range(options.draws)]
        began = time.process_time()
        trop = effects(design, draws, penalties)
        spent = time.process_time() - began
        for name, found, printed in (
            ("TROP", trop, trop_printed),
            ("DID", did(design, draws), did_printed),
        ):
            rmse = np.sqrt(np.mean(found**2))
            print(f"{row} {name}: RMSE {rmse:.6f} (printed {printed}), bias {found.mean():.6f}")
        print(f"{row}: {len(draws)} draws, {spent:.1f} CPU seconds for TROP")


if __name__ == "__main__":
    main()
