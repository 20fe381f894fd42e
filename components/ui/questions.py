"""One plain question at a time: what a table leaves open, with the answers to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from components.data import QuestionError, Reading, Roles, open_question
from components.ui.guard import tell
from components.ui.text import md

Choices = TypeVar("Choices", Roles, Reading)
READING = "reading."


def settle(
    start: Choices, make: Callable[[Choices], object], key: str, before: Choices | None = None
) -> Choices | None:
    """Ask until something can be made.

    Parameters
    ----------
    start : Roles or Reading
        What is chosen so far.
    make : callable
        Tried with the choices; a question that it raises is shown.
    key : str
        Of the widgets.
    before : Roles or Reading, optional
        Whose answers stand first.

    Returns
    -------
    Roles or Reading, or None
        With all answers; None while one is open.

    Raises
    ------
    DataError
        Where no answer would help.
    """
    chosen: Choices = start
    asked: set[str] = set()
    while True:
        question = open_question(partial(make, chosen))
        if question is None:
            return chosen
        name = question.field.removeprefix(READING)
        known = {field.name for field in fields(chosen)}
        if name in asked or name not in known:
            tell(question)
            return None
        asked.add(name)
        answer = _ask(question, getattr(before, name, None), f"{key} {name}")
        if answer is None or answer == ():
            return None
        chosen = replace(chosen, **{name: answer})


def _ask(question: QuestionError, before: Any, key: str) -> Any:
    """Show one question; the answer, or None while it is open."""
    values = [option.value for option in question.options]
    labels = {option.value: option.label for option in question.options}
    with st.container(border=True, key=f"question {key}"):
        place = st.empty()
        if question.many:
            chosen = st.multiselect(
                "Which of these values say treated?",
                values,
                default=[value for value in before or () if value in values],
                format_func=labels.__getitem__,
                placeholder="Choose one or more",
                key=key,
            )
            answer: Any = tuple(chosen)
        else:
            answer = st.radio(
                "Your answer",
                values,
                index=values.index(before) if before in values else None,
                format_func=lambda value: md(labels[value]),
                key=key,
            )
        if answer is None or answer == ():
            place.warning(
                f"{md(question.message)}  \n**What to do:** {md(question.hint)}",
                icon=":material/help:",
            )
        else:
            place.markdown(f":material/check: {md(question.message)}")
    return answer
