"""What a specification curve says: the declared choice in it, and which choices matter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis.choices import ALL, LEVELS, WITHOUT
from components.analysis.path_placebos import DRAWS, n_assignments
from components.analysis.run import Result
from components.analysis.specification import FIELDS
from components.analysis.words import Words, number, percent
from components.estimators import ESTIMATORS
from components.panel import Panel

NAMES = {
    "estimator": "Estimator",
    "donors": "Donors",
    "start": "Time before, from",
    "end": "Time before, to",
    "transform": "Scale",
    "covariates": "Covariates",
}
OWN = "as declared"
OUTSTANDING = 0.1
"""A unit stands out in a specification where at most this share of units has as large a ratio of
the gaps after treatment to those before."""


def with_declared(table: pd.DataFrame, result: Result) -> pd.DataFrame:
    """Mark the analysis on screen in the curve, or add it where it is not among the choices.

    Parameters
    ----------
    table : pandas.DataFrame
        As `components.analysis.specification.curve` gives it.
    result : Result

    Returns
    -------
    pandas.DataFrame
        With the columns ``place`` (in the order of the fits) and ``declared``, sorted by effect;
        specifications without an effect are left out.
    """
    estimator, estimate = result.spec.estimator, result.estimate
    own = (
        (table["estimator"] == estimator.card.key)
        & (table[["donors", "start"]] == ALL).all(axis=1)
        & (table["end"] == "up to treatment")
        & (table["transform"] == LEVELS)
        & (table["covariates"] == WITHOUT)
    )
    table = table.assign(
        place=np.arange(len(table)), declared=own & (estimator == type(estimator)())
    )
    if not table["declared"].any():
        design = estimate.panel.design
        entry = dict.fromkeys(FIELDS, OWN) | {
            "estimator": estimator.card.key,
            "effect": estimate.att,
            "ratio": np.nan,
            "n_donors": design.n_controls,
            "n_pre": design.n_pre,
            "place": len(table),
            "declared": True,
        }
        table = pd.concat([table, pd.DataFrame([entry])], ignore_index=True)
    known: pd.DataFrame = table[np.isfinite(table["effect"])]
    return known.sort_values("effect", kind="stable", ignore_index=True)


def curve_sentence(table: pd.DataFrame, words: Words) -> str:
    """Say how far the effects of the curve reach, and where the declared one lies.

    Parameters
    ----------
    table : pandas.DataFrame
        As `with_declared` gives it.
    words : Words

    Returns
    -------
    str
    """
    effects = table["effect"].to_numpy()
    place = int(np.flatnonzero(table["declared"])[0])
    declared = float(effects[place])
    same = float((np.sign(effects) == np.sign(declared)).mean())
    share = "all have" if same == 1.0 else f"{percent(same)} of all have"
    return (
        f"{len(table)} ways to set this analysis up give average effects from "
        f"{number(float(effects[0]))} to {number(float(effects[-1]))} {words.measure}".rstrip()
        + f"; the middle one is {number(float(np.median(effects)))}. The declared one, "
        f"{number(declared)}, is number {place + 1} from the lowest, and {share} its sign."
    )


def by_option(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise the effects under each option of each choice.

    Parameters
    ----------
    table : pandas.DataFrame
        As `with_declared` gives it.

    Returns
    -------
    pandas.DataFrame
        choice, option, specifications, lowest, median, highest; choices with one option are left
        out.
    """
    rows = []
    for field in FIELDS:
        named = table[table[field] != OWN].sort_values("place", kind="stable")
        groups = named.groupby(field, sort=False)["effect"]
        if groups.ngroups > 1:
            rows += [
                (NAMES[field], option_name(field, str(option)), len(effects), effects.min(),
                 effects.median(), effects.max())
                for option, effects in groups
            ]  # fmt: skip
    columns = ["choice", "option", "specifications", "lowest", "median", "highest"]
    return pd.DataFrame(rows, columns=columns)


def what_matters(options: pd.DataFrame) -> str:
    """Name the choice whose options have the most different median effects."""
    if options.empty:
        return ""
    medians = options.groupby("choice", sort=False)["median"]
    choice = str((medians.max() - medians.min()).idxmax())
    own = options[options["choice"] == choice].sort_values("median", kind="stable")
    low, high = own.iloc[0], own.iloc[-1]
    return (
        f"The choice that matters most is {choice.lower()}: the middle effect is "
        f"{number(float(low['median']))} with “{low['option']}” and "
        f"{number(float(high['median']))} with “{high['option']}”."
    )


def option_name(field: str, option: str) -> str:
    """Write an option as on screen."""
    return ESTIMATORS[option].card.title if field == "estimator" else option


def how_placebos_are_made(panel: Panel) -> str:
    """Say what the placebo curves of a panel are."""
    if panel.design.kind == "block":
        return (
            "The same specifications are fitted with never-treated units in the place of the "
            "treated ones, which are left out."
        )
    others, n_units = n_assignments(panel.W) - 1, panel.shape[0]
    deals = (
        f"in all {others} other ways"
        if others <= DRAWS
        else f"in {DRAWS} ways drawn at random (the seed of the analysis sets which)"
    )
    left_out = " Specifications that take covariates off are not among them." if panel.X else ""
    return (
        f"The treatment paths of the {n_units} units are shared out among them anew, each path "
        f"whole, {deals}; outcomes stay where they are, and the same specifications are fitted."
        f"{left_out} The comparison is fair if chance decided who took which path when; where "
        "some units were bound to start early or never, it says less."
    )


def what_p_is(panel: Panel, test: pd.DataFrame, n_placebos: int) -> str:
    """Say what the p-values of the test count, and how far they are from exact."""
    block = panel.design.kind == "block"
    one = "unit" if block and panel.design.n_treated == 1 else "group" if block else "assignment"
    drawn = n_placebos == DRAWS and (not block or panel.design.n_treated > 1)
    largest = float(np.sqrt(test["p_value"] * (1.0 - test["p_value"]) / n_placebos).max())
    error = (
        f" As they are drawn at random, the p-values above have standard errors of up to "
        f"{largest:.3f}."
        if drawn
        else ""
    )
    return (
        f"p is the share of {one}s, the actual one included, whose curve has a summary at least "
        f"as large.{error} A curve stands out in a specification where at most "
        f"{OUTSTANDING:.0%} of {one}s have as large a ratio of the gaps after treatment to those "
        "before. Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-14."
    )
