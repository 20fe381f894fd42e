"""What only the user can tell: one plain question, with the answers to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.errors import DataError


@dataclass(frozen=True)
class Option:
    """One answer.

    Attributes
    ----------
    value : object
        What the field becomes.
    label : str
        How the answer reads, with an example where there is one.
    """

    value: Any
    label: str


class QuestionError(DataError):
    """A table that can be read in more than one way; the user has to choose.

    Parameters
    ----------
    message : str
        What is the case, and where.
    hint : str
        What to do without the screen: which field to set, or what to change in the file.
    field : str
        Name of the field of `Roles`, or with ``reading.`` in front of `Reading`, that the answer
        goes into.
    options : tuple of Option
        The possible answers.
    many : bool
        Whether several of them may be chosen.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        field: str = "",
        options: tuple[Option, ...] = (),
        many: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.options = options
        self.many = many

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.message, self.hint, self.field, self.options, self.many)


def _rebuild(
    message: str, hint: str, field: str, options: tuple[Option, ...], many: bool
) -> QuestionError:
    return QuestionError(message, hint=hint, field=field, options=options, many=many)


def open_question(make: Callable[[], object]) -> QuestionError | None:
    """Do something, and give the question that it stops at, if any.

    Parameters
    ----------
    make : callable
        Such as reading a file, or building a panel.

    Returns
    -------
    QuestionError or None
        None where it went through.

    Raises
    ------
    DataError
        Where it is refused; no answer would help.
    """
    try:
        make()
    except QuestionError as question:
        return question
    return None
