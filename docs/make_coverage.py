"""Simulate the coverage of every interval, and write the table and docs/coverage.md.

Rows that the table holds are kept. After a change of a method's code name what to simulate anew,
``--again conformal "drifting half"`` (keys of methods or estimators, or names of designs); after a
change of a warning, ``--look trends`` counts its shares anew in the rows that are kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from components.diagnostics.autocorrelation import Autocorrelation
from components.diagnostics.base import Diagnostic
from components.diagnostics.few_treated import FewTreated
from components.diagnostics.noise import NoiseRatio
from components.diagnostics.support import Reach
from components.diagnostics.trends import Trends
from components.estimators import ESTIMATORS, Estimate
from components.inference import METHODS, Uncertainty, silent
from components.simulation.coverage import STORED, Row, complete
from components.simulation.coverage_designs import DESIGNS
from components.simulation.coverage_rows import rows
from components.simulation.coverage_table import (
    alarms,
    design_title,
    failures,
    promised,
)

SEED = 0
INTRODUCTION = """# Coverage of every interval

How often does a 95 % interval hold the true effect? Panels with a known effect are simulated, the
estimate is made and its interval taken, exactly as the app does, and the share of intervals that
hold the effect is counted. Two questions are asked.

1. **Where theory promises 95 %, is it kept?** Required is a share between 93 and 97 %. With 2000
   panels a true 95 % misses that by chance in 1 of 25,000 studies; a true 92 % passes in 1 of 20.
2. **Where a method is known to break, does the app say so?** The share of panels in which the
   matching warning shows (verdict *caution* or *bad* on the page *diagnose*), and beside it the
   share of false alarms on the design without the fault.

Everything below is written by `make coverage` (`docs/make_coverage.py`), seed {seed}; rows that are
in `components/simulation/coverage.csv` already are kept, so that a new method adds its own rows
alone. Each row has a random stream of its own. ± is one Monte Carlo standard error. Every second
panel has no effect, the others one of 1 standard deviation of an error in each treated cell; size
is the share of p-values up to 0.05 among those without. The band is the one for single periods
(for event-study errors: all event times together). Shares are of the panels with an interval:
conformal inference has none where an effect of any size would be kept. The same
table is on the page *coverage*.

## The designs

{designs}
"""


LOOKED: tuple[type[Diagnostic], ...] = (Reach, NoiseRatio, Trends, Autocorrelation, FewTreated)
TITLES = {one.card.key: one.card.title for one in LOOKED}
VERDICTS = {
    "kept": "kept",
    "above": "above: wider than needed",
    "unsure": "below by less than 3 Monte Carlo errors",
    "missed": "**below: too short**",
    "none": "",
}


READING = """
## How to read it

- **Exact and nearly exact methods** are those that compare the treated unit with others that could
  have taken its place (placebo in space, placebo variance), and conformal inference, which compares
  periods. Their shares move on a grid: 20 units give p-values in steps of 0.05, 40 periods in steps
  of 0.025.
- **Wider than needed, and said so**: jackknife+ and prediction intervals take the average of
  several periods to err as far as a single period does. That is safe however errors depend on
  each other over time, and too wide where they do not. Neither guarantee reaches further: for an
  average jackknife+ would have to leave out blocks as long as the treatment, of which 40 periods
  hold five where 95 % needs 19. The screen says how much smaller averages of errors in a row were
  than single ones before treatment; the cross-fitted t-test and conformal inference are shorter.
- **Conformal inference for the average** ranks the average residual of the treated periods among
  those of all blocks as long. The published rule ranks the average *size* of residuals
  (`statistic="size"`). Both are exact for each hypothetical effect on its own, but with the second
  an effect can be kept although a smaller one of the same sign is not, and the interval around all
  that are kept covers more than it says and is far longer.
  Choices of single periods (`permutations="iid"`) give the shortest interval where errors do not
  last, and hold the effect in half of the panels where they do.
- **Parametric bootstrap**: the model takes the estimator as right but for noise. With synthetic
  control that fails where the treated unit has the highest or the lowest level of all, one panel in
  ten here: in 1,000 further panels, of seed 5, these were covered in 83 %, the others in 96 %, all
  together in 94.9 %, and with those of the table in 94.1 % ± 0.5. That is the estimator's bias, not
  too small a spread, so the spread is left as it is: where the treated unit is an average of donors
  the promise is kept (*eight more periods like the others*).
- **Bootstrap over units**: its variance is that of means of n units with divisor n, so that the
  standard error with 20 treated units is 2.5 % short. In 8,000 further panels of *half the units
  treated*, by the closed form of difference in differences, 94.7 % (100 draws) and 94.9 % (200
  draws) of intervals held the effect, ± 0.25, and 95.4 % with the divisor n - 1: within the promise
  as published, so it stays as published.
- **Prediction intervals** take half of their width from a predicted spread. As published (and in
  the published software, whose numbers `spread="published"` reproduces) it is the exponential of
  half a regression of log squared residuals: for normal errors the mean of that logarithm is 1.27
  below the logarithm of the mean, so that the spread comes out at about half of what it should
  be, and a sub-Gaussian bound makes up for most of it, not for all (bands of 92 to 93 % on the
  first two designs of the periods, 300 panels). The default puts the spread right and takes the
  normal quantile.
- **The band for all event times of event-study errors** carries its critical value from the
  normal distribution over to t(N1 - 1) at the same level, as the interval for the average does.
  Without that it covered 74.0, 83.7, 90.0 and 94.7 % with 5 of 40, 8 of 40, 20 of 40 and 50 of
  100 units treated, with it 96.7, 96.7, 93.7 and 95.7 % (300 panels each, ± 1.3).
- **Lasting errors** harm all that learns from periods. Conformal inference shifts the whole path in
  time, and needs errors that die out within a few blocks as long as the treatment: with 40 periods
  before it and eight after, 250 panels each of difference in differences, intervals for the average
  held the effect in 94 % where neighbouring errors correlate by 0.5 and in 87 % at 0.9 (97 and 94 %
  by the size of residuals, for the reason above). Bands for single periods, jackknife+ and
  prediction intervals suffer as much. The warning shows from a correlation of 0.3 on.
- **A drift can hide in a short past, and behind weights.** With eight periods and errors that
  correlate by 0.8, a 5 % test that knew their covariance would find the drift of the treated half
  in 94 % of panels; that is all there is to be seen. The test of trends before treatment comes near
  it by generalized least squares. Among the gaps to weighted donors it would find 69 %: 20 donors
  can follow a drift over eight periods, and the more so the average of 20 treated units. So with at
  least five treated units, and as many donors as periods or more, it compares plain means, and says
  *caution* at most. Where it sees no drift it says how large a one would have gone unnoticed, and
  gives no clean bill if that is as large as the estimate.
- **With five treated units** bootstrap, jackknife and event-study errors keep their coverage by a
  t reference of four degrees of freedom, at the price of wide intervals; the warning says so
  (*caution*). With fewer they refuse: with two of 50 clustered intervals would cover 68 %.
- **A treated unit out of reach** ruins what takes gaps as they are. Placebo in space with its usual
  statistic measures each gap by the unit's fit before treatment, which is why that is the default.
"""


def main() -> None:
    """Simulate what is missing, and write the page."""
    began = time.process_time()

    def tell(text: str) -> None:
        sys.stdout.write(f"{time.process_time() - began:6.0f} s  {text}\n")
        sys.stdout.flush()

    asked = _asked()
    warnings = {one.card.key: _warns(one()) for one in LOOKED}

    def again(row: Row) -> bool:
        names = {row.design, row.method.card.key, row.estimator.card.key}
        return not names.isdisjoint(asked.again)

    looks = {key: warnings[key] for key in asked.look}
    table = complete(rows(), SEED, STORED, warnings, tell, again, looks)
    designs = "\n".join(
        f"- **{world.title}.** {world.text}"
        for name, world in DESIGNS.items()
        if name in set(table["design"])
    )
    text = INTRODUCTION.format(seed=SEED, designs=designs)
    text += _promised(table) + _broken(table) + _alarms(table) + READING
    (ROOT / "docs" / "coverage.md").write_text(text, encoding="utf-8")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--look", nargs="*", default=[], choices=list(TITLES))
    return parser.parse_args()


def _warns(diagnostic: Diagnostic) -> Callable[[Estimate, Uncertainty], bool]:
    def shows(estimate: Estimate, uncertainty: Uncertainty) -> bool:
        if diagnostic.why_not(estimate) is not None:
            return False
        verdict = diagnostic.examine(estimate, uncertainty, silent).verdict
        return verdict in {"caution", "bad"}

    return shows


def _promised(table: pd.DataFrame) -> str:
    judged = promised(table)
    lines = [
        "",
        "## Where theory promises 95 %",
        "",
        "Verdicts are on the interval and on the band, in this order. *Conservative*: theory "
        "promises at least 95 %.",
        "",
        "| design | estimator | method | panels | interval % | size % | width | band % | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for _, row in judged.iterrows():
        words = [VERDICTS[row[name]] for name in ("verdict", "band_verdict")]
        verdict = ", ".join(dict.fromkeys(word for word in words if word))
        if row["promise"] == "conservative":
            verdict = f"conservative; {verdict}"
        cells = [
            design_title(row["design"]),
            _tuned(ESTIMATORS[row["estimator"]].card.title, row["tuning"]),
            _tuned(METHODS[row["method"]].card.title, row["setting"]),
            f"{row['draws']:,}",
            _percent(row["coverage"], row["coverage_error"]),
            _percent(row["size"], row["size_error"]),
            f"{row['width']:.2f}" if not np.isnan(row["width"]) else "",
            _percent(row["band_coverage"], row["band_error"]),
            verdict,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _broken(table: pd.DataFrame) -> str:
    lines = [
        "",
        "## Where methods are known to break",
        "",
        "Asked for: the warning in at least 90 % of panels, a false alarm in at most about 10 %. "
        "False alarms are those of the same warning, estimator and method on the design in "
        "brackets.",
        "",
        "| design (without the fault) | estimator | method | panels | interval % | without the "
        "fault % | band % | warning | shows % | false alarms % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for _, row in failures(table).iterrows():
        cells = [
            f"{design_title(row['design'])} ({design_title(row['healthy'])})",
            _tuned(ESTIMATORS[row["estimator"]].card.title, row["tuning"]),
            _tuned(METHODS[row["method"]].card.title, row["setting"]),
            f"{row['draws']:,}",
            _percent(row["coverage"], row["coverage_error"]),
            _percent(row["healthy_coverage"], float("nan")),
            _percent(row["band_coverage"], row["band_error"]),
            TITLES[row["warning"]],
            _percent(row["warned"], row["warned_error"]),
            _percent(row["false_alarms"], row["false_alarms_error"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _alarms(table: pd.DataFrame) -> str:
    lines = [
        "",
        "## False alarms over all designs without a fault",
        "",
        "Share of panels in which each warning shows, over the rows of the first table.",
        "",
        "| warning | smallest % | mean % | largest % |",
        "|---|---|---|---|",
    ]
    for _, row in alarms(table).iterrows():
        shares = " | ".join(f"{100 * row[name]:.1f}" for name in ("smallest", "mean", "largest"))
        lines.append(f"| {TITLES[row['warning']]} | {shares} |")
    return "\n".join(lines) + "\n"


def _tuned(title: str, tuning: str) -> str:
    return f"{title} ({tuning.replace('1e999', 'inf')})" if tuning else title


def _percent(share: float, error: float) -> str:
    if np.isnan(share):
        return ""
    return f"{100 * share:.1f}" + (f" ± {100 * error:.1f}" if not np.isnan(error) else "")


if __name__ == "__main__":
    main()
