r"""Variance of one imputed cell from the placebo errors of all others, given unit, period or both.

A placebo error :math:`e_{js}` is what an estimator gets wrong in an untreated cell that it has not
seen. For the treated cell (i, t) four averages of squared errors answer four questions:

==========  =====================================================  =========================
given       average                                                what is held fixed
==========  =====================================================  =========================
marginal    all cells                                              nothing
time        other units in period t (unit placebos)                the period
unit        other periods of unit i (time placebos)                the unit
both        :math:`V_{unit} V_{time} / V_{rest}`                   unit and period
==========  =====================================================  =========================

The first three are those of Almeida, Athey, Imbens, Lestant and Olaizola (2025), arXiv
2510.11841. The last is the Poisson quasi-likelihood fit of :math:`E[e_{js}^2]=\exp(a_j+b_s)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Floats, Ints
from components.numerics.twoway import connected_components, identified

GIVEN = ("marginal", "time", "unit", "both")
"""What each variance holds fixed, in the order of all arrays of four here."""

MOST_STEPS = 20_000
SETTLED = 1e-13


def cell_variances(errors: Floats, rows: Ints, columns: Ints) -> Floats:
    r"""Four variances of one cell in each of many complete tables.

    .. math:: V_m=\frac{\sum e_{js}^2}{NT-1},\quad V_{time}=\frac{\sum_{j\ne i} e_{jt}^2}{N-1},
              \quad V_{unit}=\frac{\sum_{s\ne t} e_{is}^2}{T-1},\quad
              V_{both}=\frac{\sum_{s\ne t} e_{is}^2\,\sum_{j\ne i} e_{jt}^2}
              {\sum_{j\ne i,s\ne t} e_{js}^2}

    Parameters
    ----------
    errors : Floats, shape (B, N, T)
        Placebo errors; the entry of the cell itself does not count.
    rows, columns : Ints, shape (B,)
        The cell of each table.

    Returns
    -------
    Floats, shape (4, B)
        In the order of ``GIVEN``, in squared units of the errors.
    """
    each = np.arange(len(errors))
    _, n, t = errors.shape
    squares = np.square(errors)
    squares[each, rows, columns] = 0.0
    total = squares.sum(axis=(1, 2))
    unit, time = squares[each, rows].sum(axis=1), squares[each, :, columns].sum(axis=1)
    return np.stack(
        [
            total / (n * t - 1),
            time / (n - 1),
            unit / (t - 1),
            unit * time / (total - unit - time),
        ]
    )


def degrees_of_freedom(n_units: float, n_periods: float) -> Floats:
    r"""Degrees of freedom of the t reference of each variance, by the delta method for logs.

    Parameters
    ----------
    n_units : float
        Placebo units in the cell's period: N - 1 on a complete table.
    n_periods : float
        Placebo periods of the cell's unit: T - 1 on a complete table.

    Returns
    -------
    Floats, shape (4,)
        In the order of ``GIVEN``: all cells but one,
        :math:`n_U,\ n_T,\ 1/(1/n_U+1/n_T+1/(n_U n_T))`.
    """
    rest = n_units * n_periods
    both = 1.0 / (1.0 / n_units + 1.0 / n_periods + 1.0 / rest)
    return np.array([n_units + n_periods + rest - 1.0, n_units, n_periods, both])


def multiplicative_fit(errors: Floats) -> tuple[Floats, Floats]:
    r"""Fit :math:`E[e_{js}^2]=a_jb_s` by Poisson quasi-likelihood, with any cells missing.

    Parameters
    ----------
    errors : Floats, shape (N, T)
        NaN where there is none.

    Returns
    -------
    a : Floats, shape (N,)
    b : Floats, shape (T,)
        NaN for a row or column without any error. Their product is determined where
        :func:`components.numerics.twoway.identified` says so of the cells with an error; in each
        connected component b has the mean 1.
    """
    seen = np.isfinite(errors)
    squares = np.where(seen, errors, 0.0) ** 2
    scale = float(squares.max(initial=0.0)) or 1.0
    squares /= scale
    rows, columns = squares.sum(axis=1), squares.sum(axis=0)
    b = np.ones(seen.shape[1])
    a = np.zeros(len(seen))
    for _ in range(MOST_STEPS):
        a, before = _ratio(rows, seen @ b), a
        b = _ratio(columns, seen.T @ a)
        if np.abs(a - before).max(initial=0.0) <= SETTLED * float(a.max(initial=0.0)):
            break
        b /= float(b.mean()) or 1.0
    units, periods = connected_components(seen)
    for label in range(int(units.max(initial=-1)) + 1):
        level = float(b[periods == label].mean()) or 1.0
        b[periods == label] /= level
        a[units == label] *= level
    return (
        np.where(seen.any(axis=1), a * scale, np.nan),
        np.where(seen.any(axis=0), b, np.nan),
    )


def fitted_variances(errors: Floats) -> Floats:
    """Variance given unit and period of every cell that rows and columns with errors determine.

    Parameters
    ----------
    errors : Floats, shape (N, T)
        NaN where there is none, as in every treated cell.

    Returns
    -------
    Floats, shape (N, T)
        NaN where the row or column is empty, or not connected to the other.
    """
    a, b = multiplicative_fit(errors)
    fitted: Floats = np.where(identified(np.isfinite(errors)), a[:, None] * b, np.nan)
    return fitted


def independent_windows(starts: Ints, length: int) -> float:
    r"""How many independent windows overlapping ones are worth.

    Averages of white noise over two windows that share a part :math:`\rho` of their length have
    squares with correlation :math:`\rho^2`, so that R windows are worth
    :math:`R^2/\sum_{rs}\rho_{rs}^2`.

    Parameters
    ----------
    starts : Ints, shape (R,)
        First period of each window.
    length : int
        Periods in a window.

    Returns
    -------
    float
        R itself for windows of one period.
    """
    apart = np.abs(starts[:, None] - starts)
    shared = np.clip(1.0 - apart / length, 0.0, None)
    return float(len(starts) ** 2 / np.square(shared).sum()) if len(starts) else 0.0


@dataclass(frozen=True, eq=False)
class Target:
    """An average over treated cells, and the placebo errors that speak for it.

    Attributes
    ----------
    base : Floats, shape (N, R)
        Placebo errors of all units in R untreated windows; NaN where there is none.
    treated : Ints, shape (K,)
        Rows of the treated units in the average.
    controls : Ints, shape (J,)
        Rows of the never-treated units.
    shares : Floats, shape (K,)
        Weight of each treated unit's own average.
    across : Floats, shape (K, J)
        Placebo errors of the controls over the treated cells of each treated unit.
    yardstick : Floats, shape (K,)
        Mean squared error of the controls there over windows like those of ``base``: what
        ``across`` would be if the treated cells were one such window.
    windows : Floats, shape (N,)
        How many independent windows the base of each unit is worth.
    donors : float
        How many equal donors carry a counterfactual, which treated units share.
    """

    base: Floats
    treated: Ints
    controls: Ints
    shares: Floats
    across: Floats
    yardstick: Floats
    windows: Floats
    donors: float

    def variances(self) -> tuple[Floats, Floats]:
        r"""Four variances of the average, and the degrees of freedom of each.

        For treated unit i, :math:`V_{time}` is the mean square of the controls over its treated
        cells; :math:`V_{unit}` that of its own base windows, times what the controls' errors grow
        by from a base window to the treated cells; :math:`V_{both}=V_{time}\,a_i/\bar a`, with
        :math:`a_i` the unit's own factor in the multiplicative fit and :math:`\bar a` that of
        the controls. On a complete table with one treated cell these are the formulas of
        :func:`cell_variances`.

        Errors of treated units are independent but for the noise of the D donors they share, so
        that the average over K of them has :math:`\sum_i s_i^2V_i` times
        :math:`(1+K/D)/(1+1/D)`, with :math:`K=1/\sum_i s_i^2`.

        Returns
        -------
        variances, degrees_of_freedom : Floats, shape (4,)
            In the order of ``GIVEN``; NaN where there are no placebo errors.
        """
        n_controls = np.isfinite(self.across).sum(axis=1)
        time = _mean_square(self.across)
        lift = np.divide(time, self.yardstick, out=np.ones_like(time), where=self.yardstick > 0)
        a, _ = multiplicative_fit(self.base)
        usual = float(np.nanmean(a[self.controls])) if np.isfinite(a[self.controls]).any() else 0.0
        own = a[self.treated]
        # Without any noise at all every unit is like every other.
        factor = own / usual if usual > 0 else np.where(own == 0, 1.0, np.nan)
        cells = np.isfinite(self.base).sum()
        total = np.nansum(np.square(self.base)) * lift + time * n_controls
        each = np.stack(
            [
                total / (cells + n_controls),
                time,
                lift * _mean_square(self.base[self.treated]),
                time * factor,
            ]
        )
        weights = np.square(self.shares)
        effective = float(self.shares.sum() ** 2 / weights.sum())
        shared = (1.0 + effective / self.donors) / (1.0 + 1.0 / self.donors)
        return shared * (each @ weights), self._freedom(each, weights, lift, n_controls)

    def _freedom(self, each: Floats, weights: Floats, lift: Floats, n_controls: Ints) -> Floats:
        """Satterthwaite over the treated units' own windows; the controls are common to them."""
        own = self.windows[self.treated]
        units = 1.0 / max(float(n_controls.mean()), 1.0)
        rest = units / max(float(self.windows[self.controls].mean()), 1.0)
        lifted = units if np.abs(lift - 1.0).max() > SETTLED else 0.0
        spread = []
        for variance in each[2:]:
            parts = weights * variance if variance.any() else weights
            with np.errstate(divide="ignore", invalid="ignore"):
                spread.append(float((parts**2 / own).sum() / parts.sum() ** 2))
        marginal = 1.0 / (float(self.windows.sum()) + 1.0 / units - 1.0)
        return np.array(
            [
                1.0 / (marginal + lifted),
                1.0 / units,
                1.0 / (spread[0] + lifted),
                1.0 / (spread[1] + units + rest),
            ]
        )


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mean_square(errors: Floats) -> Floats:
    """Mean square by row over what is known; NaN for a row of which nothing is."""
    seen = np.isfinite(errors)
    total = np.square(np.where(seen, errors, 0.0)).sum(axis=1)
    count = seen.sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(errors), np.nan), where=count > 0)
    return mean
