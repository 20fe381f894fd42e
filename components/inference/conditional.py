"""Conditional variance: how large errors are for this unit, in this period, or on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student

from components.arrays import Bools, Floats
from components.errors import NotApplicableError
from components.estimators.base import Card, Estimate
from components.inference.base import (
    Band,
    Interval,
    Progress,
    Uncertainty,
    detectable_by_t,
    level_text,
)
from components.inference.placebo_errors import PlaceboErrors, placebo_errors, why_not_placebos
from components.numerics.conditional_variance import GIVEN
from components.numerics.error_spread import SpreadTest, spread_tests

Given = Literal["both", "unit", "time", "marginal"]

ARGUES_BELOW = 0.05  # p-value of a spread test from which on errors count as unequal
CONDITIONS_ON = {
    "marginal": "Errors are alike in all units and periods: the average squared error of all "
    "placebo cells.",
    "time": "Errors are alike in all units, given the treated periods: the other units there "
    "(unit placebos).",
    "unit": "Errors are alike in all periods, given the treated unit: its own untreated periods "
    "(time placebos).",
    "both": "Errors have a unit part and a period part: the treated unit's own errors, times what "
    "the other units say about the treated periods.",
}
NAMES = {
    "marginal": "nothing (marginal)",
    "time": "the period",
    "unit": "the unit",
    "both": "unit and period",
}


@dataclass(frozen=True)
class ConditionalVariance:
    r"""Compare the effect with placebo errors of the same unit, the same period, or both.

    Every untreated cell is predicted as if it were treated. For the treated cell the variance of
    its error is the mean of the squared placebo errors :math:`e_{js}^2` over all cells, over the
    other units in its period, over the other periods of its unit, or

    .. math:: V_{it} = \frac{\sum_{s\ne t} e_{is}^2\,\sum_{j\ne i} e_{jt}^2}
              {\sum_{j\ne i,s\ne t} e_{js}^2},

    the fit of :math:`E[e_{js}^2]=\exp(a_j+b_s)`. The interval is
    :math:`\hat\tau\pm t_{df}\sqrt V`. Several treated periods are compared with windows of several
    periods, several treated units are averaged as independent but for the donors they share.
    Tuning that was chosen from the data is held at its choice.

    Parameters
    ----------
    given : {"both", "unit", "time", "marginal"}
        What is held fixed. Choose it before you look at the effect.
    sided : {"auto", "one", "two"}
        Whether placebo windows in a block design are predicted from earlier periods only, as the
        treated ones are, or from all other untreated periods. ``"auto"`` takes earlier periods
        only.

    Notes
    -----
    The t reference has as many degrees of freedom as there are placebos; given both,
    :math:`1/df=1/n_U+1/n_T+1/(n_U n_T)`. Overlapping windows count as the number of independent
    ones that they are worth.

    References
    ----------
    Almeida, Athey, Imbens, Lestant and Olaizola (2025), arXiv 2510.11841. Formulas beyond one
    treated cell, the degrees of freedom and the test of which variance to use are ours.
    """

    given: Given = "both"
    sided: Literal["auto", "one", "two"] = "auto"

    card: ClassVar[Card] = Card(
        key="conditional",
        title="Conditional variance",
        idea="Compare the effect with what goes wrong for this unit and in this period where "
        "nothing happened.",
        reference="Almeida, Athey, Imbens, Lestant and Olaizola (2025), arXiv 2510.11841.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for never-treated units, untreated periods, and an estimator that can be refitted."""
        return why_not_placebos(estimate, self.sided)

    def assess(
        self, estimate: Estimate, *, level: float, rng: np.random.Generator, progress: Progress
    ) -> Uncertainty:
        """Refit on all placebos and take the variance that was asked for.

        Raises
        ------
        NotApplicableError
            Where no placebo error speaks for the treated cells.
        """
        panel = estimate.panel
        errors = placebo_errors(estimate, self.sided, progress)
        cells = panel.W & np.isfinite(estimate.effects)
        target = errors.target(cells)
        variances, freedom = target.variances()
        chosen = GIVEN.index(self.given)
        if not (np.isfinite(variances[chosen]) and freedom[chosen] > 0):
            raise NotApplicableError(
                f"No placebo error speaks for the treated cells given {NAMES[self.given]}.",
                hint="Condition on something else, or choose placebo in space.",
            )
        table = _side_by_side(estimate.att, variances, freedom, level)
        tests = spread_tests(errors.table)
        argued = argued_for(*tests)
        table["argued_for"] = table["given"] == argued
        row = table.iloc[chosen]
        return Uncertainty(
            method=self,
            level=level,
            interval=Interval(row["lower"], row["upper"], level),
            band=_band(errors, estimate.by_period(), _by_period(cells), chosen, level),
            event_band=_band(
                errors, estimate.by_event_time(), _by_event_time(cells, estimate), chosen, level
            ),
            p_value=float(row["p_value"]),
            standard_error=float(row["standard_error"]),
            detectable=detectable_by_t(float(row["standard_error"]), float(row["df"]), level),
            draws=target.across.mean(axis=0),
            sentence=(
                f"{level_text(level)} band: placebo errors given {NAMES[self.given]}, t with "
                f"{row['df']:.3g} degrees of freedom for the average; pointwise, two-sided."
            ),
            notes=_notes(errors, self.given, argued, tests),
            details={
                "conditional_intervals": table,
                "placebo_errors": errors.frame(),
                "spread_tests": _test_table(tests),
            },
        )


def argued_for(unit: SpreadTest, time: SpreadTest) -> Given:
    """Say which variance the placebo errors themselves argue for.

    Parameters
    ----------
    unit, time : SpreadTest
        Whether their size differs between units, and between periods.

    Returns
    -------
    {"both", "unit", "time", "marginal"}
        What they differ by, at the 5 % level of each test.
    """
    by_unit, by_time = unit.p_value < ARGUES_BELOW, time.p_value < ARGUES_BELOW
    if by_unit:
        return "both" if by_time else "unit"
    return "time" if by_time else "marginal"


def _side_by_side(att: float, variances: Floats, freedom: Floats, level: float) -> pd.DataFrame:
    """Tabulate the four answers, in the order of ``GIVEN``."""
    errors = np.sqrt(variances)
    half = np.array([_half_width(v, df, level) for v, df in zip(variances, freedom, strict=True)])
    return pd.DataFrame(
        {
            "given": list(GIVEN),
            "conditions_on": [CONDITIONS_ON[given] for given in GIVEN],
            "variance": variances,
            "df": freedom,
            "standard_error": errors,
            "lower": att - half,
            "upper": att + half,
            "p_value": [_p_value(att, e, df) for e, df in zip(errors, freedom, strict=True)],
        }
    )


def _half_width(variance: float, df: float, level: float) -> float:
    if not (np.isfinite(variance) and df > 0):
        return float("nan")
    return float(student.ppf(0.5 + level / 2, df) * np.sqrt(variance))


def _p_value(att: float, error: float, df: float) -> float:
    if not (np.isfinite(error) and df > 0):
        return float("nan")
    if error == 0.0:
        return float(att == 0.0)
    return float(2 * student.sf(abs(att) / error, df))


def _by_period(cells: Bools) -> list[Bools]:
    """Split treated cells by period."""
    return [cells & (np.arange(cells.shape[1]) == column) for column in range(cells.shape[1])]


def _by_event_time(cells: Bools, estimate: Estimate) -> list[Bools]:
    """Split treated cells by periods since each unit's first treated one."""
    start = estimate.panel.W.argmax(axis=1)
    since = np.arange(cells.shape[1]) - start[:, None]
    return [cells & (since == time) for time in estimate.by_event_time().index]


def _band(
    errors: PlaceboErrors,
    point: pd.Series[float],
    groups: list[Bools],
    chosen: int,
    level: float,
) -> Band:
    """Give every group of cells the variance of its own average."""
    half = np.full(len(point), np.nan)
    for number, cells in enumerate(groups):
        if cells.any():
            variances, freedom = errors.target(cells).variances()
            half[number] = _half_width(variances[chosen], freedom[chosen], level)
    known = np.isfinite(half)
    point, width = point[known], pd.Series(half[known], point.index[known])
    return Band(point - width, point + width, level, simultaneous=False)


def _notes(
    errors: PlaceboErrors, given: Given, argued: Given, tests: tuple[SpreadTest, SpreadTest]
) -> tuple[str, ...]:
    """Say what the placebo errors are, and what they argue for."""
    design = errors.estimate.panel.design
    unit, time = tests
    notes = []
    if np.isfinite(unit.p_value) and np.isfinite(time.p_value):
        agrees = "as it is here" if argued == given else f"here it is given {NAMES[given]}"
        notes.append(
            f"The size of placebo errors differs between units with p = {unit.p_value:.2g} and "
            f"between periods with p = {time.p_value:.2g} (F tests of their logarithm): that "
            f"argues for a variance given {NAMES[argued]}; {agrees}."
        )
    if errors.windows is not None:
        notes.append(_window_note(errors))
    if design.n_treated > 1:
        notes.append(
            f"The errors of the {design.n_treated} treated units count as independent but for the "
            "noise of the donors they share; shocks common to treated units alone are not in it."
        )
    return tuple(notes)


def _window_note(errors: PlaceboErrors) -> str:
    windows, design = errors.windows, errors.estimate.panel.design
    assert windows is not None
    sees = "earlier periods only" if windows.sided == "one" else "all other untreated periods"
    periods = "period" if windows.length == 1 else "periods"
    text = (
        f"Time placebos are windows of {windows.length} {periods} before treatment, predicted "
        f"from {sees}."
    )
    if windows.length < design.n_post:
        text += (
            f" Treatment lasts {design.n_post} periods, so they are scaled by how much larger the "
            "other units' errors are over the treated periods than over such a window."
        )
    return text


def _test_table(tests: tuple[SpreadTest, SpreadTest]) -> pd.DataFrame:
    return pd.DataFrame(
        [(test.factor, test.statistic, *test.df, test.p_value) for test in tests],
        columns=["factor", "f_statistic", "df_numerator", "df_denominator", "p_value"],
    )
