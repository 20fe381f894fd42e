"""Simulate the power of the four variance estimators, and write tables and docs/power.md."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd  # noqa: E402

from components.numerics.conditional_variance import GIVEN  # noqa: E402
from components.simulation.power import (  # noqa: E402
    STORED,
    PowerStudy,
    simulate,
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


def main() -> None:
    """Simulate, and write the tables and the page."""
    study = PowerStudy()
    tables = simulate(study)
    curves, figures = tables.curves, tables.behaviour
    curves.round(6).to_csv(STORED / "power.csv", index=False, lineterminator="\n")
    figures.round(6).to_csv(STORED / "behaviour.csv", index=False, lineterminator="\n")
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
    (ROOT / "docs" / "power.md").write_text(text, encoding="utf-8")


def _power(curves: pd.DataFrame, kind: str, given: str, effect: float) -> float:
    here = (curves["kind"] == kind) & (curves["given"] == given) & (curves["effect"] == effect)
    return float(curves.loc[here, "power"].iloc[0])


def _power_table(curves: pd.DataFrame) -> str:
    effects = sorted(set(curves["effect"]))
    lines = [
        "| errors differ by | variance | " + " | ".join(f"{effect:g}" for effect in effects) + " |",
        "|---|---|" + "---|" * len(effects),
    ]
    for kind in dict.fromkeys(curves["kind"]):
        for given in GIVEN:
            cells = " | ".join(f"{_power(curves, kind, given, effect):.3f}" for effect in effects)
            lines.append(f"| {kind} | {NAMES[given]} | {cells} |")
    return "\n".join(lines) + "\n"


def _behaviour_table(figures: pd.DataFrame) -> str:
    lines = [
        "| errors differ by | variance | " + " | ".join(FIGURES) + " |",
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
