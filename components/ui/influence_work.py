"""The moves of all cells, at once or from a job whose results are drawn as they come in."""

from __future__ import annotations

from typing import cast

import numpy as np
import streamlit as st

from components.analysis import Result
from components.analysis.job import Job
from components.diagnostics.cell_moves import CellMoves, cell_moves, is_quick
from components.diagnostics.influence import all_moves
from components.ui import cache, waiting
from components.ui.guard import told

KEPT, LATEST, STOPPED, ASKED = "moves", "latest moves", "stopped moves", "moves at work"
MOST_KEPT = 8


def moves_of(result: Result) -> tuple[CellMoves, Job[CellMoves] | None]:
    """Give the moves of the effect so far, and the job that goes on with them.

    Parameters
    ----------
    result : Result

    Returns
    -------
    moves : CellMoves
        Complete, or as far as they have come in.
    job : Job or None
        None where the moves are complete, or the work was stopped.
    """
    estimate, key = result.estimate, f"moves {cache.job_key(result.spec)}"
    kept, latest = (
        cast("cache.Store", st.session_state.setdefault(name, cache.Store(MOST_KEPT)))
        for name in (KEPT, LATEST)
    )
    if (moves := kept.get(key)) is not None:
        return cast("CellMoves", moves), None
    if is_quick(estimate):
        moves = cell_moves(estimate)
        kept.put(key, moves)
        return moves, None
    if latest.get(key) is None:
        nothing = np.zeros(estimate.panel.shape, dtype=np.bool_)
        latest.put(key, cell_moves(estimate, only=nothing))
    so_far = cast("CellMoves", latest.get(key))
    if st.session_state.get(STOPPED) == key:
        return so_far, None
    known = so_far if np.isfinite(so_far.dropped).any() else None
    _leave_other_work(key)
    job: Job[CellMoves] = cache.jobs().submit_call(
        key, cache.owner(), all_moves, estimate, known, background=True
    )
    if not job.ended:
        job.wait(cache.PATIENCE if job.partial is None else 0.0)
    if job.partial is not None:
        latest.put(key, job.partial)
    if job.state == "done":
        moves = cast("CellMoves", cache.jobs().take(key, cache.owner()))
        kept.put(key, moves)
        return moves, None
    return cast("CellMoves", latest.get(key)), job


def progress_line(result: Result, moves: CellMoves, job: Job[CellMoves] | None) -> None:
    """Say how much of the map is there, with a way to stop; the page follows what comes in."""
    n = int(result.estimate.panel.observed.sum())
    if job is not None and not job.ended:
        made = f"{n - moves.left:,} of {n:,} cells are in the map"
        waiting.follow(job, "map", STOPPED, lambda: f"{made}. {waiting.progress_words(job)}")
        return
    if job is not None:
        st.session_state[STOPPED] = job.key
        cache.jobs().forget(job.key)
        with told(stop=False):
            job.result()
    if not moves.complete:
        some = n - moves.left
        st.info(
            f"The map was stopped with {some:,} of {n:,} cells in it: those out of line, then "
            "those that may matter most."
            if some
            else "The map was stopped before any cell was in it.",
            icon=":material/cancel:",
        )
        st.button(
            "Go on with the map",
            type="primary",
            key="resume map",
            on_click=lambda: st.session_state.pop(STOPPED, None),
        )


def _leave_other_work(key: str) -> None:
    """Stop waiting for the map of an analysis that is no longer on screen."""
    before = st.session_state.get(ASKED)
    if before not in (None, key):
        cache.jobs().cancel(before, cache.owner())
    st.session_state[ASKED] = key
