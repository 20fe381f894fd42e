"""One look for each estimator, the same in all figures that compare estimators."""

from __future__ import annotations

from dataclasses import dataclass

from components.charts.theme import DARK, Theme


@dataclass(frozen=True)
class Look:
    """How one estimator is drawn; colour is never the only difference."""

    light: str
    dark: str
    dash: str
    symbol: str

    def colour(self, theme: Theme) -> str:
        """Give the colour for a theme."""
        return self.dark if theme == DARK else self.light


LOOKS = {
    "trop": Look("#B4470A", "#F0A35E", "solid", "circle"),
    "sdid": Look("#0072B2", "#56B4E9", "dash", "diamond"),
    "sc": Look("#5300A6", "#B79CFF", "dot", "square"),
    "did": Look("#6B7280", "#A9B4C0", "longdashdot", "x"),
    "mc": Look("#A6006B", "#F27EB2", "longdash", "cross"),
    "sc_intercept": Look("#00795C", "#3CC9A0", "dashdot", "triangle-up"),
    "callaway_santanna": Look("#663F2E", "#D9A58B", "dash", "pentagon"),
    "sun_abraham": Look("#806000", "#D8BE4E", "dot", "star"),
}
OTHER = Look("#4B5563", "#A9B4C0", "solid", "hexagon")


def look_of(key: str) -> Look:
    """Give the look of an estimator by its key."""
    return LOOKS.get(key, OTHER)
