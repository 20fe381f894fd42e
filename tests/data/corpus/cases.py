"""One case of the corpus, and the panel that most of them hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from components.panel import Panel

UNITS = ("Ash", "Birch", "Cedar", "Dogwood")
YEARS = tuple(range(2001, 2007))
START = 2004
Y = np.array(
    [
        [12.5, 13.25, 11.75, 14.5, 15.25, 13.5],
        [22.5, 20.25, 23.75, 24.5, 21.25, 25.5],
        [7.5, 9.25, 8.75, 6.5, 10.25, 9.5],
        [31.5, 30.25, 33.75, 29.5, 34.25, 32.5],
    ]
)
W = (np.array(UNITS) == "Birch")[:, None] & (np.array(YEARS) >= START)
HEAD = ("tree", "year", "height", "treated")


@dataclass(frozen=True)
class Case:
    """A file and what should become of it.

    ``exact``: loads, and nothing is said but how treatment was read. ``said``: loads, and the
    ledger says ``words``. ``asks``: a question for ``where``; with ``answer`` it loads.
    ``refuses``: with a message that matches ``words``.
    """

    data: bytes
    verdict: Literal["exact", "said", "asks", "refuses"]
    words: str = ""
    panel: Panel | None = None
    where: str = ""
    answer: Any = None
    roles: dict[str, Any] = field(default_factory=dict)


def truth(
    y: Any = Y,
    w: Any = W,
    units: Sequence[str] = UNITS,
    periods: Any = YEARS,
    outcome: str = "height",
) -> Panel:
    periods = periods if isinstance(periods, pd.Index) else pd.Index(periods)
    return Panel(y, w, pd.Index(units, dtype="str"), periods, outcome)


def untreated(**changes: Any) -> Panel:
    return truth(w=np.zeros_like(W), **changes)


def rows(
    *,
    unit: Callable[[str], str] = str,
    time: Callable[[int], str] = str,
    value: Callable[[float], str] = repr,
    flag: Callable[[bool], str] = lambda treated: str(int(treated)),
    head: Sequence[str] = HEAD,
) -> list[list[str]]:
    """Write the panel as rows of text, the names of the columns on top."""
    body = [
        [unit(u), time(t), value(float(Y[i, j])), flag(bool(W[i, j]))]
        for i, u in enumerate(UNITS)
        for j, t in enumerate(YEARS)
    ]
    return [list(head), *body]


def text(table: Sequence[Sequence[str]], mark: str = ",", end: str = "\n") -> str:
    return end.join(mark.join(row) for row in table) + end


def csv(
    table: Sequence[Sequence[str]] | None = None, mark: str = ",", encoding: str = "utf-8"
) -> bytes:
    return text(rows() if table is None else table, mark).encode(encoding)


def exact(data: bytes, panel: Panel | None = None, **roles: Any) -> Case:
    return Case(data, "exact", panel=panel or truth(), roles=roles)


def said(data: bytes, words: str, panel: Panel | None = None, **roles: Any) -> Case:
    return Case(data, "said", words, panel or truth(), roles=roles)


def asks(data: bytes, where: str, answer: Any, panel: Panel | None = None, **roles: Any) -> Case:
    return Case(data, "asks", "", panel or truth(), where, answer, roles)


def refuses(data: bytes, words: str, **roles: Any) -> Case:
    return Case(data, "refuses", words, roles=roles)
