"""Predictors of synthetic control: what the donors should resemble the treated unit in."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from components.arrays import Bools, Floats
from components.panel import Panel, period_label, unit_label

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


def lacks_predictors(panel: Panel, texts: tuple[str, ...]) -> str | None:
    """Say which predictor cannot be had from a panel, or None.

    Parameters
    ----------
    panel : Panel
        A block design.
    texts : tuple of str
        Predictors as a person wrote them.

    Returns
    -------
    str or None
        A sentence.
    """
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


def _values(panel: Panel, name: str) -> Floats:
    return panel.X[name] if name in panel.X else panel.Y
