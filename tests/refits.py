"""Block designs from published tables, and placebos by plain refits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from components.panel import Panel


def read(published, name, unit, time, outcome, treatment="treated", covariates=()):
    table = published(name)
    panel = Panel.from_long(table, unit=unit, time=time, outcome=outcome, treatment=treatment)
    wide = {c: table.pivot_table(c, unit, time, dropna=False).to_numpy() for c in covariates}
    return replace(panel, X=wide)


def with_start(panel, period):
    W = np.zeros(panel.shape, dtype=bool)
    W[panel.design.treated] = np.asarray(panel.periods) >= period
    return panel.reassign(W)


def refitted(estimator, panel, group):
    """The placebo of a group by a fit on the panel of never-treated units."""
    rest = np.flatnonzero(~panel.design.treated)
    W = np.zeros((len(rest), panel.shape[1]), dtype=bool)
    W[np.searchsorted(rest, group), panel.design.n_pre :] = True
    return estimator.fit(panel.take(rest).reassign(W)).paths["gap"].to_numpy()
