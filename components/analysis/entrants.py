"""Those who take part in a contest of estimators, and what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from components.analysis.spec import AnalysisSpec
from components.arrays import Floats
from components.estimators import ESTIMATORS, Estimator
from components.panel import Panel

Judge = Literal["placebos", "worlds"]

RECENT, CLOSEST = 5, 5
"""Periods and units in the table of TROP weights."""


@dataclass(frozen=True, eq=False)
class Entrant:
    """What one estimator says about the panel.

    Attributes
    ----------
    estimator : Estimator
    reason : str or None
        Why it cannot be used here.
    tuned : Estimator or None
        With its tuning held; None while it has not been fitted yet.
    seconds : float
        Processor time of its fit, with tuning.
    att : float
    effects : pandas.Series or None
        Average effect by period.
    counterfactual, observed : pandas.Series or None
        Averages over the treated units.
    unit_weights, time_weights : pandas.Series or None
    interval : tuple of float or None
    refusal : str or None
        Why there is no interval.
    """

    estimator: Estimator
    reason: str | None = None
    tuned: Estimator | None = None
    seconds: float = float("nan")
    att: float = float("nan")
    effects: pd.Series[float] | None = None
    counterfactual: pd.Series[float] | None = None
    observed: pd.Series[float] | None = None
    unit_weights: pd.Series[float] | None = None
    time_weights: pd.Series[float] | None = None
    interval: tuple[float, float] | None = None
    refusal: str | None = None

    @property
    def title(self) -> str:
        """Name on screen."""
        return self.estimator.card.title


@dataclass(frozen=True, eq=False)
class Contest:
    """Everything that is known so far.

    Attributes
    ----------
    entrants : dict of str to Entrant
        By key, in the order of the catalogue.
    inference : str or None
        Title of the method behind all intervals.
    level : float
    draws : dict of str to dict of str to Floats, shape (R, 2)
        ``"placebos"`` and ``"worlds"``: errors and coverage by estimator.
    reasons : dict of str to str
        Why there are no placebos or no worlds.
    variants : dict of str to dict of str to Floats
        Errors in worlds that leave a part out.
    shares : dict of str to float
        What the outcomes are made of, in standard deviations; see ``FactorWorld.shares``.
    placebo_size, placebo_most : int
        Units that a placebo assignment treats; how many assignments there are, 0 if too many.
    stage : str
        What is being worked on; empty at the end.
    """

    entrants: dict[str, Entrant]
    inference: str | None
    level: float
    draws: dict[str, dict[str, Floats]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    variants: dict[str, dict[str, Floats]] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    placebo_size: int = 0
    placebo_most: int = 0
    stage: str = ""

    @property
    def here(self) -> dict[str, Entrant]:
        """Those that have been fitted."""
        return {key: one for key, one in self.entrants.items() if one.tuned is not None}


def contest_spec(spec: AnalysisSpec) -> AnalysisSpec:
    """Give the analysis without what a contest does not depend on: which estimator is chosen.

    Parameters
    ----------
    spec : AnalysisSpec

    Returns
    -------
    AnalysisSpec
        Equal for all choices of an estimator with its default options.
    """
    plain = spec.estimator == type(spec.estimator)()
    return spec.with_(estimator=ESTIMATORS["did"]()) if plain else spec


def entrants_of(spec: AnalysisSpec, panel: Panel) -> dict[str, Entrant]:
    """List all estimators, with the reason for each that cannot be used.

    The estimator of the analysis keeps its options, unless they look at treated outcomes.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec.

    Returns
    -------
    dict of str to Entrant
    """
    found: dict[str, Entrant] = {}
    for key, kind in ESTIMATORS.items():
        own = spec.estimator if key == spec.estimator.card.key else kind()
        peeks = getattr(own, "uses_treated_outcomes", False)
        estimator = kind() if peeks else own
        found[key] = Entrant(estimator, estimator.why_not(panel))
    return found


def weight_shares(contest: Contest) -> dict[str, float]:
    """Say how much of TROP's weight lies close by (Athey et al. 2025, table 6).

    Parameters
    ----------
    contest : Contest

    Returns
    -------
    dict of str to float
        ``last 5 periods``, ``closest 5 units``, ``closest half of units``; empty without TROP, and
        without the first where no period comes before all treatment.
    """
    trop = contest.entrants.get("trop")
    if trop is None or trop.unit_weights is None:
        return {}
    units = np.sort(trop.unit_weights.to_numpy())[::-1]
    shares = {}
    if trop.time_weights is not None and trop.observed is not None:
        periods = trop.time_weights
        if len(periods) < len(trop.observed):
            shares[f"last {RECENT} periods"] = float(periods.iloc[-RECENT:].sum())
    shares[f"closest {CLOSEST} units"] = float(units[:CLOSEST].sum())
    shares["closest half of units"] = float(units[: (len(units) + 1) // 2].sum())
    return shares
