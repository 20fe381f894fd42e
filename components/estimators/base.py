"""What every estimator promises, and the counterfactual it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints, frozen
from components.numerics.twoway import identified
from components.panel import Panel, period_label, unit_label


@dataclass(frozen=True)
class Card:
    """All that a person reads before choosing a method.

    Attributes
    ----------
    key : str
        Name in links and scripts.
    title : str
        Name on screen.
    idea : str
        What it does, in one sentence.
    reference : str
        Where it is defined.
    """

    key: str
    title: str
    idea: str
    reference: str


@runtime_checkable
class Estimator(Protocol):
    """Imputes the untreated outcome of every treated cell.

    An implementation is a frozen dataclass whose fields are its tuning; it holds no fitted state.
    """

    card: ClassVar[Card]

    def why_not(self, panel: Panel) -> str | None:
        """Say in one sentence why the panel cannot be used, or None if it can."""
        ...

    def fit(self, panel: Panel) -> Estimate:
        """Impute Y(0); pure and deterministic."""
        ...


@runtime_checkable
class FastPlacebos(Protocol):
    """An estimator that refits many placebo groups at once, equal to refitting one by one."""

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of never-treated units in the place of the treated ones.

        Parameters
        ----------
        panel : Panel
            A block design.
        groups : Ints, shape (B, n)
            Rows of never-treated units. Each group in turn counts as treated from the panel's own
            first treated period on; its donors are all other never-treated units, and the truly
            treated units are left out.

        Returns
        -------
        Floats, shape (B, T)
            Observed minus imputed, averaged over the group.
        """
        ...


@runtime_checkable
class HeldPlacebos(Protocol):
    """An estimator whose placebo refits can keep the tuning that the panel itself has set."""

    def held_placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit as ``placebo_gaps`` does, at the regularisation of the panel itself, (B, T)."""
        ...


@runtime_checkable
class FastBootstrap(Protocol):
    """An estimator that refits on many samples of units at once, with its tuning held."""

    def bootstrap_gaps(self, panel: Panel, counts: Ints) -> Floats:
        """Refit on samples of units.

        Parameters
        ----------
        panel : Panel
            A block design without missing cells.
        counts : Ints, shape (B, N)
            How often each unit is in each sample; every sample holds treated and other units.

        Returns
        -------
        Floats, shape (B, T)
            Observed minus imputed, averaged over the treated units of each sample.
        """
        ...


@runtime_checkable
class NullModel(Protocol):
    """An estimator whose model can be fitted to all periods alike, as if none were treated."""

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all T periods.

        Parameters
        ----------
        panel : Panel
            A block design; its never-treated units are the donors.
        averages : Floats, shape (B, T)
            B versions of the treated average, with a hypothetical effect already taken off.

        Returns
        -------
        Floats, shape (B, T)
            Residuals of each version.
        """
        ...


@runtime_checkable
class SlowFit(Protocol):
    """An estimator whose fit can take long, and tells how far it is."""

    def fit_told(self, panel: Panel, progress: Callable[[float], None] | None) -> Estimate:
        """Fit as ``fit`` does, and tell the share that is done, from 0 to 1."""
        ...


@runtime_checkable
class Tuned(Protocol):
    """An estimator that chooses tuning from the data, and can be held at a choice."""

    def tuned(self, estimate: Estimate) -> Estimator:
        """Give the estimator with the tuning that an estimate of it has chosen."""
        ...


@dataclass(frozen=True, eq=False)
class Estimate:
    """A counterfactual, and what carried it.

    Attributes
    ----------
    panel : Panel
        What was fitted.
    estimator : Estimator
        How.
    Y0 : Floats, shape (N, T)
        Untreated outcomes: imputed in the rows of treated units (before treatment too, where it
        shows the fit), NaN where no value is identified, observed elsewhere.
    unit_weights : pandas.Series, optional
        Weight of each donor (omega), indexed by unit.
    time_weights : pandas.Series, optional
        Weight of each untreated period, indexed by period.
    notes : tuple of str
        Caveats of this fit, in sentences.
    details : mapping
        Anything else worth showing, by name.
    """

    panel: Panel
    estimator: Estimator
    Y0: Floats
    unit_weights: pd.Series[float] | None = None
    time_weights: pd.Series[float] | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "Y0", frozen(self.Y0))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, item.name) for item in fields(self))

    @cached_property
    def effects(self) -> Floats:
        """Observed minus imputed outcome, shape (N, T)."""
        return frozen(self.panel.Y - self.Y0)

    @cached_property
    def att(self) -> float:
        """Average effect over the treated cells that are observed and identified."""
        return _mean(self.effects[self.panel.W])

    @cached_property
    def n_cells(self) -> int:
        """Number of treated cells that enter the average."""
        return int(np.isfinite(self.effects[self.panel.W]).sum())

    @cached_property
    def total(self) -> float:
        """Sum of the effects over all treated cells: ``att`` times ``n_cells``."""
        return self.att * self.n_cells

    def by_period(self) -> pd.Series[float]:
        """Average effect over the cells treated in each period; NaN where none is (att_t)."""
        return pd.Series(
            _column_means(np.where(self.panel.W, self.effects, np.nan)), self.panel.periods
        )

    def by_unit(self) -> pd.Series[float]:
        """Average effect over the treated cells of each treated unit."""
        masked = np.where(self.panel.W, self.effects, np.nan)[self.panel.design.treated]
        return pd.Series(_column_means(masked.T), self.panel.units[self.panel.design.treated])

    def by_event_time(self) -> pd.Series[float]:
        """Average effect by periods since each unit's first treated one, which is 0.

        From 0 on over treated cells alone: where treatment ends again, the periods after it are no
        effect of a treatment that is on. NaN where no cell is left.
        """
        design = self.panel.design
        values: dict[int, list[float]] = {}
        for cohort in design.cohorts:
            for column in range(design.n_periods):
                rows = cohort.rows
                if column >= cohort.start:
                    rows = rows[self.panel.W[rows, column]]
                cells = self.effects[rows, column]
                values.setdefault(column - cohort.start, []).extend(cells[np.isfinite(cells)])
        return pd.Series({time: _mean(np.array(values[time])) for time in sorted(values)})

    def cumulative(self) -> pd.Series[float]:
        """Sum up the effects of all treated cells, period by period."""
        masked = np.where(self.panel.W, self.effects, np.nan)
        running = np.nancumsum(np.nansum(masked, axis=0))
        running[~self.panel.W.any(axis=0)] = np.nan
        return pd.Series(running, self.panel.periods)

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Averages over the treated units, one row per period: observed, counterfactual, gap."""
        treated = self.panel.design.treated
        both = np.isfinite(self.effects[treated])
        observed = _column_means(np.where(both, self.panel.Y[treated], np.nan))
        counterfactual = _column_means(np.where(both, self.Y0[treated], np.nan))
        return pd.DataFrame(
            {
                "observed": observed,
                "counterfactual": counterfactual,
                "gap": observed - counterfactual,
            },
            index=self.panel.periods,
        )

    @cached_property
    def pre_rmspe(self) -> float:
        """Root mean squared gap of the treated average before anyone is treated."""
        gap = self.paths["gap"].to_numpy()[: self.panel.design.n_pre]
        return float(np.sqrt(_mean(gap**2)))

    @cached_property
    def relative_effect(self) -> float:
        """The effect as a share of the average counterfactual of the cells it is taken over."""
        base = _mean(self.Y0[self.panel.W & np.isfinite(self.effects)])
        return self.att / base if base else float("nan")

    @property
    def effective_donors(self) -> float:
        """``1 / sum(w^2)`` of the unit weights; NaN without weights."""
        if self.unit_weights is None:
            return float("nan")
        return float(1.0 / np.square(self.unit_weights.to_numpy()).sum())


def needs_block(panel: Panel) -> str | None:
    """Say why a panel is not a complete block design with controls and a pre-period, or None."""
    design = panel.design
    missing = np.argwhere(~panel.observed)
    if design.kind == "none":
        return "No cell is treated: choose a treated unit and its first treated period."
    if design.kind == "reversing":
        return "Treatment ends again for some units; this method needs it to last to the end."
    if design.kind == "staggered":
        return (
            f"Units are first treated at {len(design.cohorts)} different dates; "
            "this method needs a single one."
        )
    if design.n_pre == 0:
        return (
            "Treatment starts in the first period, "
            f"{period_label(panel.periods[0])}: nothing was seen before it."
        )
    if design.n_controls == 0:
        return "Every unit is treated: there is no donor left to compare with."
    if len(missing):
        row, column = missing[0]
        return (
            f"{len(missing)} cells have no outcome, the first is {panel.cell_name(row, column)}; "
            "this method needs a complete table."
        )
    return None


def needs_counterfactual(panel: Panel) -> str | None:
    """Say why no treated cell can be predicted from untreated ones, or None.

    For methods that take any assignment and missing cells: a cell is predictable if its unit and
    its period are connected through untreated observed cells.
    """
    treated, untreated = panel.W & panel.observed, ~panel.W & panel.observed
    if panel.design.kind == "none":
        return "No cell is treated: choose a treated unit and its first treated period."
    if not treated.any():
        return "No treated cell has an outcome: there is nothing to compare."
    if not untreated.any():
        return "Every observed cell is treated: there is nothing to compare with."
    if (treated & identified(untreated)).any():
        return None
    unseen = np.flatnonzero(panel.design.treated & ~untreated.any(axis=1))
    if len(unseen) == panel.design.n_treated:
        return (
            "Every treated unit is treated from its first observed period on, so its own "
            f"untreated level is unknown; the first is {unit_label(panel.units[unseen[0]])}."
        )
    empty = np.flatnonzero(treated.any(axis=0) & ~untreated.any(axis=0))
    if len(empty) == treated.any(axis=0).sum():
        return (
            "No untreated unit is observed in any treated period; the first is "
            f"{period_label(panel.periods[empty[0]])}."
        )
    return "No treated cell is connected to a comparison through untreated observed cells."


def unidentified_note(panel: Panel, Y0: Floats) -> tuple[str, ...]:
    """Name the observed treated cells without a counterfactual, in one sentence or none."""
    missing = np.argwhere(panel.W & panel.observed & ~np.isfinite(Y0))
    if not len(missing):
        return ()
    cells = "1 treated cell has" if len(missing) == 1 else f"{len(missing)} treated cells have"
    return (
        f"{cells} no counterfactual and no part in the averages; the first is "
        f"{panel.cell_name(*missing[0])}.",
    )


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _column_means(values: Floats) -> Floats:
    finite = np.isfinite(values)
    count = finite.sum(axis=0)
    sums = np.where(finite, values, 0.0).sum(axis=0)
    means: Floats = np.divide(sums, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return means
