r"""Search for the penalties with the smallest sum of squared out-of-sample errors.

Squared errors only add up. So a candidate whose first items already exceed the best sum so far
cannot win, and is dropped there; items on which the best candidate errs most come first. The
winner is the same as without stopping early.

The nuclear-norm penalty is searched as a share of the largest useful one, beyond which the
low-rank part vanishes, because that depends on the weights by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from components.arrays import Floats, Ints
from components.numerics.trop_cells import Penalties
from components.numerics.trop_grid import Axis, Curve, Found, Grid, Point, Trial
from components.numerics.trop_scores import Score

FIRST_ITEMS = 10
"""Fewest items of a candidate that are computed between two looks at its sum; a tenth if more."""

CYCLES = 20

TOLERANCE = 1e-5
"""Accuracy of predictions in a score, in the unit of Y."""

ROUGH = 3e-4
"""Accuracy in the heats, which only sort out what is far behind."""

NOTHING = 1e-10
"""Effects that leave residuals smaller than this, in the unit of Y, leave no low-rank part."""

HEATS = ((8, 48), (16, 24), (48, 12), (96, 6))
"""Items on which candidates run in each heat, and how many go on."""


@dataclass(eq=False)
class Search:
    """A search in progress.

    Attributes
    ----------
    score : Score
    grid : Grid
    early_stop : bool
        Without it every candidate is computed to the end; the winner is the same.
    progress : callable, optional
        Told a share done, estimated from the number of candidates.
    """

    score: Score
    grid: Grid
    early_stop: bool = True
    progress: Callable[[float], None] | None = None
    trials: dict[Point, Trial] = field(default_factory=dict)
    largest: dict[tuple[float, float], float] = field(default_factory=dict)
    order: Ints = field(init=False)
    squares: Floats = field(init=False)
    best: Point | None = None

    def __post_init__(self) -> None:
        self.order = np.arange(self.score.n_items)
        self.squares = np.ones(self.score.n_items)

    def joint(self) -> Found:
        """Look at every combination of the grid."""
        points = list(self.grid.points())
        group = len(self.grid.time)
        for first in range(0, len(points), group):
            self.look(points[first : first + group])
            self._tell((first + group) / len(points))
        return self.found()

    def race(self) -> Found:
        """Find the best combination without computing every one to the end.

        All weights without a low-rank part are scored first, in closed form. The candidates with
        one run heats on growing samples of items, common to all of them, and those far behind
        drop out; the rest are scored exactly. From the winner, one penalty at a time is improved
        until no change of one of them is better (the cycle of Athey, Imbens, Qu and Viviano 2025,
        algorithm 2).

        Returns
        -------
        Found
        """
        points = list(self.grid.points())
        if not self.score.n_items:
            # Nothing to compare by: the first, which weighs all cells alike.
            self.look(points[:1])
            return self.found()
        self.look([point for point in points if np.isinf(point[2])])
        self._tell(0.05)
        finite = [point for point in points if np.isfinite(point[2])]
        for point in self._heats(finite) if finite else []:
            self.look([point])
        self._tell(0.7)
        for cycle in range(CYCLES):
            start = self._winner()
            for axis in ("share", "time", "unit"):
                self.look(self._along(axis, self._winner()))
            self._tell(1.0 - 0.3 * 0.5 ** (cycle + 1))
            if self._winner() == start:
                break
        return self.found()

    def _heats(self, points: list[Point]) -> list[Point]:
        """Run the heats; return those who come through, best first.

        Items are drawn by sequential Poisson sampling: half of the chance is even, half goes with
        the winner's squared error so far, and sums are weighted by the inverse of the chance.
        """
        heavy = np.maximum(self.squares, np.finfo(float).tiny)
        chance = 0.5 / self.score.n_items + 0.5 * heavy / heavy.sum()
        draws = np.random.default_rng(0).random(self.score.n_items)
        order = np.argsort(draws / chance, kind="stable")
        n_first = HEATS[0][0]
        points, squares = self._first_heat(points, order[:n_first], chance)
        for heat, (items, places) in enumerate(HEATS):
            part = order[squares.shape[1] : items]
            if len(part):
                squares = np.hstack([squares, self._rough(points, part)])
            ahead = np.argsort(_estimate(squares, order, chance), kind="stable")[:places]
            points, squares = [points[k] for k in ahead], squares[ahead]
            self._tell(0.3 + 0.4 * heat / len(HEATS))
        return points

    def _first_heat(
        self, points: list[Point], part: Ints, chance: Floats
    ) -> tuple[list[Point], Floats]:
        """Try the shares in the middle, then the outer ones where the middle did well."""
        shares = sorted({point[2] for point in points})
        outer = {shares[0], shares[-1]} if len(shares) > 2 else set()
        middle = [point for point in points if point[2] not in outer]
        squares = self._rough(middle, part)
        self._tell(0.15)
        totals: dict[tuple[float, float], float] = {}
        for point, total in zip(middle, _estimate(squares, part, chance), strict=True):
            totals[point[:2]] = min(total, totals.get(point[:2], np.inf))
        ahead = set(sorted(totals, key=totals.__getitem__)[: (len(totals) + 1) // 2])
        rest = [point for point in points if point[2] in outer and point[:2] in ahead]
        return middle + rest, np.vstack([squares, self._rough(rest, part)])

    def _rough(self, points: list[Point], part: Ints) -> Floats:
        """Squared errors of some items, shape (P, I), accurate enough to compare."""
        penalties = [self._penalties(point) for point in points]
        errors = self.score.errors(penalties, part, tolerance=ROUGH)
        return np.nan_to_num(errors**2, nan=np.inf)

    def look(self, points: list[Point]) -> None:
        """Score candidates, each as far as needed to know that it does not win."""
        points = [point for point in points if point not in self.trials]
        if not points:
            return
        penalties = [self._penalties(point) for point in points]
        limit = self.trials[self.best].total if self.best and self.early_stop else np.inf
        squares = np.full((len(points), self.score.n_items), np.nan)
        totals, alive = np.zeros(len(points)), np.arange(len(points))
        step = max(FIRST_ITEMS, self.score.n_items // 10)
        step = step if np.isfinite(limit) else max(step, self.score.n_items)
        for first in range(0, len(self.order), step):
            part = self.order[first : first + step]
            chosen = [penalties[k] for k in alive]
            errors = self.score.errors(chosen, part, tolerance=TOLERANCE)
            squares[np.ix_(alive, part)] = errors**2
            # Whatever cannot be computed disqualifies the candidate.
            totals[alive] += np.where(np.isnan(errors), np.inf, errors**2).sum(axis=1)
            alive = alive[totals[alive] <= limit]
            if not len(alive):
                break
        for k, point in enumerate(points):
            self.trials[point] = Trial(penalties[k], float(totals[k]), bool(k in alive))
            if k in alive and (self.best is None or totals[k] < self.trials[self.best].total):
                self.best = point
                self.squares = squares[k]
                self.order = np.argsort(-squares[k], kind="stable")

    def found(self) -> Found:
        """Sum up."""
        best = self._winner()
        count = max(self.score.n_items, 1)
        axes: dict[str, tuple[Axis, int]] = {
            "lambda_unit": ("unit", 0),
            "lambda_time": ("time", 1),
            "lambda_nn": ("share", 2),
        }
        curves = {}
        for name, (axis, place) in axes.items():
            line = [self.trials[point] for point in self._along(axis, best) if point in self.trials]
            values = [(t.penalties.unit, t.penalties.time, t.penalties.nn)[place] for t in line]
            rmse = np.sqrt(np.array([t.total for t in line]) / count)
            curves[name] = Curve(np.array(values), rmse, tuple(t.exact for t in line))
        chosen = self.trials[best]
        return Found(
            penalties=chosen.penalties,
            rmse=float(np.sqrt(chosen.total / count)),
            curves=curves,
            n_trials=len(self.trials),
            n_exact=sum(trial.exact for trial in self.trials.values()),
        )

    def _along(self, axis: Axis, base: Point) -> list[Point]:
        place = ("unit", "time", "share").index(axis)
        return [
            (*base[:place], value, *base[place + 1 :])  # type: ignore[misc]
            for value in self.grid.values(axis)
        ]

    def _winner(self) -> Point:
        if self.best is None:
            self.best = min(self.trials, key=lambda point: self.trials[point].total)
        return self.best

    def _penalties(self, point: Point) -> Penalties:
        unit, time, share = point
        if np.isinf(share):
            return Penalties(unit, time, np.inf)
        if self.grid.fixed_nn is not None:
            return Penalties(unit, time, self.grid.fixed_nn)
        if (unit, time) not in self.largest:
            self.largest[unit, time] = self.score.largest_useful(unit, time)
        largest = self.largest[unit, time]
        if largest < NOTHING:
            return Penalties(unit, time, np.inf)
        # Three digits are plenty, and can be read and copied.
        return Penalties(unit, time, float(f"{share * largest:.3g}"))

    def _tell(self, share: float) -> None:
        if self.progress is not None:
            self.progress(share)


def _estimate(squares: Floats, order: Ints, chance: Floats) -> Floats:
    """Estimate sums over all items from the first of a weighted sample (Horvitz and Thompson)."""
    taken = order[: squares.shape[1]]
    sums: Floats = squares @ (1.0 / np.minimum(1.0, len(taken) * chance[taken]))
    return sums
