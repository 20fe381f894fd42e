"""Beside an interval: how often such intervals hold zero on this panel's own placebos."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import streamlit as st

from components.analysis import Result, Words
from components.analysis.job import Job
from components.analysis.sureness import honest_sentence, placebos_sentence
from components.charts.honesty import placebo_intervals
from components.inference.honesty import (
    ITSELF_A_PLACEBO_TEST,
    Honesty,
    honesty,
    why_no_honesty,
)
from components.inference.recalibration import recalibrated
from components.ui import cache, frame
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told
from components.ui.text import md
from components.ui.waiting import LOOK_EVERY, progress_words

ASKED, RECALIBRATE = "honesty asked", "recalibrate"
BY_ITSELF = ("placebo_variance", "t_test", "conditional", "jackknife")
MOST, MOST_SLOW = 100, 40  # placebos


def shown(result: Result) -> Result:
    """Give the result as it should be shown: recalibrated where that is asked for and can be."""
    honest = _kept(result)
    if honest is None or not st.session_state.get(RECALIBRATE) or honest.tautological:
        return result
    assert result.uncertainty is not None
    uncertainty = recalibrated(result.uncertainty, honest)
    return result if uncertainty is None else replace(result, uncertainty=uncertainty)


def meter(result: Result, words: Words) -> None:
    """Show the coverage on placebos, the work on it, or a button that starts that.

    Parameters
    ----------
    result : Result
        As it was computed, not recalibrated.
    words : Words
    """
    if result.uncertainty is None or result.uncertainty.interval is None:
        return
    with st.container(border=True):
        honest = _kept(result)
        if honest is not None:
            _tell(result, honest, words)
            return
        reason = why_no_honesty(result.estimate)
        if reason is not None:
            st.caption(md(f"Coverage on this panel's own placebos is not known. {reason}"))
            return
        key = _key(result)
        job = cache.jobs().find(key)
        if job is None and not _is_asked(result, key):
            _offer(result, key)
            return
        if job is None:
            job = cache.jobs().submit_call(
                key,
                cache.owner(),
                honesty,
                result.estimate,
                result.uncertainty.method,
                result.spec.level,
                _number(result),
                result.spec.seed,
            )
        _follow(job, result)


def _key(result: Result) -> str:
    return f"honesty {cache.job_key(result.spec)}"


def _kept(result: Result) -> Honesty | None:
    if result.uncertainty is None:
        return None
    return cast("Honesty | None", cache.kept(result.spec, f"honesty {result.spec!r}"))


def _number(result: Result) -> int:
    assert result.uncertainty is not None
    method = result.uncertainty.method.card.key
    quick = result.spec.estimator.card.key in cache.QUICK
    return MOST if quick and method in (*BY_ITSELF, *ITSELF_A_PLACEBO_TEST) else MOST_SLOW


def _is_asked(result: Result, key: str) -> bool:
    asked = st.session_state.get(ASKED, {})
    if key in asked:
        return bool(asked[key])
    quick = cache.is_quick(result.spec.with_(inference=None), result.estimate.panel)
    assert result.uncertainty is not None
    return quick and result.uncertainty.method.card.key in BY_ITSELF


def _ask(key: str, *, wanted: bool) -> None:
    st.session_state[ASKED] = {**st.session_state.get(ASKED, {}), key: wanted}


def _offer(result: Result, key: str) -> None:
    assert result.uncertainty is not None
    if result.uncertainty.method.card.key in ITSELF_A_PLACEBO_TEST:
        st.caption(
            "Is the level kept? This interval is itself made from placebos of this panel, so it "
            "holds zero for about as many of them as it says. That is no proof for the treated, "
            "which may be unlike them."
        )
        label = "Count it all the same"
    else:
        st.caption(
            "Is the level kept? Apply the same method to units that were never treated, where the "
            "true effect is zero, and count how often the interval holds zero."
        )
        label = f"Try it on up to {_number(result)} placebos"
    st.button(label, icon=":material/speed:", key="ask honesty", on_click=_wish, args=(key,))


def _wish(key: str) -> None:
    _ask(key, wanted=True)


def _stop(key: str) -> None:
    _ask(key, wanted=False)
    cache.jobs().cancel(key, cache.owner())


def _follow(job: Job[Any], result: Result) -> None:
    """Show how far the work is, and take its result when it is done; the page goes on."""

    @st.fragment(run_every=LOOK_EVERY if not job.ended else None)
    def look() -> None:
        cache.jobs().seen(cache.owner())
        if not job.ended:
            st.progress(
                min(job.progress, 1.0), f"Counting coverage on placebos: {progress_words(job)}"
            )
            st.button(
                "Cancel",
                icon=":material/close:",
                key="cancel honesty",
                on_click=_stop,
                args=(job.key,),
            )
        elif job.state == "done":
            cache.keep(result.spec, f"honesty {result.spec!r}", job.result())
            st.rerun()
        elif job.state == "cancelled":
            st.rerun()
        else:
            with told(stop=False):
                job.result()

    look()


def _tell(result: Result, honest: Honesty, words: Words) -> None:
    st.markdown(f":material/speed: **{md(honest_sentence(honest))}**")
    assert result.uncertainty is not None
    if not honest.tautological:
        possible = recalibrated(result.uncertainty, honest)
        if possible is None:
            st.caption("Too few placebos to recalibrate the band at this level.")
        else:
            st.toggle(
                f"Recalibrate: half-widths times {possible.details['recalibrated']:.2f}",
                key=RECALIBRATE,
                persist_state="session",
                help="As wide as all but the most extreme placebos need, so that the share that "
                "is covered, the treated counted among them, is nominal. Few placebos need more "
                "width for the same level. The band has a factor for each period.",
            )
    with st.expander("What was tried"):
        st.caption(md(placebos_sentence(result, honest, words)))
        st.plotly_chart(
            placebo_intervals(honest, words, frame.theme()),
            theme=None,
            key="placebo intervals",
            config={"displayModeBar": False},
            alt=honest_sentence(honest),
        )
        st.caption(
            "Placebos share donors, so they are not independent: the error is likely larger than "
            "said."
        )
        save_button(
            "Placebo intervals (CSV)",
            to_csv(honest.placebos),
            "placebo_intervals.csv",
            "text/csv",
            icon=":material/download:",
            key="placebo intervals file",
        )
