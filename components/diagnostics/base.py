"""What every diagnostic promises, and the finding it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import pandas as pd

from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

Verdict = Literal["bad", "caution", "unknown", "good"]


@dataclass(frozen=True, eq=False)
class Finding:
    """What one diagnostic found.

    Attributes
    ----------
    key : str
        Of the diagnostic's card.
    title : str
        What was looked at, as on the badge.
    verdict : {"bad", "caution", "unknown", "good"}
        In the order of the screen; ``"unknown"`` where the data cannot tell.
    sentence : str
        What was found, in one sentence with its numbers.
    advice : str
        What to do about it; empty where nothing is to be done.
    table : pandas.DataFrame, optional
        The numbers behind the figure.
    details : mapping
        Anything else that the figure needs, by name.
    """

    key: str
    title: str
    verdict: Verdict
    sentence: str
    advice: str = ""
    table: pd.DataFrame | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Diagnostic(Protocol):
    """Tries to break an estimate; a frozen dataclass whose fields are its thresholds."""

    card: ClassVar[Card]

    def why_not(self, estimate: Estimate) -> str | None:
        """Say in one sentence why it says nothing about this estimate, or None if it does."""
        ...

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Look, and say what was found; pure and deterministic."""
        ...
