"""Choose who was treated, from when, and who may serve as a donor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec, Treatment, Words
from components.charts import adoption
from components.panel import Panel, period_label, unit_label
from components.ui import state
from components.ui.frame import theme
from components.ui.text import md

MOST_SEEN = 11
COLUMN, HAND = "From the table", "By hand"
CLICKS = "design chart"


def treatment_fields(spec: AnalysisSpec, whole: Panel, current: Panel) -> None:
    """Choose treated units and their first treated period, from the table or by hand.

    Parameters
    ----------
    spec : AnalysisSpec
    whole : Panel
        With the treatment of the table's own column.
    current : Panel
        With the treatment of the spec, before units are dropped.
    """
    if spec.columns.treatment is not None:
        st.session_state["treatment source"] = HAND if spec.treatment else COLUMN
        st.segmented_control(
            "Treatment",
            [COLUMN, HAND],
            format_func=lambda word: (
                f"{word}: column {md(spec.columns.treatment)}" if word == COLUMN else word
            ),
            key="treatment source",
            required=True,
            on_change=_switch_source,
            args=(current,),
        )
        if spec.treatment is None:
            return
    names = [unit_label(unit) for unit in whole.units]
    periods = [period_label(period) for period in whole.periods]
    chosen = spec.treatment
    units, start = st.columns([3, 2])
    st.session_state["treated units"] = list(chosen.units) if chosen else []
    units.multiselect(
        "Treated units",
        names,
        key="treated units",
        placeholder="Choose one or more",
        on_change=_by_hand,
    )
    key = "first treated"
    if chosen is not None:
        st.session_state[key] = chosen.start
    elif st.session_state.get(key) not in periods:
        st.session_state[key] = periods[2 * len(periods) // 3]
    start.selectbox(
        "First treated period",
        periods[1:],
        key=key,
        on_change=_by_hand,
        help="The treated units count as treated from this period to the end.",
    )


def clickable_outcomes(panel: Panel, words: Words) -> None:
    """Draw all outcomes; where all start together, a click on a period makes it the first."""
    one_date = panel.design.kind in ("none", "block")
    figure = adoption.outcomes(panel, words.axis, theme())
    common: dict[str, Any] = {
        "theme": None,
        "config": {"displayModeBar": False},
        "alt": f"{words.outcome} of every unit over time, the treated in front",
    }
    if not one_date:
        # A click would give all units one date without a word; that is chosen by hand.
        st.plotly_chart(figure, key="design picture", **common)
        return
    st.plotly_chart(
        figure, key=CLICKS, on_select=lambda: _clicked(panel), selection_mode="points", **common
    )
    what = "its period the first treated one"
    if panel.design.kind == "none":
        what += " of the units that you choose"
    st.caption(f"Click a point of the dark line to make {what}.")


def donor_table(spec: AnalysisSpec, panel: Panel) -> None:
    """Show the units that were never treated, each with a tick that keeps it as a donor.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        With the treatment of the spec, before units are dropped.
    """
    table = _donors(panel).dropna(axis="columns", how="all")
    names = table["unit"].tolist()
    key = _editor_key(spec, names)
    table.insert(0, "donor", ~table["unit"].isin(st.session_state[f"{key} base"]))
    st.data_editor(
        table,
        key=key,
        hide_index=True,
        disabled=[column for column in table.columns if column != "donor"],
        height="content" if len(table) <= MOST_SEEN else 420,
        column_config={
            "donor": st.column_config.CheckboxColumn("Donor", width="small"),
            "unit": "Unit",
            "before": st.column_config.NumberColumn("Mean before", format="%.4g"),
            "correlation": st.column_config.NumberColumn("Correlation before", format="%.2f"),
            "missing": st.column_config.NumberColumn("Missing cells"),
        },
        on_change=_ticked,
        args=(key, names),
        alt="Donors: untick a unit to leave it out",
    )
    left_out = [name for name in names if name in spec.dropped]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{len(names) - len(left_out)} of {len(names)} serve as donors. Untick a unit that "
            "the treatment may have reached too, or that had a shock of its own."
        )
        if left_out:
            st.button(
                "Take all back",
                on_click=lambda: state.change(
                    dropped=tuple(name for name in spec.dropped if name not in names)
                ),
            )


def window_fields(spec: AnalysisSpec, whole: Panel) -> None:
    """Choose the first and last period that enter."""
    periods = [period_label(period) for period in whole.periods]
    first, last = spec.window or (periods[0], periods[-1])
    ends = {
        "first period": (first, "First period that enters"),
        "last period": (last, "Last period that enters"),
    }
    for place, (key, (value, label)) in zip(st.columns(2), ends.items(), strict=True):
        st.session_state[key] = value if value in periods else None
        place.selectbox(label, periods, key=key, on_change=_new_window, args=(periods,))


def _new_window(periods: list[str]) -> None:
    chosen = (st.session_state["first period"], st.session_state["last period"])
    state.change(window=None if chosen == (periods[0], periods[-1]) else chosen)


def _switch_source(current: Panel) -> None:
    if st.session_state["treatment source"] == COLUMN:
        state.change(treatment=None)
        return
    design = current.design
    units = tuple(unit_label(unit) for unit in current.units[design.treated])
    start = period_label(current.periods[min(design.n_pre, current.shape[1] - 1)])
    state.change(treatment=Treatment(units, start))


def _by_hand() -> None:
    units = tuple(st.session_state["treated units"])
    start = st.session_state["first treated"]
    state.change(treatment=Treatment(units, start) if units else None)


def _clicked(panel: Panel) -> None:
    points = st.session_state[CLICKS]["selection"]["points"]
    if not points:
        return
    label = str(points[0]["customdata"])
    units = tuple(unit_label(unit) for unit in panel.units[panel.design.treated])
    if units:
        state.change(treatment=Treatment(units, label))
    else:
        st.session_state["first treated"] = label


def _donors(panel: Panel) -> pd.DataFrame:
    design = panel.design
    before = slice(0, design.n_pre if design.n_treated else panel.shape[1])
    rows = np.flatnonzero(~design.treated)
    treated = panel.Y[design.treated][:, before]
    average = treated.mean(axis=0) if design.n_treated else np.full(panel.shape[1], np.nan)
    return pd.DataFrame(
        {
            "unit": [unit_label(unit) for unit in panel.units[rows]],
            "before": [_mean(panel.Y[row, before]) for row in rows],
            "correlation": [_correlation(panel.Y[row, before], average) for row in rows],
            "missing": (~panel.observed[rows]).sum(axis=1),
        }
    )


def _mean(values: Any) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if seen.size else float("nan")


def _correlation(one: Any, other: Any) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3 or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return float("nan")
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _editor_key(spec: AnalysisSpec, names: list[str]) -> str:
    """Name the editor anew where the ticks were changed by anything but itself.

    Its ticks are changes to a base; while base and changes give the spec's donors it is left alone.
    """
    left_out = {name for name in spec.dropped if name in set(names)}
    memory = st.session_state.setdefault("donor editor", {"number": 0, "names": None})
    key = f"donors {memory['number']}"
    if memory["names"] != names or _unticked(key, names) != left_out:
        memory["number"] += 1
        memory["names"] = names
        key = f"donors {memory['number']}"
        st.session_state[f"{key} base"] = left_out
    return key


def _unticked(key: str, names: list[str]) -> set[str]:
    out = set(st.session_state.get(f"{key} base", set()))
    edits = st.session_state.get(key, {}).get("edited_rows", {})
    for row, changed in edits.items():
        if "donor" in changed and int(row) < len(names):
            (out.discard if changed["donor"] else out.add)(names[int(row)])
    return out


def _ticked(key: str, names: list[str]) -> None:
    others = tuple(name for name in state.current().dropped if name not in set(names))
    out = _unticked(key, names)
    state.change(dropped=others + tuple(name for name in names if name in out))
