"""Influence: which cells carry the effect, and which other weights fit as well."""

import streamlit as st

from components.ui import (
    cache,
    equal_fits,
    frame,
    influence,
    influence_cell,
    influence_work,
    methods,
    waiting,
)
from components.ui.text import md

waiting.forget_background("moves")
spec = frame.enter("influence")
panel, words = frame.panel_in_frame(spec)

st.title("Which cells carry the effect?")
influence.changes_section(spec, panel, cache.panel_of(spec)[0])
methods.estimator_switch(spec)
result = frame.result_in_frame(spec)
influence_cell.effect_before(result, words)

moves, job = influence_work.moves_of(result)
influence_work.progress_line(result, moves, job)
finding, table = influence.examined(result, moves)
equal_fits.finding_line(finding)

picture, cell = st.columns([3, 2], gap="large")
with picture:
    influence.map_section(result, moves, words)
with cell:
    influence_cell.cell_section(result, moves, words, table)
st.caption(
    md(
        f"{influence.meaning(moves, result)} The neighbours are the nearest six cells of the same "
        "unit, all treated or all untreated; they suggest a value by the line of Theil and Sen, "
        "after the middle change of the untreated units is taken off."
    )
)
influence.all_cells(table)
equal_fits.equal_section(result, words)
frame.script_button(result, words)
