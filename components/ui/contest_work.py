"""The contest of estimators at work: begun, followed, stopped, and gone on with."""

from __future__ import annotations

import streamlit as st

from components.analysis import AnalysisSpec
from components.analysis.compare import contest
from components.analysis.entrants import Contest, contest_spec
from components.analysis.job import Job
from components.ui import cache, waiting
from components.ui.guard import told

KEPT, LATEST, STOPPED = "contests", "latest contest", "stopped contest"
MOST_KEPT = 6
PACE_KNOWN = 0.1  # share done from which the time left is worth saying


def contest_of(spec: AnalysisSpec) -> tuple[Contest | None, Job[Contest] | None]:
    """Give what is known of the contest so far, and the job that goes on with it.

    Parameters
    ----------
    spec : AnalysisSpec

    Returns
    -------
    contest : Contest or None
        None while nothing is known yet.
    job : Job or None
        None where the work is done or was stopped.

    Raises
    ------
    PanelscopeError
        Where the contest cannot begin.
    """
    plain = contest_spec(spec)
    panel, _ = cache.panel_of(spec)
    key = f"contest {panel.fingerprint} {plain!r}"
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    whole: Contest | None = kept.get(key)
    if whole is not None:
        return whole, None
    latest: cache.Store = st.session_state.setdefault(LATEST, cache.Store(MOST_KEPT))
    if st.session_state.get(STOPPED) == key:
        return latest.get(key), None
    job: Job[Contest] = cache.jobs().submit_call(
        key, cache.owner(), contest, plain, panel, background=True
    )
    if job.partial is not None:
        latest.put(key, job.partial)
    if not job.ended:
        return latest.get(key), job
    if job.state == "done":
        whole = cache.jobs().take(key, cache.owner())
        kept.put(key, whole)
        return whole, None
    if job.partial is None:
        job.result()
    st.session_state[STOPPED] = key
    return job.partial, job


def progress_line(found: Contest | None, job: Job[Contest] | None) -> None:
    """Show how far the contest is, with a way to stop it; the page follows what comes in."""
    if job is not None and job.state == "failed":
        cache.jobs().forget(job.key)
        with told(stop=False):
            job.result()
    if job is not None and not job.ended:
        stage = found.stage if found is not None and found.stage else "fitting all estimators"
        said = f"{stage[:1].upper()}{stage[1:]}"
        waiting.follow(job, "contest", STOPPED, lambda: f"{said}: {_how_far(job)}.")
    elif found is None or found.stage:
        st.info(
            "The contest was stopped before it was done; what is shown is what had come in.",
            icon=":material/cancel:",
        )
        st.button(
            "Go on",
            type="primary",
            key="resume contest",
            on_click=lambda: st.session_state.pop(STOPPED, None),
        )


def _how_far(job: Job[Contest]) -> str:
    """Say how far the work is; the time left only once the pace of the fits is known."""
    if job.state == "queued" or job.progress > PACE_KNOWN:
        return waiting.progress_words(job)
    return f"{job.progress:.0%} done after {job.seconds:.0f} s"
