"""The only place that turns errors into messages; anything else is a bug and shows itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from components.errors import PanelscopeError
from components.ui.text import md


@contextmanager
def told(*, stop: bool = True) -> Iterator[None]:
    """Show what the user can mend as a message, and end the page there.

    Parameters
    ----------
    stop : bool
        False goes on with the page after the message.
    """
    try:
        yield
    except PanelscopeError as error:
        tell(error)
        if stop:
            st.stop()


def tell(error: PanelscopeError) -> None:
    """Show one error: what is the case, and what to do."""
    st.error(f"{md(error.message)}  \n**What to do:** {md(error.hint)}", icon=":material/error:")
