r"""Unit and period effects: weighted two-way least squares on any set of cells.

Everything here solves :math:`\min_{\alpha,\beta} \sum_{it} w_{it}(Y_{it}-\alpha_i-\beta_t)^2`
exactly. The sum :math:`\alpha_i+\beta_t` is determined if and only if unit i and period t are
connected through observed cells, each seen as an edge between its unit and its period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats, Ints

_UNSEEN = -1


def connected_components(observed: Bools) -> tuple[Ints, Ints]:
    """Label units and periods by the connected component of observed cells they lie in.

    Parameters
    ----------
    observed : Bools, shape (N, T)
        True where a cell links its unit and its period.

    Returns
    -------
    units : Ints, shape (N,)
    periods : Ints, shape (T,)
        Labels 0, 1, ...; -1 for a unit or period without any observed cell.
    """
    units = np.full(observed.shape[0], _UNSEEN, dtype=np.int64)
    periods = np.full(observed.shape[1], _UNSEEN, dtype=np.int64)
    label = 0
    for seed in np.flatnonzero(observed.any(axis=1)):
        if units[seed] != _UNSEEN:
            continue
        rows = np.array([seed])
        while rows.size:
            units[rows] = label
            columns = np.flatnonzero(observed[rows].any(axis=0) & (periods == _UNSEEN))
            periods[columns] = label
            rows = np.flatnonzero(observed[:, columns].any(axis=1) & (units == _UNSEEN))
        label += 1
    return units, periods


def identified(observed: Bools) -> Bools:
    """Tell which cells can be predicted by two-way effects fitted on the observed ones.

    Parameters
    ----------
    observed : Bools, shape (N, T)
        Cells on which the effects are fitted.

    Returns
    -------
    Bools, shape (N, T)
        True where the cell's unit and period lie in one connected component.
    """
    units, periods = connected_components(observed)
    same: Bools = (units[:, None] == periods) & (units[:, None] != _UNSEEN)
    return same


@dataclass(frozen=True, eq=False)
class TwoWay:
    """Two-way least squares for one set of weights, factored once for many outcomes.

    Attributes
    ----------
    weights : Floats, shape (N, T)
        Non-negative; 0 where a cell does not count.
    inverse : Floats, shape (S, S), or None
        Generalised inverse of the normal equations of the effects on the shorter side
        (S = min(N, T)) after those on the longer side are eliminated; None for product weights
        :math:`w_{it}=u_iv_t`, which need no solve.
    """

    weights: Floats
    inverse: Floats | None

    @classmethod
    def of(cls, weights: Floats | Bools) -> TwoWay:
        """Factor the normal equations: O(N T S + S^3).

        Parameters
        ----------
        weights : Floats or Bools, shape (N, T)
            Non-negative weights; a mask counts as ones and zeros.

        Returns
        -------
        TwoWay
        """
        weights = np.asarray(weights, dtype=np.float64)
        if _is_product(weights):
            return cls(weights, None)
        return cls(weights, _inverse(weights if _is_tall(weights) else weights.T))

    def fit(self, Y: Floats) -> tuple[Floats, Floats]:
        r"""Fit the effects.

        With :math:`\bar Y_i` the weighted mean of unit i, the period effects solve
        :math:`(\mathrm{diag}(w_{\cdot t}) - w'\mathrm{diag}(1/w_{i\cdot})w)\,\beta
        = \sum_i w_{it}(Y_{it}-\bar Y_i)`, and
        :math:`\alpha_i=\bar Y_i-\sum_t w_{it}\beta_t/w_{i\cdot}`. Where N < T the two sides
        change places.

        Parameters
        ----------
        Y : Floats, shape (N, T)
            Outcomes; whatever stands in a cell of weight 0 is ignored, NaN too.

        Returns
        -------
        alpha : Floats, shape (N,)
        beta : Floats, shape (T,)
            In the unit of measure of Y. The period effects of a connected component sum to
            zero; an effect without any observation is NaN.
        """
        if _is_tall(self.weights):
            alpha, beta = _solve(Y, self.weights, self.inverse)
        else:
            beta, alpha = _solve(Y.T, self.weights.T, self.inverse)
        return _centred(alpha, beta, self.weights, connected=self.inverse is None)

    def residual(self, Y: Floats) -> Floats:
        """Return Y minus both effects where the weight is positive, and 0 elsewhere."""
        alpha, beta = self.fit(Y)
        rest: Floats = np.where(self.weights > 0, Y - alpha[:, None] - beta, 0.0)
        return rest


def fit_two_way(Y: Floats, weights: Floats | Bools | None = None) -> tuple[Floats, Floats]:
    """Fit unit and period effects by weighted least squares.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes; ignored where the weight is 0, NaN too.
    weights : Floats or Bools, shape (N, T), optional
        Non-negative weights or a mask of the cells to use. Without it every cell counts as one.

    Returns
    -------
    alpha : Floats, shape (N,)
    beta : Floats, shape (T,)
        See `TwoWay.fit`. Predict only cells that `identified` names.
    """
    if weights is not None:
        return TwoWay.of(weights).fit(Y)
    alpha: Floats = Y.mean(axis=1)
    beta: Floats = (Y - alpha[:, None]).mean(axis=0)
    level = beta.mean()
    return alpha + level, beta - level


@dataclass(frozen=True, eq=False)
class Regression:
    """Least squares on regressors with unit and period effects taken out.

    Attributes
    ----------
    coefficients : Floats, shape (K,)
        NaN for a regressor that the effects and the regressors before it explain.
    standard_errors : Floats, shape (K,)
        Clustered by unit.
    """

    coefficients: Floats
    standard_errors: Floats


def regress_two_way(Y: Floats, regressors: Floats, observed: Bools) -> Regression:
    r"""Regress Y on regressors, unit effects and period effects, with errors clustered by unit.

    The covariance is the sandwich :math:`(D'D)^{-1}\sum_i D_i'e_ie_i'D_i(D'D)^{-1}` times
    :math:`\frac{G}{G-1}\cdot\frac{n-1}{n-K}` (CR1), where D are the regressors net of both
    effects, G the units, n the cells, and K counts the coefficients, the period effects and one
    for all unit effects, which are nested in the clusters (the rule of fixest and pyfixest).

    Parameters
    ----------
    Y : Floats, shape (N, T)
    regressors : Floats, shape (K, N, T)
    observed : Bools, shape (N, T)
        Cells to use; Y and the regressors must be finite there.

    Returns
    -------
    Regression
    """
    two_way = TwoWay.of(observed)
    net = np.stack([two_way.residual(regressor) for regressor in regressors])
    kept = _independent(net, regressors, observed)
    coefficients = np.full(len(net), np.nan)
    errors = np.full(len(net), np.nan)
    D = net[kept][:, observed].T
    if kept.size:
        outcome = two_way.residual(Y)
        inverse = np.linalg.inv(D.T @ D)
        coefficients[kept] = inverse @ (D.T @ outcome[observed])
        rest = outcome - np.tensordot(coefficients[kept], net[kept], axes=1)
        scores = (net[kept] * rest).sum(axis=2)
        groups = int(observed.any(axis=1).sum())
        spare = len(D) - kept.size - int(observed.any(axis=0).sum())
        if groups > 1 and spare > 0:
            factor = groups / (groups - 1) * (len(D) - 1) / spare
            errors[kept] = np.sqrt(factor * np.diag(inverse @ scores @ scores.T @ inverse))
    return Regression(coefficients, errors)


def _independent(net: Floats, raw: Floats, observed: Bools, tolerance: float = 1e-10) -> Ints:
    """Rows of ``net`` that neither the effects nor the rows before them explain."""
    kept: list[int] = []
    basis: list[Floats] = []
    for k, regressor in enumerate(net[:, observed]):
        size = np.linalg.norm(raw[k][observed] - raw[k][observed].mean())
        rest = regressor.copy()
        for direction in basis:
            rest -= (direction @ rest) * direction
        if np.linalg.norm(rest) > tolerance * size:
            kept.append(k)
            basis.append(rest / np.linalg.norm(rest))
    return np.array(kept, dtype=np.int64)


def _is_tall(weights: Floats) -> bool:
    return len(weights) >= len(weights.T)


def _is_product(weights: Floats, tolerance: float = 1e-12) -> bool:
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    total = rows.sum()
    if total == 0:
        return True
    product = np.outer(rows / total, columns)
    return bool(np.all(np.abs(weights - product) <= tolerance * product))


def _inverse(weights: Floats) -> Floats:
    """Generalised inverse of the period effects' equations, through the normalised Laplacian."""
    columns = weights.sum(axis=0)
    rows = weights.sum(axis=1, keepdims=True)
    root = np.sqrt(np.where(columns > 0, columns, 1.0))
    half = weights / np.sqrt(np.where(rows > 0, rows, 1.0)) / root
    laplacian = np.diag(np.where(columns > 0, 1.0, 0.0)) - half.T @ half
    # Each component adds one direction in which nothing is determined: its constant.
    _, labels = connected_components(weights > 0)
    null = np.where(labels == np.arange(labels.max() + 1)[:, None], root, 0.0)
    null /= np.linalg.norm(null, axis=1, keepdims=True)
    full = laplacian + null.T @ null + np.diag(np.where(labels == _UNSEEN, 1.0, 0.0))
    try:
        inverse = np.linalg.inv(full)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(full, hermitian=True)
    scaled: Floats = inverse / np.outer(root, root)
    return scaled


def _solve(Y: Floats, weights: Floats, inverse: Floats | None) -> tuple[Floats, Floats]:
    """Effects of a tall table (N >= T), up to a constant in each component."""
    Y = np.where(weights > 0, Y, 0.0)
    rows, columns = weights.sum(axis=1), weights.sum(axis=0)
    rows = np.where(rows > 0, rows, np.nan)
    columns = np.where(columns > 0, columns, np.nan)
    means = (weights * Y).sum(axis=1) / rows
    gaps = (weights * (Y - np.nan_to_num(means)[:, None])).sum(axis=0)
    beta = gaps / columns if inverse is None else inverse @ gaps
    alpha = means - weights @ np.nan_to_num(beta) / rows
    return alpha, np.where(np.isnan(columns), np.nan, beta)


def _centred(
    alpha: Floats, beta: Floats, weights: Floats, *, connected: bool
) -> tuple[Floats, Floats]:
    """Move each component's mean period effect into its unit effects."""
    if connected:
        level = float(np.mean(beta[~np.isnan(beta)])) if not np.isnan(beta).all() else 0.0
        return alpha + level, beta - level
    units, periods = connected_components(weights > 0)
    for label in range(units.max() + 1):
        level = float(beta[periods == label].mean())
        alpha[units == label] += level
        beta[periods == label] -= level
    return alpha, beta
