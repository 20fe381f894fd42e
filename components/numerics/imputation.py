r"""Standard errors of averages of imputed effects (Borusyak, Jaravel and Spiess 2024).

The estimator is linear, :math:`\hat\theta=\sum_{it} v_{it}Y_{it}` with :math:`v_{it}=w_{it}` on
treated cells and :math:`v = -Z_0(Z_0'Z_0)^{-1}Z_1'w` on untreated ones, where Z holds unit
effects, period effects and covariates. Clustered by unit,

.. math:: \hat V = \sum_i \Big(\sum_t v_{it}\tilde\varepsilon_{it}\Big)^2, \qquad
          \tilde\varepsilon_{it} = \begin{cases} Y_{it}-\hat Y_{it}(0) & W_{it}=0 \\
          \hat\tau_{it}-\bar\tau_{g(it)} & W_{it}=1 \end{cases}, \qquad
          \bar\tau_g = \frac{\sum_{it \in g} v_{it}^2\hat\tau_{it}}{\sum_{it \in g} v_{it}^2}

(theorem 3 and eq. 8). No v is ever formed on untreated cells: residuals sum to zero within a
unit, so only the period part of :math:`(Z_0'Z_0)^{-1}Z_1'w` is needed, one product of an N x T
and a T x K matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from components.arrays import Bools, Floats, Ints
from components.numerics.twoway import TwoWay


@dataclass(frozen=True, eq=False)
class Cells:
    """Treated cells whose effects are averaged.

    Attributes
    ----------
    rows, columns : Ints, shape (C,)
        Where they are; each must be `identified` by the untreated cells.
    groups : Ints, shape (C,)
        Labels 0, 1, ... of the groups within which effects are centred: cohort by event time in
        the paper. Larger groups make the standard error more conservative.
    """

    rows: Ints
    columns: Ints
    groups: Ints


@dataclass(frozen=True, eq=False)
class Imputed:
    """Averages of imputed effects.

    Attributes
    ----------
    att : Floats, shape (K,)
        In the unit of measure of Y.
    influence : Floats, shape (N, K)
        What each unit contributes to the error: the covariance is ``influence.T @ influence``.
    """

    att: Floats
    influence: Floats

    @property
    def standard_errors(self) -> Floats:
        """Root of the summed squares, shape (K,)."""
        errors: Floats = np.sqrt(np.einsum("ik,ik->k", self.influence, self.influence))
        return errors


def imputation_averages(
    Y: Floats,
    untreated: Bools,
    cells: Cells,
    weights: csr_array | Floats,
    X: Floats | None = None,
) -> Imputed:
    """Average imputed effects with any weights, and find each unit's part in the error.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes; read on ``untreated`` and on ``cells`` only.
    untreated : Bools, shape (N, T)
        Observed untreated cells, on which the model is fitted.
    cells : Cells
        C treated cells.
    weights : sparse or dense array, shape (K, C)
        Weight of each cell in each of K averages.
    X : Floats, shape (p, N, T), optional
        Covariates, finite on both sets of cells. One that the effects explain has no part.

    Returns
    -------
    Imputed
    """
    W = csr_array(weights)
    two_way = TwoWay.of(untreated)
    covariates = np.zeros((0, *Y.shape)) if X is None else X
    fits = [_extrapolate(two_way, values, cells) for values in covariates]
    net = np.array([rest for rest, _ in fits]).reshape(covariates.shape)
    ahead = np.array([gap for _, gap in fits]).reshape(len(covariates), len(cells.rows))
    residual, tau = _extrapolate(two_way, Y, cells)
    inverse = _gram_inverse(net, covariates, untreated)
    slopes = inverse @ np.einsum("pit,it->p", net, residual)
    residual = residual - np.tensordot(slopes, net, axes=1)
    tau = tau - slopes @ ahead

    rows = _indicator(cells.rows, Y.shape[0])
    columns = _indicator(cells.columns, Y.shape[1])
    period_part = _period_part(two_way, (W @ rows).toarray(), (W @ columns).toarray())
    influence = -residual @ period_part.T
    influence -= np.einsum("pit,it->ip", net, residual) @ (inverse @ (W @ ahead.T).T)
    influence += (_centred(W, tau, cells.groups) @ rows).toarray().T
    return Imputed(W @ tau, influence)


def lead_coefficients(Y: Floats, leads: Floats, untreated: Bools) -> Imputed:
    """Regress untreated outcomes on regressors and both effects: the test of pre-trends.

    A separate regression on untreated cells only (Borusyak, Jaravel and Spiess 2024, test 1), so
    that effects have no influence on it.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Outcomes, read on ``untreated`` only.
    leads : Floats, shape (K, N, T)
        Dummies for the periods before treatment.
    untreated : Bools, shape (N, T)
        Observed untreated cells.

    Returns
    -------
    Imputed
        NaN, and influence 0, where the effects and the regressors before it explain a regressor.
    """
    two_way = TwoWay.of(untreated)
    net = np.array([two_way.residual(lead) for lead in leads]).reshape(-1, *Y.shape)
    outcome = two_way.residual(Y)
    inverse = _gram_inverse(net, leads, untreated)
    att = inverse @ np.einsum("pit,it->p", net, outcome)
    rest = outcome - np.tensordot(att, net, axes=1)
    influence = np.einsum("pit,it->ip", net, rest) @ inverse
    return Imputed(np.where(np.diag(inverse) > 0.0, att, np.nan), influence)


def _extrapolate(two_way: TwoWay, values: Floats, cells: Cells) -> tuple[Floats, Floats]:
    """Residual on the untreated cells, and gap to the fitted effects on the treated ones."""
    alpha, beta = two_way.fit(values)
    rest = np.where(two_way.weights > 0, values - alpha[:, None] - beta, 0.0)
    gap = values[cells.rows, cells.columns] - alpha[cells.rows] - beta[cells.columns]
    return rest, gap


def _gram_inverse(net: Floats, raw: Floats, untreated: Bools, tolerance: float = 1e-10) -> Floats:
    """Inverse of the covariates' cross products, 0 for what those before it explain."""
    kept: list[int] = []
    basis: list[Floats] = []
    for k, values in enumerate(net[:, untreated]):
        size = np.linalg.norm(raw[k][untreated] - raw[k][untreated].mean())
        rest = values.copy()
        for direction in basis:
            rest -= (direction @ rest) * direction
        if np.linalg.norm(rest) > tolerance * size:
            kept.append(k)
            basis.append(rest / np.linalg.norm(rest))
    inverse = np.zeros((len(net), len(net)))
    if kept:
        D = net[kept][:, untreated]
        inverse[np.ix_(kept, kept)] = np.linalg.inv(D @ D.T)
    return inverse


def _period_part(two_way: TwoWay, by_row: Floats, by_column: Floats) -> Floats:
    """Period part of (Z0'Z0)^{-1} Z1'w, shape (K, T), up to a constant in each component."""
    mask = two_way.weights
    rows = np.maximum(mask.sum(axis=1), 1.0)
    columns = np.maximum(mask.sum(axis=0), 1.0)
    part: Floats
    if two_way.inverse is None:
        # The untreated cells are a full rectangle: no treated cell is identified by it.
        part = np.zeros_like(by_column)
    elif mask.shape[0] >= mask.shape[1]:
        part = (by_column - (by_row / rows) @ mask) @ two_way.inverse
    else:
        unit_part = (by_row - (by_column / columns) @ mask.T) @ two_way.inverse
        part = (by_column - unit_part @ mask) / columns
    return part


def _centred(W: csr_array, tau: Floats, groups: Ints) -> csr_array:
    """Weights times effects net of their group's mean, one row per average."""
    squared = W.multiply(W)
    member = _indicator(groups, int(groups.max(initial=-1)) + 1)
    total = (squared @ member).toarray()
    means = (squared.multiply(tau) @ member).toarray() / np.where(total > 0.0, total, 1.0)
    entries = W.tocoo()
    distance = tau[entries.col] - means[entries.row, groups[entries.col]]
    return csr_array((entries.data * distance, (entries.row, entries.col)), shape=W.shape)


def _indicator(labels: Ints, width: int) -> csr_array:
    ones = np.ones(len(labels))
    return csr_array((ones, (np.arange(len(labels)), labels)), shape=(len(labels), width))
