"""Methods with their options as short text: ``sdid`` or ``sdid(ridge_scale=2.0)``."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from components.errors import SpecError


def write_method(method: Any) -> str:
    """Write a frozen dataclass with a card, leaving out options at their defaults.

    Parameters
    ----------
    method : Estimator or InferenceMethod

    Returns
    -------
    str
        Readable by :func:`read_method`.
    """
    options = [
        f"{option.name}={getattr(method, option.name)!r}"
        for option in fields(method)
        if getattr(method, option.name) != _default(option)
    ]
    key: str = method.card.key
    return f"{key}({','.join(options)})" if options else key


def read_method(text: str, catalog: Mapping[str, type[Any]], what: str) -> Any:
    """Read what :func:`write_method` wrote; nothing in it is executed.

    Parameters
    ----------
    text : str
    catalog : mapping of str to type
        Key to class.
    what : str
        ``"estimator"`` or ``"inference method"``, for messages.

    Returns
    -------
    Estimator or InferenceMethod

    Raises
    ------
    SpecError
        Naming the word that is not understood.
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _not_read(text, what, catalog) from None
    if isinstance(tree, ast.Name):
        return _build(tree.id, {}, catalog, what)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.args:
        options = {}
        for keyword in tree.keywords:
            if keyword.arg is None:
                raise _not_read(text, what, catalog)
            try:
                options[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:
                raise _not_read(text, what, catalog) from None
        return _build(tree.func.id, options, catalog, what)
    raise _not_read(text, what, catalog)


def _build(key: str, options: dict[str, Any], catalog: Mapping[str, type[Any]], what: str) -> Any:
    if key not in catalog:
        raise SpecError(
            f"There is no {what} named {key!r}.", hint=f"Choose one of {', '.join(catalog)}."
        )
    cls = catalog[key]
    known = {option.name: option for option in fields(cls)}
    for name, value in options.items():
        if name not in known:
            raise SpecError(
                f"The {what} {key!r} has no option {name!r}.",
                hint=f"Its options are: {', '.join(known) or 'none'}.",
            )
        if not _fits(value, _default(known[name])):
            raise SpecError(
                f"The option {name} of {key!r} cannot be {value!r}.",
                hint=f"Leave it out for the default, {_default(known[name])!r}.",
            )
    try:
        return cls(**options)
    except (TypeError, ValueError) as error:
        raise SpecError(
            f"The options of {key!r} do not fit: {error}", hint="Leave them out for the defaults."
        ) from None


def _fits(value: Any, default: Any) -> bool:
    """Tell whether a literal is of the same kind as an option's default."""
    if default is None or value is None:
        return value is None or isinstance(value, (int, float, str, bool, tuple))
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, type(default))


def _default(option: Field[Any]) -> Any:
    if option.default is not MISSING:
        return option.default
    return None if option.default_factory is MISSING else option.default_factory()


def _not_read(text: str, what: str, catalog: Mapping[str, type[Any]]) -> SpecError:
    return SpecError(
        f"The {what} {text!r} cannot be read.", hint=f"Write one of {', '.join(catalog)}."
    )
