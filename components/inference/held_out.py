"""Fit without some periods before treatment, and look at the gap in those periods."""

from __future__ import annotations

import numpy as np

from components.arrays import Floats, Ints
from components.errors import NotApplicableError
from components.estimators.base import Estimate
from components.inference.refits import fixed
from components.numerics.rounding import rounding_of

MUCH = 0.9  # of a single error; averages that err as far leave no room


def not_weighted_donors(estimate: Estimate, method: str) -> str | None:
    """Say why the counterfactual is not a weighted donor path up to a constant, or None.

    Parameters
    ----------
    estimate : Estimate
    method : str
        Subject of the sentence.
    """
    title = estimate.estimator.card.title
    if estimate.panel.design.kind != "block":
        return f"{method} needs all treated units to start in one period and stay."
    if not np.isfinite(estimate.paths["gap"]).all():
        return f"{method} needs a table without missing cells."
    if getattr(estimate.estimator, "predictors", ()):
        return (
            f"{method} leaves out periods of the outcome, but these weights come from predictors "
            "over fixed periods. Use placebo in space."
        )
    weighted = estimate.unit_weights is not None
    if weighted and not getattr(estimate.estimator, "covariates", ()):
        apart = float(np.ptp(_constants(estimate)))
        if apart <= rounding_of(estimate.panel.Y):
            return None
    return (
        f"{method} needs a counterfactual that is a weighted average of donors up to a constant; "
        f"{title} as it is set here gives another. Use placebo in space."
    )


def held_out_gaps(estimate: Estimate, columns: Ints) -> tuple[Floats, float]:
    """Refit without some pre-treatment columns, and give the gaps in all periods.

    Parameters
    ----------
    estimate : Estimate
        One that :func:`not_weighted_donors` has nothing against; tuning that it chose from the
        data is held.
    columns : Ints, shape (n,)
        Columns of the panel to leave out.

    Returns
    -------
    gaps : Floats, shape (T,)
        Treated average less the donors under the weights of the refit, less the constant.
    level : float
        That constant.

    Raises
    ------
    NotApplicableError
        Where no fit is left without these columns.
    """
    panel, estimator = estimate.panel, fixed(estimate)
    rest = panel.window(np.delete(np.arange(panel.shape[1]), columns))
    reason = estimator.why_not(rest)
    if reason is not None:
        raise NotApplicableError(
            f"Without {len(columns)} of the periods before treatment there is no fit: {reason}",
            hint="Choose another inference method.",
        )
    fit = estimator.fit(rest)
    level = float(_constants(fit).mean())
    observed = panel.Y[panel.design.treated].mean(axis=0)
    return np.asarray(observed - level - _donor_path(fit, estimate)), level


def average_note(errors: Floats, n_post: int) -> tuple[str, ...]:
    """Say how an interval that takes an average to err like a single period does here.

    Parameters
    ----------
    errors : Floats, shape (T0,)
        Signed errors before treatment, in the order of time.
    n_post : int
        Periods that are averaged.

    Returns
    -------
    tuple of str
        Empty where one period alone is treated.
    """
    if n_post < 2:
        return ()
    said = "The interval for the average takes it to err as far as a single period does."
    single = float(np.sqrt(np.square(errors).mean()))
    if len(errors) < 2 * n_post or single == 0.0:
        return (f"{said} Unless errors last, that is wider than an average needs.",)
    means = np.convolve(errors, np.full(n_post, 1.0 / n_post), mode="valid")
    ratio = float(np.sqrt(np.square(means).mean())) / single
    found = f"averages of {n_post} errors in a row are {ratio:.2f} times as large as single ones"
    if ratio > MUCH:
        return (f"{said} Before treatment {found}: errors last, so it is hardly too wide.",)
    return (f"{said} Before treatment {found}, so it is wider than an average needs.",)


def _constants(estimate: Estimate) -> Floats:
    """Counterfactual less the weighted donors in each treated period, shape (T1,)."""
    design = estimate.panel.design
    counterfactual = estimate.Y0[design.treated].mean(axis=0)
    constants: Floats = (counterfactual - _donor_path(estimate, estimate))[design.n_pre :]
    return constants


def _donor_path(weighted: Estimate, observed: Estimate) -> Floats:
    """Donors of one estimate under the weights of another, shape (T,)."""
    assert weighted.unit_weights is not None
    panel = observed.panel
    path: Floats = weighted.unit_weights.to_numpy(np.float64) @ panel.Y[~panel.design.treated]
    return path
