"""One cell on screen: its neighbours, what it does to the effect, and what can be left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words
from components.analysis.words import number, quantity
from components.charts import influence as charts
from components.diagnostics.cell_moves import CellMoves
from components.diagnostics.influence import OUTLYING, STILL
from components.panel import period_label, unit_label
from components.ui import changes, frame, state
from components.ui.text import md

BEFORE, UNIT, PERIOD = "effect before", "influence unit", "influence period"
CONFIG = {"displayModeBar": False}
REPLACED = "It follows its neighbours already: undo that above to see its own value."


def effect_before(result: Result, words: Words) -> None:
    """Say what the last change on this page did to the effect, and offer to see all of it."""
    kept = st.session_state.get(BEFORE)
    if kept is None or kept[0] != repr(result.spec):
        return
    earlier: Result = kept[1]
    now, before = (md(number(one.estimate.att, 4, signed=True)) for one in (result, earlier))
    measure = f" {md(words.measure)}" if words.measure else ""
    text = (
        f"The average effect is still {now}{measure}; the last change hardly moves it."
        if now == before
        else f"The average effect is now {now}{measure}; before the last change it was {before}."
    )
    st.info(text, icon=":material/compare_arrows:")
    if st.button(
        "All that changed",
        icon=":material/difference:",
        key="see changes",
        on_click=changes.keep,
        args=(earlier.spec, "before a change on the influence page", earlier),
    ):
        st.switch_page(frame.PAGES / "changes.py", query_params=state.query())


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
    for key in (UNIT, PERIOD):  # set anew, as the fields are not drawn while a result is waited for
        st.session_state[key] = st.session_state[key]
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
    if (unit_label(panel.units[row]), period_label(panel.periods[column])) in result.spec.smoothed:
        return text + REPLACED
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
            f"The average effect, {md(number(att, 4, signed=True))}, hardly depends on it. "
            if abs(move) < STILL * abs(att)
            else f"{how} the average effect is {md(number(att + move, 4, signed=True))} instead of "
            f"{md(number(att, 4, signed=True))}. "
        )
    elif not moves.complete:
        text += "What the average effect would be without it is not in the map yet. "
    elif moves.mode == "left out":
        text += "Without it there would be no effect to estimate. "
    nudge = moves.nudged[row, column]
    if np.isfinite(nudge) and abs(nudge) >= STILL * abs(att):
        text += f"One usual distance more here moves it by {md(number(nudge, signed=True))}."
    return text


def _cell_buttons(result: Result, moves: CellMoves, row: int, column: int) -> None:
    panel, spec = result.estimate.panel, result.spec
    unit, period = unit_label(panel.units[row]), period_label(panel.periods[column])
    cell = (unit, period)
    alone = panel.design.n_treated == 1 and bool(panel.design.treated[row])
    with st.container(horizontal=True):
        if moves.mode == "left out":
            reason = _why_it_stays(result, row, column)
            st.button(
                "Leave this cell out",
                icon=":material/backspace:",
                key="leave cell out",
                disabled=reason is not None,
                help=None if reason is None else md(reason),
                on_click=_change,
                args=(result, spec.with_(blanked=(*spec.blanked, cell))),
            )
        else:
            st.button(
                "Replace this cell",
                icon=":material/backspace:",
                key="replace cell",
                disabled=cell in spec.smoothed or not np.isfinite(moves.stand_ins[row, column]),
                help=REPLACED
                if cell in spec.smoothed
                else "By what its neighbours suggest; this method needs a complete table.",
                on_click=_change,
                args=(result, spec.with_(smoothed=(*spec.smoothed, cell))),
            )
        st.button(
            md(f"Leave {unit} out"),
            icon=":material/person_remove:",
            key="leave unit out",
            disabled=alone,
            help="It is the only treated unit." if alone else None,
            on_click=_change,
            args=(result, spec.with_(dropped=(*spec.dropped, unit))),
        )
        st.button(
            md(f"Leave {period} out"),
            icon=":material/event_busy:",
            key="leave period out",
            on_click=_change,
            args=(result, spec.with_(skipped=(*spec.skipped, period))),
        )


def _why_it_stays(result: Result, row: int, column: int) -> str | None:
    """Say why a cell cannot be left out, or None."""
    panel = result.estimate.panel
    if not panel.observed[row, column]:
        return "It has no outcome."
    outcomes = np.array(panel.Y)
    outcomes[row, column] = np.nan
    return result.spec.estimator.why_not(panel.with_outcomes(outcomes))


def _change(before: Result, spec: AnalysisSpec) -> None:
    st.session_state[BEFORE] = (repr(spec), before)
    state.set_spec(spec)
