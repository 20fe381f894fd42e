"""Fields for what a page shows beside the analysis; what is chosen stands in the link."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from components.ui import state


def view_choice(
    word: str, label: str, options: Mapping[str, str], usual: str, *, listed: bool = False
) -> str:
    """Ask for one of a few values; the usual one is left out of the link.

    Parameters
    ----------
    word : str
        A key of ``components.analysis.views.CHOICES``.
    label : str
    options : mapping of str to str
        Value to name on screen.
    usual : str
    listed : bool
        As a list rather than as buttons.

    Returns
    -------
    str
    """
    key = f"view {word}"
    said = getattr(state.views(), word)
    st.session_state[key] = said if said in options else usual

    def change() -> None:
        chosen = st.session_state[key]
        state.show(**{word: None if chosen == usual else chosen})

    if listed:
        st.selectbox(
            label, list(options), format_func=options.__getitem__, key=key, on_change=change
        )
    else:
        st.segmented_control(
            label,
            list(options),
            format_func=options.__getitem__,
            required=True,
            key=key,
            on_change=change,
        )
    return str(st.session_state[key])
