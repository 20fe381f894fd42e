"""How often each warning flagged spoiled and sound panels, as ``make track-record`` found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

STORED = Path(__file__).with_name("track_record.csv")
PLANTED = {
    "healthy": ("nothing", ""),
    "contaminated donor": (
        "the donor with the largest weight moves by 8 noise sd from the date on",
        "contamination",
    ),
    "anticipation": ("6 noise sd in the last 3 periods before the date", "anticipation"),
    "outside the hull": ("level 6 noise sd above the highest donor", "support"),
    "diverging trend": ("1 noise sd a period, or 0.15 with 8 treated units", "trends"),
    "typo": ("one cell of a treated unit times ten", "influence"),
    "noisier treated unit": ("its noise has 3 times the sd", "noise"),
}
"""What was planted in simulated panels, how large, and the warning that looks for it."""
WORDS = {
    "sc": "synthetic control, one treated unit",
    "sdid": "synthetic DID, one treated unit",
    "did, 8 treated": "difference in differences, 8 treated units",
}
LIKE = {
    "did": "did, 8 treated",
    "callaway_santanna": "did, 8 treated",
    "sun_abraham": "did, 8 treated",
}


def stored() -> pd.DataFrame:
    """Read the shares that ``make track-record`` has left.

    Returns
    -------
    pandas.DataFrame
        setup, world, key, flagged, draws, mc_error.
    """
    return pd.read_csv(STORED)


def in_words(table: pd.DataFrame, key: str, estimator: str) -> str:
    """Say how often a warning flags what it looks for, and panels without any fault.

    Parameters
    ----------
    table : pandas.DataFrame
        As `stored` gives it.
    key : str
        Of the diagnostic.
    estimator : str
        Key of the estimator on screen; the record is that of the most similar one that was tried.

    Returns
    -------
    str
    """
    setups = _setups(estimator)
    known = table[table["key"] == key]
    world = next((name for name, (_, target) in PLANTED.items() if target == key), "")
    for setup in setups:
        here = known[known["setup"] == setup].set_index("world")
        if "healthy" not in here.index or (world and not _looked(known, setup, world)):
            continue
        alarm = _percent(here, "healthy")
        text = f"{alarm} of sound simulated panels"
        if world:
            size = PLANTED[world][0]
            text = (
                f"{_percent(here, world)} of simulated panels with this fault ({size}), and {text}"
            )
        draws = int(here["draws"].max())
        return f"Flags {text} ({WORDS[setup]}; {draws} panels each)."
    return "How often this warning is right was not simulated."


def _setups(estimator: str) -> list[str]:
    first = LIKE.get(estimator, estimator)
    return [first, *(setup for setup in ("sc", "sdid", "did, 8 treated") if setup != first)]


def _looked(known: pd.DataFrame, setup: str, world: str) -> bool:
    """Tell whether the fault is one for this estimator: some panels were flagged."""
    here = known[(known["setup"] == setup) & (known["world"] == world)]
    return bool(len(here)) and float(here["flagged"].iloc[0]) > 0.0


def _percent(here: pd.DataFrame, world: str) -> str:
    share, error = here["flagged"].to_dict()[world], here["mc_error"].to_dict()[world]
    return f"{share:.0%} (± {2 * error:.0%})"
