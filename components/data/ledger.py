"""The ledger: what was read, converted, found missing or left out, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MAX_PLACES = 20
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Entry:
    """One thing that happened on the way from a file to a panel.

    Attributes
    ----------
    kind : {"read", "converted", "missing", "dropped", "filled"}
        What sort of thing.
    sentence : str
        What happened and why, for a person.
    count : int
        How many rows, cells or columns it concerns.
    places : tuple of str
        The first of them, at most ``MAX_PLACES``.
    doubtful : bool
        Whether it may be meant otherwise, so that the user should look.
    """

    kind: Literal["read", "converted", "missing", "dropped", "filled"]
    sentence: str
    count: int
    places: tuple[str, ...] = ()
    doubtful: bool = False


Ledger: TypeAlias = tuple[Entry, ...]


def shown(value: object) -> str:
    """Quote a value from a file for a message: short, on one line, nothing invisible."""
    text = str(value)
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 3] + "..."
    return repr(text)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun: "1 cell", "1,200 cells"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
