"""A world with known truth on screen: chosen, simulated in the background, shown as it comes in."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from components.analysis.job import Job
from components.analysis.views import MOST_SEED, WorldView
from components.analysis.world_words import world_sentences
from components.charts.world_dots import world_dots
from components.estimators import ESTIMATORS
from components.inference.base import level_text
from components.simulation.teaching import WORLDS
from components.simulation.world_study import study_world
from components.ui import cache, frame, results, state, waiting
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

KEPT, STOPPED, SHOWN = "world tables", "stopped world", "world form shows"
FORM = ("world", "effect", "draws", "seed")
DRAWS = (20, 100, 400)
EFFECTS = tuple(step / 2 for step in range(1, 9))
MOST_KEPT = 16


def world_section() -> None:
    """Show the worlds, and what estimators find in the one that was asked for."""
    st.header("A world with a known effect")
    view = state.views().world
    _form(view or WorldView())
    if view is None:
        st.caption(
            "Panels are drawn in which the truth is known, first without an effect, then with one; "
            "five estimators look at each. Choose a world and simulate it."
        )
        return
    kind = WORLDS[view.world]
    what = (kind.__doc__ or "").splitlines()[0]
    st.markdown(f"**{kind.title}.** {md(what)} It is meant to show: {md(kind.lesson)}")
    table, job = _tables_of(view)
    if job is not None:
        waiting.follow(job, "world", STOPPED, lambda: waiting.progress_words(job))
    elif st.session_state.get(STOPPED) == _key(view):
        st.info("The simulation was cancelled.", icon=":material/cancel:")
        st.button("Go on", key="resume world", on_click=lambda: st.session_state.pop(STOPPED, None))
    if table is not None:
        _show(table, view)


def _form(view: WorldView) -> None:
    shown = {f"study {name}": getattr(view, name) for name in FORM}
    if st.session_state.get(SHOWN) != shown or "study world" not in st.session_state:
        st.session_state.update(shown)
        st.session_state[SHOWN] = shown
    with st.form("world form"), st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("World", list(WORLDS), format_func=_title, key="study world")
        for name, label, usual in (("effect", "Effect", EFFECTS), ("draws", "Panels", DRAWS)):
            options = sorted({*usual, getattr(view, name)})
            st.selectbox(label, options, format_func="{:g}".format, key=f"study {name}", width=130)
        st.number_input("Seed", 0, max(MOST_SEED, view.seed), key="study seed", width=160)
        st.form_submit_button(
            "Simulate this world", type="primary", icon=":material/casino:", on_click=_submit
        )


def _title(key: str) -> str:
    return WORLDS[key].title


def _submit() -> None:
    st.session_state.pop(STOPPED, None)
    asked = {name: st.session_state[f"study {name}"] for name in FORM}
    state.show(world=replace(state.views().world or WorldView(), **asked))


def _key(view: WorldView) -> str:
    return f"world {view!r}"


def _tables_of(view: WorldView) -> tuple[pd.DataFrame | None, Job[Any] | None]:
    """Give what is known so far, and the job that goes on with it."""
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    key = _key(view)
    table: pd.DataFrame | None = kept.get(key)
    if table is not None or st.session_state.get(STOPPED) == key:
        return table, None
    job: Job[Any] = cache.jobs().submit_call(key, cache.owner(), study_world, view)
    if job.state != "done":
        if job.ended:
            cache.jobs().forget(key)
            job.result()
        return job.partial, job
    kept.put(key, cache.jobs().take(key, cache.owner()))
    return kept.get(key), None


def _show(table: pd.DataFrame, view: WorldView) -> None:
    for sentence in world_sentences(table):
        st.markdown(md(sentence))
    st.plotly_chart(
        world_dots(table, frame.theme()),
        theme=None,
        key="world dots",
        config=results.CONFIG,
        alt=" ".join(world_sentences(table)),
    )
    st.caption(
        f"{view.draws} panels of each case, seed {view.seed}; both cases have the same noise and "
        "the same assignment. Bars: two Monte Carlo standard errors."
    )
    _numbers(table, level_text(view.level))


def _numbers(table: pd.DataFrame, level: str) -> None:
    wide = table.pivot_table(index="estimator", columns="effect", sort=False, dropna=False)
    shown = pd.DataFrame({"Estimator": [ESTIMATORS[str(key)].card.title for key in wide.index]})
    for effect in dict.fromkeys(table["effect"]):
        case = "no effect" if effect == 0.0 else "with it"
        shown[f"Average, {case}"] = wide["estimate"][effect].to_numpy()
        shown[f"Typical error, {case}"] = wide["rmse"][effect].to_numpy()
        shown[f"Zero left out, {case}"] = [
            f"{share:.0%}" if math.isfinite(share) else "–" for share in wide["found"][effect]
        ]
    config: dict[str, Any] = {}
    for name in shown.columns[1:]:
        if name.startswith("Zero"):
            config[name] = st.column_config.TextColumn(
                alignment="right",
                help=f"Share of {level} intervals without zero: false alarms where there is no "
                "effect, power where there is one. Matrix completion has no quick interval.",
            )
        else:
            config[name] = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(shown, hide_index=True, column_config=config)
    save_button(
        "World (CSV)",
        to_csv(table),
        "world.csv",
        "text/csv",
        icon=":material/download:",
        key="world file",
    )
