"""Matrix completion with nuclear-norm minimisation (Athey et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from components.arrays import Bools, Floats
from components.errors import SpecError
from components.estimators.base import Card, Estimate, needs_counterfactual, unidentified_note
from components.numerics.lowrank import Completion, complete, penalty_max
from components.numerics.lowrank_path import Curve, cross_validate, draw_folds
from components.panel import Panel


@dataclass(frozen=True)
class MatrixCompletion:
    r"""Unit effects, period effects and a low-rank matrix, fitted on the untreated cells.

    .. math:: \min_{L,\alpha,\beta} \frac{1}{|O|}\sum_{it\in O}
              (Y_{it}-L_{it}-\alpha_i-\beta_t)^2 + \lambda\|L\|_*, \qquad
              \hat Y_{it}(0)=\hat L_{it}+\hat\alpha_i+\hat\beta_t

    with O the untreated observed cells (Athey et al. 2021, section 4). Any assignment and missing
    cells will do. From some penalty on L is 0 and the estimate that of difference in differences.

    Parameters
    ----------
    penalty : float, optional
        lambda, in the unit of measure of the outcome. By default the value of the path below with
        the smallest cross-validated error, which makes the estimate free of that unit.
    n_penalties : int
        Length of the path, evenly spaced in logarithms down to a thousandth of the penalty at
        which L vanishes.
    n_folds : int
        Number of times that cells are held out.
    keep : float
        Probability that a cell is kept for training in a fold; each fold draws anew.
    rule : {"min", "one_se"}
        Take the smallest error, or the largest penalty within one standard error of it.
    seed : int
        Of the folds.

    Raises
    ------
    SpecError
        Where an option is out of range.
    """

    penalty: float | None = None
    n_penalties: int = 40
    n_folds: int = 5
    keep: float = 0.8
    rule: Literal["min", "one_se"] = "min"
    seed: int = 0

    card: ClassVar[Card] = Card(
        key="mc",
        title="Matrix completion",
        idea="Unit effects, period effects and a few common factors fill in the treated cells.",
        reference="Athey, Bayati, Doudchenko, Imbens and Khosravi (2021), JASA 116(536), 1716-30.",
    )

    def __post_init__(self) -> None:
        ranges = {
            "penalty": (self.penalty is None or self.penalty > 0.0, "above 0, or None"),
            "n_penalties": (self.n_penalties >= 2, "at least 2"),
            "n_folds": (self.n_folds >= 1, "at least 1"),
            "keep": (0.0 < self.keep < 1.0, "between 0 and 1"),
            "rule": (self.rule in {"min", "one_se"}, '"min" or "one_se"'),
            "seed": (self.seed >= 0, "0 or more"),
        }
        for name, (allowed, wanted) in ranges.items():
            if not allowed:
                raise SpecError(
                    f"Matrix completion cannot have {name} = {getattr(self, name)!r}.",
                    hint=f"Make {name} {wanted}.",
                )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for treated cells that are connected to untreated ones."""
        return needs_counterfactual(panel)

    def tuned(self, estimate: Estimate) -> MatrixCompletion:
        """Give the estimator with the penalty that an estimate of it has chosen."""
        return replace(self, penalty=float(estimate.details["penalty"]))

    def fit(self, panel: Panel) -> Estimate:
        """Choose the penalty, complete the table, and read off the rows of treated units."""
        untreated = panel.observed & ~panel.W
        Y = np.where(untreated, panel.Y, np.nan)
        largest = penalty_max(Y, untreated)
        curve = None if self.penalty is not None else self._curve(Y, untreated)
        penalty = self._choose(curve, largest)
        fit = complete(Y, untreated, penalty) if penalty > 0.0 else complete(Y, untreated, np.inf)
        Y0 = np.where(panel.design.treated[:, None], fit.fitted, panel.Y)
        details: dict[str, Any] = {
            "penalty": penalty,
            "penalty_max": largest,
            "rank": fit.rank,
            "nuclear_norm": fit.nuclear_norm,
            "singular_values": fit.singular_values,
        }
        if curve is not None:
            details["cv_penalties"] = curve.penalties
            details["cv_errors"] = curve.errors
            details["cv_standard_errors"] = curve.standard_errors
        notes = unidentified_note(panel, Y0) + _notes(fit, curve, largest)
        return Estimate(panel, self, Y0, notes=notes, details=details)

    def _curve(self, Y: Floats, untreated: Bools) -> Curve | None:
        rng = np.random.default_rng(self.seed)
        folds = draw_folds(Y, untreated, self.n_folds, self.keep, rng)
        return cross_validate(Y, untreated, folds, self.n_penalties)

    def _choose(self, curve: Curve | None, largest: float) -> float:
        if self.penalty is not None:
            return self.penalty
        if curve is None:
            return largest
        place = curve.best if self.rule == "min" else curve.one_standard_error
        return float(curve.penalties[place])


def _notes(fit: Completion, curve: Curve | None, largest: float) -> tuple[str, ...]:
    notes = []
    if not fit.settled:
        notes.append("The solver ran out of steps before it settled.")
    if fit.rank == 0:
        why = (
            "unit and period effects fit the untreated cells exactly"
            if largest == 0.0
            else "the penalty leaves no low-rank part"
        )
        notes.append(f"The estimate is that of difference in differences: {why}.")
    if curve is not None and curve.best == len(curve.penalties) - 1:
        notes.append("The cross-validated error is smallest at the smallest penalty tried.")
    return tuple(notes)
