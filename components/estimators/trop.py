"""The triply robust panel estimator, or doubly weighted causal panel (Athey et al. 2025)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from components.arrays import Floats, Ints
from components.errors import SpecError
from components.estimators.base import Card, Estimate, needs_counterfactual, unidentified_note
from components.estimators.block import refitted_gaps
from components.estimators.trop_tuning import (
    MIN_DONORS,
    Form,
    Rule,
    Scale,
    Setup,
    Tuning,
    choose,
    prepare,
    score_of,
)
from components.numerics.trop_cells import Penalties
from components.numerics.trop_grid import Grid
from components.numerics.trop_solver import Solution
from components.numerics.trop_treated import impute
from components.numerics.trop_weights import Distance
from components.panel import Panel

TOLERANCE = 1e-8
"""Accuracy of fitted values, in standard units."""

LOOSE = 1e-3
"""Relative excess of the dual certificate from which on a fit does not count as settled."""

CHOICES = {
    "form": ("auto", "percell", "block_masked", "block_tau"),
    "tuning": ("auto", "placebo_block", "leave_one_cell_out"),
    "distance": ("levels", "demeaned"),
    "scale": ("untreated", "all"),
}


class _Endless(float):
    """Infinity that is written as a literal, so that links and scripts can be read back."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "1e999"


@dataclass(frozen=True)
class TROP:
    r"""Weights on units, weights on periods, and a low-rank model of what is left.

    For each treated cell (i, t),

    .. math:: (\hat\alpha,\hat\beta,\hat L) = \arg\min \sum_{js} \theta_s^{it}\omega_j^{it}
              (1-W_{js})(Y_{js}-\alpha_j-\beta_s-L_{js})^2 + \lambda_{nn}\|L\|_*, \qquad
              \hat Y_{it}(0)=\hat\alpha_i+\hat\beta_t+\hat L_{it},

    with :math:`\omega_j=\exp(-\lambda_{unit}d_{-t}(j,i))`,
    :math:`\theta_s=\exp(-\lambda_{time}|t-s|)` and d the root mean squared difference of two units
    over the other untreated periods (equations 2, 3 and 13). Covariates enter linearly, without a
    penalty (equation 14).

    Parameters
    ----------
    form : {"auto", "percell", "block_masked", "block_tau"}
        One fit for each treated cell (the paper's definition); one fit for the whole block, with
        distances from the treated average and from the block's centre, and treated cells masked
        (the authors' package from 0.1.8); or the same with treated cells fitted too, up to one
        common effect, which is how the published tables were computed. "auto" masks the block in
        a block design, where that agrees with the cell-by-cell fits, gives one set of weights to
        look at, and is what the placebo blocks of the tuning measure; else it goes cell by cell.
    lambda_unit, lambda_time, lambda_nn : float, optional
        Penalties in standard units (outcomes divided by ``scale``); None chooses from the data. An
        infinite ``lambda_nn`` leaves no low-rank part.
    tuning : {"auto", "placebo_block", "leave_one_cell_out"}
        Make the average effect small for never-treated units in the place of the treated ones, as
        in the published tables; or predict single untreated cells (equation 5). "auto" takes
        placebo blocks in a block design with donors enough, and cells elsewhere. Leaving out
        cells keeps their neighbours in time, so it rewards interpolation.
    n_trials : int
        Most placebo groups; a single treated unit is replaced by every never-treated one in turn.
    n_cells : int, optional
        Most cells to leave out; by default all in a small panel, and fewer in a large one.
    seed : int
        Of the draws of groups and cells.
    squared_weights : bool
        Square the weights, as the published tables do: the same as doubled unit and time
        penalties.
    distance : {"levels", "demeaned"}
        Compare units in levels, as published, or less their mean difference.
    scale : {"untreated", "all"}
        Standard unit of outcomes: the spread of untreated cells about their period means (about
        unit and period means where distances are demeaned); or, as published, the standard
        deviation of all observed cells, treated ones too.
    covariates : tuple of str
        Names in ``Panel.X``.

    Raises
    ------
    SpecError
        Where an option is out of range.

    References
    ----------
    Athey, Imbens, Qu and Viviano (2025), arXiv:2508.21536.
    """

    form: Literal["auto", "percell", "block_masked", "block_tau"] = "auto"
    lambda_unit: float | None = None
    lambda_time: float | None = None
    lambda_nn: float | None = None
    tuning: Literal["auto", "placebo_block", "leave_one_cell_out"] = "auto"
    n_trials: int = 100
    n_cells: int | None = None
    seed: int = 0
    squared_weights: bool = False
    distance: Distance = "levels"
    scale: Scale = "untreated"
    covariates: tuple[str, ...] = ()

    card: ClassVar[Card] = Card(
        key="trop",
        title="Triply robust (TROP)",
        idea="Similar units and near periods count more, and common factors explain the rest.",
        reference="Athey, Imbens, Qu and Viviano (2025), arXiv:2508.21536.",
    )

    def __post_init__(self) -> None:
        wanted = {name: getattr(self, name) in allowed for name, allowed in CHOICES.items()}
        for name in ("lambda_unit", "lambda_time"):
            value = getattr(self, name)
            wanted[name] = value is None or 0.0 <= value < np.inf
        wanted["lambda_nn"] = self.lambda_nn is None or self.lambda_nn > 0.0
        wanted["n_trials"] = self.n_trials >= 1
        wanted["n_cells"] = self.n_cells is None or self.n_cells >= 1
        wanted["seed"] = self.seed >= 0
        for name, fits in wanted.items():
            if not fits:
                raise SpecError(
                    f"TROP cannot have {name} = {getattr(self, name)!r}.", hint=_hint(name)
                )
        if self.lambda_nn is not None and np.isinf(self.lambda_nn):
            object.__setattr__(self, "lambda_nn", _Endless("inf"))

    @property
    def uses_treated_outcomes(self) -> bool:
        """Whether outcomes of treated cells enter the fit, against the custom of this program."""
        return self.form == "block_tau" or self.scale == "all"

    def why_not(self, panel: Panel) -> str | None:
        """Ask for identified treated cells and, for a block form, one date and a pre-period."""
        for name in self.covariates:
            if name not in panel.X:
                return f"The panel has no covariate named {name!r}."
        known = np.isfinite([panel.X[name] for name in self.covariates]).all(axis=0)
        reason = needs_counterfactual(panel.with_outcomes(np.where(known, panel.Y, np.nan)))
        if reason is not None:
            return reason
        design = panel.design
        if self.form.startswith("block") and (design.kind != "block" or not design.n_pre):
            return (
                "A block form needs all treated units to start in one period, after the first, "
                "and stay treated; choose the form percell."
            )
        if self.tuning == "placebo_block" and not _has_placebos(panel) and not self._is_fixed:
            return (
                f"Placebo groups of {design.n_treated} among {design.n_controls} never-treated "
                f"units would not leave {MIN_DONORS} donors; tune by leaving out cells."
            )
        return None

    def fit(self, panel: Panel) -> Estimate:
        """Choose the penalties that are not given, then fit the treated cells."""
        return self.fit_told(panel, None)

    def fit_told(self, panel: Panel, progress: Callable[[float], None] | None) -> Estimate:
        """Fit as :meth:`fit` does, and tell the share of the search that is done."""
        tuning = None if self._is_fixed else tune(panel, self, progress)
        chosen = self if tuning is None else self.with_tuning(tuning)
        setup = chosen.setup(panel)
        fit = _fit_cells if setup.form == "percell" else _fit_block
        Y0, unit_weights, time_weights, solution = fit(setup, chosen.penalties())
        Y0 = np.where(setup.treated[:, None], Y0 * setup.scale + setup.centre, panel.Y)
        weights = _named_weights(panel, unit_weights, time_weights)
        details = _details(chosen, setup, solution, tuning)
        notes = unidentified_note(panel, Y0) + _notes(setup, solution, tuning)
        return Estimate(panel, self, Y0, *weights, notes=notes, details=details)

    def tuned(self, estimate: Estimate) -> TROP:
        """Give the estimator with the penalties that an estimate of it has chosen."""
        details = estimate.details
        return replace(
            self,
            lambda_unit=float(details["lambda_unit"]),
            lambda_time=float(details["lambda_time"]),
            lambda_nn=float(details["lambda_nn"]),
        )

    def with_tuning(self, tuning: Tuning) -> TROP:
        """Give the estimator with the penalties of a search."""
        return replace(
            self,
            lambda_unit=tuning.lambda_unit,
            lambda_time=tuning.lambda_time,
            lambda_nn=tuning.lambda_nn,
        )

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        """Refit with groups of never-treated units in the place of the treated ones."""
        return refitted_gaps(self, panel, groups)

    def setup(self, panel: Panel) -> Setup:
        """Bring a panel to the standard units and the form of this estimator."""
        form: Form
        if self.form != "auto":
            form = self.form
        else:
            block = panel.design.kind == "block" and panel.design.n_pre > 0
            form = "block_masked" if block else "percell"
        return prepare(panel, form, self.scale, self.distance, self.covariates)

    def rule(self, panel: Panel) -> Rule:
        """Say where the errors that choose the penalties come from."""
        if self.tuning != "auto":
            return self.tuning
        blocks = panel.design.kind == "block" and panel.design.n_pre > 0 and _has_placebos(panel)
        return "placebo_block" if blocks else "leave_one_cell_out"

    def penalties(self) -> Penalties:
        """Penalties as the solver takes them; all three must be given."""
        if self.lambda_unit is None or self.lambda_time is None or self.lambda_nn is None:
            raise SpecError(
                "TROP has a penalty that is not chosen yet.",
                hint="Fit or tune first, or give all three.",
            )
        factor = 2.0 if self.squared_weights else 1.0
        return Penalties(
            factor * self.lambda_unit, factor * self.lambda_time, float(self.lambda_nn)
        )

    @property
    def _is_fixed(self) -> bool:
        return None not in (self.lambda_unit, self.lambda_time, self.lambda_nn)


def tune(
    panel: Panel,
    estimator: TROP,
    progress: Callable[[float], None] | None = None,
    *,
    exhaustive: bool = False,
) -> Tuning:
    """Choose the penalties that an estimator leaves open.

    Parameters
    ----------
    panel : Panel
    estimator : TROP
        Penalties that it gives are kept.
    progress : callable, optional
        Told the share done.
    exhaustive : bool
        Look at every combination of the grid instead of racing them; slower, and as a rule with
        the same answer.

    Returns
    -------
    Tuning
        Pass it to `TROP.with_tuning`.
    """
    grid = Grid()
    kept = {
        name: (value,)
        for name, value in (("unit", estimator.lambda_unit), ("time", estimator.lambda_time))
        if value is not None
    }
    nn = None if estimator.lambda_nn is None else float(estimator.lambda_nn)
    setup, rule = estimator.setup(panel), estimator.rule(panel)
    rng = np.random.default_rng(estimator.seed)
    return choose(
        setup,
        score_of(setup, rule, estimator.n_trials, estimator.n_cells, rng),
        rule,
        replace(grid, **kept, fixed_nn=nn),
        factor=2.0 if estimator.squared_weights else 1.0,
        exhaustive=exhaustive,
        progress=progress,
    )


def _fit_cells(setup: Setup, penalties: Penalties) -> tuple[Floats, Floats, Floats, Solution]:
    done = impute(setup.cells(), penalties, tolerance=TOLERANCE)
    return done.outcomes, done.unit_weights, done.time_weights, done.solution


def _fit_block(setup: Setup, penalties: Penalties) -> tuple[Floats, Floats, Floats, Solution]:
    problem, first = setup.block(), np.zeros(1, dtype=np.int64)
    solution = problem.solve([penalties], first, tolerance=TOLERANCE)
    Y0 = np.full(setup.Y.shape, np.nan)
    Y0[setup.treated] = solution.values.reshape(-1, setup.Y.shape[1])
    omega, theta = problem.weights([penalties], first)
    return Y0, omega[0], theta[0], solution


def _has_placebos(panel: Panel) -> bool:
    return panel.design.n_controls >= panel.design.n_treated + MIN_DONORS


def _named_weights(
    panel: Panel, unit_weights: Floats, time_weights: Floats
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Weights that sum to one: in a block design of donors and periods before treatment."""
    units, periods = panel.units, panel.periods
    if panel.design.kind == "block" and panel.design.n_pre:
        donors = ~panel.design.treated
        units, unit_weights = units[donors], unit_weights[donors]
        n_pre = panel.design.n_pre
        periods, time_weights = periods[:n_pre], time_weights[:n_pre]
    return (
        pd.Series(unit_weights / unit_weights.sum(), index=units),
        pd.Series(time_weights / time_weights.sum(), index=periods),
    )


def _details(
    chosen: TROP, setup: Setup, solution: Solution, tuning: Tuning | None
) -> dict[str, Any]:
    details: dict[str, Any] = {
        "lambda_unit": chosen.lambda_unit,
        "lambda_time": chosen.lambda_time,
        "lambda_nn": float(chosen.penalties().nn),
        "form": setup.form,
        "scale": setup.scale,
        "rank": int(solution.rank.max()),
        "iterations": int(solution.sweeps.max()),
        "certificate": float(solution.certificate.max()),
        "fits": len(solution.rank),
        "uses_treated_outcomes": chosen.uses_treated_outcomes,
        "weights": "averaged over treated cells, then made to sum to one",
    }
    if setup.form == "block_tau":
        details["common_effect"] = float(solution.slopes[0, 0] * setup.scale)
    if tuning is not None:
        details["tuning"] = tuning.rule
        details["score"] = tuning.score
        details["curves"] = tuning.curves
    return details


def _notes(setup: Setup, solution: Solution, tuning: Tuning | None) -> tuple[str, ...]:
    notes = []
    if tuning is not None and not tuning.n_items:
        notes.append("No untreated cell can be left out, so all of them weigh alike.")
    if setup.form == "block_tau":
        common = float(solution.slopes[0, 0] * setup.scale)
        notes.append(
            "This form fits treated outcomes too, up to one effect common to all of them: "
            f"{common:.6g}, the figure of the published tables, weighs the treated cells; the "
            "average effect here counts them alike."
        )
    loose = int((solution.certificate > 1.0 + LOOSE).sum()) if solution.sweeps.any() else 0
    if loose:
        notes.append(f"The solver stopped before the optimum in {loose} fits.")
    return tuple(notes)


def _hint(name: str) -> str:
    if name in CHOICES:
        return f"Choose one of {', '.join(CHOICES[name])}."
    return {
        "lambda_unit": "Give a finite number of at least 0, or None to choose it from the data.",
        "lambda_time": "Give a finite number of at least 0, or None to choose it from the data.",
        "lambda_nn": "Give a number above 0, or None to choose it from the data.",
        "n_cells": "Give at least 1, or None.",
        "seed": "Give 0 or more.",
    }.get(name, "Give at least 1.")
