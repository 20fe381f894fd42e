"""What a visitor can set about a diagnostic: a date, a filter, how many outcomes."""

from __future__ import annotations

import streamlit as st

from components.analysis import Result
from components.diagnostics import DIAGNOSTICS, Diagnostic
from components.diagnostics.anticipation import Anticipation
from components.diagnostics.backdated import FEWEST_FITTED
from components.diagnostics.backdating import Backdating
from components.diagnostics.leave_donor_out import LeaveDonorOut
from components.diagnostics.multiplicity import Multiplicity
from components.diagnostics.placebo_units import PlaceboUnits
from components.panel import period_label

FILTERS = {0.0: "All", 20.0: "20×", 5.0: "5×", 2.0: "2×"}
MOST_BACK = 60
MOST_OUTCOMES = 50


def chosen(key: str, result: Result) -> Diagnostic:
    """Give a diagnostic with the visitor's settings.

    Parameters
    ----------
    key : str
        Of ``DIAGNOSTICS``.
    result : Result

    Returns
    -------
    Diagnostic
    """
    value = st.session_state.get(_name(key, result))
    if value is not None:
        if key == "backdating":
            return Backdating(periods=int(value))
        if key == "anticipation":
            return Anticipation(periods=int(value))
        if key == "placebo_units":
            return PlaceboUnits(max_mspe_ratio=float(value))
        if key == "leave_donor_out":
            return LeaveDonorOut(every=bool(value))
        if key == "multiplicity":
            return Multiplicity(outcomes=int(value))
    return DIAGNOSTICS[key]()


def options(key: str, result: Result) -> None:
    """Show what can be set about a diagnostic, if anything."""
    name = _name(key, result)
    if key == "backdating":
        _date("As if first treated", name, result, Backdating().back(result.estimate))
    elif key == "anticipation":
        _date("Leave out from", name, result, Anticipation().back(result.estimate))
    elif key == "placebo_units":
        st.segmented_control(
            "Placebos whose MSPE before treatment is at most this many times the treated one's",
            list(FILTERS),
            format_func=lambda limit: FILTERS[limit],
            default=0.0,
            required=True,
            key=name,
            persist_state="session",
        )
    elif key == "leave_donor_out" and result.estimate.unit_weights is not None:
        st.toggle("Donors without weight too", key=name, persist_state="session")
    elif key == "multiplicity":
        st.number_input(
            "Outcomes that you look at", 1, MOST_OUTCOMES, 1, key=name, persist_state="session"
        )


def _date(label: str, name: str, result: Result, usual: int) -> None:
    panel = result.estimate.panel
    n_pre = max(cohort.start for cohort in panel.design.cohorts)
    back = list(range(min(n_pre - FEWEST_FITTED, MOST_BACK), 0, -1))
    if len(back) < 2:
        return

    def words(periods: int) -> str:
        if panel.design.kind == "block":
            return period_label(panel.periods[n_pre - periods])
        return f"{periods} periods earlier" if periods > 1 else "1 period earlier"

    st.select_slider(
        label,
        back,
        value=min(max(usual, back[-1]), back[0]),
        format_func=words,
        key=name,
        persist_state="session",
    )


def _name(key: str, result: Result) -> str:
    """Name the widget; a date belongs to one panel."""
    dated = key in ("backdating", "anticipation")
    return f"set {key} {result.estimate.panel.fingerprint[:12]}" if dated else f"set {key}"
