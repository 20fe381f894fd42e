"""Single cells on screen: the map, the cell that was clicked, what was changed, equal fits."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Result, Words
from components.analysis.run import prepare
from components.arrays import Floats, Ints
from components.charts import influence as charts
from components.diagnostics import Finding
from components.diagnostics.cell_moves import CellMoves
from components.diagnostics.cell_refits import held
from components.diagnostics.influence import OUTLYING, Influence, cell_table
from components.panel import Panel, period_label, unit_label
from components.ui import frame, state
from components.ui.downloads import save_button, to_csv
from components.ui.influence_cell import PERIOD, UNIT
from components.ui.text import md

MAP = "influence map"
CONFIG = {"displayModeBar": False}


def changes_section(spec: AnalysisSpec, panel: Panel, whole: Panel) -> None:
    """List what is left out or replaced, each with an undo.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec.
    whole : Panel
        The whole table.
    """
    items = [
        *((f"{unit} is left out", "dropped", unit) for unit in spec.dropped),
        *((f"{period} is left out", "skipped", period) for period in spec.skipped),
        *((f"{c[0]}, {c[1]} counts as not observed", "blanked", c) for c in spec.blanked),
        *((f"{c[0]}, {c[1]} follows its neighbours", "smoothed", c) for c in spec.smoothed),
    ]
    if not items:
        return
    needs_complete = bool(spec.blanked) and _refuses_gaps(spec, panel, whole)
    with st.container(border=True):
        st.markdown("**Changed in this analysis**; the link and the script hold it too.")
        for place, (words, field, entry) in enumerate(items):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(md(words), width="stretch")
                if field == "blanked" and needs_complete:
                    st.button(
                        "Let it follow its neighbours",
                        icon=":material/timeline:",
                        key=f"smooth {place}",
                        help=f"{spec.estimator.card.title} needs a complete table.",
                        on_click=_smooth,
                        args=(entry,),
                    )
                st.button(
                    "Undo",
                    icon=":material/undo:",
                    key=f"undo {place}",
                    on_click=_undo,
                    args=(field, entry),
                )
        if len(items) > 1:
            st.button("Undo all", icon=":material/restart_alt:", key="undo all", on_click=_clear)


def meaning(moves: CellMoves, result: Result) -> str:
    """Say what dropping a cell means for this method."""
    title = result.spec.estimator.card.title
    if moves.mode == "left out":
        how = "takes tables with gaps: a cell is dropped by taking its outcome as not observed"
    else:
        how = (
            "needs a complete table: a cell is dropped by giving it the value that its neighbours "
            "suggest"
        )
    text = f"{title} {how}, and everything is fitted anew."
    if held(result.estimate) != result.spec.estimator:
        text += (
            " In the map, tuning that was chosen from the data stays as it is; the buttons choose "
            "it again."
        )
    return text


def map_section(result: Result, moves: CellMoves, words: Words) -> None:
    """Draw the map with its choice of colours; a click chooses a cell."""
    panel = result.estimate.panel
    views: dict[str, tuple[Floats, str]] = {}
    measure = f" ({words.measure})" if words.measure else ""
    title = f"The effect moves by{measure}"
    views["Dropped" if moves.mode == "left out" else "Replaced"] = (moves.dropped, title)
    views["Raised a little"] = (moves.nudged, title)
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
        + (
            " Dotted line: treatment begins."
            if panel.design.kind == "block"
            else " Short lines: treatment begins or ends."
        )
        + (f" {left} units whose cells do less are not drawn; the table has them." if left else "")
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
    finding = Influence().judge(estimate, result.uncertainty, moves)
    return finding, cell_table(estimate, moves)


def _clicked(panel: Panel, rows: Ints) -> None:
    points = st.session_state[MAP]["selection"]["points"]
    if points:
        place, column = divmod(int(points[0]["point_index"]), panel.shape[1])
        if place < len(rows):
            st.session_state[UNIT] = unit_label(panel.units[rows[place]])
            st.session_state[PERIOD] = period_label(panel.periods[column])


def _refuses_gaps(spec: AnalysisSpec, panel: Panel, whole: Panel) -> bool:
    """Tell whether the estimator would run if no cell counted as not observed."""
    if spec.estimator.why_not(panel) is None:
        return False
    return spec.estimator.why_not(prepare(spec.with_(blanked=()), whole)) is None


def _smooth(entry: tuple[str, str]) -> None:
    spec = state.current()
    left = tuple(item for item in spec.blanked if item != entry)
    state.change(blanked=left, smoothed=(*spec.smoothed, entry))


def _undo(field: str, entry: object) -> None:
    spec = state.current()
    state.change(**{field: tuple(item for item in getattr(spec, field) if item != entry)})


def _clear() -> None:
    state.change(dropped=(), skipped=(), blanked=(), smoothed=())
