"""Errors that a person can act on: what is the case, where, and what to do."""

from __future__ import annotations

from typing import Any


class PanelscopeError(Exception):
    """Something the user can mend.

    Parameters
    ----------
    message : str
        What is the case, with the value and the place: "3 rows repeat a unit and period; the
        first is Texas, 1994."
    hint : str
        What to do about it: "Keep one row per unit and period, or sum them up first."
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[PanelscopeError], message: str, hint: str) -> PanelscopeError:
    return kind(message, hint=hint)


class DataError(PanelscopeError):
    """A table that cannot be read as a panel."""


class DesignError(PanelscopeError):
    """An assignment of treatment from which no effect is identified."""


class NotApplicableError(PanelscopeError):
    """A method that does not fit this design."""


class NotConvergedError(PanelscopeError):
    """A solver that stopped before it reached its optimum."""


class SpecError(PanelscopeError):
    """A link or a file that cannot be understood as an analysis."""
