"""How the triply robust estimator sees a panel, and how its penalties are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.trop_blocks import BlockProblem
from components.numerics.trop_cells import CellProblem
from components.numerics.trop_effects import effects_stack
from components.numerics.trop_grid import Curve, Grid
from components.numerics.trop_scores import (
    LeaveOneCellOut,
    PlaceboBlock,
    PlaceboCells,
    Score,
    placebo_groups,
    untreated_cells,
)
from components.numerics.trop_search import Search
from components.numerics.trop_weights import Distance
from components.panel import Panel, unit_label

Form = Literal["percell", "block_masked", "block_tau"]
Rule = Literal["placebo_block", "leave_one_cell_out"]
Scale = Literal["untreated", "all"]

CELL_WORK = 2_500_000
"""Left-out cells times cells of the panel: all cells of a panel of 40 by 35."""

FEWEST_CELLS = 200

MIN_DONORS = 2
"""Donors that a placebo group must have left."""


@dataclass(frozen=True, eq=False)
class Setup:
    """A panel in standard units.

    Attributes
    ----------
    Y : Floats, shape (N, T)
        ``(outcome - centre) / scale``, 0 where it must not be looked at.
    usable : Bools, shape (N, T)
        Outcome and covariates observed.
    W : Bools, shape (N, T)
    X : Floats, shape (K, N, T)
        Covariates in standard units.
    scale, centre : float
        In the unit of the outcome.
    form : {"percell", "block_masked", "block_tau"}
    distance : {"levels", "demeaned"}
    order : Ints, shape (N,)
        Rank of each unit by name, so that draws do not depend on the order of rows.
    """

    Y: Floats
    usable: Bools
    W: Bools
    X: Floats
    scale: float
    centre: float
    form: Form
    distance: Distance
    order: Ints

    @property
    def treated(self) -> Bools:
        """Units that are ever treated."""
        return np.asarray(self.W.any(axis=1))

    @property
    def n_pre(self) -> int:
        """Periods before anyone is treated."""
        return int(self.W.any(axis=0).argmax())

    def cells(self) -> CellProblem:
        """Every treated cell as a problem of its own."""
        rows, columns = np.nonzero(self.W)
        seen = self.usable & ~self.W
        return CellProblem(self.Y, seen, rows, columns, self.X, self.distance)

    def block(self) -> BlockProblem:
        """All treated cells as one problem."""
        return BlockProblem(
            Y=self.Y,
            observed=self.usable,
            groups=np.flatnonzero(self.treated)[None],
            n_pre=self.n_pre,
            X=self.X,
            common_effect=self.form == "block_tau",
            distance=self.distance,
        )


def prepare(
    panel: Panel, form: Form, scale: Scale, distance: Distance, covariates: tuple[str, ...]
) -> Setup:
    """Bring a panel to standard units.

    Parameters
    ----------
    panel : Panel
    form : {"percell", "block_masked", "block_tau"}
    scale : {"untreated", "all"}
        See `components.estimators.trop.TROP`.
    distance : {"levels", "demeaned"}
    covariates : tuple of str

    Returns
    -------
    Setup
    """
    X = np.array([panel.X[name] for name in covariates]).reshape(-1, *panel.shape)
    usable = panel.observed & np.isfinite(X).all(axis=0)
    seen = usable if scale == "all" else usable & ~panel.W
    centre = float(panel.Y[seen].mean())
    Y = np.where(usable, panel.Y - centre, 0.0)
    size = float(Y[seen].std()) if scale == "all" else _spread(Y, seen, distance)
    if form != "block_tau":
        Y = np.where(panel.W, 0.0, Y)
    X = np.where(usable, X, 0.0)
    return Setup(
        Y=Y / size,
        usable=usable,
        W=panel.W,
        X=np.stack([_standard(x, usable & ~panel.W) for x in X]) if len(X) else X,
        scale=size,
        centre=centre,
        form=form,
        distance=distance,
        order=np.argsort(np.argsort([unit_label(unit) for unit in panel.units], kind="stable")),
    )


def score_of(
    setup: Setup, rule: Rule, n_trials: int, n_cells: int | None, rng: np.random.Generator
) -> Score:
    """Set up the out-of-sample errors that the penalties are to make small.

    Parameters
    ----------
    setup : Setup
    rule : {"placebo_block", "leave_one_cell_out"}
    n_trials : int
        Most placebo groups.
    n_cells : int, optional
        Most cells to leave out.
    rng : numpy.random.Generator

    Returns
    -------
    Score
    """
    if rule == "leave_one_cell_out":
        limit = n_cells or max(FEWEST_CELLS, CELL_WORK // setup.Y.size)
        return LeaveOneCellOut(untreated_cells(setup.cells(), limit, rng, setup.order))
    rows = np.flatnonzero(~setup.treated)
    rows = rows[np.argsort(setup.order[rows])]
    Y, usable, X = setup.Y[rows], setup.usable[rows], setup.X[:, rows]
    patterns = setup.W[setup.treated]
    groups = placebo_groups(len(rows), len(patterns), n_trials, rng)
    if setup.form == "percell" and not _is_block(patterns):
        return PlaceboCells(Y, usable, groups, patterns, X, setup.distance)
    tau = setup.form == "block_tau"
    return PlaceboBlock(BlockProblem(Y, usable, groups, setup.n_pre, X, tau, setup.distance))


@dataclass(frozen=True, eq=False)
class Tuning:
    """Penalties with the smallest out-of-sample error.

    Attributes
    ----------
    lambda_unit : float
        Per standard unit of distance between units.
    lambda_time : float
        Per period.
    lambda_nn : float
        In standard units; may be infinite.
    score : float
        Root mean squared out-of-sample error, in the unit of the outcome.
    rule : str
        Where the errors come from.
    n_items : int
        Placebo groups or cells that were left out.
    curves : mapping of str to Curve
        Scores along each penalty, in the unit of the outcome, by its name.
    n_candidates : int
        Combinations looked at.
    """

    lambda_unit: float
    lambda_time: float
    lambda_nn: float
    score: float
    rule: Rule
    n_items: int
    curves: Mapping[str, Curve]
    n_candidates: int


def choose(
    setup: Setup,
    score: Score,
    rule: Rule,
    grid: Grid,
    *,
    factor: float,
    exhaustive: bool,
    progress: Callable[[float], None] | None,
) -> Tuning:
    """Search a grid.

    Parameters
    ----------
    setup : Setup
    score : Score
    rule : {"placebo_block", "leave_one_cell_out"}
    grid : Grid
        In the units of the user.
    factor : float
        By which unit and time penalties are multiplied before use.
    exhaustive : bool
        Look at every combination.
    progress : callable, optional

    Returns
    -------
    Tuning
    """
    used = Grid(
        unit=tuple(factor * value for value in grid.unit),
        time=tuple(factor * value for value in grid.time),
        share=grid.share,
        fixed_nn=grid.fixed_nn,
    )
    search = Search(score, used, progress=progress)
    found = search.joint() if exhaustive else search.race()
    measure = {"lambda_unit": factor, "lambda_time": factor, "lambda_nn": 1.0}
    return Tuning(
        lambda_unit=found.penalties.unit / factor,
        lambda_time=found.penalties.time / factor,
        lambda_nn=found.penalties.nn,
        score=found.rmse * setup.scale,
        rule=rule,
        n_items=score.n_items,
        curves={
            name: Curve(curve.values / measure[name], curve.rmse * setup.scale, curve.exact)
            for name, curve in found.curves.items()
        },
        n_candidates=found.n_trials,
    )


def _is_block(patterns: Bools) -> bool:
    return bool((patterns == patterns[0]).all() and (np.diff(patterns[0].astype(int)) >= 0).all())


def _spread(Y: Floats, seen: Bools, distance: Distance) -> float:
    """Spread of untreated outcomes that shocks common to all units leave alone.

    Where distances are demeaned, levels of units leave it alone as well.
    """
    mask = seen.astype(np.float64)
    if distance == "demeaned":
        two_way = effects_stack(Y[None], mask[None], np.zeros((1, 0, *Y.shape)))
        rest = (Y - two_way.fitted(np.zeros((1, 0, *Y.shape)))[0]) * mask
    else:
        level = (Y * mask).sum(axis=0) / np.maximum(mask.sum(axis=0), 1.0)
        rest = (Y - level) * mask
    size = float(np.sqrt((rest**2).sum() / mask.sum()))
    floor = np.finfo(float).eps * float(np.abs(Y[seen]).max(initial=0.0)) * 10.0
    return size if size > floor else 1.0


def _standard(x: Floats, seen: Bools) -> Floats:
    spread = float(x[seen].std())
    standard: Floats = (x - x[seen].mean()) / (spread if spread > 0.0 else 1.0)
    return standard
