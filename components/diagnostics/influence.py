"""Influence of single cells: whether one of them makes the result, such as a typo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Bools
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.cell_moves import CellMoves, Mode, cell_moves, is_quick
from components.diagnostics.phrases import number
from components.errors import SpecError
from components.estimators import Estimate
from components.estimators.base import Card
from components.inference.base import Progress, Uncertainty
from components.numerics.stand_ins import spreads, stand_ins
from components.panel import period_label, unit_label

OUTLYING = 11.0
"""Usual distances from its neighbours' line at which a cell is looked into: on simulated healthy
panels one in ten or fewer has such a cell, and nine of ten slipped decimal points lie beyond it."""
FAR = 2.0  # times that, where an effect that sets in could explain a treated cell
MATERIAL = 0.1  # of the average effect
MOST_REFITS = 8
LISTED = 10
STILL = 5e-4  # of the average effect: too little to show in its digits
SLIPPED = 0.2  # how near to ten times, or a tenth, of the stand-in


@dataclass(frozen=True)
class Influence:
    """Drop every cell in turn, and look for one that is out of line and moves the effect.

    A treated cell moves the average by its share alone, whatever its value; so a cell counts as
    suspect only where it also lies far from its neighbours in time.

    Parameters
    ----------
    outlying : float
        Distance from the neighbours' line, in the unit's usual ones, that makes a cell suspect.
    material : float
        Share of the average effect that one cell may move.
    """

    outlying: float = OUTLYING
    material: float = MATERIAL

    card: ClassVar[Card] = Card(
        key="influence",
        title="Single cells",
        idea="Every cell is left out or replaced in turn, to find one that makes the result.",
        reference="Cook (1977), Technometrics 19(1), 15-18, on influence; Sen (1968), JASA "
        "63(324), 1379-89, for the line through the neighbours.",
    )

    def __post_init__(self) -> None:
        if not (self.outlying > 0.0 and self.material > 0.0):
            raise SpecError(
                "Both thresholds of the influence finding must be positive.",
                hint="Leave them at their defaults.",
            )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for an effect."""
        return None if np.isfinite(estimate.att) else "There is no average effect to move."

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Look at all cells where that is quick, else at the outlying ones alone."""
        whole = is_quick(estimate)
        only = None if whole else most_outlying(estimate, self.outlying)
        moves = cell_moves(estimate, progress, only=only)
        return self.judge(estimate, uncertainty, moves)

    def judge(
        self, estimate: Estimate, uncertainty: Uncertainty | None, moves: CellMoves
    ) -> Finding:
        """Say what the moves amount to.

        Parameters
        ----------
        estimate : Estimate
        uncertainty : Uncertainty, optional
        moves : CellMoves
            Of this estimate.

        Returns
        -------
        Finding
        """
        table = cell_table(estimate, moves)
        if not np.isfinite(moves.outlying).any():
            sentence = (
                "No unit has enough cells in a row to tell which one is out of line, or nothing "
                "varies from one to the next."
            )
            return self._finding("unknown", sentence, "Look at the data by eye.", table, moves)
        suspects = table[table["outlying"] >= self.outlying]
        if len(suspects):
            return self._suspect(estimate, suspects, table, moves)
        turned = self._turns(uncertainty, table)
        if turned is not None:
            return self._finding("caution", turned, "Check this cell at its source.", table, moves)
        top = table.iloc[0] if moves.complete and len(table) else None
        widest = (
            ""
            if top is None
            else f" The cell that moves the effect the most, {top['unit']}, {top['period']}, moves "
            f"it by {number(top['move'])}, from {number(estimate.att, 4)} to "
            f"{number(top['effect_without'], 4)}."
        )
        furthest = float(np.nanmax(moves.outlying))
        sentence = (
            f"No cell is out of line with its neighbours: the furthest is {furthest:.1f} usual "
            f"distances away, and {self.outlying:g} would be suspect.{widest}"
        )
        return self._finding("good", sentence, "", table, moves)

    def _suspect(
        self, estimate: Estimate, suspects: pd.DataFrame, table: pd.DataFrame, moves: CellMoves
    ) -> Finding:
        share = (suspects["move"].abs() / max(abs(estimate.att), 1e-300)).fillna(0.0)
        firm = ~suspects["treated"] | (suspects["outlying"] >= FAR * self.outlying)
        bad = firm & (share >= self.material)
        first = suspects[bad].iloc[0] if bad.any() else suspects.iloc[0]
        verdict: Verdict = "bad" if bad.any() else "caution"
        n_more = len(suspects) - 1
        verb = "cell is" if n_more == 1 else "cells are"
        more = f" {n_more} more {verb} out of line." if n_more else ""
        sentence = (
            f"{first['unit']}, {first['period']} is {number(first['value'], 4)} where its "
            f"neighbours suggest {number(first['stand_in'], 4)}: {first['outlying']:.0f} times as "
            f"far as this unit's cells usually are.{slip(first['value'], first['stand_in'])}"
            f"{moved(estimate.att, first['move'], moves.mode)}{more}"
        )
        advice = (
            "Check this value at its source; correct it in the table, or "
            f"{'leave the cell out' if moves.mode == 'left out' else 'replace the cell'} on the "
            "influence page and see what changes."
        )
        return self._finding(verdict, sentence, advice, table, moves)

    def _turns(self, uncertainty: Uncertainty | None, table: pd.DataFrame) -> str | None:
        """Say whether one cell alone takes zero into the interval, as it stands."""
        interval = None if uncertainty is None else uncertainty.interval
        if interval is None or 0.0 in interval:
            return None
        near = interval.lower if interval.lower > 0.0 else interval.upper
        past = table[np.sign(near) * (near + table["move"].fillna(0.0)) <= 0.0]
        if not len(past):
            return None
        cell = past.iloc[0]
        return (
            f"{cell['unit']}, {cell['period']} alone decides whether the interval excludes zero: "
            f"without it the average effect moves by {number(cell['move'])}, and the interval "
            "would reach zero if it moved along."
        )

    def _finding(
        self, verdict: Verdict, sentence: str, advice: str, table: pd.DataFrame, moves: CellMoves
    ) -> Finding:
        first = table.sort_values("outlying", ascending=False, kind="stable").head(LISTED)
        shown = pd.concat([first, table.head(LISTED)]).drop_duplicates()
        details = {"moves": moves}
        return Finding(self.card.key, self.card.title, verdict, sentence, advice, shown, details)


def most_outlying(estimate: Estimate, threshold: float) -> Bools:
    """Mark the suspect cells, the eight furthest out of line at most."""
    panel = estimate.panel
    errors = panel.Y - stand_ins(panel.Y, panel.W)
    usual = spreads(errors)[:, None]
    size = np.divide(np.abs(errors), usual, out=np.zeros(panel.shape), where=usual > 0.0)
    size = np.nan_to_num(size)
    least = max(threshold, float(np.sort(size, axis=None)[-min(MOST_REFITS, size.size)]))
    return np.asarray(size >= least)


def cell_table(estimate: Estimate, moves: CellMoves) -> pd.DataFrame:
    """List every observed cell, those that move the effect the most first.

    Parameters
    ----------
    estimate : Estimate
    moves : CellMoves
        Of this estimate.

    Returns
    -------
    pandas.DataFrame
        unit, period, treated, value, stand_in, outlying, move, effect_without, nudge.
    """
    panel = estimate.panel
    rows, columns = (cells.tolist() for cells in np.nonzero(panel.observed))
    move = moves.dropped[rows, columns]
    table = pd.DataFrame(
        {
            "unit": [unit_label(panel.units[row]) for row in rows],
            "period": [period_label(panel.periods[column]) for column in columns],
            "treated": panel.W[rows, columns],
            "value": panel.Y[rows, columns],
            "stand_in": moves.stand_ins[rows, columns],
            "outlying": moves.outlying[rows, columns],
            "move": move,
            "effect_without": estimate.att + move,
            "nudge": moves.nudged[rows, columns],
        }
    )
    order = np.argsort(-np.nan_to_num(np.abs(move), nan=-1.0), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def moved(att: float, move: float, mode: Mode) -> str:
    """Say what dropping a cell does to the average effect; nothing where that is not known."""
    if not np.isfinite(move):
        return ""
    if abs(move) < STILL * abs(att):
        return f" The average effect, {number(att, 4)}, hardly depends on it."
    how = "Without it" if mode == "left out" else "With that value instead"
    return f" {how} the average effect is {number(att + move, 4)} instead of {number(att, 4)}."


def slip(value: float, stand_in: float) -> str:
    """Say where a value looks like its stand-in with the decimal point one place off."""
    if not stand_in or not value:
        return ""
    ratio = value / stand_in
    for factor, words in ((10.0, "ten times"), (0.1, "a tenth of")):
        if abs(ratio / factor - 1.0) <= SLIPPED:
            return f" That is about {words} what is expected: has the decimal point slipped?"
    return ""


def all_moves(estimate: Estimate, known: CellMoves | None, progress: Progress) -> CellMoves:
    """Compute the moves of all cells, as a job that tells its progress and what it has so far."""
    return cell_moves(estimate, progress, known=known)
