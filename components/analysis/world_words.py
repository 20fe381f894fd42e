"""What a study of a world with known truth shows, in sentences from its numbers."""

from __future__ import annotations

import pandas as pd

from components.analysis.words import number
from components.estimators import ESTIMATORS

NOISE = 3.0
"""Monte Carlo standard errors from which an average is said to be off."""


def world_sentences(table: pd.DataFrame) -> list[str]:
    """Say what was found, the case without an effect first.

    Parameters
    ----------
    table : pandas.DataFrame
        From ``study_world``, or its first case alone.

    Returns
    -------
    list of str
        One sentence for each case.
    """
    said = []
    for effect, part in table.groupby("effect", sort=True):
        case = "Without an effect" if effect == 0.0 else f"With an effect of {effect:g}"
        said.append(f"{case}, {_centre(part, float(str(effect)))}{_found(part)}.")
    return said


def _centre(part: pd.DataFrame, truth: float) -> str:
    off = part[part["bias"].abs() > NOISE * part["estimate_error"]]
    if off.empty:
        return "all estimators are right on average, within Monte Carlo error"
    worst = off.sort_values("bias", key=abs).to_dict("records")[-1]
    who = ESTIMATORS[str(worst["estimator"])].card.title
    size = number(float(worst["estimate"]), signed=True)
    if len(off) == len(part):
        count = f"all {len(part)} estimators miss it"
    else:
        count = f"{len(off)} of {len(part)} estimators {'misses' if len(off) == 1 else 'miss'} it"
    if truth == 0.0:
        count = count.replace("misses it", "finds one").replace("miss it", "find one")
    return f"{count} on average; {who} is farthest off, with {size}"


def _found(part: pd.DataFrame) -> str:
    known = part["found"].dropna()
    if known.empty:
        return ""
    low, high = f"{known.min():.0%}", f"{known.max():.0%}"
    span = low if low == high else f"{low[:-1]} to {high}"
    return f". Intervals leave zero out in {span} of panels"
