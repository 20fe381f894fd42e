"""Power curves on screen: kept ones, or simulated anew with the visitor's own settings."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
import streamlit as st

from components.analysis.job import Job
from components.charts.placebo_errors import GIVEN_WORDS
from components.simulation.power import PowerStudy, PowerTables, simulate, stored
from components.ui import cache, waiting

KIND_WORDS = {
    "none": "Nothing",
    "unit": "Units",
    "time": "Periods",
    "two-way": "Units and periods",
}
DEFAULT = PowerStudy()
KEPT, ASKED = "power tables", "power study"
DRAWS = (500, 2_000, 10_000, 20_000)
MOST_KEPT = 16
STEP = 0.5  # between effect sizes


def study_field() -> PowerStudy:
    """Ask for the study; without an answer it is the one whose result is kept.

    Returns
    -------
    PowerStudy
        Of the kind on screen alone, unless it is the default.
    """
    kind = st.segmented_control(
        "Errors differ in size between",
        list(KIND_WORDS),
        format_func=lambda word: KIND_WORDS[word],
        default="two-way",
        required=True,
        key="power kind",
        persist_state="session",
    )
    with (
        st.expander("Simulate a panel of your own size", icon=":material/tune:"),
        st.form("power form", border=False),
    ):
        with st.container(horizontal=True):
            units = st.number_input("Units", 5, 100, 20, key="power units")
            periods = st.number_input("Periods", 5, 100, 20, key="power periods")
            largest = st.number_input(
                "Largest effect, in standard deviations", 1.0, 8.0, 4.0, STEP, key="power largest"
            )
            draws = st.selectbox(
                "Panels to draw", DRAWS, index=1, format_func=lambda n: f"{n:,}", key="power draws"
            )
            seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="power seed")
        if st.form_submit_button("Simulate", type="primary", icon=":material/casino:"):
            effects = tuple(STEP * step for step in range(round(largest / STEP) + 1))
            st.session_state[ASKED] = PowerStudy(
                effects=effects,
                n_units=int(units),
                n_periods=int(periods),
                n_draws=int(draws),
                seed=int(seed),
            )
    asked: PowerStudy | None = st.session_state.get(ASKED)
    if asked is None:
        return PowerStudy(kinds=(kind,))
    st.button(
        "Back to the kept result",
        icon=":material/undo:",
        on_click=lambda: st.session_state.pop(ASKED, None),
    )
    return PowerStudy(
        (kind,), asked.effects, asked.n_units, asked.n_periods, asked.n_draws, seed=asked.seed
    )


def tables_of(study: PowerStudy) -> PowerTables:
    """Give the tables of a study: from the file, from this session, or from a job.

    While a job is at work the page shows its progress and ends.
    """
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    key = f"power {study!r}"
    if study == PowerStudy(kinds=study.kinds):
        return stored()
    tables: PowerTables | None = kept.get(key)
    if tables is None:
        if waiting.was_stopped(key):
            st.stop()
        job: Job[Any] = cache.jobs().submit_call(key, cache.owner(), simulate, study)
        if not job.wait(cache.PATIENCE):
            waiting.wait_for(job)
            st.stop()
        tables = cast("PowerTables", cache.jobs().take(key, cache.owner()))
        kept.put(key, tables)
    waiting.arrived()
    return tables


def of_kind(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Keep one kind of heteroskedasticity."""
    return table[table["kind"] == kind]


def size_text(effect: float) -> str:
    """Name an effect size: zero is no effect at all."""
    return "0 (no effect: size)" if effect == 0.0 else f"{effect:g} sd"


def point_metrics(curves: pd.DataFrame, effect: float) -> None:
    """Show the power of the four at one effect size, with its Monte Carlo error."""
    here = curves[curves["effect"] == effect].set_index("given")
    powers, errors = here["power"].to_dict(), here["mc_error"].to_dict()
    with st.container(horizontal=True):
        for given, name in GIVEN_WORDS.items():
            st.metric(
                name,
                f"{powers[given]:.1%}",
                delta=f"± {errors[given]:.2%} (Monte Carlo)",
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
            )


def behaviour_table(figures: pd.DataFrame) -> pd.DataFrame:
    """Lay the figures behind the curves out, one row for each variance."""
    wide = figures.pivot_table(index="given", columns="figure", values="value", sort=False)
    wide = wide.reindex(list(GIVEN_WORDS))
    wide.insert(0, "variance", [GIVEN_WORDS[given] for given in wide.index])
    return wide.reset_index(drop=True)
