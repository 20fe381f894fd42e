"""What estimators find in a world with known truth: first without an effect, then with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.errors import SpecError
from components.estimators import ESTIMATORS
from components.inference.base import Progress, silent
from components.simulation.leaderboard import cheap_interval
from components.simulation.teaching import WORLDS
from components.simulation.worlds import Drawn

WHO = ("did", "sc", "sc_intercept", "sdid", "mc")
"""Estimators whose fit takes a moment only."""

MOST_DRAWS = 1000


@dataclass(frozen=True)
class WorldStudy:
    """What to simulate.

    Parameters
    ----------
    world : str
        A key of ``WORLDS``.
    effect : float
        On each treated cell, in the unit of the outcome; above zero.
    draws : int
        Panels of each case.
    seed : int
    level : float
        Of the interval that tells whether an effect is found.

    Raises
    ------
    SpecError
        Naming the setting that cannot be had.
    """

    world: str = "parallel"
    effect: float = 2.0
    draws: int = 100
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        for name, good, allowed in (
            ("world", self.world in WORLDS, " or ".join(WORLDS)),
            ("effect", 0.0 < self.effect <= 100.0, "more than 0, and 100 at most"),
            (
                "draws",
                isinstance(self.draws, int) and 2 <= self.draws <= MOST_DRAWS,
                f"2 to {MOST_DRAWS}",
            ),
            ("seed", isinstance(self.seed, int) and self.seed >= 0, "0 or more"),
            ("level", 0.5 <= self.level < 1.0, "0.5 to less than 1"),
        ):
            if not good:
                raise SpecError(
                    f"The {name} of a study cannot be {getattr(self, name)!r}.",
                    hint=f"Take {allowed}.",
                )


def study_world(study: WorldStudy, progress: Progress = silent) -> pd.DataFrame:
    """Simulate one world, the case without an effect first.

    Both cases have the same noise and the same assignment, panel by panel.

    Parameters
    ----------
    study : WorldStudy
    progress : callable, optional
        Told the share that is done; where it has a method ``show``, that is given the table of the
        first case as soon as it is there.

    Returns
    -------
    pandas.DataFrame
        estimator (key), effect (0, then that of the study), estimate (mean), estimate_error, bias,
        rmse, found (share of intervals without zero), found_error, n. ``found`` at effect 0 is the
        share of false alarms; NaN where the estimator has no quick interval.
    """
    world = WORLDS[study.world](effect=study.effect)
    show: Callable[[pd.DataFrame], None] | None = getattr(progress, "show", None)
    tables: list[pd.DataFrame] = []
    cases = ((0.0, world.without_effect()), (study.effect, world))
    for place, (effect, case) in enumerate(cases):
        found: dict[str, list[tuple[float, float, float]]] = {key: [] for key in WHO}
        for number in range(study.draws):
            rng = np.random.default_rng([study.seed, crc32(study.world.encode()), number])
            drawn = case.draw(rng)
            for key in WHO:
                found[key].append(_look(key, drawn, study, number))
            progress((place + (number + 1) / study.draws) / len(cases))
        tables.append(_table(found, effect))
        if show is not None and place == 0:
            show(tables[0])
    return pd.concat(tables, ignore_index=True)


def _look(key: str, drawn: Drawn, study: WorldStudy, number: int) -> tuple[float, float, float]:
    """Give estimate, truth, and 1 where the interval holds no zero."""
    panel, effects = drawn
    estimator: Any = ESTIMATORS[key]()
    estimate = estimator.fit(panel)
    method, found = cheap_interval(estimator), float("nan")
    if method is not None and method.why_not(estimate) is None:
        rng = np.random.default_rng([study.seed, crc32(method.card.key.encode()), number])
        sure = method.assess(estimate, level=study.level, rng=rng, progress=silent)
        found = float(0.0 not in sure.interval) if sure.interval is not None else found
    return estimate.att, float(effects[panel.W].mean()), found


def _table(found: dict[str, list[tuple[float, float, float]]], effect: float) -> pd.DataFrame:
    rows = []
    for key, looks in found.items():
        estimates, truth, hits = (np.array(column) for column in zip(*looks, strict=True))
        errors: Floats = estimates - truth
        n, share = len(errors), float(hits.mean())
        rows.append(
            {
                "estimator": key,
                "effect": effect,
                "estimate": float(estimates.mean()),
                "estimate_error": float(estimates.std(ddof=1) / np.sqrt(n)),
                "bias": float(errors.mean()),
                "rmse": float(np.sqrt(np.mean(errors**2))),
                "found": share,
                "found_error": float(np.sqrt(share * (1.0 - share) / n)),
                "n": n,
            }
        )
    return pd.DataFrame(rows)
