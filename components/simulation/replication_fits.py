r"""Estimators of the published tables on many placebo panels at once.

Some columns in print are not the estimators of their names. Those forms are here under names of
their own: weights that are squared, one effect fitted to treated cells inside the objective, and
matrix completion without tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from components.arrays import Bools, Floats
from components.estimators import (
    MatrixCompletion,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.estimators.base import Estimator
from components.numerics.trop_blocks import BlockProblem
from components.numerics.trop_cells import Penalties
from components.panel import Panel

Triple = tuple[float, float, float]
"""Penalties on unit distance, time distance and the nuclear norm."""

TOLERANCE = 1e-6
CV_PENALTIES = 20
"""Length of the penalty path in the SDID paper's code."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Placebo panels with a block of treated cells at the end.

    Attributes
    ----------
    Y : Floats, shape (B, N, T)
    treated : Bools, shape (B, N)
    n_post : int
    """

    Y: Floats
    treated: Bools
    n_post: int

    @property
    def n_pre(self) -> int:
        """Periods before treatment."""
        return int(self.Y.shape[2]) - self.n_post

    @cached_property
    def panels(self) -> list[Panel]:
        """The same as panels."""
        units, periods = pd.RangeIndex(self.Y.shape[1]), pd.RangeIndex(self.Y.shape[2])
        after = np.asarray(periods) >= self.n_pre
        return [
            Panel(Y, chosen[:, None] & after, units, periods)
            for Y, chosen in zip(self.Y, self.treated, strict=True)
        ]

    def first(self, n: int) -> Draws:
        """Keep the first n."""
        return Draws(self.Y[:n], self.treated[:n], self.n_post)


Form = Callable[[Draws, Triple], Floats]
"""Panels and penalties in, the effect in each panel out."""


def defined(estimator: Estimator) -> Form:
    """Fit an estimator of the catalog to every panel and take its average effect."""

    def fit(draws: Draws, _: Triple) -> Floats:
        return np.array([estimator.fit(panel).att for panel in draws.panels])

    return fit


def did(draws: Draws, _: Triple) -> Floats:
    """Double difference of four means."""
    share = draws.treated / draws.treated.sum(axis=1, keepdims=True)
    rest = ~draws.treated / (~draws.treated).sum(axis=1, keepdims=True)
    return _double_difference(draws, share - rest, np.full(draws.n_pre, 1.0 / draws.n_pre))


def squared_sdid(draws: Draws, _: Triple) -> Floats:
    """SDID with squared weights, as in the tables of Athey, Imbens, Qu and Viviano (2025).

    Weights come from SDID itself, with the noise level at zero degrees of freedom taken off; they
    are squared and made to sum to one again.
    """
    effects = []
    for k, panel in enumerate(draws.panels):
        n = int((~draws.treated[k]).sum()) * (draws.n_pre - 1)
        fit = SyntheticDID(ridge_scale=float(np.sqrt((n - 1) / n))).fit(panel)
        assert fit.unit_weights is not None
        assert fit.time_weights is not None
        omega, lam = fit.unit_weights.to_numpy() ** 2, fit.time_weights.to_numpy() ** 2
        units = np.zeros(draws.Y.shape[1])
        units[draws.treated[k]] = 1.0 / draws.treated[k].sum()
        units[~draws.treated[k]] = -omega / omega.sum()
        one = Draws(draws.Y[[k]], draws.treated[[k]], draws.n_post)
        effects.append(_double_difference(one, units[None], lam / lam.sum())[0])
    return np.array(effects)


def published_trop(draws: Draws, penalties: Triple) -> Floats:
    """TROP with one common effect fitted to the treated cells, and squared weights."""
    return _blocks(draws, penalties, common_effect=True)


def masked_trop(draws: Draws, penalties: Triple) -> Floats:
    """TROP with treated cells masked, at the weights of the published form."""
    return _blocks(draws, penalties, common_effect=False)


def untuned_mc(draws: Draws, penalties: Triple) -> Floats:
    r"""Matrix completion at a given penalty, with one common effect fitted to treated cells.

    With equal weights the effects drop out of a complete table by taking means off, and

    .. math:: f(\tau)=\min_L |R-\tau D-L|^2+\lambda\|L\|_*

    is convex and smooth in the one number left, R and D being outcomes and treatment less their
    unit and period means. Its slope is :math:`-2\langle D, \min(S,\lambda/2)\rangle`, where the
    singular values S of :math:`R-\tau D` are cut off at half the penalty; the root is the effect.
    """
    after = np.arange(draws.Y.shape[2]) >= draws.n_pre
    effects = []
    for Y, chosen in zip(draws.Y, draws.treated, strict=True):
        R, D = _demeaned(Y), _demeaned(chosen[:, None] * after)
        effects.append(_root(R, D, penalties[2] / 2.0))
    return np.array(effects)


FORMS: dict[str, Form] = {
    "trop_published": published_trop,
    "trop_masked": masked_trop,
    "sdid_squared": squared_sdid,
    "sdid": defined(SyntheticDID()),
    "sc": defined(SyntheticControl()),
    "did": did,
    "mc_untuned": untuned_mc,
    "mc": defined(MatrixCompletion(n_penalties=CV_PENALTIES)),
    "sc_intercept": defined(SyntheticControlIntercept()),
}
"""What a column of a table computes, by the name of its form."""


def _blocks(draws: Draws, penalties: Triple, *, common_effect: bool) -> Floats:
    """Fit in batches of equal numbers of treated units; published penalties count twice."""
    unit, time, nn = penalties
    twice = Penalties(2.0 * unit, 2.0 * time, nn)
    counts = draws.treated.sum(axis=1)
    effects = np.empty(len(counts))
    shape = draws.Y.shape[1:]
    for count in np.unique(counts):
        part = np.flatnonzero(counts == count)
        groups = np.nonzero(draws.treated[part])[1].reshape(len(part), count)
        problem = BlockProblem(
            draws.Y[part],
            np.ones(shape, dtype=np.bool_),
            groups,
            draws.n_pre,
            np.zeros((0, *shape)),
            common_effect=common_effect,
        )
        index = np.arange(len(part))
        effects[part] = problem.effects([twice] * len(part), index, tolerance=TOLERANCE)
    return effects


def _double_difference(draws: Draws, units: Floats, periods: Floats) -> Floats:
    after = draws.Y[:, :, draws.n_pre :].mean(axis=2)
    change = after - draws.Y[:, :, : draws.n_pre] @ periods
    effects: Floats = (units * change).sum(axis=1)
    return effects


def _demeaned(Y: Floats) -> Floats:
    rest: Floats = Y - Y.mean(axis=0) - Y.mean(axis=1, keepdims=True) + Y.mean()
    return rest


def _root(R: Floats, D: Floats, threshold: float) -> float:
    def slope(tau: float) -> float:
        U, s, V = np.linalg.svd(R - tau * D, full_matrices=False)
        return float(-((U * np.minimum(s, threshold)) @ V * D).sum())

    start = float((R * D).sum() / (D * D).sum())
    reach = float(np.abs(R).max()) / 8.0
    low, high = start - reach, start + reach
    while slope(low) > 0.0:
        low -= 2.0 * reach
    while slope(high) < 0.0:
        high += 2.0 * reach
    return float(brentq(slope, low, high, xtol=1e-10, rtol=1e-12))
