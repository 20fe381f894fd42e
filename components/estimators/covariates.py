"""Covariates taken out of the outcome before an estimator sees it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.panel import Panel

ABSORBED = 1e-12


def lacks_covariates(panel: Panel, names: tuple[str, ...]) -> str | None:
    """Say which covariate is absent or has gaps, or None.

    Parameters
    ----------
    panel : Panel
        The panel.
    names : tuple of str
        Covariates that are asked for.

    Returns
    -------
    str or None
        A sentence.
    """
    for name in names:
        if name not in panel.X:
            known = ", ".join(panel.X) or "none"
            return f"The panel has no covariate {name!r}; it has: {known}."
        gaps = np.argwhere(~np.isfinite(panel.X[name]))
        if len(gaps):
            row, column = gaps[0]
            return (
                f"The covariate {name!r} is missing in {len(gaps)} cells, the first is "
                f"{panel.cell_name(row, column)}; this method needs it in every cell."
            )
    return None


def without_covariates(panel: Panel, names: tuple[str, ...]) -> tuple[Floats, pd.Series[float]]:
    r"""Predict the part of the outcome that covariates explain.

    The coefficients come from the never-treated units alone,

    .. math:: Y_{it} = \alpha_i + \gamma_t + X_{it}'\beta + \varepsilon_{it},

    so that the effect of treatment cannot leak into them (Kranz 2022, the "projected" option of
    Clarke, Pailanir, Athey and Imbens 2023).

    Parameters
    ----------
    panel : Panel
        A complete panel.
    names : tuple of str
        Covariates.

    Returns
    -------
    explained : Floats, shape (N, T)
        :math:`X_{it}'\beta`, to be taken off the outcome.
    coefficients : pandas.Series
        :math:`\beta` by covariate; 0 where the fixed effects absorb it.
    """
    if not names:
        return np.zeros(panel.shape), pd.Series(dtype=np.float64)
    X = np.stack([panel.X[name] for name in names])
    controls = ~panel.design.treated
    columns = _within(X[:, controls]).reshape(len(names), -1).T
    lengths = np.sqrt(np.square(columns).sum(axis=0))
    sizes = np.abs(X).max(axis=(1, 2)) * np.sqrt(len(columns))
    absorbed = lengths <= ABSORBED * sizes
    columns[:, absorbed] = 0.0
    lengths[absorbed] = 1.0
    outcome = _within(panel.Y[controls]).ravel()
    beta = np.linalg.lstsq(columns / lengths, outcome, rcond=None)[0] / lengths
    return np.tensordot(beta, X, axes=1), pd.Series(beta, index=list(names))


def _within(values: Floats) -> Floats:
    """Take unit and period means off, over the last two axes of a complete table."""
    by_unit = values - values.mean(axis=-1, keepdims=True)
    within: Floats = by_unit - by_unit.mean(axis=-2, keepdims=True)
    return within
