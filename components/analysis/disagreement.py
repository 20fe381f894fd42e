"""Verdict of a contest, and where and why its estimators disagree, in sentences from the data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis.entrants import Contest, Entrant, Judge
from components.analysis.words import MOST_NAMED, Words, number, percent, quantity
from components.arrays import Floats
from components.panel import period_label, unit_label
from components.simulation.leaderboard import FEWEST_DRAWS, ranking

JUDGES: dict[Judge, str] = {
    "placebos": "Placebo assignments",
    "worlds": "Worlds like the data",
}
PARTS = {
    "no_additive": "unit and period effects",
    "no_interactive": "common factors",
    "no_autocorrelation": "autocorrelation of the noise",
}
MATTERS = 0.1
"""Relative change of an error from which on a part of the world is said to matter."""

ALIKE = 0.01
"""Share of the largest estimate below which two estimates count as the same."""


def judges_of(contest: Contest) -> list[Judge]:
    """List what the ranking can be taken from now, the default first.

    Placebo assignments come first where there are enough of them to tell estimators apart.
    """
    ready = [judge for judge in JUDGES if contest.draws.get(judge)]
    few = contest.placebo_most and contest.placebo_most < FEWEST_DRAWS
    return ready[::-1] if few else ready


def board_of(contest: Contest, judge: Judge) -> pd.DataFrame:
    """Rank the estimators by one judge, and name them; see ``ranking``."""
    table = ranking(contest.draws.get(judge, {}))
    table.insert(1, "estimator", [contest.entrants[str(key)].title for key in table["key"]])
    table["seconds"] = [contest.entrants[str(key)].seconds for key in table["key"]]
    return table


def in_order(contest: Contest, judge: Judge | None) -> list[str]:
    """Give the fitted estimators, the best predictor first, never by the size of their effect."""
    ranked = [] if judge is None else [str(key) for key in board_of(contest, judge)["key"]]
    return ranked + [key for key in contest.here if key not in ranked]


def verdict(contest: Contest, judge: Judge, words: Words) -> str:
    """Say in a sentence who predicts best, and who cannot be told apart from it."""
    board = board_of(contest, judge)
    if board.empty:
        return "No estimator has predicted anything yet."
    best, behind = board[board["tied"]], board[~board["tied"]]
    tied = [str(name) for name in best["estimator"]]
    if len(tied) == len(board) > 1:
        text = "No estimator stands out here: all differences are within noise."
    elif len(tied) > MOST_NAMED:
        text = f"{len(tied)} of {len(board)} estimators cannot be told apart here."
    elif len(tied) > 1:
        text = f"{all_of(tied)} predict best here, and cannot be told apart."
    else:
        text = f"{tied[0]} predicts best here."
    smallest, largest = (quantity(float(best["rmse"].iloc[end]), words) for end in (0, -1))
    whose = "its typical error" if len(tied) == 1 else f"the typical error of {tied[0]}"
    text += f" In {int(best['n'].iloc[0])} {JUDGES[judge].lower()} {whose} is {smallest}"
    if len(tied) > 1:
        text += f", that of {tied[-1]} {largest}"
    if len(behind):
        last = behind.iloc[-1]
        text += (
            f"; {last['estimator']} is furthest behind, with {quantity(float(last['rmse']), words)}"
        )
    return f"{text}."


def disagreement(contest: Contest, judge: Judge | None, words: Words) -> list[str]:
    """Say where and why the estimators disagree about the effect.

    Parameters
    ----------
    contest : Contest
    judge : {"placebos", "worlds"} or None
    words : Words

    Returns
    -------
    list of str
        Sentences: how far apart, in which periods, level or trend, whose weights.
    """
    here = {key: one for key, one in contest.here.items() if np.isfinite(one.att)}
    if len(here) < 2:
        return []
    low, high = (pick(here.values(), key=_att) for pick in (min, max))
    apart = high.att - low.att
    if apart <= ALIKE * max(abs(low.att), abs(high.att)):
        return [
            f"{_all(len(here))} estimates are within {quantity(apart, words)} of each other: "
            "nothing hangs on the choice of the estimator."
        ]
    return [
        f"The estimates lie {quantity(apart, words)} apart, from {number(low.att, signed=True)} "
        f"({low.title}) to {number(high.att, signed=True)} ({high.title}). "
        + _sides(list(here.values())),
        *_among_the_best(contest, judge, apart, words),
        *_periods(low, high, words),
        *_weights(low, high),
    ]


def _all(count: int) -> str:
    return "Both" if count == 2 else f"All {count}"


def _att(entrant: Entrant) -> float:
    return entrant.att


def _sides(entrants: list[Entrant]) -> str:
    below = sum(one.att < 0 for one in entrants)
    if below in {0, len(entrants)}:
        return f"{_all(len(entrants))} have the same sign."
    return f"They differ in sign: {below} of {len(entrants)} are below zero."


def _among_the_best(contest: Contest, judge: Judge | None, apart: float, words: Words) -> list[str]:
    """Say how much of the disagreement is left among those that cannot be told apart as best."""
    if judge is None:
        return []
    board = board_of(contest, judge)
    tied = [contest.entrants[str(key)].att for key in board["key"][board["tied"]]]
    if len(tied) < 2 or len(tied) == len(contest.here):
        return []
    left = max(tied) - min(tied)
    return [
        f"Among the {len(tied)} that predict best here it is {quantity(left, words)}: "
        f"{percent(left / apart)} of that."
    ]


def _periods(low: Entrant, high: Entrant, words: Words) -> list[str]:
    """Say in which periods two estimators part, and whether by level or by trend."""
    assert low.effects is not None
    assert high.effects is not None
    gaps = (high.effects - low.effects).dropna()
    if len(gaps) < 2:
        return []
    first, last, mean = float(gaps.iloc[0]), float(gaps.iloc[-1]), float(gaps.mean())
    place = int(np.argmax(gaps.abs().to_numpy()))
    where = (
        f"{low.title} and {high.title} are {quantity(abs(first), words)} apart in "
        f"{period_label(gaps.index[0])} and {number(abs(last))} in {period_label(gaps.index[-1])}"
    )
    if 0 < place < len(gaps) - 1:
        at_most = number(abs(float(gaps.iloc[place])))
        where += f", at most {at_most} in {period_label(gaps.index[place])}"
    slope = abs(last - first) > abs(mean)
    why = (
        "they see a different trend without treatment, more than a different level."
        if slope
        else "they see a different level without treatment, more than a different trend."
    )
    return [f"{where}: {why}"]


def _weights(low: Entrant, high: Entrant) -> list[str]:
    """Say how much of their weights two estimators share."""
    sentences = []
    for what, one, other in (
        ("donors", low.unit_weights, high.unit_weights),
        ("periods before treatment", low.time_weights, high.time_weights),
    ):
        if one is None or other is None:
            continue
        both = pd.concat([one, other], axis=1).fillna(0.0).clip(lower=0.0)
        shared = float(both.min(axis=1).sum())
        difference = (both.iloc[:, 0] - both.iloc[:, 1]).abs()
        place = int(np.argmax(difference.to_numpy()))
        name = both.index[place]
        label = unit_label(name) if what == "donors" else period_label(name)
        shares = [percent(float(share)) for share in both.iloc[place]]
        sentences.append(
            f"They share {percent(shared)} of their weight on {what}; the largest difference is "
            f"{label}, with {shares[0]} in {low.title} and {shares[1]} in {high.title}."
        )
    return sentences


def all_of(names: list[str]) -> str:
    """Join names as in a sentence."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def why_ranked(contest: Contest) -> list[str]:
    """Say what the errors hang on: how large each part of the world is, and what it costs whom.

    Parameters
    ----------
    contest : Contest

    Returns
    -------
    list of str
    """
    shares, base = contest.shares, contest.draws.get("worlds", {})
    if not shares:
        return []
    sentences = []
    if shares["additive"] > 0.0:
        sentences.append(
            "Measured by their spread, common factors are "
            f"{percent(shares['interactive'] / shares['additive'])} as large as unit and period "
            f"effects, and noise {percent(shares['noise'] / shares['additive'])}."
        )
    for variant, part in PARTS.items():
        changes = {}
        for key, draws in contest.variants.get(variant, {}).items():
            before, after = _rms(base.get(key, draws)[: len(draws), 0]), _rms(draws[:, 0])
            if np.isfinite(before) and before > 0.0:
                changes[key] = (after / before - 1.0, before, after)
        if not changes:
            continue
        key = max(changes, key=lambda name: abs(changes[name][0]))
        change, before, after = changes[key]
        if abs(change) < MATTERS:
            sentences.append(
                f"Without {part} no error changes by more than {percent(abs(change))}."
            )
        else:
            sentences.append(
                f"Without {part} the error of {contest.entrants[key].title} "
                f"{'falls' if change < 0 else 'rises'} most, from {number(before)} to "
                f"{number(after)}."
            )
    return sentences


def _rms(errors: Floats) -> float:
    known = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")
