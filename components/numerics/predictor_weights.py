r"""Predictor weights V of synthetic control: a search on top of a fit.

.. math:: \min_{v} |z_1 - Z_0 w(v)|^2 / T, \qquad
          w(v) = \arg\min_{w \in \Delta} \sum_k v_k (x_{1k} - x_{0k}'w)^2

(Abadie, Diamond and Hainmueller 2010, section 2.3). The outer loss is neither smooth nor convex and
is flat in many directions, so V is often far from unique even where w is. The search therefore
starts in many places, says how much the answers differ, and gives a bound that no V can beat: the
fit on the outcomes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from components.arrays import Floats
from components.numerics.simplex import SimplexFit, simplex_fit
from components.numerics.simplex_nnls import nearest_by_nnls

RANDOM_STARTS = 8
SMALL_SHARE = 0.05
SHORT = 60
LONG = 300
POLISHED = 4
TINY = 1e-8
SAME_LOSS = 1e-6
DECIDING = 1e-5
NARROWEST = -23.0


@dataclass(frozen=True)
class PredictorWeights:
    """Predictor weights, the donor weights that follow, and how sure the search is.

    Attributes
    ----------
    v : Floats, shape (K,)
        Weight of each predictor, summing to one.
    fit : SimplexFit
        Donor weights at ``v``.
    loss : float
        Mean squared gap of the outcome over the loss window.
    bound : float
        The same for the best donor weights of all, whatever the predictors: no V does better.
    starts : tuple of (str, float, float)
        For each start its name, the loss it led to, and the largest difference of a donor weight
        from the chosen ones.
    """

    v: Floats
    fit: SimplexFit
    loss: float
    bound: float
    starts: tuple[tuple[str, float, float], ...]


def choose_predictor_weights(
    X0: Floats, x1: Floats, Z0: Floats, z1: Floats, seed: int = 0
) -> PredictorWeights:
    """Search for the predictor weights with the smallest outer loss.

    Parameters
    ----------
    X0 : Floats, shape (K, J)
        Predictors of the donors, each row in units of its spread.
    x1 : Floats, shape (K,)
        Predictors of the treated unit.
    Z0 : Floats, shape (T, J)
        Outcomes of the donors over the loss window.
    z1 : Floats, shape (T,)
        Outcomes of the treated unit.
    seed : int
        For the random starts.

    Returns
    -------
    PredictorWeights
    """
    P = X0 - x1[:, None]

    def loss_at(logs: Floats) -> float:
        w = nearest_by_nnls(np.sqrt(_shares(logs))[:, None] * P)
        return float(np.square(z1 - Z0 @ w).mean())

    ends = {}
    for name, v in _starts(X0, x1, Z0, z1, seed).items():
        ends[name] = _search(loss_at, np.log(np.maximum(v, TINY)), SHORT)
    best = sorted(ends, key=lambda name: loss_at(ends[name]))[:POLISHED]
    for name in best:
        ends[name] = _search(loss_at, ends[name], LONG)
    losses = {name: loss_at(logs) for name, logs in ends.items()}
    lowest = min(losses.values())
    chosen = next(name for name in losses if losses[name] <= lowest * (1.0 + SAME_LOSS))
    v = _shares(ends[chosen])
    fit = donor_weights(X0, x1, v, Z0, z1)
    others = {
        name: donor_weights(X0, x1, _shares(logs), Z0, z1).weights for name, logs in ends.items()
    }
    free = simplex_fit(Z0, z1).weights
    return PredictorWeights(
        v=v,
        fit=fit,
        loss=float(np.square(z1 - Z0 @ fit.weights).mean()),
        bound=float(np.square(z1 - Z0 @ free).mean()),
        starts=tuple(
            (name, losses[name], float(np.abs(others[name] - fit.weights).max())) for name in ends
        ),
    )


def donor_weights(X0: Floats, x1: Floats, v: Floats, Z0: Floats, z1: Floats) -> SimplexFit:
    """Fit the donor weights to predictors with given weights.

    Where several donor weights match the predictors equally well, the outcome decides between
    them (the "minimal loss" weights of Becker and Kloessner 2018).

    Parameters
    ----------
    X0 : Floats, shape (K, J)
        Predictors of the donors.
    x1 : Floats, shape (K,)
        Predictors of the treated unit.
    v : Floats, shape (K,)
        Weight of each predictor.
    Z0 : Floats, shape (T, J)
        Outcomes of the donors over the loss window.
    z1 : Floats, shape (T,)
        Outcomes of the treated unit.

    Returns
    -------
    SimplexFit
        ``unique`` tells whether the predictors alone decide.
    """
    root = np.sqrt(v)
    X, x = root[:, None] * X0, root * x1
    fit = simplex_fit(X, x)
    spread, movement = float(np.ptp(X, axis=1).max()), float(np.ptp(Z0, axis=1).max())
    if fit.unique or movement == 0.0:
        return fit
    scale = DECIDING * (spread or 1.0) / movement
    both = simplex_fit(np.vstack([X, scale * Z0]), np.concatenate([x, scale * z1]))
    return SimplexFit(both.weights, both.converged, unique=False)


def _search(loss_at: Callable[[Floats], float], logs: Floats, effort: int) -> Floats:
    steps = effort * len(logs)
    result = minimize(
        loss_at,
        logs,
        method="Nelder-Mead",
        options={
            "maxfev": steps,
            "maxiter": steps,
            "xatol": 1e-6,
            "fatol": 1e-14,
            "adaptive": True,
        },
    )
    return np.asarray(result.x)


def _starts(X0: Floats, x1: Floats, Z0: Floats, z1: Floats, seed: int) -> dict[str, Floats]:
    """Equal weights, weights from a regression of outcomes on predictors, and random ones."""
    n_predictors = len(X0)
    starts = {"equal": np.full(n_predictors, 1.0 / n_predictors)}
    predictors = np.column_stack([X0, x1]).T
    design = np.column_stack([np.ones(len(predictors)), predictors])
    outcomes = np.column_stack([Z0, z1]).T
    slopes = np.linalg.lstsq(design, outcomes, rcond=None)[0][1:]
    power = np.square(slopes).sum(axis=1)
    if power.sum() > 0.0:
        starts["regression"] = power / power.sum()
    for number in range(n_predictors if n_predictors > 1 else 0):
        starts[f"mostly predictor {number + 1}"] = np.full(n_predictors, SMALL_SHARE)
        starts[f"mostly predictor {number + 1}"][number] = 1.0
    draws = np.random.default_rng(seed).dirichlet(np.ones(n_predictors), RANDOM_STARTS)
    starts.update({f"random {number + 1}": draw for number, draw in enumerate(draws)})
    return starts


def _shares(logs: Floats) -> Floats:
    v = np.exp(np.maximum(logs - logs.max(), NARROWEST))
    shares: Floats = v / v.sum()
    return shares
