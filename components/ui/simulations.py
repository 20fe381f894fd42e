"""Power curves on screen: settings that stand in the link, and tables kept or simulated anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pandas as pd
import streamlit as st

from components.analysis.job import Job
from components.analysis.power_words import caveats, false_alarms, found_at
from components.analysis.views import DRAWS, LARGEST, MOST_SEED, SIZES, STEP, PowerView
from components.charts.placebo_errors import GIVEN_WORDS
from components.simulation.power import PowerStudy, PowerTables, simulate, stored
from components.ui import cache, state, waiting
from components.ui.text import md

KIND_WORDS = {
    "none": "Nothing",
    "unit": "Units",
    "time": "Periods",
    "two-way": "Units and periods",
}
KEPT = "power tables"
KIND, EFFECT, SHOWN = "power kind", "power effect", "power form shows"
FORM = ("units", "periods", "largest", "draws", "seed")
MOST_KEPT = 16
FIGURES = {
    "size": "False alarms",
    "size, quiet": "in quiet cells",
    "size, middle": "in middling cells",
    "size, noisy": "in noisy cells",
    "corr(V, true)": "Correlation with the true variance",
    "sd of V": "Spread of the variance",
    "median half-width": "Median half-width of the interval",
}


def settings(view: PowerView) -> None:
    """Show what is simulated and which effect is read off, and let both be changed.

    Parameters
    ----------
    view : PowerView
    """
    st.session_state[KIND], st.session_state[EFFECT] = view.kind, view.effect
    kind, effect = st.columns(2, gap="medium")
    kind.segmented_control(
        "Errors differ in size between",
        list(KIND_WORDS),
        format_func=lambda word: KIND_WORDS[word],
        required=True,
        key=KIND,
        on_change=lambda: _change(kind=st.session_state[KIND]),
    )
    effect.select_slider(
        "Effect size to read off",
        [STEP * step for step in range(round(view.largest / STEP) + 1)],
        format_func=size_text,
        key=EFFECT,
        on_change=lambda: _change(effect=st.session_state[EFFECT]),
    )


def study_form(view: PowerView) -> None:
    """Let a panel of another size be simulated; nothing changes before the button is pressed.

    Parameters
    ----------
    view : PowerView
    """
    shown = {f"power {name}": getattr(view, name) for name in FORM}
    if st.session_state.get(SHOWN) != shown or "power units" not in st.session_state:
        st.session_state.update(shown)
        st.session_state[SHOWN] = shown
    own = view != replace(PowerView(), kind=view.kind, effect=view.effect)
    with st.expander("Size of the panel, number of draws, seed", icon=":material/tune:"):
        with st.form("power form", border=False):
            with st.container(horizontal=True):
                st.number_input("Units", *SIZES, key="power units")
                st.number_input("Periods", *SIZES, key="power periods")
                st.selectbox(
                    "Largest effect",
                    [step * STEP for step in range(*(round(end / STEP) for end in LARGEST))]
                    + [LARGEST[1]],
                    format_func=size_text,
                    key="power largest",
                )
                st.selectbox(
                    "Panels to draw", DRAWS, format_func=lambda n: f"{n:,}", key="power draws"
                )
                st.number_input("Seed", 0, MOST_SEED, key="power seed")
            st.form_submit_button(
                "Simulate", type="primary", icon=":material/casino:", on_click=_submit
            )
        if own:
            usual = {name: getattr(PowerView(), name) for name in (*FORM, "effect")}
            st.button(
                "Back to the usual settings",
                icon=":material/undo:",
                key="power usual",
                on_click=lambda: _change(**usual),
            )


def link() -> None:
    """Offer the link to this page with its settings."""
    with st.popover("Link", icon=":material/link:", key="power link"):
        st.caption("This link opens this page with the same settings and the same numbers.")
        st.code(state.address(), language=None, wrap_lines=True)


def _submit() -> None:
    asked = {name: st.session_state[f"power {name}"] for name in FORM}
    _change(**asked, effect=min(state.views().power.effect, asked["largest"]))


def _change(**changes: Any) -> None:
    state.show(power=replace(state.views().power, **changes))


def size_text(effect: float) -> str:
    """Name an effect size."""
    return "no effect" if effect == 0.0 else f"{effect:g} sd"


def tables_of(study: PowerStudy) -> PowerTables:
    """Give the tables of a study: from the file, from this session, or from a job.

    While a job is at work the page shows its progress and ends.
    """
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    key = f"power {study!r}"
    if study == PowerStudy(kinds=study.kinds):
        tables: PowerTables | None = _of_kind(stored(), study.kinds[0])
    else:
        tables = kept.get(key)
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


def _of_kind(tables: PowerTables, kind: str) -> PowerTables:
    parts = (table[table["kind"] == kind] for table in (tables.curves, tables.behaviour))
    return PowerTables(*(part.reset_index(drop=True) for part in parts))


def verdict(tables: PowerTables, view: PowerView) -> None:
    """Say what the curves show, the case without an effect first."""
    text = md(false_alarms(tables, view.study.level))
    if view.effect > 0.0:
        text += f" **{md(found_at(tables, view.effect))}**"
    st.markdown(text)


def study_caption(study: PowerStudy) -> None:
    """Say what was simulated, and how."""
    st.caption(
        f"{study.n_draws:,} panels of {study.n_units} units by {study.n_periods} periods, seed "
        f"{study.seed}. One cell is treated, and its effect estimated by difference in "
        "differences; the placebo errors of the other cells say how large an error is usual "
        f"there, in four ways. Tests at {1 - study.level:.0%}, two-sided, t reference. Bars: two "
        "Monte Carlo errors."
    )


def caveat(tables: PowerTables) -> None:
    """Say where conditioning costs power, if it does."""
    for sentence in caveats(tables):
        st.markdown(md(sentence))


def point_metrics(curves: pd.DataFrame, effect: float) -> None:
    """Show the power of the four at one effect size, beside their false alarms."""
    at = {size: curves[curves["effect"] == size].set_index("given") for size in (0.0, effect)}
    powers, sizes = (at[size]["power"].to_dict() for size in (effect, 0.0))
    with st.container(horizontal=True):
        for given, name in GIVEN_WORDS.items():
            st.metric(
                name,
                f"{powers[given]:.1%}",
                delta="false alarms" if effect == 0.0 else f"{sizes[given]:.1%} without an effect",
                delta_color="off",
                delta_arrow="off",
                border=True,
                width="stretch",
            )


def behaviour_table(figures: pd.DataFrame) -> pd.DataFrame:
    """Lay the figures behind the curves out, one row for each variance."""
    wide = figures.pivot_table(index="given", columns="figure", values="value", sort=False)
    wide = wide.reindex(list(GIVEN_WORDS)).rename(columns=FIGURES)
    wide.insert(0, "Variance", [GIVEN_WORDS[given] for given in wide.index])
    return wide.reset_index(drop=True)
