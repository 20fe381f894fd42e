"""What a power simulation shows, in sentences from its numbers."""

from __future__ import annotations

import math

import pandas as pd

from components.simulation.power import PowerTables

WORDS = {
    "marginal": "with the marginal variance",
    "time": "given the period",
    "unit": "given the unit",
    "both": "given both",
}
NOISE = 2.0
"""Monte Carlo standard errors within which two shares are not told apart."""


def false_alarms(tables: PowerTables, level: float) -> str:
    """Say how often the tests reject where there is no effect.

    Parameters
    ----------
    tables : PowerTables
        Of one kind.
    level : float

    Returns
    -------
    str
    """
    sizes = _at(tables.curves, 0.0)["power"]
    return (
        f"Without an effect the four tests reject in {_span(sizes)} of panels; "
        f"{_percent(1.0 - level)} is meant."
    )


def found_at(tables: PowerTables, effect: float) -> str:
    """Say how often an effect of one size is found, by whom most and by whom least.

    Parameters
    ----------
    tables : PowerTables
        Of one kind.
    effect : float
        Above zero, one of those in the tables.

    Returns
    -------
    str
    """
    here = _at(tables.curves, effect)
    best, worst = str(here["power"].idxmax()), str(here["power"].idxmin())
    if not _apart(here, best, worst):
        return (
            f"An effect of {effect:g} sd is found equally often by all four, within Monte Carlo "
            f"error: in {_span(here['power'])} of panels."
        )
    power = here["power"].to_dict()
    return (
        f"An effect of {effect:g} sd is found in {_percent(power[best])} of panels {WORDS[best]}, "
        f"and in {_percent(power[worst])} {WORDS[worst]}."
    )


def caveats(tables: PowerTables) -> list[str]:
    """Say where conditioning costs power, if it does so in these tables.

    Parameters
    ----------
    tables : PowerTables
        Of one kind.

    Returns
    -------
    list of str
    """
    wide = tables.curves.pivot_table(index="effect", columns="given", values="power")
    behind = wide["marginal"] - wide["both"]
    effect = float(behind.index[int(behind.to_numpy().argmax())])
    here = _at(tables.curves, effect)
    if effect == 0.0 or behind.max() <= 0.0 or not _apart(here, "marginal", "both"):
        return []
    power = here["power"].to_dict()
    text = (
        f"Conditioning on both is not always ahead: at {effect:g} sd the marginal variance finds "
        f"the effect in {_percent(power['marginal'])} of panels, against {_percent(power['both'])}."
    )
    figures = tables.behaviour.pivot_table(index="given", columns="figure", values="value")
    if "size, noisy" in figures:
        noisy = figures["size, noisy"].to_dict()
        if noisy["marginal"] > noisy["both"]:
            text += (
                " It also rejects more often where there is nothing to find: in "
                f"{_percent(noisy['marginal'])} of the noisiest cells without an effect, against "
                f"{_percent(noisy['both'])}."
            )
    else:
        text += " Errors are alike everywhere here, so there is nothing to gain by it."
    return [text]


def _at(curves: pd.DataFrame, effect: float) -> pd.DataFrame:
    return curves[curves["effect"] == effect].set_index("given")


def _apart(here: pd.DataFrame, one: str, other: str) -> bool:
    powers, errors = here["power"].to_dict(), here["mc_error"].to_dict()
    gap = abs(float(powers[one]) - float(powers[other]))
    return gap > NOISE * math.hypot(errors[one], errors[other])


def _span(shares: pd.Series[float]) -> str:
    low, high = _percent(shares.min()), _percent(shares.max())
    return low if low == high else f"{low[:-1]} to {high}"


def _percent(share: float) -> str:
    """Write a share with a decimal where it is small or close to one."""
    digits = 1 if share < 0.1 or share > 0.99 else 0
    return f"{round(100.0 * share, digits):g}%"
