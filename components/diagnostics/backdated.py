"""Pretend that treatment began earlier, and see what appears where there was none."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Bools, Floats
from components.diagnostics.phrases import counted, number, p_text, share
from components.diagnostics.unit_gaps import treated_name
from components.estimators.base import Estimate, FastPlacebos
from components.inference.base import Progress
from components.inference.placebo import PlaceboInSpace
from components.inference.refits import FEWEST_TREATED, fixed
from components.panel import Panel, period_label, unit_label

FEWEST_FITTED = 4  # periods before the earlier date
DRAWS = 400


@dataclass(frozen=True, eq=False)
class Backdated:
    """What an earlier date of treatment gives.

    Attributes
    ----------
    estimate : Estimate
        With the earlier date. In a block design the periods of real treatment are left out.
    cells : Bools, shape (N, T')
        The periods between the earlier and the real date, of the treated units.
    effect : float
        Average over these cells; without anticipation and with a sound model about zero.
    p_value : float
        Of no effect there; NaN where neither other units nor many treated ones can tell.
    smallest_p : float
        The smallest value that it can have.
    against : str
        What it was compared with.
    """

    estimate: Estimate
    cells: Bools
    effect: float
    p_value: float
    smallest_p: float
    against: str

    @property
    def first(self) -> str:
        """The earliest pretended period."""
        column = int(self.cells.any(axis=0).argmax())
        return period_label(self.estimate.panel.periods[column])


def why_not_backdated(estimate: Estimate, periods: int) -> str | None:
    """Say why the date cannot be moved so far, or None."""
    panel = estimate.panel
    if panel.design.kind == "none":
        return "No cell is treated: there is no date to move."
    longest = max(cohort.start for cohort in panel.design.cohorts)
    if longest - periods < FEWEST_FITTED:
        return (
            f"With the date {periods} periods earlier, {max(longest - periods, 0)} periods before "
            f"treatment are left to fit; at least {FEWEST_FITTED} are needed."
        )
    return fixed(estimate).why_not(_earlier(panel, periods)[0])


def backdate(estimate: Estimate, periods: int, progress: Progress) -> Backdated:
    """Refit with treatment so many periods earlier; tuning is held at the estimate's choice.

    Parameters
    ----------
    estimate : Estimate
    periods : int
        One or more, such that `why_not_backdated` gives no reason.
    progress : callable

    Returns
    -------
    Backdated
    """
    panel, cells = _earlier(estimate.panel, periods)
    found = fixed(estimate).fit(panel)
    progress(0.2)
    effects = np.where(cells & np.isfinite(found.effects), found.effects, np.nan)
    known = effects[np.isfinite(effects)]
    effect = float(known.mean()) if known.size else float("nan")
    p_value, smallest, against = _judged(found, effects, progress)
    return Backdated(found, cells, effect, p_value, smallest, against)


def paths_table(found: Backdated) -> pd.DataFrame:
    """Give the averages of the treated units by period, or each one's effect where dates differ."""
    if found.estimate.panel.design.kind != "block":
        return _by_unit(found)
    paths = found.estimate.paths
    pretended = np.asarray(found.cells.any(axis=0))
    table = paths.assign(pretended=pretended)
    table.insert(0, "period", [period_label(period) for period in paths.index])
    return table.reset_index(drop=True)


def _by_unit(found: Backdated) -> pd.DataFrame:
    panel = found.estimate.panel
    effects = np.where(found.cells, found.estimate.effects, np.nan)
    rows = np.flatnonzero(np.isfinite(effects).any(axis=1))
    names = [unit_label(unit) for unit in panel.units[rows]]
    return pd.DataFrame({"unit": names, "effect_before_treatment": _means(effects[rows])})


def sentence(estimate: Estimate, found: Backdated) -> str:
    """Say what appeared between the earlier and the real date."""
    name = treated_name(estimate.panel)
    moved = f"as if {name} had been treated from {found.first} on"
    if estimate.panel.design.kind != "block":
        back = counted(int(found.cells.sum(axis=1).max()), "period")
        moved = f"as if each treatment had begun {back} earlier"
    text = (
        f"Fitted {moved}, the estimate for the periods before real treatment is "
        f"{number(found.effect)}, next to {number(estimate.att)} after it"
    )
    if not np.isfinite(found.p_value):
        ratio = abs(found.effect / estimate.att) if estimate.att else float("inf")
        return f"{text}: {share(ratio)} of its size."
    return f"{text} ({p_text(found.p_value)} against none, from {found.against})."


def _earlier(panel: Panel, periods: int) -> tuple[Panel, Bools]:
    """Begin treatment earlier; a cohort without enough periods before it is left as it is."""
    W, cells = panel.W.copy(), np.zeros_like(panel.W)
    for cohort in panel.design.cohorts:
        if cohort.start - periods >= min(FEWEST_FITTED, cohort.start):
            cells[cohort.rows, cohort.start - periods : cohort.start] = True
    W |= cells
    if panel.design.kind != "block":
        return panel.reassign(W), cells & panel.observed
    before = np.arange(panel.design.n_pre)
    return panel.reassign(W).window(before), (cells & panel.observed)[:, before]


def _judged(found: Estimate, effects: Floats, progress: Progress) -> tuple[float, float, str]:
    ranks = PlaceboInSpace(statistic="scaled_gap", n_draws=DRAWS)
    design = found.panel.design
    if isinstance(fixed(found), FastPlacebos) and ranks.why_not(found) is None:
        rng = np.random.default_rng(crc32(b"backdated"))
        said = ranks.assess(found, level=0.9, rng=rng, progress=lambda x: progress(0.2 + 0.8 * x))
        assert said.draws is not None
        assert said.p_value is not None
        groups = "donors" if design.n_treated == 1 else "groups of donors"
        n = len(said.draws)
        return said.p_value, 1.0 / (n + 1), f"{n} {groups} treated alike"
    progress(1.0)
    by_unit = _means(effects)
    if len(by_unit) < FEWEST_TREATED or not by_unit.std() > 0.0:
        return float("nan"), float("nan"), ""
    error = by_unit.std(ddof=1) / np.sqrt(len(by_unit))
    p_value = float(2.0 * student.sf(abs(by_unit.mean()) / error, len(by_unit) - 1))
    return p_value, 0.0, f"the spread over {len(by_unit)} treated units"


def _means(effects: Floats) -> Floats:
    seen = np.isfinite(effects)
    rows = seen.any(axis=1)
    sums = np.where(seen, effects, 0.0).sum(axis=1)[rows]
    means: Floats = sums / seen.sum(axis=1)[rows]
    return means
