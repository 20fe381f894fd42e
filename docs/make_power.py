"""Simulate the power of the four variance estimators, and write tables and docs/power.md.

``--keep`` takes the tables of the main study as they are, and makes the rest anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd

from components.data.samples import read_sample
from components.numerics.conditional_variance import GIVEN
from components.simulation import power_factor
from components.simulation.power import (
    STORED,
    PowerStudy,
    simulate,
    stored,
)

NAMES = {
    "marginal": "marginal",
    "time": "given the period (unit placebos)",
    "unit": "given the unit (time placebos)",
    "both": "given both",
}
SMALL = PowerStudy(kinds=("two-way",), effects=(0.0, 1.0, 2.0), n_units=20, n_periods=20)
INTRODUCTION = """# Power of the four variance estimators

One cell of a panel is treated. Its effect is estimated by difference in differences, fitted without
that cell. How large an error is usual there? Four answers, from the placebo errors of all other
cells (`components/numerics/conditional_variance.py`): the average of all of them (marginal), of the
other units in that period (given the period), of the other periods of that unit (given the unit),
or the product of a unit part and a period part (given both). Almeida, Athey, Imbens, Lestant and
Olaizola (2025, arXiv 2510.11841) compare the first three; only their abstract and first pages were
at hand, so that design, degrees of freedom and the product form here are ours.

Errors are normal with variance exp(a_j + b_s), one on average; a and b are normal with standard
deviation 1 where units, periods or both differ ("unit", "time", "two-way"), and zero where they do
not ("none"). The treated cell is drawn at random. Tests at 5 %, t reference.

Everything below is written by `make power`: {n_draws:,} panels of {n_units} by {n_periods} of each
kind, seed {seed}. The curves are in `components/simulation/power.csv` with the Monte Carlo standard
error of each point, and on the page *simulate*.
"""
POWER = """
## Power against effect size

Effects in units of the average standard deviation of an error; effect 0 is the size of the test.
Largest Monte Carlo standard error: {largest:.4f}.

"""
BEHIND = """
## What lies behind

Standard errors in brackets. Size by tercile: among the third of cells with the smallest, middle and
largest true variance.

"""
FIGURES = (
    "size",
    "size, quiet",
    "size, middle",
    "size, noisy",
    "sd of V",
    "corr(V, true)",
    "median half-width",
)
READING = """
## How to read it

- **Marginal has the least noisy variance and, where errors are unequal, the least power at moderate
  effects.** Conditioning on what carries the inequality wins; given both wins where both do.
- **Marginal is valid on average only**: under no effect it hardly ever rejects in quiet cells, and
  three times too often in noisy ones.

Two caveats, which belong to every use of the figure:

1. **Where errors are alike everywhere, conditioning costs power**: {none_marginal:.3f} against
   {none_both:.3f} at an effect of two standard deviations. The variance is noisier, and its t
   reference wider.
2. **For very large effects marginal is ahead**: at four standard deviations with two-way
   inequality {large_marginal:.3f} against {large_both:.3f}. A test given both seldom rejects in a
   very noisy cell, and should not; marginal rejects there whether or not there is an effect.

Sizes a little above 5 % where the variance does not condition on what differs are the price of an
average over cells of unequal noise; given both it is about 6 % with two-way inequality, more than
the t reference allows for.
"""
FACTOR_DRAWS = 40_000
FACTORS = """
## A world like a published panel

Real outcomes are not unit effects plus period effects plus independent errors. Here they are drawn
from a model fitted to a published panel, cigarette sales in {n} US states over {t} years (Abadie,
Diamond and Hainmueller 2010, without California): a matrix of rank four plus AR(2) noise, as in
`components/simulation/factor_model.py`. *Without factors* leaves out what unit and period effects
do not fit; *rank four* keeps it. {n_draws:,} panels of each; effects in units of the root mean
squared error of an estimate. The "true variance" of a cell is its expected squared error over
draws, the part that the factors make included.

"""
FACTOR_READING = """
- **Without factors** the noise lasts but is alike everywhere: all four tests keep their size, and
  the order of the first block above returns.
- **With factors** what the estimate gets wrong is uneven between cells, and much the same in every
  draw: it is what unit and period effects leave out. The marginal test is right on average alone:
  it rejects {quiet:.1%} of the third of cells with the smallest errors and {noisy:.1%} of that with
  the largest. Given both these are {both_quiet:.1%} and {both_noisy:.1%}, and power at an effect of
  one is {both_power:.3f} against {marginal_power:.3f}: the keynote's point does not hang on an
  additive world. For large effects marginal is ahead here too.
- Uneven errors are a reason for another estimator first: one that takes the factors out has
  smaller ones.
"""


def main() -> None:
    """Simulate, and write the tables and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true")
    study = PowerStudy()
    if parser.parse_args().keep:
        tables = stored()
    else:
        tables = simulate(study)
        for table, name in ((tables.curves, "power.csv"), (tables.behaviour, "behaviour.csv")):
            table.round(6).to_csv(STORED / name, index=False, lineterminator="\n")
    curves, figures = tables.curves, tables.behaviour
    text = INTRODUCTION.format(**vars(study))
    text += POWER.format(largest=curves["mc_error"].max()) + _power_table(curves)
    text += BEHIND + _behaviour_table(figures)
    text += READING.format(
        none_marginal=_power(curves, "none", "marginal", 2.0),
        none_both=_power(curves, "none", "both", 2.0),
        large_marginal=_power(curves, "two-way", "marginal", 4.0),
        large_both=_power(curves, "two-way", "both", 4.0),
    )
    text += f"\n## A smaller panel: {SMALL.n_units} by {SMALL.n_periods}, two-way\n\n"
    text += _power_table(simulate(SMALL).curves)
    text += _factors()
    (ROOT / "docs" / "power.md").write_text(text, encoding="utf-8")


def _factors() -> str:
    """Size and power in worlds fitted to a panel."""
    table = read_sample("prop99").query("state != 'California'")
    Y = table.pivot_table(values="packs_per_capita", index="state", columns="year").to_numpy()
    tables = power_factor.simulate(Y, (0.0, 0.5, 1.0, 1.5, 2.0, 3.0), FACTOR_DRAWS)
    figures = tables.behaviour.set_index(["kind", "given", "figure"])["value"]
    sizes = {
        name: figures["rank four", given, f"size, {tercile}"]
        for name, given, tercile in (
            ("quiet", "marginal", "quiet"),
            ("noisy", "marginal", "noisy"),
            ("both_quiet", "both", "quiet"),
            ("both_noisy", "both", "noisy"),
        )
    }
    return (
        FACTORS.format(n=len(Y), t=Y.shape[1], n_draws=FACTOR_DRAWS)
        + _power_table(tables.curves, "world")
        + "\n"
        + _behaviour_table(tables.behaviour, "world")
        + FACTOR_READING.format(
            **sizes,
            both_power=_power(tables.curves, "rank four", "both", 1.0),
            marginal_power=_power(tables.curves, "rank four", "marginal", 1.0),
        )
    )


def _power(curves: pd.DataFrame, kind: str, given: str, effect: float) -> float:
    here = (curves["kind"] == kind) & (curves["given"] == given) & (curves["effect"] == effect)
    return float(curves.loc[here, "power"].iloc[0])


def _power_table(curves: pd.DataFrame, kinds: str = "errors differ by") -> str:
    effects = sorted(set(curves["effect"]))
    lines = [
        f"| {kinds} | variance | " + " | ".join(f"{effect:g}" for effect in effects) + " |",
        "|---|---|" + "---|" * len(effects),
    ]
    for kind in dict.fromkeys(curves["kind"]):
        for given in GIVEN:
            cells = " | ".join(f"{_power(curves, kind, given, effect):.3f}" for effect in effects)
            lines.append(f"| {kind} | {NAMES[given]} | {cells} |")
    return "\n".join(lines) + "\n"


def _behaviour_table(figures: pd.DataFrame, kinds: str = "errors differ by") -> str:
    lines = [
        f"| {kinds} | variance | " + " | ".join(FIGURES) + " |",
        "|---|---|" + "---|" * len(FIGURES),
    ]
    for (kind, given), part in figures.groupby(["kind", "given"], sort=False):
        values = part.set_index("figure")
        cells = [
            f"{values.loc[name, 'value']:.3f} ({values.loc[name, 'mc_error']:.3f})"
            if name in values.index
            else ""
            for name in FIGURES
        ]
        lines.append(f"| {kind} | {NAMES[given]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
