"""Difference in differences, by imputation: any assignment, with missing cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats, Ints
from components.estimators.base import Card, Estimate, needs_counterfactual, unidentified_note
from components.numerics.twoway import fit_two_way, identified, regress_two_way
from components.panel import Panel


@dataclass(frozen=True)
class DifferenceInDifferences:
    r"""Two-way fixed effects fitted on untreated cells only.

    .. math:: (\hat\alpha,\hat\beta,\hat\gamma) = \arg\min \sum_{it:\,W_{it}=0}
              (Y_{it}-\alpha_i-\beta_t-X_{it}'\gamma)^2, \qquad
              \hat Y_{it}(0) = \hat\alpha_i+\hat\beta_t+X_{it}'\hat\gamma.

    In a block design the average effect is the double difference of four means, and equals the
    coefficient on treatment in the two-way regression. In any other design it is the imputation
    estimator of Borusyak, Jaravel and Spiess (2024), and that coefficient, which may put
    negative weights on some effects, stands beside it in ``details["twfe"]``.

    Parameters
    ----------
    covariates : tuple of str
        Names in ``Panel.X`` that enter linearly.
    """

    covariates: tuple[str, ...] = ()

    card: ClassVar[Card] = Card(
        key="did",
        title="Difference in differences",
        idea="The treated units would have moved in parallel to the untreated ones.",
        reference="Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91(6), 3253-85.",
    )

    def why_not(self, panel: Panel) -> str | None:
        """Ask for treated cells that are connected to untreated ones, and for the covariates."""
        for name in self.covariates:
            if name not in panel.X:
                return f"The panel has no covariate named {name!r}."
        if self.covariates:
            usable = panel.observed & _known(_stack(panel, self.covariates))
            panel = panel.with_outcomes(np.where(usable, panel.Y, np.nan))
        return needs_counterfactual(panel)

    def fit(self, panel: Panel) -> Estimate:
        """Fit effects and slopes on the untreated cells and predict the rows of treated units."""
        X = _stack(panel, self.covariates)
        known = _known(X)
        usable = panel.observed & known
        untreated = usable & ~panel.W
        slopes, notes = self._slopes(panel, X, untreated)
        lift = np.tensordot(slopes, X, axes=1)
        alpha, beta = fit_two_way(panel.Y - lift, untreated)
        fitted = np.where(identified(untreated) & known, alpha[:, None] + beta + lift, np.nan)
        Y0 = np.where(panel.design.treated[:, None], fitted, panel.Y)
        regressors = np.concatenate([panel.W[None].astype(np.float64), X])
        twfe = float(regress_two_way(panel.Y, regressors, usable).coefficients[0])
        unit_weights, time_weights = _block_weights(panel)
        details: dict[str, Any] = {"twfe": twfe}
        if self.covariates:
            details["slopes"] = pd.Series(slopes, index=pd.Index(self.covariates))
        estimate = Estimate(panel, self, Y0, unit_weights, time_weights, details=details)
        notes += unidentified_note(panel, Y0) + _twfe_note(estimate, twfe)
        return Estimate(panel, self, Y0, unit_weights, time_weights, notes, details)

    def placebo_gaps(self, panel: Panel, groups: Ints) -> Floats:
        r"""Refit with groups of never-treated units in the place of the treated ones.

        With :math:`d_t` the group's mean minus the mean of the other r donors, the gap after
        treatment is :math:`d_t-\bar d_{pre}`; before, where the group itself has a share n/(n+r)
        in the fitted period effects, it is :math:`\frac{r}{n+r}(d_t-\bar d_{pre})`.

        Parameters
        ----------
        panel : Panel
            A block design.
        groups : Ints, shape (B, n)
            Rows of never-treated units.

        Returns
        -------
        Floats, shape (B, T)
            Observed minus imputed, averaged over the group, in the unit of measure of Y.
        """
        design = panel.design
        if self.covariates or not panel.observed.all():
            return np.array([self._placebo_gap(panel, group) for group in groups])
        total = panel.Y[~design.treated].sum(axis=0)
        n, rest = groups.shape[1], design.n_controls - groups.shape[1]
        own = panel.Y[groups].mean(axis=1)
        distance = own - (total - n * own) / rest
        gaps: Floats = distance - distance[:, : design.n_pre].mean(axis=1, keepdims=True)
        gaps[:, : design.n_pre] *= rest / (n + rest)
        return gaps

    def null_residuals(self, panel: Panel, averages: Floats) -> Floats:
        """Fit given averages of the treated units on all periods.

        The period effects come from the donors alone, so that a residual is the average minus
        the donors' path, net of its own mean over all T periods.

        Parameters
        ----------
        panel : Panel
            A block design; its never-treated units are the donors.
        averages : Floats, shape (B, T)
            Versions of the treated average, with a hypothetical effect already taken off.

        Returns
        -------
        Floats, shape (B, T)
            In the unit of measure of Y.
        """
        treated = panel.design.treated
        X = _stack(panel, self.covariates)
        donors = (panel.observed & _known(X))[~treated]
        slopes, _ = self._slopes(panel, X, (panel.observed & _known(X)) & ~treated[:, None])
        lift = np.tensordot(slopes, X, axes=1)
        _, beta = fit_two_way((panel.Y - lift)[~treated], donors)
        gaps = averages - lift[treated].mean(axis=0) - beta
        residuals: Floats = gaps - np.nanmean(gaps, axis=1, keepdims=True)
        return residuals

    def _slopes(self, panel: Panel, X: Floats, cells: Bools) -> tuple[Floats, tuple[str, ...]]:
        if not self.covariates:
            return np.zeros(0), ()
        slopes = regress_two_way(panel.Y, X, cells).coefficients
        unused = [self.covariates[k] for k in np.flatnonzero(np.isnan(slopes))]
        if not unused:
            return slopes, ()
        names = ", ".join(unused)
        note = f"Without own variation next to the unit and period effects, and left out: {names}."
        return np.nan_to_num(slopes), (note,)

    def _placebo_gap(self, panel: Panel, group: Ints) -> Floats:
        treated = panel.design.treated
        W = np.zeros(panel.shape, dtype=np.bool_)
        W[group, panel.design.n_pre :] = True
        estimate = self.fit(panel.reassign(W).take(~treated))
        return estimate.paths["gap"].to_numpy()


def _stack(panel: Panel, names: tuple[str, ...]) -> Floats:
    return np.array([panel.X[name] for name in names]).reshape(len(names), *panel.shape)


def _known(X: Floats) -> Bools:
    return np.asarray(np.isfinite(X).all(axis=0))


def _block_weights(panel: Panel) -> tuple[pd.Series[float] | None, pd.Series[float] | None]:
    design = panel.design
    if design.kind != "block" or not panel.observed.all():
        return None, None
    units, periods = panel.units[~design.treated], panel.periods[: design.n_pre]
    return (
        pd.Series(np.full(len(units), 1.0 / len(units)), index=units),
        pd.Series(np.full(len(periods), 1.0 / len(periods)), index=periods),
    )


def _twfe_note(estimate: Estimate, twfe: float) -> tuple[str, ...]:
    Y = estimate.panel.Y
    rounding = 1e-8 * float(np.nanstd(Y)) + 1e-12 * float(np.nanmax(np.abs(Y)))
    if not abs(twfe - estimate.att) > rounding:
        return ()
    why = "where effects differ between units or periods, the regression weights them unevenly"
    if "slopes" in estimate.details:
        why += ", and it fits the slopes of the covariates on treated cells too"
    return (
        f"The two-way regression coefficient on treatment is {twfe:.5g}, the average imputed "
        f"effect {estimate.att:.5g}: {why}.",
    )
