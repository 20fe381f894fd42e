"""What changed between two runs: data, settings, numbers, and what one would conclude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from components.analysis.run import Result, run
from components.estimators import ESTIMATORS
from components.inference import METHODS
from components.inference.base import ROUNDING, Progress, level_text, silent
from components.panel import Panel, period_label, unit_label

Conclusion = Literal["lower", "higher", "cannot tell"]
ASKED = ("did", "sc", "sc_intercept", "sdid", "callaway_santanna", "sun_abraham")
FALLBACKS = ("placebo_in_space", "jackknife")
WORSE_FIT = 1.25  # times the fit before: worth a line of its own
MOST_CELLS = 500
SAME = 1e-12  # relative
NAMED = 5


@dataclass(frozen=True)
class Flip:
    """One thing that one would now say differently.

    Attributes
    ----------
    sentence : str
    worse : bool
        What was clear before is gone or turned round, or the fit is worse.
    """

    sentence: str
    worse: bool


def conclusion(result: Result) -> Conclusion:
    """Say what a run allows to conclude at its own level: an effect of one sign, or neither."""
    uncertainty = result.uncertainty
    if uncertainty is None:
        return "cannot tell"
    clear = False
    if uncertainty.interval is not None:
        clear = 0.0 not in uncertainty.interval
    elif uncertainty.p_value is not None:
        clear = uncertainty.p_value <= 1.0 - uncertainty.level + ROUNDING
    if not clear:
        return "cannot tell"
    return "lower" if result.estimate.att < 0.0 else "higher"


def flips(before: Result, after: Result) -> list[Flip]:
    """Name signs and conclusions that flipped, and a fit that became much worse.

    Parameters
    ----------
    before, after : Result

    Returns
    -------
    list of Flip
        Those for the worse first.
    """
    found = []
    old, new = before.estimate.att, after.estimate.att
    if np.sign(old) != np.sign(new):
        found.append(Flip(f"The sign of the average effect flipped: {_n(old)} to {_n(new)}.", True))
    was, now = conclusion(before), conclusion(after)
    if was != now:
        level = level_text(after.spec.level)
        sentence = f"The conclusion at the {level} level went from “{was}” to “{now}”."
        found.append(Flip(sentence, was != "cannot tell"))
    interval = before.uncertainty.interval if before.uncertainty is not None else None
    if interval is not None and new not in interval:
        found.append(
            Flip(
                f"The new effect, {_n(new)}, lies outside the old interval, {_n(interval.lower)} "
                f"to {_n(interval.upper)}.",
                True,
            )
        )
    if after.estimate.pre_rmspe > WORSE_FIT * before.estimate.pre_rmspe:
        sentence = (
            f"The typical gap before treatment grew from {_n(before.estimate.pre_rmspe)} to "
            f"{_n(after.estimate.pre_rmspe)}."
        )
        found.append(Flip(sentence, True))
    return sorted(found, key=lambda flip: not flip.worse)


def first_sentence(before: Result, after: Result, measure: str = "") -> str:
    """Say how the average effect moved, and what one would conclude before and after.

    Parameters
    ----------
    before, after : Result
    measure : str
        What the outcome is counted in.

    Returns
    -------
    str
    """
    old, new = _n(before.estimate.att), f"{_n(after.estimate.att)} {measure}".rstrip()
    was, now = conclusion(before), conclusion(after)
    said = f"both times “{now}”" if was == now else f"“{was}” before, “{now}” after"
    return f"The average effect went from {old} to {new}; at the level asked for: {said}."


def data_changes(before: Panel, after: Panel) -> tuple[list[str], pd.DataFrame]:
    """Say how the two prepared panels differ.

    Parameters
    ----------
    before, after : Panel

    Returns
    -------
    list of str
        One sentence for each kind of difference; empty where the panels are equal.
    pandas.DataFrame
        unit, period, before, after, treated_before, treated_after of the cells that differ among
        those in both, 500 at most.
    """
    sentences = []
    if before.outcome != after.outcome:
        sentences.append(f"The outcome is “{after.outcome}” instead of “{before.outcome}”.")
    units = [unit_label(unit) for unit in before.units], [unit_label(u) for u in after.units]
    periods = [period_label(p) for p in before.periods], [period_label(p) for p in after.periods]
    for noun, (old, new) in (("unit", units), ("period", periods)):
        for some, verb in ((set(old) - set(new), "gone"), (set(new) - set(old), "new")):
            if some:
                sentences.append(_named([name for name in old + new if name in some], noun, verb))
    cells = _changed_cells(before, after, units, periods)
    changed = int(cells["value"].sum())
    if changed:
        share = f"{changed} of {len(cells)} cells" if changed > 1 else f"1 of {len(cells)} cells"
        sentences.append(f"{share} in both have another outcome.")
    moved = int(cells["treatment"].sum())
    if moved:
        sentences.append(f"{moved} cells in both have another treatment.")
    table = cells[cells["value"] | cells["treatment"]].drop(columns=["value", "treatment"])
    return sentences, table.head(MOST_CELLS).reset_index(drop=True)


def number_changes(before: Result, after: Result) -> pd.DataFrame:
    """Put the key numbers side by side: number, before, after, change."""
    old, new = _numbers(before), _numbers(after)
    rows = [(name, old[name], new[name], new[name] - old[name]) for name in old]
    table = pd.DataFrame(rows, columns=["number", "before", "after", "change"])
    return table.dropna(subset=["before", "after"], how="all").reset_index(drop=True)


def gap_changes(before: Result, after: Result) -> pd.DataFrame:
    """Put the gaps of both runs side by side, by period: period, before, after."""
    sides = [
        pd.Series(
            result.estimate.paths["gap"].to_numpy(),
            [period_label(period) for period in result.estimate.panel.periods],
        )
        for result in (before, after)
    ]
    table = pd.concat(sides, axis=1, keys=["before", "after"])
    return table.rename_axis("period").reset_index()


def weight_changes(before: Result, after: Result) -> pd.DataFrame:
    """Put the donor weights side by side, the largest change first: unit, before, after, change."""
    sides = []
    for result in (before, after):
        weights = result.estimate.unit_weights
        weights = pd.Series(dtype=np.float64) if weights is None else weights
        sides.append(pd.Series(weights.to_numpy(), [unit_label(unit) for unit in weights.index]))
    table = pd.concat(sides, axis=1, keys=["before", "after"]).fillna(0.0)
    table["change"] = table["after"] - table["before"]
    table = table[(table[["before", "after"]].abs() > 1e-6).any(axis=1)]
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("unit").reset_index()


def conclusions(before: Result, after: Result, progress: Progress = silent) -> pd.DataFrame:
    """Draw the conclusion with every quick estimator that can run on both panels.

    Parameters
    ----------
    before, after : Result
        Each on its own panel; the inference method is its own where that applies, else placebo
        in space or the jackknife.
    progress : callable, optional

    Returns
    -------
    pandas.DataFrame
        estimator, effect_before, effect_after, before, after, flipped, worse.
    """
    panels = before.estimate.panel, after.estimate.panel
    keys = [
        key for key in ASKED if all(ESTIMATORS[key]().why_not(panel) is None for panel in panels)
    ]
    rows = []
    for number, key in enumerate(keys):
        old, new = (_rerun(result, key) for result in (before, after))
        was, now = conclusion(old), conclusion(new)
        worse = was not in ("cannot tell", now)
        title = ESTIMATORS[key].card.title
        rows.append((title, old.estimate.att, new.estimate.att, was, now, was != now, worse))
        progress((number + 1) / len(keys))
    columns = ["estimator", "effect_before", "effect_after", "before", "after", "flipped", "worse"]
    return pd.DataFrame(rows, columns=columns)


def share_sentence(table: pd.DataFrame) -> str:
    """Say how many conclusions flipped, and how many of them for the worse."""
    n = len(table)
    flipped, worse = int(table["flipped"].sum()), int(table["worse"].sum())
    if n == 0:
        return "No estimator can run on both."
    noun = "conclusion" if n == 1 else "conclusions"
    if not flipped:
        return f"None of {n} {noun} flipped."
    return (
        f"{flipped} of {n} {noun} flipped, {worse} of them for the worse: what was clear before "
        "is gone or turned round."
    )


def differ_in_method_only(before: Result, after: Result) -> bool:
    """Tell whether panel and inference are the same, so that no estimator's conclusion can flip."""
    one, two = before.spec, after.spec
    same = (one.inference, one.level, one.seed) == (two.inference, two.level, two.seed)
    return same and before.estimate.panel.fingerprint == after.estimate.panel.fingerprint


def _rerun(result: Result, key: str) -> Result:
    """Run another estimator on the prepared panel of a run."""
    spec, panel = result.spec, result.estimate.panel
    plain = spec.with_(
        treatment=None, window=None, dropped=(), skipped=(), blanked=(), smoothed=(),
        estimator=ESTIMATORS[key](), inference=None,
    )  # fmt: skip
    alone = run(plain, panel)
    methods = [spec.inference, *(METHODS[name]() for name in FALLBACKS)]
    for method in methods:
        if method is not None and method.why_not(alone.estimate) is None:
            return run(plain.with_(inference=method), panel)
    return alone


def _numbers(result: Result) -> dict[str, float]:
    estimate, uncertainty = result.estimate, result.uncertainty
    interval = uncertainty.interval if uncertainty is not None else None
    p_value = uncertainty.p_value if uncertainty is not None else None
    error = uncertainty.standard_error if uncertainty is not None else None
    nan = float("nan")
    return {
        "average effect": estimate.att,
        "interval, lower end": interval.lower if interval else nan,
        "interval, upper end": interval.upper if interval else nan,
        "p-value": nan if p_value is None else p_value,
        "standard error": nan if error is None else error,
        "typical gap before treatment": estimate.pre_rmspe,
        "total effect": estimate.total,
        "treated cells": float(estimate.n_cells),
        "donors": float(estimate.panel.design.n_controls),
        "effective donors": estimate.effective_donors,
        "periods before treatment": float(estimate.panel.design.n_pre),
    }


def _changed_cells(
    before: Panel, after: Panel, units: tuple[list[str], ...], periods: tuple[list[str], ...]
) -> pd.DataFrame:
    rows = [(i, units[1].index(name)) for i, name in enumerate(units[0]) if name in units[1]]
    columns = [(i, periods[1].index(t)) for i, t in enumerate(periods[0]) if t in periods[1]]
    first = np.ix_([row[0] for row in rows], [column[0] for column in columns])
    second = np.ix_([row[1] for row in rows], [column[1] for column in columns])
    old, new = before.Y[first], after.Y[second]
    same = np.isclose(old, new, rtol=SAME, atol=0.0, equal_nan=True)
    here = [units[0][row[0]] for row in rows]
    when = [periods[0][column[0]] for column in columns]
    return pd.DataFrame(
        {
            "unit": np.repeat(here, len(when)),
            "period": np.tile(when, len(here)),
            "before": old.ravel(),
            "after": new.ravel(),
            "treated_before": before.W[first].ravel(),
            "treated_after": after.W[second].ravel(),
            "value": ~same.ravel(),
            "treatment": (before.W[first] != after.W[second]).ravel(),
        }
    )


def _named(names: list[str], noun: str, verb: str) -> str:
    shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    plural = f"{noun}s are" if len(names) > 1 else f"{noun} is"
    return f"{len(names)} {plural} {verb}: {shown}."


def _n(value: float) -> str:
    return f"{value:.4g}".replace("-", "\u2212")
