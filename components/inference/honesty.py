"""How often a method's intervals hold the truth where the truth is known to be zero."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators.base import Estimate
from components.inference.base import (
    Band,
    InferenceMethod,
    Interval,
    Progress,
    Uncertainty,
    silent,
)
from components.inference.pseudo_treatments import PseudoTreatments, pseudo_treatments
from components.inference.refits import fixed

FEWEST_CONTROLS = 3
ITSELF_A_PLACEBO_TEST = ("placebo_in_space",)


@dataclass(frozen=True, eq=False)
class Honesty:
    """What a method's intervals do on placebos of the panel itself.

    Attributes
    ----------
    method : InferenceMethod
    level : float
        Nominal.
    placebos : pandas.DataFrame
        placebo, effect, lower, upper, covers, factor: that by which the half-width must be
        multiplied to reach from the middle of the interval to zero, with the sign of the middle.
    by_period, by_event_time : pandas.DataFrame
        The same factor for the band, one row per placebo; empty where there is no band.
    simultaneous : bool
        Whether the band by event time covers all of them together.
    size : int
        Units that count as treated at a time.
    possible : int
        Choices of such units that there are.
    without : int
        Placebos on which the method gives no interval.
    reason : str
        Why, for the first of them.
    seed : int
    """

    method: InferenceMethod
    level: float
    placebos: pd.DataFrame
    by_period: pd.DataFrame
    by_event_time: pd.DataFrame
    simultaneous: bool
    size: int
    possible: int
    without: int
    reason: str
    seed: int

    @property
    def n(self) -> int:
        """Placebos with an interval."""
        return len(self.placebos)

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold zero."""
        return float(self.placebos["covers"].mean())

    @property
    def error(self) -> float:
        """Monte Carlo standard error of the coverage, not zero where all or none hold zero."""
        share = (self.placebos["covers"].sum() + 2) / (self.n + 4)
        return float(np.sqrt(share * (1 - share) / (self.n + 4)))

    @property
    def band_coverage(self) -> tuple[float, float] | None:
        """Share of single periods whose band holds zero, and its error; None without a band."""
        table = self.by_period if len(self.by_period.columns) else self.by_event_time
        if not len(table.columns):
            return None
        held = (table.abs() <= 1.0).where(table.notna()).mean(axis=1).to_numpy(np.float64)
        held = held[np.isfinite(held)]
        if len(held) < 2:
            return None
        return float(held.mean()), float(held.std(ddof=1) / np.sqrt(len(held)))

    @property
    def tautological(self) -> bool:
        """Whether the method itself is made of these placebos."""
        return self.method.card.key in ITSELF_A_PLACEBO_TEST


def why_no_honesty(estimate: Estimate) -> str | None:
    """Say why there are no placebos to try a method on, or None."""
    n = estimate.panel.design.n_controls
    if n < FEWEST_CONTROLS:
        units = "1 unit was" if n == 1 else f"{n} units were"
        return (
            f"{units} never treated: too few to stand in for the treated ones and still leave "
            "others to compare with."
        )
    return None


def honesty(
    estimate: Estimate,
    method: InferenceMethod,
    level: float,
    n_placebos: int = 100,
    seed: int = 0,
    progress: Progress = silent,
) -> Honesty:
    """Apply a method to placebos, where the true effect is zero, and count.

    Never-treated units stand in for the treated ones, which are left out; a placebo is never its
    own donor. Tuning that was chosen from the data is held at its choice.

    Parameters
    ----------
    estimate : Estimate
    method : InferenceMethod
    level : float
    n_placebos : int
        At most so many placebos, drawn at random where there are more.
    seed : int
    progress : callable, optional

    Returns
    -------
    Honesty

    Raises
    ------
    NotApplicableError
        Where no placebo has an interval.
    """
    reason = why_no_honesty(estimate)
    if reason is not None:
        raise NotApplicableError(reason, hint="Put never-treated units back on the design page.")
    stream = crc32(f"honesty {method.card.key}".encode())
    chosen = pseudo_treatments(estimate.panel, n_placebos, np.random.default_rng([seed, stream]))
    rows, periods, times, reasons = [], [], [], []
    simultaneous = False
    for number in range(len(chosen)):
        fit, answer = _try(estimate, method, chosen, number, level, [seed, stream, number])
        if isinstance(answer, str):
            reasons.append(answer)
        else:
            rows.append(_row(chosen.name(number), fit, answer))
            periods.append(_band_factors(answer.band))
            times.append(_band_factors(answer.event_band))
            band = answer.event_band or answer.band
            simultaneous |= band is not None and band.simultaneous
        progress((number + 1) / len(chosen))
    if not rows:
        raise NotApplicableError(
            f"No placebo of this panel has an interval. {reasons[0]}",
            hint="Choose another level or inference method.",
        )
    names = ["placebo", "effect", "lower", "upper", "covers", "factor"]
    return Honesty(
        method=method,
        level=level,
        placebos=pd.DataFrame(rows, columns=names),
        by_period=pd.DataFrame(periods).sort_index(axis=1),
        by_event_time=pd.DataFrame(times).sort_index(axis=1),
        simultaneous=simultaneous,
        size=chosen.size,
        possible=chosen.possible,
        without=len(reasons),
        reason=reasons[0] if reasons else "",
        seed=seed,
    )


def _try(
    estimate: Estimate,
    method: InferenceMethod,
    chosen: PseudoTreatments,
    number: int,
    level: float,
    stream: list[int],
) -> tuple[Estimate, Uncertainty | str]:
    """Fit one placebo and ask the method; a sentence says why it has no interval."""
    panel, estimator = chosen.at(number), fixed(estimate)
    reason = estimator.why_not(panel)
    if reason is not None:
        return estimate, reason
    fit = estimator.fit(panel)
    reason = method.why_not(fit)
    if reason is not None:
        return fit, reason
    try:
        answer = method.assess(fit, level=level, rng=np.random.default_rng(stream), progress=silent)
    except NotApplicableError as error:
        return fit, error.message
    if answer.interval is None:
        return fit, answer.notes[0] if answer.notes else "The method gives no interval there."
    return fit, answer


def _row(
    name: str, fit: Estimate, answer: Uncertainty
) -> tuple[str, float, float, float, bool, float]:
    interval = answer.interval
    assert interval is not None
    lower, upper = interval.lower, interval.upper
    return name, fit.att, lower, upper, 0.0 in interval, interval_factor(interval)


def interval_factor(interval: Interval) -> float:
    """Give the factor of one interval; see :func:`factor`."""
    ends: Floats = np.array([interval.lower, interval.upper], dtype=np.float64)
    return float(factor(ends[:1], ends[1:])[0])


def factor(lower: Floats, upper: Floats) -> Floats:
    """Middle of an interval in units of its half-width; zero where both are zero."""
    middle, half = (lower + upper) / 2, (upper - lower) / 2
    safe = np.where(half > 0.0, half, 1.0)
    ratio = np.where(
        half > 0.0, middle / safe, np.where(middle == 0.0, 0.0, np.copysign(np.inf, middle))
    )
    return np.asarray(np.where(np.isfinite(middle), ratio, np.nan))


def _band_factors(band: Band | None) -> pd.Series[float]:
    if band is None:
        return pd.Series(dtype=np.float64)
    lower: Floats = np.asarray(band.lower, dtype=np.float64)
    upper: Floats = np.asarray(band.upper, dtype=np.float64)
    return pd.Series(factor(lower, upper), band.lower.index)
