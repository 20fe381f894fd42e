"""Every unit before treatment, less what the never-treated others say about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from components.arrays import Floats, Ints
from components.estimators.base import Estimate
from components.estimators.synthetic_control import SyntheticControl
from components.numerics.rounding import rounding_of
from components.numerics.simplex_many import simplex_fits
from components.numerics.slopes import slopes_of
from components.numerics.twoway import fit_two_way
from components.panel import Panel, unit_label

EQUAL_WEIGHTS = ("did", "callaway_santanna", "sun_abraham")
"""Estimators that weight donors alike and ask for parallel movement."""
FEWEST_PERIODS = 6
FEWEST_CONTROLS = 5
MOST_COMPARED = 200
MANY_TREATED = 5


def too_small(estimate: Estimate, what: str) -> str | None:
    """Say why a comparison of treated and never-treated units before treatment is hopeless.

    Parameters
    ----------
    estimate : Estimate
    what : str
        Subject of the sentence.

    Returns
    -------
    str or None
    """
    design = estimate.panel.design
    if design.kind == "none":
        return "No cell is treated: there is nothing to compare."
    if design.n_pre < FEWEST_PERIODS:
        return (
            f"{what} needs at least {FEWEST_PERIODS} periods before treatment, and there are "
            f"{design.n_pre}."
        )
    if design.n_controls < FEWEST_CONTROLS:
        return (
            f"{what} compares with at least {FEWEST_CONTROLS} never-treated units, and there are "
            f"{design.n_controls}."
        )
    return None


def levels_matter(estimate: Estimate) -> bool:
    """Tell whether the estimator needs donors at the level of the treated units."""
    return isinstance(estimate.estimator, SyntheticControl)


def unit_gaps(estimate: Estimate) -> Floats:
    """Give the gap of every unit to its best prediction from the never-treated others.

    In a complete block design the prediction is the mean of the others for estimators that weight
    donors alike, else their best weights on the simplex: up to a constant, or at their level for
    synthetic control without an intercept. In any other panel it is the two-way fit to the
    untreated cells.

    Parameters
    ----------
    estimate : Estimate

    Returns
    -------
    Floats, shape (N, T0) or (N, T)
        Periods before anyone is treated in a block design; otherwise all, NaN in cells that are
        treated or unobserved.
    """
    panel = estimate.panel
    if panel.design.kind != "block" or not panel.observed.all():
        untreated = panel.observed & ~panel.W
        alpha, beta = fit_two_way(panel.Y, untreated)
        residuals: Floats = np.where(untreated, panel.Y - alpha[:, None] - beta, np.nan)
        return residuals
    if estimate.estimator.card.key in EQUAL_WEIGHTS:
        return plain_gaps(panel)
    return weighted_gaps(panel, intercept=not levels_matter(estimate))


def weights_follow_anything(estimate: Estimate) -> bool:
    """Tell whether donors' weights can follow many treated units whatever these do.

    With as many donors as periods before treatment, a fit to them says little. One treated unit
    is then still compared with placebo units, whose fits are as good; with many treated units
    that comparison gives away what their average would show.
    """
    design = estimate.panel.design
    return (
        estimate.unit_weights is not None
        and estimate.estimator.card.key not in EQUAL_WEIGHTS
        and design.kind == "block"
        and design.n_treated >= MANY_TREATED
        and design.n_controls >= design.n_pre
        and bool(estimate.panel.observed.all())
    )


def plain_gaps(panel: Panel) -> Floats:
    """Give each unit's gap to the mean of the never-treated others, shape (N, T0).

    Parameters
    ----------
    panel : Panel
        A complete block design.

    Returns
    -------
    Floats, shape (N, T0)
        Less their mean over the periods before treatment.
    """
    before, controls = panel.Y[:, : panel.design.n_pre], np.flatnonzero(~panel.design.treated)
    total, n = before[controls].sum(axis=0), len(controls)
    gaps = before - total / n
    gaps[controls] = before[controls] - (total - before[controls]) / (n - 1)
    return np.asarray(gaps - gaps.mean(axis=1, keepdims=True))


def weighted_gaps(panel: Panel, *, intercept: bool) -> Floats:
    """Give each unit's gap to the best weights of the never-treated others, shape (N, T0).

    Parameters
    ----------
    panel : Panel
        A complete block design.
    intercept : bool
        Whether the weights are fitted up to a constant.

    Returns
    -------
    Floats, shape (N, T0)
        NaN for units that were left out: of many, ``MOST_COMPARED`` on either side are enough.
    """
    treated = panel.design.treated
    before = panel.Y[:, : panel.design.n_pre]
    donors = before[~treated]
    own = _spread_out(np.flatnonzero(treated))
    others = _spread_out(np.arange(len(donors)))
    rows = np.flatnonzero(~treated)[others]
    gaps = np.full(before.shape, np.nan)
    weights = simplex_fits(donors.T, before[own], intercept=intercept)
    gaps[own] = before[own] - weights @ donors
    weights = simplex_fits(donors.T, donors[others], others[:, None], intercept=intercept)
    gaps[rows] = before[rows] - weights @ donors
    if intercept:
        gaps = gaps - gaps.mean(axis=1, keepdims=True)
    return np.asarray(gaps)


def _spread_out(rows: Ints) -> Ints:
    """Keep at most ``MOST_COMPARED`` rows, evenly spread."""
    if len(rows) <= MOST_COMPARED:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_COMPARED).astype(np.int64)]


def without_rounding(gaps: Floats, Y: Floats) -> Floats:
    """Set gaps to zero that are only the rounding of outcomes Y."""
    cleaned: Floats = np.where(np.abs(gaps) <= rounding_of(Y), 0.0, gaps)
    return cleaned


def size(gaps: Floats) -> Floats:
    """Root mean square of each row over its known cells; NaN where there is none."""
    seen = np.isfinite(gaps)
    squares = np.where(seen, gaps, 0.0) ** 2
    return _root_mean(squares, seen)


def jitter(gaps: Floats) -> Floats:
    r"""Movement of each row from period to period, :math:`sd(\Delta g)/\sqrt 2`.

    It is the standard deviation of independent noise, whatever slow drift is added to it.
    """
    steps = np.diff(gaps, axis=1) / np.sqrt(2.0)
    seen = np.isfinite(steps)
    return _root_mean(np.where(seen, steps, 0.0) ** 2, seen)


def wobble(gaps: Floats) -> Floats:
    """Give the standard deviation of each row around its own line in time; NaN below five cells."""
    seen = np.isfinite(gaps)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    time = np.where(seen, np.arange(gaps.shape[1], dtype=np.float64), 0.0)
    time = np.where(seen, time - time.sum(axis=1, keepdims=True) / count, 0.0)
    values = np.where(seen, gaps, 0.0)
    values = np.where(seen, values - values.sum(axis=1, keepdims=True) / count, 0.0)
    rest = values - np.nan_to_num(slopes_of(gaps))[:, None] * time
    freedom = seen.sum(axis=1) - 2.0
    squares = np.where(seen, rest, 0.0) ** 2
    root: Floats = np.sqrt(
        np.divide(
            squares.sum(axis=1), freedom, out=np.full(len(gaps), np.nan), where=freedom >= 3.0
        )
    )
    return root


def _root_mean(squares: Floats, seen: np.ndarray) -> Floats:
    count = seen.sum(axis=1)
    mean = np.divide(
        squares.sum(axis=1), count, out=np.full(len(squares), np.nan), where=count >= 3
    )
    root: Floats = np.sqrt(mean)
    return root


@dataclass(frozen=True)
class Comparison:
    """Treated against never-treated units in one number per unit.

    Attributes
    ----------
    difference : float
        Mean over treated minus mean over never-treated units.
    standard_error : float
    df : int
    p_value : float
        Two-sided.
    """

    difference: float
    standard_error: float
    df: int
    p_value: float

    def reach(self, level: float = 0.95) -> float:
        """Half-width of the interval for the difference."""
        return float(student.ppf(0.5 + level / 2, self.df)) * self.standard_error


def compare(treated: Floats, controls: Floats) -> Comparison | None:
    r"""Compare two groups of units, one of which may be a single unit.

    .. math:: t = \frac{\bar x_1 - \bar x_0}{s\sqrt{1/n_1 + 1/n_0}},\qquad n_1+n_0-2
              \text{ degrees of freedom}

    with the pooled :math:`s^2`; a single treated unit has no spread of its own.

    Parameters
    ----------
    treated, controls : Floats
        One number per unit; NaN where unknown.

    Returns
    -------
    Comparison or None
        None where too few numbers are known or they do not vary.
    """
    x, y = treated[np.isfinite(treated)], controls[np.isfinite(controls)]
    if not len(x) or len(y) < FEWEST_CONTROLS:
        return None
    df = len(x) + len(y) - 2
    squares = float(np.square(x - x.mean()).sum() + np.square(y - y.mean()).sum())
    error = float(np.sqrt(squares / df * (1.0 / len(x) + 1.0 / len(y))))
    if not error > 0.0:
        return None
    difference = float(x.mean() - y.mean())
    return Comparison(difference, error, df, float(2.0 * student.sf(abs(difference) / error, df)))


def treated_name(panel: Panel) -> str:
    """Name the treated unit, or say how many there are."""
    treated = panel.design.treated
    if treated.sum() == 1:
        return unit_label(panel.units[int(treated.argmax())])
    return f"the {int(treated.sum())} treated units"
