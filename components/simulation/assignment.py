"""Who is treated, and when: the assignment of a placebo panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from components.arrays import Bools, Floats, frozen
from components.errors import DesignError, SpecError
from components.numerics.simplex import simplex_least_squares
from components.simulation.factor_model import Rng

STEPS = 100
"""Most steps of the logistic regression."""

EARLY = 1e-4
"""Largest entry of the mean gradient at which the published logistic regression stopped."""

FLAT = 30.0
"""Log odds from which on a unit counts as told apart perfectly."""

SIMULATED_RIDGE = 0.1
"""Ridge of the synthetic-control weights that serve as probabilities, in standard units."""


class Assignment(Protocol):
    """A way to draw which cells are treated."""

    def draw(self, rng: Rng) -> Bools:
        """Draw the treated cells, shape (N, T)."""
        ...


@dataclass(frozen=True, eq=False)
class ChanceBlock:
    """Units enter by chance, each with a probability of its own, and are treated at the end.

    With logistic probabilities this is the published design. If more units enter than allowed,
    that many of them are kept at random.

    Attributes
    ----------
    probabilities : Floats, shape (N,)
    n_periods : int
        T.
    n_most : int
        Most treated units.
    n_post : int
        Treated periods, the last ones.
    if_none : {"one", "most"}
        Units drawn at random where nobody has entered: one (Athey, Imbens, Qu and Viviano 2025)
        or ``n_most`` (Arkhangelsky et al. 2021).
    """

    probabilities: Floats
    n_periods: int
    n_most: int = 10
    n_post: int = 10
    if_none: Literal["one", "most"] = "one"

    def __post_init__(self) -> None:
        object.__setattr__(self, "probabilities", frozen(self.probabilities))
        refuse_block(len(self.probabilities), self.n_periods, self.n_most, self.n_post)

    def draw(self, rng: Rng) -> Bools:
        """Draw who enters, then who is kept."""
        n_units = len(self.probabilities)
        rows = np.flatnonzero(rng.binomial(n=1, p=self.probabilities))
        if len(rows) == 0 and self.if_none == "one":
            rows = np.array([rng.choice(n_units)])
        elif len(rows) == 0:
            rows = rng.choice(n_units, size=self.n_most, replace=False)
        elif len(rows) > self.n_most:
            rows = rng.choice(rows, size=self.n_most, replace=False)
        return block(rows, n_units, self.n_periods, self.n_post)


@dataclass(frozen=True)
class RandomBlock:
    """So many units, all equally likely, treated in the last periods.

    Attributes
    ----------
    n_units, n_periods : int
    n_treated, n_post : int
    """

    n_units: int
    n_periods: int
    n_treated: int = 10
    n_post: int = 10

    def __post_init__(self) -> None:
        refuse_block(self.n_units, self.n_periods, self.n_treated, self.n_post)

    def draw(self, rng: Rng) -> Bools:
        """Draw the units."""
        rows = rng.choice(np.arange(self.n_units), size=self.n_treated, replace=False)
        return block(rows, self.n_units, self.n_periods, self.n_post)


@dataclass(frozen=True, eq=False)
class FixedAssignment:
    """The same treated cells in every draw.

    Attributes
    ----------
    W : Bools, shape (N, T)
    """

    W: Bools

    def __post_init__(self) -> None:
        object.__setattr__(self, "W", frozen(self.W))

    def draw(self, rng: Rng) -> Bools:
        """Give the treated cells; no random number is used."""
        return self.W


def block(rows: ArrayLike, n_units: int, n_periods: int, n_post: int) -> Bools:
    """Treat some rows in the last periods.

    Parameters
    ----------
    rows : array_like of int
    n_units, n_periods, n_post : int

    Returns
    -------
    Bools, shape (N, T)
    """
    W = np.zeros((n_units, n_periods), dtype=np.bool_)
    W[np.asarray(rows), n_periods - n_post :] = True
    return W


def logistic_probabilities(left: Floats, treated: Bools, *, early: bool = False) -> Floats:
    """Fit who is treated to the left singular vectors by logistic regression, unpenalised.

    Parameters
    ----------
    left : Floats, shape (N, r)
        Orthonormal columns; an intercept is added.
    treated : Bools, shape (N,)
    early : bool
        Stop where the tables of Athey, Imbens, Qu and Viviano (2025) did: quasi-Newton from
        zero, until the mean gradient is below 1e-4. Probabilities then differ by some
        thousandths of themselves, enough to change published draws.

    Returns
    -------
    Floats, shape (N,)
        Fitted probabilities.

    Raises
    ------
    DesignError
        Where all or no units are treated, or the vectors tell the treated apart without error, so
        that the likelihood has no maximum.
    """
    wanted = np.asarray(treated, dtype=np.float64)
    n_units, n_treated = len(wanted), int(wanted.sum())
    if not 0 < n_treated < n_units:
        raise DesignError(
            f"{n_treated} of {n_units} units are treated: there is nothing to tell apart.",
            hint="Draw the treated units at random instead.",
        )
    X = np.column_stack([left * np.sqrt(n_units), np.ones(n_units)])

    def loss(beta: Floats) -> tuple[float, Floats]:
        odds = X @ beta
        value = float((np.logaddexp(0.0, odds) - wanted * odds).mean())
        return value, X.T @ (expit(odds) - wanted) / n_units

    stop = EARLY if early else 1e-10
    grain = {"gtol": stop, "ftol": 64.0 * np.finfo(float).eps if early else 0.0}
    options = {**grain, "maxiter": STEPS, "maxls": 50}
    found = minimize(loss, np.zeros(X.shape[1]), jac=True, method="L-BFGS-B", options=options)
    odds = X @ found.x
    if np.abs(odds).max() > FLAT or np.abs(loss(found.x)[1]).max() > max(stop, 1e-6):
        raise DesignError(
            f"The factors tell the {n_treated} treated units apart from the others without error.",
            hint="Draw the treated units at random instead.",
        )
    chances: Floats = expit(odds)
    return chances


def similar_probabilities(Y: Floats, treated: Bools, n_post: int = 1) -> Floats:
    r"""Give each unit its synthetic-control weight as probability ("simulated" in the tables).

    The weights minimise :math:`|\bar Y_{tr,pre}-w'Y_{co,pre}|^2+0.1|w|^2` over the simplex, on
    outcomes in standard units.

    Parameters
    ----------
    Y : Floats, shape (N, T)
        Complete.
    treated : Bools, shape (N,)
    n_post : int
        Periods at the end that are left out.

    Returns
    -------
    Floats, shape (N,)
        0 for the treated units themselves.

    Raises
    ------
    DesignError
        Where all or no units are treated.
    """
    treated = np.asarray(treated, dtype=np.bool_)
    if not 0 < treated.sum() < len(treated):
        raise DesignError(
            f"{treated.sum()} of {len(treated)} units are treated: no unit can be weighted.",
            hint="Name one unit or more that is treated, and leave others untreated.",
        )
    before = ((Y - Y.mean()) / Y.std())[:, : Y.shape[1] - n_post]
    weights, _ = simplex_least_squares(
        before[~treated].T, before[treated].mean(axis=0), SIMULATED_RIDGE
    )
    probabilities = np.zeros(len(Y))
    probabilities[~treated] = np.clip(weights, 0.0, 1.0)
    return probabilities


def refuse_block(n_units: int, n_periods: int, n_treated: int, n_post: int) -> None:
    """Refuse a block that leaves no donor or no period before it.

    Raises
    ------
    SpecError
        With the sizes in its message.
    """
    if not (1 <= n_treated < n_units and 1 <= n_post < n_periods):
        raise SpecError(
            f"{n_treated} treated units and {n_post} treated periods do not fit into {n_units} "
            f"units and {n_periods} periods.",
            hint="Leave at least one unit untreated and one period before treatment.",
        )
