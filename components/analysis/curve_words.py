"""What a specification curve says: the declared choice in it, and which choices matter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis.choices import ALL, LEVELS, WITHOUT
from components.analysis.run import Result
from components.analysis.specification import FIELDS
from components.analysis.words import Words, number, percent
from components.estimators import ESTIMATORS

NAMES = {
    "estimator": "Estimator",
    "donors": "Donors",
    "start": "Time before, from",
    "end": "Time before, to",
    "transform": "Scale",
    "covariates": "Covariates",
}
OWN = "as declared"


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
    return (
        f"{len(table)} ways to set this analysis up give average effects from "
        f"{number(float(effects[0]))} to {number(float(effects[-1]))} {words.measure}".rstrip()
        + f"; the middle one is {number(float(np.median(effects)))}. The declared one, "
        f"{number(declared)}, is number {place + 1} from the lowest, and {percent(same)} of all "
        "have its sign."
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
