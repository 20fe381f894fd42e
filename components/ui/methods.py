"""Choose estimator, inference method and level."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import AnalysisSpec
from components.estimators import ESTIMATORS, Estimator
from components.inference import METHODS
from components.inference.base import level_text
from components.panel import Panel
from components.ui import state
from components.ui.fields import option_fields
from components.ui.text import md

LEVELS = (0.9, 0.95, 0.99)


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
    """Tabulate what each estimator needs and what the panel has.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    pandas.DataFrame
        estimator, can_run, why_not.
    """
    rows = [
        (ESTIMATORS[key].card.title, reason is None, reason or "")
        for key, reason in preflight(panel).items()
    ]
    return pd.DataFrame(rows, columns=["estimator", "can_run", "why_not"])


def estimator_options(spec: AnalysisSpec) -> None:
    """Show the tuning of the chosen estimator, one field for each option."""

    def commit(estimator: Estimator) -> None:
        state.change(estimator=estimator)

    option_fields(spec.estimator, "estimator", commit, spec.columns.covariates)


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
        on_change=lambda: state.change(estimator=ESTIMATORS[st.session_state[key]]()),
    )


def inference_cards(spec: AnalysisSpec) -> None:
    """Show the inference methods by their cards, with the tuning of the chosen one."""
    key = "inference field"
    st.session_state[key] = spec.inference.card.key if spec.inference is not None else None
    st.radio(
        "How sure",
        list(METHODS),
        format_func=lambda word: METHODS[word].card.title,
        captions=[method.card.idea for method in METHODS.values()],
        key=key,
        on_change=lambda: state.change(inference=METHODS[st.session_state[key]]()),
        label_visibility="collapsed",
    )
    level_field(spec, "method level")
    if spec.inference is not None:
        with st.expander("Options"):
            option_fields(
                spec.inference, "inference", lambda method: state.change(inference=method)
            )


def level_field(spec: AnalysisSpec, key: str) -> None:
    """Show the level of interval and band as buttons."""
    options = sorted({*LEVELS, spec.level})
    st.session_state[key] = spec.level
    st.segmented_control(
        "Level",
        options,
        format_func=level_text,
        key=key,
        required=True,
        on_change=lambda: state.change(level=st.session_state[key]),
    )
