"""The specification curve on screen: the curve, which choices matter, and placebo curves."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st

from components.analysis import Result, Words
from components.analysis.curve_test import curve_test, in_common
from components.analysis.curve_words import (
    by_option,
    curve_sentence,
    how_placebos_are_made,
    what_matters,
    what_p_is,
    with_declared,
)
from components.analysis.curve_worlds import Fits
from components.analysis.job import Job
from components.analysis.specification import (
    curve,
    is_quick,
    placebo_curves,
    placebo_places,
    why_no_placebos,
)
from components.analysis.words import number, percent
from components.charts import specification as charts
from components.estimators import ESTIMATORS
from components.panel import Panel
from components.ui import cache, frame, waiting
from components.ui.downloads import save_button, to_csv
from components.ui.text import md

SLOWER = ("mc", "trop")
MOST_INLINE = 5000  # cells
EXTRA, ASKED = "slower estimators", "placebo curves asked"
CONFIG = {"displayModeBar": False}


def slower_field(panel: Panel) -> tuple[str, ...]:
    """Offer estimators that take long, with all donors and every window and scale."""
    able = [key for key in SLOWER if ESTIMATORS[key]().why_not(panel) is None]
    if not able:
        return ()
    chosen = st.multiselect(
        "Add estimators that take longer",
        able,
        format_func=lambda key: ESTIMATORS[key].card.title,
        key=EXTRA,
        placeholder="None",
        persist_state="session",
    )
    return tuple(chosen)


def curve_of(result: Result, words: Words, extra: tuple[str, ...]) -> pd.DataFrame:
    """Give the curve, at once or from a job, with the declared specification marked."""
    panel = result.estimate.panel
    key = f"curve {cache.job_key(result.spec.with_(inference=None))} {extra}"
    quick = is_quick(panel) and panel.design.kind != "staggered"
    quick = quick and panel.Y.size <= MOST_INLINE and not extra
    table = _work(key, curve, panel, words.in_logs, extra, inline=quick)
    return with_declared(table, result)


def curve_section(table: pd.DataFrame, words: Words) -> None:
    """Show the curve and what its choices do."""
    st.markdown(md(curve_sentence(table, words)))
    options = by_option(table)
    st.markdown(md(what_matters(options)))
    st.plotly_chart(
        charts.specification_curve(table, words, frame.theme()),
        theme=None,
        key="specification curve",
        config=CONFIG,
        alt=curve_sentence(table, words),
    )
    st.caption(
        "Each column is one specification: its effect above, its choices below. Every effect is "
        "in the units of the outcome: the counterfactual is fitted in the scale that is named, "
        "put back, and then compared. Stops early: the last tenth of the time before treatment is "
        "not used, in case units reacted early. Quarters of donors go by their average before "
        "treatment. Estimators have their default options."
    )
    with st.expander("The effects under each option"):
        st.dataframe(
            options,
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(name.capitalize(), format="%.4g")
                for name in ("lowest", "median", "highest")
            },
        )
    save_button(
        "All specifications (CSV)",
        to_csv(table.drop(columns="place")),
        "specifications.csv",
        "text/csv",
        icon=":material/download:",
        key="specifications file",
    )


def placebo_section(result: Result, words: Words) -> None:
    """Compare the whole curve with those of other units in the place of the treated ones."""
    panel, seed = result.estimate.panel, result.spec.seed
    block = panel.design.kind == "block"
    st.header(
        "Would units that were never treated give such a curve?"
        if block
        else "Would another assignment of treatment give such a curve?"
    )
    reason = why_no_placebos(panel)
    if reason is not None:
        st.info(md(reason), icon=":material/info:")
        return
    key = f"placebos {cache.job_key(result.spec.with_(inference=None))}"
    done = _kept().get(key)
    if done is None and st.session_state.get(ASKED) != key:
        st.button(
            "Fit the placebo curves",
            type="primary",
            icon=":material/play_arrow:",
            key="fit placebo curves",
            on_click=lambda: st.session_state.update({ASKED: key}),
        )
        st.caption(md(how_placebos_are_made(panel)))
        return
    fits: Fits = _work(key, placebo_curves, panel, words.in_logs, seed, inline=False)
    plain = curve_of(result, words, ())
    own, fits = in_common(plain, fits, placebo_places(panel, words.in_logs))
    test = curve_test(own["effect"].to_numpy(), own["ratio"].to_numpy(), fits)
    st.markdown(_sentence(test, *fits.effects.shape, block=block))
    st.plotly_chart(
        charts.placebo_curves(own["effect"].to_numpy(), fits.effects, words, frame.theme()),
        theme=None,
        key="placebo curves",
        config=CONFIG,
        alt="The sorted effects of the treated in front of those of the placebos",
    )
    st.dataframe(
        test,
        hide_index=True,
        column_config={
            "summary": "Summary of the curve",
            "value": st.column_config.NumberColumn("The treated", format="%.3g"),
            "placebo_median": st.column_config.NumberColumn("Middle placebo", format="%.3g"),
            "p_value": st.column_config.NumberColumn("p", format="%.3f"),
            "smallest_p": st.column_config.NumberColumn("Smallest possible p", format="%.3f"),
        },
    )
    st.caption(md(f"{how_placebos_are_made(panel)} {what_p_is(panel, test, len(fits.effects))}"))
    every = np.vstack([own["effect"].to_numpy(), fits.effects])
    names = ["actual", *(f"placebo {place}" for place in range(1, len(every)))]
    drawn = pd.DataFrame(charts.curve_quantiles(every).T, columns=names)
    save_button(
        "Curves (CSV)",
        to_csv(drawn),
        "placebo_curves.csv",
        "text/csv",
        icon=":material/download:",
        key="placebo curves file",
    )
    save_button(
        "Test of the curve (CSV)",
        to_csv(test),
        "curve_test.csv",
        "text/csv",
        icon=":material/download:",
        key="curve test file",
    )


def _sentence(test: pd.DataFrame, n_placebos: int, n_choices: int, *, block: bool) -> str:
    by_name = test.set_index("summary")
    median, share, stands = (by_name.loc[name] for name in by_name.index)
    what = "placebo curves" if block else "curves of other assignments"
    text = (
        f"Against {n_placebos} {what}, over {n_choices} specifications: the size of the middle "
        f"effect, {number(median['value'])}, has p = {median['p_value']:.3f}; the share of effects "
        f"with one sign, {percent(share['value'])}, has p = {share['p_value']:.3f}; the share of "
        f"specifications in which it stands out, {percent(stands['value'])}, has "
        f"p = {stands['p_value']:.3f}. The smallest possible p is {median['smallest_p']:.3f}."
    )
    return f"**{md(text)}**"


def _work(key: str, function: Any, *args: Any, inline: bool) -> Any:
    """Give what a function returns, kept, computed at once, or from a job."""
    kept = _kept()
    value = kept.get(key)
    if value is not None:
        return value
    if inline:
        value = function(*args)
    else:
        if waiting.was_stopped(key):
            st.stop()
        job: Job[Any] = cache.jobs().submit_call(key, cache.owner(), function, *args)
        if not job.wait(cache.PATIENCE):
            waiting.wait_for(cast("Job[Result]", job))
            st.stop()
        value = cache.jobs().take(key, cache.owner())
    waiting.arrived()
    kept.put(key, value)
    return value


def _kept() -> cache.Store:
    store: cache.Store = st.session_state.setdefault("curves", cache.Store(12))
    return store
