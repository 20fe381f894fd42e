"""Findings on screen: how they come in, their verdict, and one line for other pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pandas as pd
import streamlit as st

from components.analysis import Result, Words
from components.analysis.job import Job
from components.analysis.words import treated_names
from components.diagnostics import (
    DIAGNOSTICS,
    QUICK,
    Diagnostic,
    Finding,
    Verdict,
    examine,
    failures_first,
)
from components.estimators.base import FastPlacebos
from components.ui import cache, finding_options, frame, state, waiting
from components.ui.finding_cards import BADGES, record
from components.ui.text import md

COUNTS: dict[Verdict, tuple[str, str]] = {
    "bad": ("problem", "problems"),
    "caution": ("caution", "cautions"),
    "unknown": ("cannot tell", "cannot tell"),
    "good": ("good", "good"),
}
KEPT, MOST_KEPT = "findings", 400
INLINE_CELLS = 3000
STRIP_CELLS = 10_000
LOOKS_ONLY = ("fit", "concentration", "time_support", "missingness", "balance", "few_treated")


def asked(result: Result) -> tuple[list[Diagnostic], list[tuple[Diagnostic, str]]]:
    """Sort the diagnostics, as they are set, into those that apply and those that do not.

    Parameters
    ----------
    result : Result

    Returns
    -------
    apply : list of Diagnostic
    refuse : list of (Diagnostic, str)
        With the reason of each.
    """
    apply: list[Diagnostic] = []
    refuse: list[tuple[Diagnostic, str]] = []
    for key in DIAGNOSTICS:
        diagnostic = finding_options.chosen(key, result)
        reason = diagnostic.why_not(result.estimate)
        if reason is None:
            apply.append(diagnostic)
        else:
            refuse.append((diagnostic, reason))
    return apply, refuse


def findings_of(result: Result, diagnostics: Sequence[Diagnostic]) -> list[Finding]:
    """Give the findings that are there, and let the others be worked on.

    While a job is at work its progress is shown, with a way to stop it.

    Parameters
    ----------
    result : Result
    diagnostics : sequence of Diagnostic
        That apply.

    Returns
    -------
    list of Finding
        Failures first; without those that are still being worked on.
    """
    later = [one for one in diagnostics if not _inline(one, result) and _kept(one, result) is None]
    if later:
        _work(tuple(later), result)
    found = []
    for one in diagnostics:
        finding = _kept(one, result)
        if finding is None and one not in later:
            finding = _look(one, result)
        if finding is not None:
            found.append(finding)
    return failures_first(found)


def verdict(findings: Sequence[Finding], n_asked: int) -> None:
    """Say in one sentence how many failed, and which failure is the worst.

    Parameters
    ----------
    findings : sequence of Finding
        Failures first.
    n_asked : int
        How many apply.
    """
    open_ = n_asked - len(findings)
    text = f"**{counts(findings)}.**"
    if findings and findings[0].verdict in ("bad", "caution"):
        text += f" Look first at: {md(findings[0].title).lower()}."
    if open_:
        text += f" {open_} {'is' if open_ == 1 else 'are'} not there yet."
    st.markdown(text)
    st.caption(
        "Each check tries to break the result. One that fails says what to do; passing them all "
        "does not show that the model is right. Point at a badge to see how often it is wrong."
    )


def counts(findings: Sequence[Finding]) -> str:
    """Count the findings by verdict, failures first: "1 problem, 2 cautions, 9 good"."""
    tally = Counter(finding.verdict for finding in findings)
    parts = [f"{tally[key]} {word[tally[key] != 1]}" for key, word in COUNTS.items() if tally[key]]
    return ", ".join(parts) if parts else "Nothing is known yet"


def as_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Give all findings as a table, one row each."""
    rows = [
        (finding.title, BADGES[finding.verdict][0], finding.sentence, finding.advice)
        for finding in findings
    ]
    return pd.DataFrame(rows, columns=["check", "verdict", "finding", "what_to_do"])


def strip(result: Result, words: Words) -> None:
    """Say in one line what the quick checks find, with a link to all of them.

    Parameters
    ----------
    result : Result
    words : Words
        Of the result.
    """
    large = result.estimate.panel.Y.size > STRIP_CELLS
    keys = LOOKS_ONLY if large else tuple(key for key in DIAGNOSTICS if key in QUICK)
    apply, _ = asked(result)
    found = failures_first([_look(one, result) for one in apply if one.card.key in keys])
    if not found:
        return
    worst = found[0]
    line = st.container(
        horizontal=True, wrap=False, vertical_alignment="center", key="findings strip"
    )
    with line:
        label, icon, colour = BADGES[worst.verdict]
        st.badge(label, icon=icon, color=colour, help=record(worst, result))
        who = treated_names(result.estimate.panel, words)
        text = f"**{len(found)} quick checks of {md(who)}: {counts(found)}.**"
        if worst.verdict in ("bad", "caution"):
            text += f" Look first at: {md(worst.title).lower()}."
        st.markdown(text, width="stretch")
        st.page_link(
            frame.PAGES / "diagnose.py",
            label="Can I trust it?",
            icon=":material/stethoscope:",
            query_params=state.query(),
        )


def _store() -> cache.Store:
    kept: cache.Store = st.session_state.setdefault(KEPT, cache.Store(MOST_KEPT))
    return kept


def _key(diagnostic: Diagnostic, result: Result) -> str:
    return f"{diagnostic!r} {cache.job_key(result.spec)}"


def _kept(diagnostic: Diagnostic, result: Result) -> Finding | None:
    return cast("Finding | None", _store().get(_key(diagnostic, result)))


def _look(diagnostic: Diagnostic, result: Result) -> Finding:
    finding = _kept(diagnostic, result)
    if finding is None:
        finding = examine((diagnostic,), result.estimate, result.uncertainty)[0]
        _store().put(_key(diagnostic, result), finding)
    return finding


def _inline(diagnostic: Diagnostic, result: Result) -> bool:
    """Tell whether looking takes a moment only, so that no process is worth its start."""
    key, estimator = diagnostic.card.key, result.spec.estimator
    if key in QUICK:
        return True
    plain = isinstance(estimator, FastPlacebos) and not getattr(estimator, "predictors", ())
    return plain and result.estimate.panel.Y.size <= INLINE_CELLS


def _work(diagnostics: tuple[Diagnostic, ...], result: Result) -> None:
    """Hand what takes long to a process, and keep what it finds."""
    key = f"findings {diagnostics!r} {cache.job_key(result.spec)}"
    if st.session_state.get(waiting.STOPPED) == key:
        _stopped(len(diagnostics))
        return
    job: Job[Any] = cache.jobs().submit_call(
        key, cache.owner(), examine, diagnostics, result.estimate, result.uncertainty
    )
    if not job.wait(cache.PATIENCE):
        waiting.wait_for(job)
        return
    found = cast("tuple[Finding, ...]", cache.jobs().take(key, cache.owner()))
    for diagnostic, finding in zip(diagnostics, found, strict=True):
        _store().put(_key(diagnostic, result), finding)
    waiting.arrived()


def _stopped(count: int) -> None:
    """Say that slow checks were cancelled, and offer to go on with them."""
    what = "check was" if count == 1 else "checks were"
    st.info(f"{count} slower {what} cancelled; the others are below.", icon=":material/cancel:")
    st.button(
        "Run them",
        type="primary",
        key="run slow checks",
        on_click=lambda: st.session_state.pop(waiting.STOPPED, None),
    )
