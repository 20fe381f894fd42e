"""How well estimators predict where there is no effect: error, bias and coverage of each.

The true effect is zero throughout, so that every estimated effect is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators import ESTIMATORS, Estimate, Estimator
from components.estimators.base import FastPlacebos, Tuned
from components.inference.base import InferenceMethod, silent
from components.inference.event_study import EventStudyErrors
from components.inference.placebo_variance import PlaceboVariance
from components.simulation.placebo_assignments import Scheme

QUICK_PLACEBOS = ("did", "sc", "sc_intercept", "sdid")
"""Estimators with default options whose placebo refits all happen at once."""

PLACEBO_DRAWS = 40
WITHIN = 2.0
"""Standard errors of a paired difference within which two estimators are tied."""

ROUNDING = 1e-9
"""Of the best error: a difference below it comes from the order of additions."""

FEWEST_DRAWS = 10
"""Below this number of draws nobody is told apart."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One estimator on the panels of one scheme.

    Attributes
    ----------
    scheme : Scheme
        All estimators get the same panels.
    estimator : Estimator
        With its tuning held.
    level : float
        Of the interval whose coverage is counted.
    seed : int
    """

    scheme: Scheme
    estimator: Estimator
    level: float = 0.95
    seed: int = 0

    @property
    def key(self) -> str:
        """Name of the random stream: that of the scheme."""
        return self.scheme.key

    @property
    def identity(self) -> str:
        """All that its numbers depend on."""
        return f"{self.scheme.identity}\n{self.estimator!r} {self.level}"

    def replication(self, number: int, rng: np.random.Generator) -> Floats:
        """Fit one panel.

        Returns
        -------
        Floats, shape (2,)
            The estimated average effect, which is the error; and 1 where the cheap interval holds
            zero, 0 where it does not. NaN where there is none.
        """
        panel = self.scheme.draw(number, rng)
        if self.estimator.why_not(panel) is not None:
            return np.full(2, np.nan)
        estimate = self.estimator.fit(panel)
        return np.array([estimate.att, self._covers(estimate, number)])

    def _covers(self, estimate: Estimate, number: int) -> float:
        method = cheap_interval(self.estimator)
        if method is None or method.why_not(estimate) is not None:
            return float("nan")
        rng = np.random.default_rng([self.seed, crc32(method.card.key.encode()), number])
        try:
            found = method.assess(estimate, level=self.level, rng=rng, progress=silent)
        except NotApplicableError:
            return float("nan")
        return float("nan") if found.interval is None else float(0.0 in found.interval)


def cheap_interval(estimator: Estimator) -> InferenceMethod | None:
    """Give the interval of an estimator that costs no more than a few fits, or None.

    Parameters
    ----------
    estimator : Estimator

    Returns
    -------
    InferenceMethod or None
        Placebo variance where all its refits happen at once, else clustered standard errors where
        the estimator has them; matrix completion and TROP have neither.
    """
    key = estimator.card.key
    if key in QUICK_PLACEBOS and isinstance(estimator, FastPlacebos):
        return PlaceboVariance(PLACEBO_DRAWS) if estimator == ESTIMATORS[key]() else None
    return EventStudyErrors(simultaneous=False) if key not in {"mc", "trop"} else None


def held(estimate: Estimate) -> Estimator:
    """Give the estimator with the tuning of an estimate.

    Cohort by cohort an estimator chooses its tuning in each cohort; it then goes on doing so.
    """
    estimator = estimate.estimator
    if "cohorts" in estimate.details or not isinstance(estimator, Tuned):
        return estimator
    return estimator.tuned(estimate)


def ranking(draws: Mapping[str, Floats]) -> pd.DataFrame:
    r"""Rank estimators by root mean squared error, with Monte Carlo errors.

    Differences are paired: two estimators are compared on the panels that both have seen, and

    .. math:: \mathrm{se}(\hat r_k - \hat r_b)^2 = \frac1n \mathrm{var}\left(
              \frac{e_k^2}{2 \hat r_k} - \frac{e_b^2}{2 \hat r_b}\right).

    Parameters
    ----------
    draws : mapping of str to Floats, shape (R, 2)
        Errors and coverage of each estimator, by key; number r is the same panel for all.

    Returns
    -------
    pandas.DataFrame
        key, place, tied (with the best, within two standard errors of the paired difference),
        rmse, rmse_error, bias, bias_error, coverage, coverage_error, behind (rmse less that of
        the best), behind_error, n; the smallest rmse first.
    """
    rows = [_score(key, values) for key, values in draws.items()]
    columns = ["key", "rmse", "rmse_error", "bias", "bias_error", "coverage", "coverage_error", "n"]
    table = pd.DataFrame(rows, columns=columns)
    table = table[table["n"] > 0].sort_values("rmse", kind="stable", ignore_index=True)
    if table.empty:
        return table.assign(place=[], tied=[], behind=[], behind_error=[])
    best = draws[str(table["key"].iloc[0])][:, 0]
    pairs = [_behind(draws[str(key)][:, 0], best) for key in table["key"]]
    table["behind"], table["behind_error"], n = np.array(pairs).T
    rounding = ROUNDING * table["rmse"].iloc[0]
    close = ~(table["behind"] > np.maximum(WITHIN * table["behind_error"], rounding))
    table["tied"] = close | (n < FEWEST_DRAWS)
    table["place"] = np.where(table["tied"], 1, np.arange(1, len(table) + 1))
    return table


def _score(key: str, values: Floats) -> tuple[str | float, ...]:
    errors, covered = (column[np.isfinite(column)] for column in values.T)
    n, m = len(errors), len(covered)
    if not n:
        return (key, *[float("nan")] * 6, 0)
    rmse = float(np.sqrt(np.mean(errors**2)))
    spread = float(errors.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    wobble = float(np.std(errors**2, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    share = float(covered.mean()) if m else float("nan")
    return (
        key,
        rmse,
        wobble / (2.0 * rmse) if rmse > 0.0 else 0.0,
        float(errors.mean()),
        spread,
        share,
        float(np.sqrt(share * (1.0 - share) / m)) if m else float("nan"),
        n,
    )


def _behind(own: Floats, best: Floats) -> tuple[float, float, int]:
    """Give the paired difference in RMSE, its standard error, and the number of pairs."""
    n = min(len(own), len(best))
    both = np.isfinite(own[:n]) & np.isfinite(best[:n])
    own, best = own[:n][both], best[:n][both]
    if not len(own):
        return float("nan"), float("nan"), 0
    rmse = [float(np.sqrt(np.mean(errors**2))) for errors in (own, best)]
    if len(own) < 2:
        return rmse[0] - rmse[1], float("nan"), len(own)
    pull = [
        errors**2 / (2.0 * size) if size > 0.0 else np.zeros(len(errors))
        for errors, size in zip((own, best), rmse, strict=True)
    ]
    error = float(np.std(pull[0] - pull[1], ddof=1) / np.sqrt(len(own)))
    return rmse[0] - rmse[1], error, len(own)
