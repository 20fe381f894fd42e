"""Choose estimator, inference method and level."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec
from components.analysis.lessons import ESTIMATOR_LESSONS, GLOSSARY, INFERENCE_LESSONS
from components.estimators import ESTIMATORS, Estimator
from components.inference import METHODS
from components.inference.base import ROUNDING, level_text
from components.panel import Panel
from components.ui import cache, state
from components.ui.fields import REFUSED, option_fields
from components.ui.text import md

LEVELS = (0.9, 0.95, 0.99)
LOWER = (0.85, 0.8, 0.75, 2 / 3, 0.5)
GLANCE = {
    "donors": "Donors",
    "periods": "Periods before treatment",
    "level": "Level",
    "factors": "Common factors",
}
NOT_OFFERED = (
    (
        "Cluster-robust t intervals with one or a few treated units",
        "They hardly see the noise of the treated: with one treated unit of 50, intervals that "
        "say 95% hold the truth in 21% of simulated panels, with two in 68%.",
    ),
    (
        "Standard errors that take all cells of a two-way regression as independent",
        "Outcomes of a unit resemble each other over time: with half of 50 units treated and an "
        "autocorrelation of 0.8, intervals that say 95% hold the truth in 61%.",
    ),
    (
        "The interval of the average effect laid around each single period",
        "A single period strays farther than an average does, so such a band would be too narrow; "
        "every band here is computed for its periods.",
    ),
    (
        "Conformal intervals with weights fitted before treatment alone",
        "Residuals inside the fit are smaller than those outside it: intervals that say 95% hold "
        "the truth in 80%. Conformal inference here fits all periods under each hypothetical "
        "effect.",
    ),
)


def estimator_cards(spec: AnalysisSpec, panel: Panel) -> None:
    """Show every estimator by its card, with the reason where it cannot be used here.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec.
    """
    reasons = preflight(panel)
    captions = [
        ESTIMATORS[key].card.idea + (f"  \n**Cannot run here:** {md(reason)}" if reason else "")
        for key, reason in reasons.items()
    ]
    key = "estimator field"
    st.session_state[key] = spec.estimator.card.key
    st.radio(
        "Estimator",
        list(ESTIMATORS),
        format_func=lambda word: ESTIMATORS[word].card.title,
        captions=captions,
        key=key,
        on_change=lambda: state.change(estimator=ESTIMATORS[st.session_state[key]]()),
        label_visibility="collapsed",
    )


def preflight(panel: Panel) -> dict[str, str | None]:
    """Say for each estimator why it cannot run on this panel, or None where it can."""
    return {key: estimator().why_not(panel) for key, estimator in ESTIMATORS.items()}


def preflight_table(panel: Panel) -> pd.DataFrame:
    """Tabulate what each estimator does, what it needs, and what the panel has.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    pandas.DataFrame
        estimator, can_run, why_not, donors, periods, level, factors.
    """
    rows = []
    for key, reason in preflight(panel).items():
        lesson = ESTIMATOR_LESSONS.get(key)
        glance = [getattr(lesson, name, "") for name in GLANCE]
        rows.append((ESTIMATORS[key].card.title, reason is None, reason or "", *glance))
    return pd.DataFrame(rows, columns=["estimator", "can_run", "why_not", *GLANCE])


def about_estimator(spec: AnalysisSpec) -> None:
    """Say what the chosen estimator does with donors, periods, level and factors."""
    card = spec.estimator.card
    lesson = ESTIMATOR_LESSONS.get(card.key)
    if lesson is not None:
        lines = [f"- **{word}:** {getattr(lesson, name)}" for name, word in GLANCE.items()]
        st.markdown("\n".join([*lines, "", f"**Leans on.** {lesson.leans_on}"]))
    st.caption(f"Defined in: {md(card.reference)}")


def about_inference(spec: AnalysisSpec) -> None:
    """Say what the chosen method holds fixed, and where it keeps its level."""
    if spec.inference is None:
        return
    text = INFERENCE_LESSONS.get(spec.inference.card.key)
    if text is not None:
        st.markdown(f"**Leans on.** {text}")


def glossary() -> None:
    """Explain the words that every page uses."""
    with st.popover("Words", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- **{word}.** {text}" for word, text in GLOSSARY.items()))


def estimator_options(spec: AnalysisSpec) -> None:
    """Show the tuning of the chosen estimator, one field for each option."""

    def commit(estimator: Estimator) -> None:
        state.change(estimator=estimator)

    if not fields(cast("Any", spec.estimator)):
        return
    changed = n_changed(spec.estimator)
    label = f"Tuning ({changed} changed)" if changed else "Tuning"
    with st.expander(label, icon=":material/tune:", expanded=_refused() or changed > 0):
        option_fields(spec.estimator, "estimator", commit, spec.columns.covariates)


def n_changed(method: Any) -> int:
    """Count the options of a method that are not as at first."""
    return sum(getattr(method, option.name) != option.default for option in fields(method))


def _refused() -> bool:
    return REFUSED in st.session_state


def estimator_switch(spec: AnalysisSpec) -> None:
    """Show the estimators as one small field, for a quick look at another."""
    key = "estimator switch"
    st.session_state[key] = spec.estimator.card.key
    st.selectbox(
        "Estimator",
        list(ESTIMATORS),
        format_func=lambda word: ESTIMATORS[word].card.title,
        key=key,
        width=230,
        label_visibility="collapsed",
        on_change=lambda: state.change(estimator=ESTIMATORS[st.session_state[key]]()),
    )


def inference_preflight(spec: AnalysisSpec, panel: Panel) -> dict[str, str | None] | None:
    """Say for each inference method why it does not apply to the estimate, or None where it does.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec.

    Returns
    -------
    dict of str to str or None
        None altogether where the estimate is not there yet and takes more than a moment.
    """
    key = f"inference preflight {spec.with_(inference=None)!r}"
    reasons: dict[str, str | None] | None = cache.kept(spec, key)
    if reasons is not None:
        return reasons
    result = cache.kept_result(spec)
    if result is not None:
        estimate = result.estimate
    elif (reason := spec.estimator.why_not(panel)) is not None:
        return dict.fromkeys(METHODS, f"The estimator cannot run here. {reason}")
    elif spec.estimator.card.key in cache.QUICK:
        estimate = spec.estimator.fit(panel)
    else:
        return None
    reasons = {name: method().why_not(estimate) for name, method in METHODS.items()}
    cache.keep(spec, key, reasons)
    return reasons


def inference_table(reasons: dict[str, str | None]) -> pd.DataFrame:
    """Tabulate which inference methods apply.

    Parameters
    ----------
    reasons : dict of str to str or None
        From :func:`inference_preflight`.

    Returns
    -------
    pandas.DataFrame
        method, applies, why_not.
    """
    rows = [
        (METHODS[key].card.title, reason is None, reason or "") for key, reason in reasons.items()
    ]
    return pd.DataFrame(rows, columns=["method", "applies", "why_not"])


def inference_cards(spec: AnalysisSpec, reasons: dict[str, str | None] | None) -> None:
    """Show the inference methods by their cards, with the reason where one does not apply.

    Parameters
    ----------
    spec : AnalysisSpec
    reasons : dict of str to str or None, or None
        From :func:`inference_preflight`.
    """
    key = "inference field"
    known = reasons or {}
    st.session_state[key] = spec.inference.card.key if spec.inference is not None else None
    st.radio(
        "How sure",
        list(METHODS),
        format_func=lambda word: METHODS[word].card.title,
        captions=[
            method.card.idea
            + (f"  \n**Does not apply:** {md(reason)}" if (reason := known.get(name)) else "")
            for name, method in METHODS.items()
        ],
        key=key,
        on_change=lambda: state.change(inference=METHODS[st.session_state[key]]()),
        label_visibility="collapsed",
    )


def inference_options(spec: AnalysisSpec) -> None:
    """Show the options of the chosen inference method."""
    if spec.inference is None or not fields(cast("Any", spec.inference)):
        return
    changed = n_changed(spec.inference)
    label = f"Options ({changed} changed)" if changed else "Options"
    with st.expander(label, icon=":material/tune:", expanded=_refused() or changed > 0):
        option_fields(spec.inference, "inference", lambda method: state.change(inference=method))


def level_field(
    spec: AnalysisSpec, key: str, *, labelled: bool = True, smallest_p: float | None = None
) -> None:
    """Show the level of interval and band as buttons.

    Parameters
    ----------
    spec : AnalysisSpec
    key : str
    labelled : bool
        False where the place says what it is.
    smallest_p : float, optional
        That the method can give here; where it rules all customary levels out, one that it can
        reach is offered too.
    """
    options = {*LEVELS, spec.level}
    if smallest_p is not None and smallest_p > 1.0 - min(LEVELS) + ROUNDING:
        options |= {*[level for level in LOWER if smallest_p <= 1.0 - level + ROUNDING][:1]}
    st.session_state[key] = spec.level
    st.segmented_control(
        "Level",
        sorted(options),
        format_func=level_text,
        key=key,
        required=True,
        label_visibility="visible" if labelled else "collapsed",
        on_change=lambda: state.change(level=st.session_state[key]),
    )
