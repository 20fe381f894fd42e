"""The current analysis and what pages show beside it, mirrored in the address bar."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from components.analysis import AnalysisSpec, sample_spec, to_query
from components.analysis.link import Query, read_link
from components.analysis.views import Views, views_to_query
from components.errors import SpecError

FIRST = "prop99"
SPEC, VIEWS, SEEN, LINK_ERROR = "spec", "views", "link seen", "link error"
EMBEDDING = ("embed", "embed_options")


def current() -> AnalysisSpec:
    """Give the analysis on screen; the first is Proposition 99."""
    if SPEC not in st.session_state:
        st.session_state[SPEC] = sample_spec(FIRST)
    spec: AnalysisSpec = st.session_state[SPEC]
    return spec


def chosen() -> bool:
    """Tell whether the user has chosen an analysis, by link or by click."""
    return SPEC in st.session_state


def change(**changes: Any) -> None:
    """Change some fields of the analysis; the address bar follows, one step for Back."""
    set_spec(current().with_(**changes))


def set_spec(spec: AnalysisSpec) -> None:
    """Make this the analysis on screen."""
    before: AnalysisSpec | None = st.session_state.get(SPEC)
    if spec == before and _in_bar():
        return
    if before is not None and spec.source != before.source:
        st.session_state[VIEWS] = replace(views(), checks=())  # dates belong to one table
    st.session_state[SPEC] = spec
    st.session_state.pop(LINK_ERROR, None)
    _write()


def views() -> Views:
    """Give what pages show beside the analysis."""
    if VIEWS not in st.session_state:
        st.session_state[VIEWS] = Views()
    found: Views = st.session_state[VIEWS]
    return found


def show(**changes: Any) -> None:
    """Change what pages show beside the analysis; the address bar follows."""
    st.session_state[VIEWS] = replace(views(), **changes)
    st.session_state.pop(LINK_ERROR, None)
    _write()


def follow_link() -> None:
    """Take the analysis from the address bar where it has changed, or put it back there."""
    bar = _in_bar()
    if bar and bar != st.session_state.get(SEEN):
        st.session_state[SEEN] = bar
        try:
            st.session_state[SPEC], st.session_state[VIEWS] = read_link(bar)
            st.session_state.pop(LINK_ERROR, None)
        except SpecError as error:
            st.session_state[LINK_ERROR] = error
    elif not bar and SPEC in st.session_state:
        _write()


def link_error() -> SpecError | None:
    """Give what could not be understood in the link, if anything."""
    error: SpecError | None = st.session_state.get(LINK_ERROR)
    return error


def query() -> Query:
    """Give analysis and views as query parameters, for links between pages."""
    return to_query(current()) | views_to_query(views())


def address() -> str:
    """Give the full link to the current page, its analysis and views."""
    base = str(st.context.url or "").split("?", 1)[0]
    return f"{base}?{urlencode(query(), doseq=True)}"


def _in_bar() -> dict[str, list[str]]:
    return {
        word: st.query_params.get_all(word) for word in st.query_params if word not in EMBEDDING
    }


def _write() -> None:
    st.query_params.from_dict(query())
    st.session_state[SEEN] = _in_bar()
