"""What a page shows while its result is being worked on in another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components.analysis import Result
from components.analysis.job import Job
from components.ui import cache
from components.ui.text import md

LOOK_EVERY = 0.5  # seconds
BREATH = 5.0  # seconds
STOPPED = "stopped job"
AT_WORK = "job at work"


def wait_for(job: Job[Result]) -> None:
    """Show how far the work is, with a way to stop it; the page begins anew when it has ended.

    Parameters
    ----------
    job : Job
        Queued or running.
    """
    st.session_state[AT_WORK] = job.key

    @st.fragment(run_every=LOOK_EVERY)
    def look() -> None:
        cache.jobs().seen(cache.owner())
        if job.ended:
            st.rerun()
        st.progress(min(job.progress, 1.0), progress_words(job))
        st.button("Cancel", icon=":material/close:", key="cancel job", on_click=_stop, args=(job,))

    st.info(
        "This takes more than a moment. You can go to other pages meanwhile; the work goes on, and "
        "ends when you close the app.",
        icon=":material/hourglass_top:",
    )
    look()


def follow(job: Job[Any], name: str, stopped: str, words: Callable[[], str]) -> None:
    """Show how far work is whose results are drawn as they come in, with a way to stop it.

    Parameters
    ----------
    job : Job
        Queued or running; the page begins anew when it has ended or has something new to show.
    name : str
        Of the work, for the button's key.
    stopped : str
        Key in the session under which the key of a job that was stopped is kept.
    words : callable
        Says how far it is.
    """
    st.session_state[AT_WORK] = job.key
    shown = job.partial

    def stop() -> None:
        st.session_state[stopped] = job.key
        cache.jobs().cancel(job.key, cache.owner())

    @st.fragment(run_every=LOOK_EVERY)
    def look() -> None:
        cache.jobs().seen(cache.owner())
        if job.ended or job.partial is not shown:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(job.progress, 1.0), md(words()))
            st.button("Cancel", icon=":material/close:", key=f"cancel {name}", on_click=stop)

    look()


def forget_background(kind: str) -> None:
    """Let a page show work of its own kind itself, not the line that other pages show."""
    if str(st.session_state.get(AT_WORK, "")).startswith(f"{kind} "):
        del st.session_state[AT_WORK]


def keep_alive() -> None:
    """Show work that goes on behind another page, and let it know that somebody still waits."""
    key: str = st.session_state.get(AT_WORK, "")
    begun = cache.jobs().find(key)
    if begun is None or begun.ended:
        return

    @st.fragment(run_every=BREATH)
    def breathe() -> None:
        job = cache.jobs().find(key)
        if job is None:
            return
        cache.jobs().seen(cache.owner())
        if job.ended:
            st.caption(":material/check: The work in the background is done.")
        else:
            st.caption(f":material/hourglass_top: In the background: {progress_words(job)}.")

    breathe()


def arrived() -> None:
    """Forget the work in the background where a page has its result."""
    key = st.session_state.get(AT_WORK)
    job = None if key is None else cache.jobs().find(key)
    if job is None or job.ended:
        st.session_state.pop(AT_WORK, None)


def was_stopped(key: str) -> bool:
    """Offer to run again what the user has stopped; True where the page should end there."""
    if st.session_state.get(STOPPED) != key:
        return False
    st.info("You cancelled this analysis; nothing was computed.", icon=":material/cancel:")
    st.button("Run it again", type="primary", on_click=lambda: st.session_state.pop(STOPPED, None))
    return True


def _stop(job: Job[Result]) -> None:
    st.session_state[STOPPED] = job.key
    cache.jobs().cancel(job.key, cache.owner())


def progress_words(job: Job[Any]) -> str:
    """Say how far a job is and when it will end, or its place in the queue."""
    if job.state == "queued":
        return f"Waiting for other work on this machine: place {job.position} in the queue"
    left = job.seconds_left
    ends = "" if left is None else f", about {left:.0f} s left"
    return f"{job.progress:.0%} done after {job.seconds:.0f} s{ends}"
