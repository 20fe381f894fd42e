"""Fields made from a method's dataclass: its options, their kinds, and their help from its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import Field, fields, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import streamlit as st

from components.errors import SpecError
from components.ui.text import md

REFUSED = "refused option"
PARAMETER = re.compile(r"^(\w+(?:, \w+)*) : .*$")


def option_fields(
    method: Any, prefix: str, commit: Callable[[Any], None], columns: Sequence[str] = ()
) -> None:
    """Show one field for each option of a method.

    Parameters
    ----------
    method : dataclass instance
        An estimator or an inference method.
    prefix : str
        For the widgets' keys.
    commit : callable
        Given the method with the option changed.
    columns : sequence of str
        Offered by options that hold names of columns.
    """
    if (refused := st.session_state.pop(REFUSED, None)) is not None:
        st.error(md(refused), icon=":material/error:")
    hints, texts = get_type_hints(type(method)), parameter_texts(type(method))
    for option in fields(method):
        _field(method, option, hints[option.name], texts, prefix, commit, columns)


def parameter_texts(cls: type[Any]) -> dict[str, str]:
    """Read the description of each parameter off a numpydoc docstring."""
    lines = (cls.__doc__ or "").splitlines()
    texts: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare and number + 1 < len(lines) and set(lines[number + 1].strip()) == {"-"}:
            inside, names = bare == "Parameters", []
        elif inside and (match := PARAMETER.match(bare)):
            names = match[1].split(", ")
        elif inside and names and bare and set(bare) != {"-"}:
            for name in names:
                texts[name] = f"{texts.get(name, '')} {bare}".strip()
    return texts


def _field(
    method: Any,
    option: Field[Any],
    hint: Any,
    texts: dict[str, str],
    prefix: str,
    commit: Callable[[Any], None],
    columns: Sequence[str],
) -> None:
    key = f"{prefix} {type(method).__name__} {option.name}"
    value = getattr(method, option.name)
    label = option.name.replace("_", " ").capitalize()
    text = _plain(texts.get(option.name, "")) or None

    def changed() -> None:
        try:
            changed_method = replace(
                method, **{option.name: _like(value, hint, st.session_state[key])}
            )
        except (ValueError, SpecError) as error:
            st.session_state[REFUSED] = f"{label} stays as it was: {str(error).rstrip('.')}."
        else:
            commit(changed_method)

    common: dict[str, Any] = {"key": key, "on_change": changed, "help": text}
    kinds = _kinds(hint)
    if any(get_origin(kind) is Literal for kind in kinds):
        options = [word for kind in kinds for word in get_args(kind)]
        options = [None, *options] if NoneType in kinds else options
        st.session_state[key] = value
        st.selectbox(label, options, format_func=_word, **common)
    elif bool in kinds:
        st.session_state[key] = value
        st.checkbox(label, **common)
    elif {int, float} & set(kinds):
        whole = float not in kinds
        st.session_state[key] = None if value is None else (int(value) if whole else float(value))
        st.number_input(
            label,
            value=None,
            step=1 if whole else None,
            format=None if whole else "%g",
            placeholder="chosen from the data" if NoneType in kinds else None,
            **common,
        )
    elif hint is str:
        st.session_state[key] = value
        st.text_input(label, **common)
    elif get_origin(hint) is tuple and get_args(hint)[0] is str:
        st.session_state[key] = list(value)
        st.multiselect(
            label,
            list(dict.fromkeys([*value, *columns])),
            accept_new_options=True,
            placeholder="None",
            **common,
        )


def _kinds(hint: Any) -> list[Any]:
    return list(get_args(hint)) if get_origin(hint) in {Union, UnionType} else [hint]


def _like(value: Any, hint: Any, entered: Any) -> Any:
    """Give what was entered the option's own type; an emptied number keeps its value."""
    if entered is None and NoneType not in _kinds(hint):
        return value
    return tuple(entered) if isinstance(entered, list) else entered


def _word(word: Any) -> str:
    return "chosen from the data" if word is None else str(word).replace("_", " ")


def _plain(text: str) -> str:
    """Take the markup of docstrings out of a help text."""
    text = re.sub(r":math:`([^`]*)`", r"\1", text)
    return md(text.replace("``", "").replace("`", ""))
