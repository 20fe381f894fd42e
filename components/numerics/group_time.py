r"""Effects by cohort and period, their influence functions, and their averages.

A column of an influence matrix holds what each unit contributes to the error of one effect,
already divided by the number of units: the variance of the effect is the sum of its squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from components.arrays import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class GroupTime:
    """Average effects of K pairs of cohort and period.

    Attributes
    ----------
    cohorts, periods : Ints, shape (K,)
        Column of the cohort's first treated period, and column of the effect.
    att : Floats, shape (K,)
        In the unit of measure of Y; NaN where no comparison exists.
    n_cells, n_controls : Ints, shape (K,)
        Units of the cohort, and controls, that enter.
    influence : Floats, shape (N, K)
        0 where the effect is NaN.
    members : Bools, shape (N, K)
        Units of the cohort that enter.
    Y0 : Floats, shape (N, T)
        Counterfactual of the treated units, NaN for all others and where there is none.
    """

    cohorts: Ints
    periods: Ints
    att: Floats
    n_cells: Ints
    n_controls: Ints
    influence: Floats
    members: Bools
    Y0: Floats

    @property
    def event_times(self) -> Ints:
        """Periods since the cohort's first treated one, which is 0."""
        times: Ints = self.periods - self.cohorts
        return times

    @property
    def standard_errors(self) -> Floats:
        """Root of the summed squares, NaN where one unit or one control shows no spread."""
        return _errors(self.influence, (self.n_cells > 1) & (self.n_controls > 1))


@dataclass(frozen=True, eq=False)
class Averages:
    """Averages of group-time effects, one for each label.

    Attributes
    ----------
    labels : Ints, shape (E,)
        Event times, cohorts, or a single 0.
    att, standard_errors : Floats, shape (E,)
        In the unit of measure of Y.
    n_cells : Ints, shape (E,)
        Treated units times periods that enter.
    influence : Floats, shape (N, E)
        What each unit contributes to the error.
    """

    labels: Ints
    att: Floats
    standard_errors: Floats
    n_cells: Ints
    influence: Floats


def long_differences(Y: Floats, start: Ints, *, never: bool, universal: bool) -> GroupTime:
    r"""Compare the change of a cohort since its base period with that of its controls.

    .. math:: ATT(g,t) = \frac{1}{n_g}\sum_{i \in g}(Y_{it}-Y_{ib})
              - \frac{1}{n_C}\sum_{i \in C}(Y_{it}-Y_{ib})

    (Callaway and Sant'Anna 2021, eq. 2.8 and 2.9 without covariates) with base period
    b = g - 1; for t < g the base is t - 1 unless ``universal``. Units seen in both periods enter.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes, NaN where unobserved.
    start : Ints, shape (N,)
        Column of the first treated period, T for never-treated units.
    never : bool
        Controls are the never-treated units; otherwise all that are untreated up to both periods.
    universal : bool
        Take g - 1 as base before treatment too.

    Returns
    -------
    GroupTime
        Without the pairs t < g that have no base period, and with NaN for t >= g = 0. In Y0 the
        base is g - 1 throughout: the outcome then, plus the mean change of the controls since.
    """
    n_periods = Y.shape[1]
    Y0 = np.full(Y.shape, np.nan)
    parts = []
    for cohort in np.unique(start[start < n_periods]):
        t, members = np.arange(n_periods), start == cohort
        if cohort > 0:
            change, controls = _change(Y, start, t, np.full(n_periods, cohort - 1), never)
            controls &= ~members[:, None]
            Y0[members] = Y[members, cohort - 1][:, None] + _mean(change, controls)
        base = np.full(n_periods, cohort - 1) if universal else np.minimum(cohort, t) - 1
        t = t[(base >= 0) | (t >= cohort)]
        change, controls = _change(Y, start, t, base[t], never)
        seen = np.isfinite(change)
        part = _compare(change, seen & members[:, None], controls & ~members[:, None])
        parts.append((np.full(len(t), cohort), t, part))
    return _assemble(parts, Y0)


def _change(Y: Floats, start: Ints, t: Ints, base: Ints, never: bool) -> tuple[Floats, Bools]:
    """Take changes from base to t, NaN without base, and tell which units are controls."""
    change = np.where(base >= 0, Y[:, t] - Y[:, base], np.nan)
    untreated_until = Y.shape[1] - 1 if never else np.maximum(t, base)
    return change, np.isfinite(change) & (start[:, None] > untreated_until)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One cohort against its controls: arrays of `GroupTime`."""

    att: Floats
    influence: Floats
    members: Bools
    n_controls: Ints


def _compare(change: Floats, members: Bools, controls: Bools) -> _Comparison:
    n_cells, n_controls = members.sum(axis=0), controls.sum(axis=0)
    own, drift = _mean(change, members), _mean(change, controls)
    known = (n_cells > 0) & (n_controls > 0)
    influence = np.where(members, (change - own) / np.maximum(n_cells, 1), 0.0)
    influence -= np.where(controls, (change - drift) / np.maximum(n_controls, 1), 0.0)
    return _Comparison(
        att=own - drift,
        influence=np.where(known, influence, 0.0),
        members=members & known,
        n_controls=n_controls,
    )


def _assemble(parts: list[tuple[Ints, Ints, _Comparison]], Y0: Floats) -> GroupTime:
    members = np.concatenate([part.members for *_, part in parts], axis=1)
    return GroupTime(
        cohorts=np.concatenate([cohorts for cohorts, *_ in parts]),
        periods=np.concatenate([periods for _, periods, _ in parts]),
        att=np.concatenate([part.att for *_, part in parts]),
        n_cells=members.sum(axis=0),
        n_controls=np.concatenate([part.n_controls for *_, part in parts]),
        influence=np.concatenate([part.influence for *_, part in parts], axis=1),
        members=members,
        Y0=Y0,
    )


def average(
    effects: GroupTime, labels: Ints, chosen: Bools, *, shares_estimated: bool = True
) -> Averages:
    r"""Average effects that share a label, each weighted by its number of treated cells.

    With :math:`\hat\theta=\sum_k w_k\,ATT_k`, :math:`w_k = n_k/\sum_j n_j`, unit i contributes
    :math:`\sum_k w_k\psi_{ik} + \frac{1}{\sum_j n_j}\sum_{k:\,i \in k}(ATT_k-\hat\theta)`; the
    second term is there because the shares of the cohorts are estimated (Callaway and Sant'Anna
    2021, corollary 2).

    Parameters
    ----------
    effects : GroupTime
        The effects.
    labels : Ints, shape (K,)
        Those with equal labels are averaged.
    chosen : Bools, shape (K,)
        Which effects enter; NaN ones never do.
    shares_estimated : bool
        Without it the shares count as fixed and the second term is left out.

    Returns
    -------
    Averages
        One for each label among the chosen, NaN where all its effects are.
    """
    found, place = np.unique(labels[chosen], return_inverse=True)
    columns = np.flatnonzero(chosen)
    counts = np.where(np.isfinite(effects.att[columns]), effects.n_cells[columns], 0)
    totals = np.bincount(place, counts, minlength=len(found))
    shares = counts / np.where(totals > 0, totals, np.nan)[place]
    known = np.nan_to_num(effects.att[columns])
    att: Floats = np.bincount(place, shares * known, minlength=len(found)).astype(np.float64)
    influence = _gather(effects.influence[:, columns], np.nan_to_num(shares), place, len(found))
    if shares_estimated:
        distance = np.nan_to_num((known - att[place]) / np.maximum(totals, 1.0)[place])
        influence += _gather(effects.members[:, columns], distance, place, len(found))
    spread = (counts > 1) & (effects.n_controls[columns] > 1)
    return Averages(
        labels=found,
        att=att,
        standard_errors=_errors(influence, np.bincount(place, spread, minlength=len(found)) > 0),
        n_cells=totals.astype(np.int64),
        influence=influence,
    )


def _gather(matrix: Floats | Bools, weights: Floats, place: Ints, width: int) -> Floats:
    """Sum weighted columns that share a place, shape (N, width)."""
    sums = csr_array((weights, (place, np.arange(len(place)))), shape=(width, len(place)))
    gathered: Floats = (sums @ matrix.T.astype(np.float64)).T
    return gathered


def _mean(values: Floats, cells: Bools) -> Floats:
    """Column means over some cells, NaN where a column has none."""
    count = cells.sum(axis=0)
    means: Floats = np.where(cells, values, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
    return means


def _errors(influence: Floats, spread: Bools) -> Floats:
    variance = np.einsum("ik,ik->k", influence, influence)
    errors: Floats = np.sqrt(np.where(spread & (variance > 0.0), variance, np.nan))
    return errors
