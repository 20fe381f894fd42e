"""Predictors of synthetic control: what the donors should resemble the treated unit in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats
from components.estimators.block import NOT_SETTLED
from components.numerics.predictor_weights import choose_predictor_weights, donor_weights
from components.numerics.simplex import SimplexFit
from components.panel import Panel, period_label, unit_label

NEAR = 0.01
APART = 0.02
WINDOW = re.compile(r"^(?P<name>.*)\[(?P<first>.*?)(?:\.\.(?P<last>.*))?\]$", re.DOTALL)


@dataclass(frozen=True)
class Predictor:
    """The mean of one column over some periods before treatment.

    Written ``beer[1984..1988]``, ``packs_per_capita[1975]`` or, for all periods before treatment,
    ``beer``. The column is a covariate of the panel, or the outcome by its name. Missing cells are
    left out of the mean.

    Attributes
    ----------
    name : str
        Covariate or outcome.
    first, last : str
        Periods as they are written on screen; empty for all before treatment.
    """

    name: str
    first: str = ""
    last: str = ""

    @classmethod
    def parse(cls, text: str) -> Predictor:
        """Read what a person wrote."""
        match = WINDOW.match(text)
        if match is None:
            return cls(text)
        first = match["first"].strip()
        return cls(match["name"], first, (match["last"] or first).strip())

    def columns(self, panel: Panel) -> Bools:
        """Periods that enter the mean, shape (T,)."""
        return window(panel, self.first, self.last)


def window(panel: Panel, first: str, last: str) -> Bools:
    """Mark the untreated periods between two labels, both included.

    Parameters
    ----------
    panel : Panel
        Its labels are compared as they are written on screen.
    first, last : str
        Labels; empty for all periods before treatment.

    Returns
    -------
    Bools, shape (T,)

    Raises
    ------
    ValueError
        Where a label is no period, or the window reaches into the treated periods.
    """
    inside = np.zeros(len(panel.periods), dtype=np.bool_)
    if not first:
        inside[: panel.design.n_pre] = True
        return inside
    labels = [period_label(period) for period in panel.periods]
    for label in (first, last):
        if label not in labels:
            raise ValueError(f"there is no period {label!r}")
    start, end = labels.index(first), labels.index(last)
    if end < start:
        raise ValueError(f"{last} comes before {first}")
    if end >= panel.design.n_pre:
        raise ValueError(f"{last} is not before treatment")
    inside[start : end + 1] = True
    return inside


def lacks_predictors(panel: Panel, texts: tuple[str, ...], loss_window: str = "") -> str | None:
    """Say which predictor cannot be had from a panel, or None.

    Parameters
    ----------
    panel : Panel
        A block design.
    texts : tuple of str
        Predictors as a person wrote them.
    loss_window : str
        Periods over which the outcome should fit, as in ``1981..1990``.

    Returns
    -------
    str or None
        A sentence.
    """
    try:
        _window_of(panel, loss_window)
    except ValueError as error:
        return f"The window {loss_window!r} cannot be used: {error}."
    for text in texts:
        predictor = Predictor.parse(text)
        if predictor.name not in panel.X and predictor.name != panel.outcome:
            known = ", ".join([panel.outcome, *panel.X])
            return f"The predictor {text!r} names no column; there are: {known}."
        try:
            columns = predictor.columns(panel)
        except ValueError as error:
            return f"The predictor {text!r} cannot be used: {error}."
        seen = np.isfinite(_values(panel, predictor.name)[:, columns]).any(axis=1)
        if not seen.all():
            unit = unit_label(panel.units[int((~seen).argmax())])
            return f"The predictor {text!r} has no value for {unit}."
    return None


def predictor_matrix(panel: Panel, texts: tuple[str, ...]) -> Floats:
    """Compute the predictors of all units, each in units of its spread over them.

    Parameters
    ----------
    panel : Panel
        A block design.
    texts : tuple of str
        Predictors that :func:`lacks_predictors` finds nothing wrong with.

    Returns
    -------
    Floats, shape (K, N)
        Means over each predictor's window, divided by their standard deviation over all units,
        the treated ones included; a predictor that is the same everywhere is left as it is.
    """
    rows = []
    for text in texts:
        predictor = Predictor.parse(text)
        values = _values(panel, predictor.name)[:, predictor.columns(panel)]
        rows.append(np.nanmean(values, axis=1))
    X = np.stack(rows)
    spread = X.std(axis=1, ddof=1, keepdims=True)
    return np.asarray(X / np.where(spread > 0.0, spread, 1.0))


def fit_by_predictors(
    panel: Panel,
    share: Floats,
    predictors: tuple[str, ...],
    training: tuple[str, ...] = (),
    loss_window: str = "",
) -> tuple[Floats, tuple[str, ...], dict[str, Any]]:
    """Weight the donors to resemble the treated units in predictors.

    Parameters
    ----------
    panel : Panel
        A block design.
    share : Floats, shape (N1,)
        Share of each treated unit in the target.
    predictors : tuple of str
        What to match on.
    training : tuple of str
        What to choose the predictor weights with; the predictors themselves if empty.
    loss_window : str
        Periods over which the outcome should fit.

    Returns
    -------
    weights : Floats, shape (N0,)
        Donor weights.
    notes : tuple of str
        Caveats.
    details : dict
        Predictor weights, outer loss, its bound and how far the search's starts lie apart.
    """
    treated = panel.design.treated
    order = np.argsort(np.array(predictors))
    X = predictor_matrix(panel, tuple(predictors[k] for k in order))
    source = tuple(training[k] for k in order) if training else ()
    trained = predictor_matrix(panel, source) if training else X
    Z = panel.Y[:, _window_of(panel, loss_window)].T
    found = choose_predictor_weights(
        trained[:, ~treated], trained[:, treated] @ share, Z[:, ~treated], Z[:, treated] @ share
    )
    fit = found.fit
    if training:
        fit = donor_weights(
            X[:, ~treated], X[:, treated] @ share, found.v, Z[:, ~treated], Z[:, treated] @ share
        )
    starts = pd.DataFrame(found.starts, columns=["start", "loss", "largest_weight_difference"])
    near = starts["loss"] <= found.loss * (1.0 + NEAR)
    apart = float(starts.loc[near, "largest_weight_difference"].max())
    names = [predictors[k] for k in order]
    details = {
        "predictor_weights": pd.Series(found.v, index=names),
        "outer_loss": found.loss,
        "outer_loss_bound": found.bound,
        "search_starts": starts.set_index("start"),
        "balance": pd.DataFrame(
            {"treated": X[:, treated] @ share, "synthetic": X[:, ~treated] @ fit.weights},
            index=names,
        ),
    }
    return fit.weights, _search_notes(fit, apart), details


def _search_notes(fit: SimplexFit, apart: float) -> tuple[str, ...]:
    notes = [] if fit.converged else [NOT_SETTLED]
    if not fit.unique:
        notes.append(
            "Many donor weights match the predictors equally well; among them, those that track "
            "the outcome best before treatment are used."
        )
    if apart > APART:
        notes.append(
            "The importance of the predictors is not pinned down: searches that fit within 1 % of "
            f"the best differ by up to {apart:.2f} in the weight of a donor."
        )
    return tuple(notes)


def _window_of(panel: Panel, text: str) -> Bools:
    first, _, last = text.partition("..")
    return window(panel, first.strip(), (last or first).strip())


def _values(panel: Panel, name: str) -> Floats:
    return panel.X.get(name, panel.Y)
