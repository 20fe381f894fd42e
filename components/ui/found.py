"""What was found in a table: its panel, its cells, and the list of all that was done to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import streamlit as st

from components.charts.cells import cell_map, shown_rows
from components.data import Check, Ledger, Roles, Survey, Table, open_question, survey, to_panel
from components.data.roles import Gaps
from components.panel import Panel
from components.ui import cache
from components.ui.downloads import save_button, to_csv
from components.ui.frame import theme
from components.ui.text import md

PREVIEW_ROWS = 20
LISTED = 500
GAPS: dict[Gaps | None, str] = {
    None: "Keep them, for methods that allow gaps",
    "drop_units": "Leave out units with a gap",
    "drop_periods": "Leave out periods with a gap",
    "interpolate": "Interpolate between known outcomes",
}
BADGES: dict[str, Literal["green", "orange", "red"]] = {
    "good": "green",
    "caution": "orange",
    "bad": "red",
}


def once(key: str, make: Callable[[], Any]) -> Any:
    """Give what was made before in this session, or make it."""
    store: cache.Store = st.session_state.setdefault("data page", cache.Store(10))
    value = store.get(key)
    if value is None:
        value = make()
        store.put(key, value)
    return value


def panel_once(table: Table, roles: Roles) -> tuple[Panel, Ledger]:
    """Build the panel of a table, or give the one that was built a moment ago."""
    pair: tuple[Panel, Ledger] = once(
        f"panel {name_of(table)} {roles!r}", lambda: to_panel(table, roles)
    )
    return pair


def survey_once(table: Table, roles: Roles) -> Survey | None:
    """Look at every cell; None where a question is still open."""
    found: list[Survey] = []
    key = f"survey {name_of(table)} {roles!r}"
    open_question(lambda: found.append(once(key, lambda: survey(table, roles))))
    return found[0] if found else None


def name_of(table: Table) -> str:
    """Name a table for keys."""
    return f"{table.digest[:16]} {hash(table.reading):x}"


def gaps_field(roles: Roles, mark: str) -> Roles:
    """Choose what becomes of cells without an outcome; nothing is done unless it is chosen."""
    options: list[Gaps | None] = [*GAPS]
    chosen = st.radio(
        "Cells without an outcome",
        options,
        index=options.index(roles.gaps),
        format_func=GAPS.__getitem__,
        horizontal=True,
        key=f"gaps {mark}",
        help="Interpolation draws a straight line in time between the outcomes before and after a "
        "gap, and never across the start of treatment.",
    )
    return replace(roles, gaps=chosen)


def checks_list(checks: tuple[Check, ...]) -> None:
    """Show what was looked at, the worst first."""
    for check in checks:
        with st.container(horizontal=True, wrap=False):
            st.badge(check.verdict, color=BADGES[check.verdict])
            cure = f" *{md(check.cure)}*" if check.cure else ""
            st.markdown(md(check.sentence) + cure, width="stretch")


def map_of_cells(found: Survey) -> None:
    """Draw every cell of the table; odd ones name their lines when pointed at."""
    panel: Panel = found.panel
    st.plotly_chart(
        cell_map(panel, found.counts, found.odd, theme()),
        theme=None,
        key="map of cells",
        config={"displayModeBar": False},
        alt="Units by periods: treated, untreated, missing and repeated cells",
    )
    shown = len(shown_rows(panel, found.counts))
    some = f"{shown} of {panel.shape[0]} units. " if shown < panel.shape[0] else ""
    if found.odd:
        st.caption(f"{some}Point at a cell to see its lines in the file.")
        with st.expander(f"List of missing and repeated cells ({len(found.odd):,})"):
            rows = [
                (*panel.cell_name(*cell).rsplit(", ", 1), text)
                for cell, text in list(found.odd.items())[:LISTED]
            ]
            st.dataframe(
                pd.DataFrame(rows, columns=["Unit", "Period", "What"]), hide_index=True, height=240
            )
    elif some:
        st.caption(some)


def preview(table: Table) -> None:
    """Show the first rows as they were read: as text, before anything is converted."""
    rows = table.text.head(PREVIEW_ROWS)
    st.dataframe(pd.DataFrame(rows), hide_index=True, height=280)
    st.caption(
        f"The first {len(rows)} of {len(table.text):,} rows, as text: nothing is converted yet."
    )


def ledger_list(ledger: Ledger) -> None:
    """List all that was read, converted, filled in, left out or found missing, and offer it."""
    for entry in ledger:
        places = f" ({md(', '.join(entry.places[:3]))})" if entry.places else ""
        st.markdown(f"- {md(entry.sentence)}{places}")
    rows = [(e.kind, e.sentence, e.count, "; ".join(e.places)) for e in ledger]
    save_button(
        "This list (CSV)",
        to_csv(pd.DataFrame(rows, columns=["kind", "what happened", "count", "first places"])),
        "what_was_read.csv",
        "text/csv",
        icon=":material/download:",
        key="ledger file",
    )
