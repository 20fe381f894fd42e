"""Single cells on screen: the map, the cell that was clicked, what was changed, equal fits."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words
from components.analysis.job import Job
from components.analysis.words import number, quantity
from components.arrays import Floats, Ints
from components.charts import influence as charts
from components.diagnostics import Finding
from components.diagnostics.cell_moves import CellMoves, cell_moves, is_quick
from components.diagnostics.influence import (
    OUTLYING,
    Influence,
    all_moves,
    cell_table,
    most_outlying,
)
from components.panel import Panel, period_label, unit_label
from components.ui import cache, frame, state, waiting
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

ASKED, BEFORE, UNIT, PERIOD, MAP = (
    "influence asked", "effect before", "influence unit", "influence period", "influence map"
)  # fmt: skip
CONFIG = {"displayModeBar": False}


def changes_section(spec: AnalysisSpec) -> None:
    """List what is left out or replaced, each with an undo."""
    items = [
        *((f"{unit} is left out", "dropped", unit) for unit in spec.dropped),
        *((f"{period} is left out", "skipped", period) for period in spec.skipped),
        *((f"{c[0]}, {c[1]} counts as not observed", "blanked", c) for c in spec.blanked),
        *((f"{c[0]}, {c[1]} follows its neighbours", "smoothed", c) for c in spec.smoothed),
    ]
    if not items:
        return
    with st.container(border=True):
        st.markdown("**Changed in this analysis**; the link and the script hold it too.")
        for place, (words, field, entry) in enumerate(items):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(md(words), width="stretch")
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    key=f"undo {place}",
                    on_click=_undo,
                    args=(field, entry),
                )
        if len(items) > 1:
            st.button("Undo all", icon=":material/restart_alt:", key="undo all", on_click=_clear)


def effect_before(result: Result, words: Words) -> None:
    """Say what the last change on this page did to the effect."""
    kept = st.session_state.get(BEFORE)
    if kept is None or kept[0] != repr(result.spec):
        return
    st.info(
        f"The average effect is now {md(number(result.estimate.att, 4, signed=True))} "
        f"{md(words.measure)}; before the last change it was "
        f"{md(number(kept[1], 4, signed=True))}.",
        icon=":material/compare_arrows:",
    )


def moves_of(result: Result) -> CellMoves:
    """Give the moves of the effect: of all cells, or of the outlying ones until more is asked."""
    estimate = result.estimate
    key = f"moves {cache.job_key(result.spec)}"
    kept: cache.Store = st.session_state.setdefault("moves", cache.Store(8))
    if (moves := kept.get(key)) is not None:
        return cast("CellMoves", moves)
    if is_quick(estimate):
        moves = cell_moves(estimate)
        kept.put(key, moves)
        return moves
    if st.session_state.get(ASKED) != key:
        few = kept.get(f"few {key}")
        if few is None:
            few = cell_moves(estimate, only=np.zeros(estimate.panel.shape, dtype=np.bool_))
            kept.put(f"few {key}", few)
        _offer_refits(result, key)
        return cast("CellMoves", few)
    if waiting.was_stopped(key):
        st.stop()
    job: Job[CellMoves] = cache.jobs().submit_call(key, cache.owner(), all_moves, estimate)
    if not job.wait(cache.PATIENCE):
        waiting.wait_for(cast("Job[Result]", job))
        st.stop()
    moves = cast("CellMoves", cache.jobs().take(key, cache.owner()))
    waiting.arrived()
    kept.put(key, moves)
    return moves


def _offer_refits(result: Result, key: str) -> None:
    n = int(result.estimate.panel.observed.sum())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Refit without each of the {n:,} cells",
            icon=":material/play_arrow:",
            key="refit cells",
            on_click=lambda: st.session_state.update({ASKED: key}),
        )
        st.caption(
            f"{md(result.spec.estimator.card.title)} is refitted once for each cell, with tuning "
            "that it chose from the data held. Until then the map shows how far each cell is out "
            "of line.",
            width="stretch",
        )


def meaning(moves: CellMoves, result: Result) -> str:
    """Say what dropping a cell means for this method."""
    title = result.spec.estimator.card.title
    if moves.mode == "left out":
        return (
            f"{title} takes tables with gaps: a cell is dropped by taking its outcome as not "
            "observed, and everything is fitted anew."
        )
    return (
        f"{title} needs a complete table: a cell is dropped by giving it the value that its "
        "neighbours suggest, and the weights are fitted anew."
    )


def map_section(result: Result, moves: CellMoves, words: Words) -> None:
    """Draw the map with its choice of colours; a click chooses a cell."""
    panel = result.estimate.panel
    views: dict[str, tuple[Floats, str]] = {}
    measure = f" ({words.measure})" if words.measure else ""
    if moves.complete:
        views["Dropped" if moves.mode == "left out" else "Replaced"] = (
            moves.dropped,
            f"The effect moves by{measure}",
        )
    if np.isfinite(moves.nudged).any():
        views["Raised a little"] = (moves.nudged, f"The effect moves by{measure}")
    views["Out of line"] = (moves.outlying, "Distance from the neighbours, in usual ones")
    view = st.segmented_control(
        "Colour", list(views), default=next(iter(views)), required=True, key="influence view"
    )
    values, title = views.get(view, next(iter(views.values())))
    rows = charts.shown_rows(panel, values)
    st.plotly_chart(
        charts.influence_map(panel, moves, values, title, OUTLYING, frame.theme()),
        theme=None,
        key=MAP,
        on_select=lambda: _clicked(panel, rows),
        selection_mode="points",
        config=CONFIG,
        alt=f"Units by periods. {title}, cell by cell; the table below holds the numbers",
    )
    left = panel.shape[0] - len(rows)
    st.caption(
        "Click a cell to look at it. Rings: out of line with their neighbours."
        + (" Dotted line: treatment begins." if panel.design.kind == "block" else "")
        + (f" {left} units whose cells do less are not drawn; the table has them." if left else "")
    )


def cell_section(result: Result, moves: CellMoves, words: Words, table: pd.DataFrame) -> None:
    """Show one cell, its neighbours, what it does to the effect, and what can be left out."""
    panel = result.estimate.panel
    units = [unit_label(unit) for unit in panel.units]
    periods = [period_label(period) for period in panel.periods]
    first = table.sort_values("outlying", ascending=False, kind="stable").iloc[0]
    if moves.complete and not first["outlying"] >= OUTLYING:
        first = table.iloc[0]
    if st.session_state.get(UNIT) not in units:
        st.session_state[UNIT], st.session_state[PERIOD] = first["unit"], first["period"]
    elif st.session_state.get(PERIOD) not in periods:
        own = table[table["unit"] == st.session_state[UNIT]]
        st.session_state[PERIOD] = own["period"].iloc[0]
    with st.container(horizontal=True):
        unit = st.selectbox(words.unit[0].capitalize(), units, key=UNIT)
        period = st.selectbox("Period", periods, key=PERIOD)
    row, column = units.index(unit), periods.index(period)
    st.plotly_chart(
        charts.cell_chart(panel, moves, row, column, words, frame.theme()),
        theme=None,
        key="influence cell",
        config=CONFIG,
        alt=f"{unit} over time with {period} marked",
    )
    st.markdown(_cell_sentence(result, moves, words, row, column))
    _cell_buttons(result, moves, row, column)


def _cell_sentence(result: Result, moves: CellMoves, words: Words, row: int, column: int) -> str:
    panel, att = result.estimate.panel, result.estimate.att
    value, stand_in = panel.Y[row, column], moves.stand_ins[row, column]
    name = md(panel.cell_name(row, column))
    if not np.isfinite(value):
        return f"**{name}** has no outcome."
    text = f"**{name}: {md(quantity(value, words))}.** "
    if np.isfinite(stand_in):
        text += (
            f"Its neighbours suggest {md(number(stand_in))}; it is "
            f"{moves.outlying[row, column]:.1f} times as far from that as this unit's cells "
            "usually are. "
        )
    else:
        text += "It has too few neighbours to say what they suggest. "
    move = moves.dropped[row, column]
    if np.isfinite(move):
        how = "Without it" if moves.mode == "left out" else "With that value instead"
        text += (
            f"{how} the average effect is {md(number(att + move, 4, signed=True))} instead of "
            f"{md(number(att, 4, signed=True))}. "
            if move
            else "The average effect does not depend on it. "
        )
    nudge = moves.nudged[row, column]
    if np.isfinite(nudge) and nudge:
        text += f"One usual distance more here moves it by {md(number(nudge, signed=True))}."
    return text


def _cell_buttons(result: Result, moves: CellMoves, row: int, column: int) -> None:
    panel, spec, att = result.estimate.panel, result.spec, result.estimate.att
    unit, period = unit_label(panel.units[row]), period_label(panel.periods[column])
    cell = (unit, period)
    alone = panel.design.n_treated == 1 and bool(panel.design.treated[row])
    with st.container(horizontal=True):
        if moves.mode == "left out":
            st.button(
                "Leave this cell out",
                icon=":material/backspace:",
                key="leave cell out",
                disabled=not np.isfinite(panel.Y[row, column]),
                on_click=_change,
                args=(att, spec.with_(blanked=(*spec.blanked, cell))),
            )
        else:
            st.button(
                "Replace this cell",
                icon=":material/backspace:",
                key="replace cell",
                disabled=not np.isfinite(moves.stand_ins[row, column]),
                help="By what its neighbours suggest; this method needs a complete table.",
                on_click=_change,
                args=(att, spec.with_(smoothed=(*spec.smoothed, cell))),
            )
        st.button(
            md(f"Leave {unit} out"),
            icon=":material/person_remove:",
            key="leave unit out",
            disabled=alone,
            help="It is the only treated unit." if alone else None,
            on_click=_change,
            args=(att, spec.with_(dropped=(*spec.dropped, unit))),
        )
        st.button(
            md(f"Leave {period} out"),
            icon=":material/event_busy:",
            key="leave period out",
            on_click=_change,
            args=(att, spec.with_(skipped=(*spec.skipped, period))),
        )


def all_cells(table: pd.DataFrame) -> None:
    """Show every cell in a table, with its file."""
    numbers = {
        "value": "Value",
        "stand_in": "Neighbours suggest",
        "outlying": "Out of line",
        "move": "Effect moves by",
        "effect_without": "Effect without it",
        "nudge": "Raised a little",
    }
    with st.expander("All cells as a table"):
        st.dataframe(
            table,
            hide_index=True,
            column_config={"unit": "Unit", "period": "Period", "treated": "Treated"}
            | {
                name: st.column_config.NumberColumn(label, format="%.4g")
                for name, label in numbers.items()
            },
        )
    save_button(
        "Influence of every cell (CSV)",
        to_csv(table),
        "influence.csv",
        "text/csv",
        icon=":material/download:",
        key="influence file",
    )


def examined(result: Result, moves: CellMoves) -> tuple[Finding, pd.DataFrame]:
    """Give the finding and the table of all cells."""
    estimate = result.estimate
    if not moves.complete and not is_quick(estimate):
        only = most_outlying(estimate, OUTLYING)
        if only.any():
            moves = cell_moves(estimate, only=only)
    finding = Influence().judge(estimate, result.uncertainty, moves)
    return finding, cell_table(estimate, moves)


def _clicked(panel: Panel, rows: Ints) -> None:
    points = st.session_state[MAP]["selection"]["points"]
    if points:
        place, column = divmod(int(points[0]["point_index"]), panel.shape[1])
        if place < len(rows):
            st.session_state[UNIT] = unit_label(panel.units[rows[place]])
            st.session_state[PERIOD] = period_label(panel.periods[column])


def _change(att: float, spec: AnalysisSpec) -> None:
    st.session_state[BEFORE] = (repr(spec), att)
    state.set_spec(spec)


def _undo(field: str, entry: object) -> None:
    spec = state.current()
    state.change(**{field: tuple(item for item in getattr(spec, field) if item != entry)})


def _clear() -> None:
    state.change(dropped=(), skipped=(), blanked=(), smoothed=())
