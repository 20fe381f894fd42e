"""How the average effect moves when one cell is dropped, replaced or nudged, for any estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.diagnostics.cell_plan import Plan
from components.estimators import Estimate, Estimator
from components.estimators.block import Block
from components.estimators.did import DifferenceInDifferences
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.sdid import SyntheticDID
from components.estimators.synthetic_control import SyntheticControl
from components.inference.base import Progress, silent
from components.numerics.influence import BlockFit, two_way_pull
from components.numerics.leave_one_out import leave_one_out
from components.numerics.stand_ins import spreads, stand_ins

Mode = Literal["left out", "replaced"]
MOST_CELLS = 100_000
MOST_SOLVED = 400_000  # donors squared times periods before treatment, with a ridge
DUST = 1e-13  # of the outcome: a move that is rounding error


@dataclass(frozen=True, eq=False)
class CellMoves:
    """Every cell, and what the average effect would be without it.

    Attributes
    ----------
    stand_ins : Floats, shape (N, T)
        What each cell would be if it went on from its neighbours; NaN where that is not known.
    outlying : Floats, shape (N, T)
        Distance of each cell from its stand-in, in the unit's usual ones.
    dropped : Floats, shape (N, T)
        Move of the average effect when the cell is left out or replaced; NaN where not computed.
    nudged : Floats, shape (N, T)
        Move when the cell rises by the unit's usual distance; NaN where not computed.
    mode : {"left out", "replaced"}
        What dropping means: the cell has no outcome, or the method needs a complete table and the
        cell takes its stand-in.
    left : int
        Cells that could be dropped, and have not been yet.
    """

    stand_ins: Floats
    outlying: Floats
    dropped: Floats
    nudged: Floats
    mode: Mode
    left: int = 0

    @property
    def complete(self) -> bool:
        """Whether the moves of all cells were computed, not of some alone."""
        return self.left == 0


def is_closed_form(estimator: Estimator) -> bool:
    """Tell whether all cells are done at once, without a refit for each."""
    if isinstance(estimator, DifferenceInDifferences):
        return not estimator.covariates
    if isinstance(estimator, SyntheticControl):
        plain = SyntheticControl(fit_to=estimator.fit_to)
        return estimator == plain and estimator.fit_to == "average"
    if isinstance(estimator, SyntheticControlIntercept):
        return estimator.weights == "simplex" and estimator.solver == "exact"
    if isinstance(estimator, SyntheticDID):
        return not estimator.covariates and estimator.solver == "exact"
    return False


def is_quick(estimate: Estimate) -> bool:
    """Tell whether the moves of all cells take a moment only."""
    panel = estimate.panel
    donors, n_pre = panel.design.n_controls, panel.design.n_pre
    heavy = isinstance(estimate.estimator, SyntheticDID) and donors**2 * n_pre > MOST_SOLVED
    return is_closed_form(estimate.estimator) and panel.Y.size <= MOST_CELLS and not heavy


def mode_of(estimate: Estimate) -> Mode:
    """Tell whether the estimator takes a table in which one cell has no outcome."""
    panel = estimate.panel
    outcomes = np.array(panel.Y)
    row, column = np.argwhere(panel.observed & ~panel.W)[0]
    outcomes[row, column] = np.nan
    reason = estimate.estimator.why_not(panel.with_outcomes(outcomes))
    return "left out" if reason is None else "replaced"


def cell_moves(
    estimate: Estimate,
    progress: Progress = silent,
    *,
    only: Bools | None = None,
    known: CellMoves | None = None,
) -> CellMoves:
    """Compute the moves of all cells.

    Parameters
    ----------
    estimate : Estimate
        Tuning that it has chosen from the data is held, except where a closed form follows it too.
    progress : callable, optional
        Told the share that is done; where it has a method ``show``, that is given the moves so far
        as refits come in, those of suspect cells first and then those that may matter most.
    only : Bools, shape (N, T), optional
        Cells to drop; the others are left, and none is nudged.
    known : CellMoves, optional
        Of the same estimate, in part: what it has is not computed again.

    Returns
    -------
    CellMoves
    """
    panel, estimator = estimate.panel, estimate.estimator
    expected = stand_ins(panel.Y, panel.W)
    errors = panel.Y - expected
    usual = spreads(errors)[:, None]
    outlying = np.divide(np.abs(errors), usual, out=np.full(panel.shape, np.nan), where=usual > 0.0)
    mode = mode_of(estimate)
    possible = panel.observed & ((mode == "left out") | np.isfinite(expected))
    wanted = possible if only is None else possible & only
    left = int((possible & ~wanted).sum())
    dropped, nudged = np.full((2, *panel.shape), np.nan)
    if isinstance(estimator, DifferenceInDifferences) and is_closed_form(estimator):
        dropped, pull = _two_way(estimate)
        dropped = np.where(wanted, dropped, np.nan)
        nudged = pull * usual if only is None else nudged
    elif is_closed_form(estimator):
        dropped = _by_weights(estimate, np.where(wanted, expected, np.nan))
        progress(0.5)
        nudged = _by_weights(estimate, panel.Y + usual) if only is None else nudged
    else:
        if known is not None:
            dropped, nudged = known.dropped.copy(), known.nudged.copy()
        found = CellMoves(expected, outlying, dropped, nudged, mode)
        gaps, raised = mode == "left out", panel.Y + usual
        plan = Plan(estimate, dropped, nudged, expected, raised, wanted, gaps, only is None)
        plan.work(progress, lambda left: replace(found, left=left))
    progress(1.0)
    dust = DUST * max(abs(estimate.att), float(np.nanmax(np.abs(panel.Y))))
    dropped, nudged = (np.where(np.abs(x) <= dust, 0.0, x) for x in (dropped, nudged))
    return CellMoves(expected, outlying, dropped, nudged, mode, left)


def _two_way(estimate: Estimate) -> tuple[Floats, Floats]:
    """Give the moves of difference in differences without each cell, and per unit of each.

    Leaving an untreated cell out is the same as setting it to what the others predict for it.
    """
    panel, effects = estimate.panel, estimate.effects
    counted = panel.W & np.isfinite(effects)
    seen = panel.observed & ~panel.W
    n = estimate.n_cells
    pull = -two_way_pull(seen, counted / max(n, 1)) + counted / max(n, 1)
    dropped = np.full(panel.shape, np.nan)
    errors = leave_one_out(panel.Y, seen)
    dropped[seen] = (-pull * errors)[seen]
    if n > 1:
        dropped[counted] = (estimate.att - effects[counted]) / (n - 1)
    return dropped, np.where(panel.observed, pull, np.nan)


def _by_weights(estimate: Estimate, values: Floats) -> Floats:
    """Give the moves of a method with weights on the simplex, summed over its cohorts."""
    panel = estimate.panel
    moves = np.zeros(panel.shape)
    for rows, share, fit in _blocks(estimate):
        split = panel.design.treated[rows]
        of_controls, of_treated = fit.moves(values[rows[~split]], values[rows[split]])
        moves[rows[~split]] += share * of_controls
        moves[rows[split]] += share * of_treated
    return moves


def _blocks(estimate: Estimate) -> list[tuple[Ints, float, BlockFit]]:
    """Rows, share in the average and fit of each cohort; a block design is one cohort."""
    panel, design = estimate.panel, estimate.panel.design
    table = estimate.details.get("cohorts")
    found = []
    for place, cohort in enumerate(design.cohorts):
        share = 1.0 if table is None else float(table["share"].iloc[place])
        if share == 0.0:
            continue
        keep = ~design.treated
        keep[cohort.rows] = True
        fit = estimate if table is None else estimate.estimator.fit(panel.take(keep))
        found.append((np.flatnonzero(keep), share, block_fit(fit)))
    return found


def block_fit(estimate: Estimate) -> BlockFit:
    """Write an estimate of a block design by weights as arrays.

    Parameters
    ----------
    estimate : Estimate
        Of synthetic control, with or without an intercept, or synthetic DID.

    Returns
    -------
    BlockFit
    """
    block, estimator = Block.of(estimate.panel), estimate.estimator
    assert estimate.unit_weights is not None
    fit = BlockFit(
        controls=block.controls,
        treated=block.treated,
        n_pre=block.n_pre,
        omega=np.asarray(estimate.unit_weights, dtype=np.float64),
        lam=np.zeros(block.n_pre),
        intercept=False,
    )
    if isinstance(estimator, SyntheticControlIntercept):
        return replace(fit, lam=np.full(block.n_pre, 1.0 / block.n_pre), intercept=True)
    if isinstance(estimator, SyntheticDID):
        assert estimate.time_weights is not None
        scale = (len(block.treated) * block.after.shape[1]) ** 0.25
        return replace(
            fit,
            lam=np.asarray(estimate.time_weights, dtype=np.float64),
            intercept=True,
            zeta=estimator.ridge_scale * scale,
            demeaned=estimator.noise == "demeaned",
        )
    return fit
