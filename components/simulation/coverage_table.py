"""Read the coverage study: which promises are kept, and which failures are announced."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.simulation.coverage_designs import DESIGNS, FAILURES

ZONE = (0.93, 0.97)
ENOUGH = 0.90  # share of panels in which a warning should show
MOST_ALARMS = 0.10
ERRORS = 3.0  # Monte Carlo standard errors that a share may lie outside by chance
SAME = ["estimator", "tuning", "method", "setting"]


def judged(coverage: float, error: float, promise: str) -> str:
    """Say whether a coverage is what theory says.

    Parameters
    ----------
    coverage, error : float
        Share, and its Monte Carlo standard error.
    promise : {"nominal", "conservative", "broken"}

    Returns
    -------
    {"kept", "above", "unsure", "missed", "broken", "none"}
        Inside the zone; above it; outside, but by less than three Monte Carlo errors; below it;
        known to break; no interval.
    """
    if not np.isfinite(coverage):
        return "none"
    if promise == "broken":
        return "broken"
    low, high = ZONE
    if low <= coverage <= high:
        return "kept"
    if coverage > high:
        return "above"
    return "unsure" if coverage + ERRORS * error >= low else "missed"


def promised(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows for which theory promises something, with a verdict on interval and band.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`components.simulation.coverage.stored` gives it.

    Returns
    -------
    pandas.DataFrame
        With ``verdict`` and ``band_verdict``.
    """
    kept = table[table["promise"] != "broken"].copy()
    for name, share, error in (
        ("verdict", "coverage", "coverage_error"),
        ("band_verdict", "band_coverage", "band_error"),
    ):
        kept[name] = [
            judged(*values)
            for values in zip(kept[share], kept[error], kept["promise"], strict=True)
        ]
    return kept


def failures(table: pd.DataFrame) -> pd.DataFrame:
    """Put each known failure beside the same method on the design without the fault.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`components.simulation.coverage.stored` gives it.

    Returns
    -------
    pandas.DataFrame
        The rows of known failures with ``healthy`` (the other design), ``warning`` (key of the
        diagnostic), ``warned`` and ``false_alarms`` with their errors, and ``healthy_coverage``.
    """
    broken = table[table["promise"] == "broken"].copy()
    broken["warning"] = [FAILURES[design].warning for design in broken["design"]]
    broken["healthy"] = [FAILURES[design].healthy for design in broken["design"]]
    for name, source in (("warned", ""), ("warned_error", "_error")):
        broken[name] = [row[f"warned_{row['warning']}{source}"] for _, row in broken.iterrows()]
    twins = table.set_index(["design", *SAME])
    found = []
    for _, row in broken.iterrows():
        key = (row["healthy"], *(row[name] for name in SAME))
        twin = twins.loc[key] if key in twins.index else None
        column = f"warned_{row['warning']}"
        found.append(
            (np.nan,) * 3
            if twin is None
            else (twin[column], twin[f"{column}_error"], twin["coverage"])
        )
    names = ["false_alarms", "false_alarms_error", "healthy_coverage"]
    broken[names] = np.array(found, dtype=np.float64).reshape(-1, 3)
    return broken.reset_index(drop=True)


def alarms(table: pd.DataFrame) -> pd.DataFrame:
    """Pool false alarms of each warning over all designs without a fault.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`components.simulation.coverage.stored` gives it.

    Returns
    -------
    pandas.DataFrame
        ``warning``, ``smallest``, ``mean`` and ``largest`` share of panels over the rows.
    """
    healthy = table[table["promise"] != "broken"]
    columns = [
        name for name in table.columns if name.startswith("warned_") and not name.endswith("_error")
    ]
    return pd.DataFrame(
        {
            "warning": [name.removeprefix("warned_") for name in columns],
            "smallest": [float(healthy[name].min()) for name in columns],
            "mean": [float(healthy[name].mean()) for name in columns],
            "largest": [float(healthy[name].max()) for name in columns],
        }
    )


def design_title(name: str) -> str:
    """Give the title of a design; its own name where it is no longer in the study."""
    return DESIGNS[name].title if name in DESIGNS else name
