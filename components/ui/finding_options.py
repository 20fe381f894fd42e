"""What a visitor can set about a diagnostic, kept in the link: a date, a filter, a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components.analysis import Result
from components.analysis.outcomes import other_outcomes
from components.analysis.views import ADJUSTED, MOST_OUTCOMES, MSPE_LIMITS
from components.diagnostics import DIAGNOSTICS, Diagnostic
from components.diagnostics.anticipation import Anticipation
from components.diagnostics.backdated import FEWEST_FITTED
from components.diagnostics.backdating import Backdating
from components.diagnostics.leave_donor_out import LeaveDonorOut
from components.diagnostics.multiplicity import Multiplicity
from components.diagnostics.placebo_units import PlaceboUnits
from components.panel import period_label
from components.ui import cache, state

MOST_BACK = 60
MAKE: dict[str, Callable[[Any], Diagnostic]] = {
    "backdating": lambda value: Backdating(periods=int(value)),
    "anticipation": lambda value: Anticipation(periods=int(value)),
    "placebo_units": lambda value: PlaceboUnits(max_mspe_ratio=float(value)),
    "leave_donor_out": lambda value: LeaveDonorOut(every=bool(value)),
    "multiplicity": lambda value: Multiplicity(outcomes=int(value)),
}


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
    return state.views().check(key) or _usual(key, result)


def options(key: str, result: Result) -> None:
    """Show what can be set about a diagnostic, if anything."""
    if key not in ADJUSTED:
        return
    value = getattr(chosen(key, result), ADJUSTED[key])
    name = f"set {key}"
    if key == "backdating":
        _date("As if first treated", key, result, value or Backdating().back(result.estimate))
    elif key == "anticipation":
        _date("Leave out from", key, result, value or Anticipation().back(result.estimate))
    elif key == "placebo_units":
        st.session_state[name] = value
        st.segmented_control(
            "Placebos whose MSPE before treatment is at most this many times the treated one's",
            MSPE_LIMITS,
            format_func=lambda limit: f"{limit:g}×" if limit else "All",
            required=True,
            key=name,
            on_change=_set,
            args=(key, result),
        )
    elif key == "leave_donor_out" and result.estimate.unit_weights is not None:
        st.session_state[name] = value
        st.toggle("Donors without weight too", key=name, on_change=_set, args=(key, result))
    elif key == "multiplicity":
        st.session_state[name] = value
        st.number_input(
            "Outcomes that you look at", 1, MOST_OUTCOMES, key=name, on_change=_set,
            args=(key, result),
        )  # fmt: skip


def usual_button(diagnostic: Diagnostic) -> None:
    """Offer the way back from a date that this panel does not have."""
    if state.views().check(diagnostic.card.key) is not None:
        st.button(
            f"{diagnostic.card.title}: back to the usual date",
            icon=":material/undo:",
            key=f"usual {diagnostic.card.key}",
            on_click=_forget,
            args=(diagnostic.card.key,),
        )


def _usual(key: str, result: Result) -> Diagnostic:
    if key != "multiplicity":
        return DIAGNOSTICS[key]()
    others = _others(result)
    return Multiplicity(min(1 + len(others), MOST_OUTCOMES), others)


def _others(result: Result) -> tuple[str, ...]:
    """List the columns that could be outcomes too, once for each table."""
    key = f"other outcomes {result.spec.columns!r} {result.spec.source}"
    known: tuple[tuple[str, ...]] | None = cache.kept(result.spec, key)
    if known is None:
        table = cache.table_of(result.spec)
        known = (() if table is None else other_outcomes(table, result.spec.columns),)
        cache.keep(result.spec, key, known)
    return known[0]


def _set(key: str, result: Result) -> None:
    _keep(key, MAKE[key](st.session_state[f"set {key}"]), result)


def _keep(key: str, diagnostic: Diagnostic, result: Result) -> None:
    """Take a setting, or forget it where it is the usual one."""
    option = ADJUSTED[key]
    if getattr(diagnostic, option) == getattr(_usual(key, result), option):
        _forget(key)
        return
    others = tuple(one for one in state.views().checks if one.card.key != key)
    state.show(checks=(*others, diagnostic))


def _forget(key: str) -> None:
    state.show(checks=tuple(one for one in state.views().checks if one.card.key != key))


def _date(label: str, key: str, result: Result, now: int) -> None:
    panel = result.estimate.panel
    n_pre = max(cohort.start for cohort in panel.design.cohorts)
    back = list(range(min(n_pre - FEWEST_FITTED, MOST_BACK), 0, -1))
    if len(back) < 2:
        return

    def words(periods: int) -> str:
        if panel.design.kind == "block":
            return period_label(panel.periods[n_pre - periods])
        return f"{periods} periods earlier" if periods > 1 else "1 period earlier"

    st.session_state[f"set {key}"] = min(max(now, back[-1]), back[0])
    st.select_slider(
        label,
        back,
        format_func=words,
        key=f"set {key}",
        on_change=_set,
        args=(key, result),
    )
