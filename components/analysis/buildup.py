"""A counterfactual built up step by step: donors alike, weighted, moved to the level, factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from components.analysis.run import Result
from components.analysis.words import Words, number, quantity, spoken, treated_names
from components.arrays import Floats
from components.estimators.base import Estimate

Kind = Literal["average", "weighted", "level", "factors"]
NAMES: dict[Kind, str] = {
    "average": "Donors alike",
    "weighted": "Donors weighted",
    "level": "Moved to the level",
    "factors": "Common factors",
}
CLOSE = 1e-6
"""Steps that differ by less than this share of the outcomes' spread are one."""


@dataclass(frozen=True)
class Step:
    """One step from the donors to the counterfactual.

    Attributes
    ----------
    kind : {"average", "weighted", "level", "factors"}
    path : pandas.Series
        What would be the counterfactual if one stopped here, by period.
    att : float
        The average effect if one stopped here.
    moved : float
        By how much the path was moved as a whole; the largest change of a single treated period
        where it was not moved as a whole.
    """

    kind: Kind
    path: pd.Series[float]
    att: float
    moved: float = 0.0


def build_up(estimate: Estimate) -> tuple[Step, ...]:
    r"""Take an estimate apart into steps that end at its counterfactual.

    With donors :math:`Y_{jt}`, unit weights :math:`\omega` and time weights :math:`\lambda` (alike
    where the estimator has none): the mean donor; :math:`\sum_j\omega_jY_{jt}`; that plus
    :math:`\sum_s\lambda_s(\bar Y_{tr,s}-\sum_j\omega_jY_{js})`; and whatever the estimator adds to
    it, which for matrix completion and TROP is the low-rank part. With
    :math:`\lambda_{nn}=\infty` the third step is TROP itself (its section on special cases).

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    tuple of Step
        Steps that change nothing are left out. Empty where the design is no block, where an
        outcome is missing, and where weights are not those of all donors.
    """
    panel, design = estimate.panel, estimate.panel.design
    if design.kind != "block" or not design.n_pre or not panel.observed.all():
        return ()
    donors = panel.Y[~design.treated]
    omega = np.full(len(donors), 1.0 / len(donors))
    if estimate.unit_weights is not None:
        if list(estimate.unit_weights.index) != list(panel.units[~design.treated]):
            return ()
        omega = estimate.unit_weights.to_numpy()
    lam = np.full(design.n_pre, 1.0 / design.n_pre)
    if estimate.time_weights is not None and len(estimate.time_weights) == design.n_pre:
        lam = estimate.time_weights.to_numpy()
    observed = estimate.paths["observed"].to_numpy()
    last = estimate.paths["counterfactual"].to_numpy()
    if not (np.isfinite(observed).all() and np.isfinite(last).all()):
        return ()
    after = slice(design.n_pre, None)
    close = CLOSE * float(np.std(panel.Y))

    def step(kind: Kind, path: Floats, moved: float = 0.0) -> Step:
        att = float((observed - path)[after].mean())
        return Step(kind, pd.Series(path, panel.periods), att, moved)

    average, weighted = donors.mean(axis=0), omega @ donors
    steps = [step("average", average)]
    if np.abs(weighted - average).max() > close:
        steps.append(step("weighted", weighted))
    rest = (last - weighted)[after]
    if np.abs(rest).max() <= close:
        return (*steps[:-1], step(steps[-1].kind, last))
    if np.ptp(rest) <= close:
        return (*steps, step("level", last, float(rest.mean())))
    shift = float((observed - weighted)[: design.n_pre] @ lam)
    moved = weighted + shift
    further = last - moved
    most = float(further[after][np.abs(further[after]).argmax()])
    return (*steps, step("level", moved, shift), step("factors", last, most))


def step_sentence(step: Step, result: Result, words: Words, *, is_last: bool = False) -> str:
    """Say what one step does, with its numbers.

    Parameters
    ----------
    step : Step
        Of :func:`build_up`.
    result : Result
    words : Words
    is_last : bool
        The path of this step is the counterfactual.

    Returns
    -------
    str
    """
    estimate = result.estimate
    panel = estimate.panel
    who, units = treated_names(panel, words), words.unit[1]
    first = spoken(panel.periods[panel.design.n_pre])
    n = panel.design.n_controls
    if step.kind in ("average", "weighted"):
        what = f"All {n} {units} count the same"
        if step.kind == "weighted" and estimate.unit_weights is not None:
            carry = int((estimate.unit_weights.abs() > CLOSE).sum())
            what = f"{carry} of {n} {units} carry weight, each its own"
        gap = step.path - estimate.paths["observed"]
        off = float(gap.iloc[: panel.design.n_pre].mean())
        side = "above" if off > 0 else "below"
        where = f"on average {quantity(abs(off), words)} {side} {who} before {first}"
        if abs(off) <= CLOSE * float(np.std(panel.Y)):
            where = f"on average level with {who} before {first}"
        text = f"{what}; {where}."
    elif step.kind == "level":
        way = "up" if step.moved > 0 else "down"
        when = f"before {first}"
        if estimate.time_weights is not None and np.ptp(estimate.time_weights) > CLOSE:
            when += ", in the periods that carry weight"
        text = (
            f"The path moves {way} by {quantity(abs(step.moved), words)} as a whole: its distance "
            f"from {who} {when}."
        )
    else:
        text = (
            f"What moves together in many {units} beyond level and period changes the path, by "
            f"{quantity(abs(step.moved), words)} where it changes most."
        )
    return f"{text} Effect {'' if is_last else 'so far '}{number(step.att, signed=True)}."
