"""Choose estimator, inference method and level; the same fields on every page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.analysis import AnalysisSpec
from components.estimators import ESTIMATORS
from components.inference import METHODS
from components.inference.base import level_text
from components.panel import Panel
from components.ui import state
from components.ui.text import md

LEVELS = (0.9, 0.95, 0.99)


def method_fields(spec: AnalysisSpec, panel: Panel) -> None:
    """Show the estimators by their cards, then the inference methods.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec; methods that cannot use it say why.
    """
    _radio("Estimator", "estimator", ESTIMATORS, spec.estimator.card.key)
    reason = spec.estimator.why_not(panel)
    if reason is not None:
        st.warning(md(reason), icon=":material/block:")
    key = spec.inference.card.key if spec.inference is not None else None
    _radio("How sure", "inference", METHODS, key)
    level_field(spec, "method level")


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


def _radio(label: str, name: str, catalog: dict[str, type[Any]], chosen: str | None) -> None:
    key = f"{name} field"
    st.session_state[key] = chosen
    st.radio(
        label,
        list(catalog),
        format_func=lambda word: catalog[word].card.title,
        captions=[method.card.idea for method in catalog.values()],
        key=key,
        on_change=lambda: state.change(**{name: catalog[st.session_state[key]]()}),
    )
