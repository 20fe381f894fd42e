r"""The regression on unit effects, period effects and one dummy per cohort and period.

With a dummy for each cohort in each period but one, every cohort has a path of its own, and so
has the group of never-treated units: the regression falls apart into one two-way fit per group.
The coefficient of cohort g in period t is the difference of two differences of such paths,

.. math:: \delta_{gt} = (\mu_{gt}-\mu_{g,g-1}) - (\mu_{\infty t}-\mu_{\infty,g-1}),

so that thousands of dummies cost no more than a few tables of T periods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.group_time import GroupTime
from components.numerics.twoway import connected_components


@dataclass(frozen=True, eq=False)
class Saturated:
    r"""The fitted regression.

    Attributes
    ----------
    effects : GroupTime
        Coefficients, reference period g - 1 (0) included, and each unit's contribution to their
        error without small-sample factor.
    factor : float
        :math:`\frac{G}{G-1}\\cdot\frac{n-1}{n-K}` for variances clustered by unit, with G units,
        n cells, and K the coefficients, the period effects net of one, and one for all unit
        effects, which are nested in the clusters; NaN without degrees of freedom.
    """

    effects: GroupTime
    factor: float


@dataclass(frozen=True, eq=False)
class _Path:
    """Period effects of one group, and what each of its units contributes to their error."""

    effects: Floats
    influence: Floats
    labels: Ints
    seen: Ints

    def since(self, base: int) -> tuple[Floats, Floats]:
        """Change since a period, NaN where no chain of cells connects the two."""
        joined = (self.labels == self.labels[base]) & (self.labels[base] >= 0)
        change = np.where(joined, self.effects - self.effects[base], np.nan)
        influence = np.where(joined, self.influence - self.influence[:, [base]], 0.0)
        return change, influence


def saturated_regression(Y: Floats, start: Ints) -> Saturated:
    """Fit the regression of Sun and Abraham (2021, eq. 26) by least squares.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes, NaN where unobserved.
    start : Ints, shape (N,)
        Column of the first treated period, T for never-treated units, which are the controls.

    Returns
    -------
    Saturated
        Cohorts treated from the first period on have no reference period: they take no part in
        the regression, and their effects are NaN.
    """
    N, T = Y.shape
    never = np.flatnonzero(start == T)
    controls = _path(Y[never])
    cohorts = np.unique(start[start < T])
    att = np.full((len(cohorts), T), np.nan)
    influence = np.zeros((N, len(cohorts), T))
    members = np.zeros((N, len(cohorts), T), dtype=np.bool_)
    Y0 = np.full(Y.shape, np.nan)
    for k, cohort in enumerate(cohorts[cohorts > 0], start=int((cohorts == 0).any())):
        rows = np.flatnonzero(start == cohort)
        own, own_part = _path(Y[rows]).since(cohort - 1)
        drift, drift_part = controls.since(cohort - 1)
        att[k] = own - drift
        known = np.isfinite(att[k])
        influence[rows, k] = own_part * known
        influence[never, k] = -drift_part * known
        members[rows, k] = np.isfinite(Y[rows]) & known
        whole = np.isfinite(Y[rows]).all()
        # Both averages over a cohort are the same where no cell is missing.
        Y0[rows] = Y[rows, cohort - 1][:, None] + drift if whole else Y[rows] - att[k]
    effects = GroupTime(
        cohorts=np.repeat(cohorts, T),
        periods=np.tile(np.arange(T), len(cohorts)),
        att=att.ravel(),
        n_cells=members.sum(axis=0).ravel(),
        n_controls=np.tile(controls.seen, len(cohorts)),
        influence=influence.reshape(N, -1),
        members=members.reshape(N, -1),
        Y0=Y0,
    )
    return Saturated(effects, _factor(Y, start, effects))


def _factor(Y: Floats, start: Ints, effects: GroupTime) -> float:
    observed = np.isfinite(Y[start > 0])
    cells, units = int(observed.sum()), int(observed.any(axis=1).sum())
    slopes = int((np.isfinite(effects.att) & (effects.event_times != -1)).sum())
    spare = cells - slopes - int(observed.any(axis=0).sum())
    if units < 2 or spare <= 0:
        return float("nan")
    return units / (units - 1) * (cells - 1) / spare


def _path(Y: Floats) -> _Path:
    """Fit unit and period effects to one group; the influence is its score times the inverse."""
    observed: Bools = np.isfinite(Y)
    seen = observed.sum(axis=0)
    _, labels = connected_components(observed)
    filled = np.where(observed, Y, 0.0)
    counts = np.maximum(observed.sum(axis=1, keepdims=True), 1)
    net = np.where(observed, Y - filled.sum(axis=1, keepdims=True) / counts, 0.0)
    if observed.all():
        effects = net.mean(axis=0)
        return _Path(effects, (net - effects) / len(Y), labels, seen)
    shares = observed / counts
    inverse = _inverse(np.diag(seen) - observed.T.astype(np.float64) @ shares, labels)
    effects = inverse @ net.sum(axis=0)
    rest = np.where(observed, filled - effects, 0.0)
    rest = np.where(observed, rest - rest.sum(axis=1, keepdims=True) / counts, 0.0)
    return _Path(effects, rest @ inverse, labels, seen)


def _inverse(laplacian: Floats, labels: Ints) -> Floats:
    """Inverse of a Laplacian, for right-hand sides that sum to zero in each component.

    Each component adds one known null direction, its constant, which is filled in: to find it
    by the size of eigenvalues, as a pseudoinverse does, fails where rounding moves them off zero.
    """
    size = max(float(np.trace(laplacian)) / max(len(labels), 1), 1.0)
    same = labels[:, None] == labels
    same &= labels[:, None] >= 0
    full = laplacian + size * (same / np.maximum(same.sum(axis=1), 1))
    full[np.diag_indices_from(full)] += np.where(labels < 0, size, 0.0)
    inverse: Floats = np.linalg.inv(full)
    return inverse
