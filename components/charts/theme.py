"""Colours, axes and names that all figures share, for light and dark screens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from components.arrays import Floats
from components.panel import period_label

SHARED = 8
"""Letters that names may share at an end before these are cut."""
FONT = '"Source Sans", "Source Sans Pro", sans-serif'


@dataclass(frozen=True)
class Theme:
    """Colours by role; the same meaning in light and dark."""

    text: str
    muted: str
    grid: str
    treated: str
    synthetic: str
    synthetic_fill: str
    synthetic_faint: str
    effect: str
    effect_fill: str
    placebo: str
    tint: str
    empty: str
    donor_cell: str
    missing_cell: str
    surface: str


LIGHT = Theme(
    text="#0B1420",
    muted="#4B5563",
    grid="#E4E8ED",
    treated="#111827",
    synthetic="#0072B2",
    synthetic_fill="rgba(0,114,178,0.18)",
    synthetic_faint="rgba(0,114,178,0.05)",
    effect="#B4470A",
    effect_fill="rgba(180,71,10,0.16)",
    placebo="rgba(75,85,99,0.30)",
    tint="rgba(75,85,99,0.05)",
    empty="#FFFFFF",
    donor_cell="#D5DCE5",
    missing_cell="#FFFFFF",
    surface="#FFFFFF",
)
DARK = Theme(
    text="#E6EDF3",
    muted="#A9B4C0",
    grid="#24303D",
    treated="#F3F4F6",
    synthetic="#56B4E9",
    synthetic_fill="rgba(86,180,233,0.22)",
    synthetic_faint="rgba(86,180,233,0.07)",
    effect="#F0A35E",
    effect_fill="rgba(240,163,94,0.20)",
    placebo="rgba(169,180,192,0.30)",
    tint="rgba(169,180,192,0.06)",
    empty="#0F1720",
    donor_cell="#33414F",
    missing_cell="#0F1720",
    surface="#0F1720",
)


def theme_of(name: str | None) -> Theme:
    """Give the theme for ``"light"`` or ``"dark"``; light where it is not known."""
    return DARK if name == "dark" else LIGHT


def plot_text(name: object) -> str:
    """Make a name from data safe for Plotly, which reads some HTML tags in text."""
    return escape(str(name), quote=False)


def short_names(names: Iterable[object], most: int = 26) -> list[str]:
    """Shorten long names for an axis: what they share goes first, and no two become the same.

    Parameters
    ----------
    names : iterable
        Names from data.
    most : int
        Letters.

    Returns
    -------
    list of str
        Safe for Plotly.
    """
    tail = most // 3
    seen: dict[str, int] = {}
    short = []
    for name in _without_shared_ends([str(name) for name in names], most):
        text = name if len(name) <= most else f"{name[: most - tail - 1]}…{name[-tail:]}"
        seen[text] = seen.get(text, 0) + 1
        short.append(plot_text(text if seen[text] == 1 else f"{text} ({seen[text]})"))
    return short


def _without_shared_ends(names: list[str], most: int) -> list[str]:
    """Cut a long beginning and a long end that all names share, where one is too long."""
    if len(names) < 2 or max(map(len, names)) <= most:
        return names
    before = _shared(names)
    after = _shared([name[before:][::-1] for name in names])
    return [
        ("…" if before else "") + name[before : len(name) - after] + ("…" if after else "")
        for name in names
    ]


def _shared(names: list[str]) -> int:
    """Count the letters that all names begin with; 0 where they are few."""
    pairs = enumerate(zip(*names, strict=False))
    count = next((at for at, each in pairs if len(set(each)) > 1), min(map(len, names)))
    return count if count > SHARED else 0


def x_values(periods: pd.Index[Any]) -> pd.Index[Any]:
    """Give positions on the time axis: integers as they are, dates as timestamps."""
    return periods.to_timestamp() if isinstance(periods, pd.PeriodIndex) else periods


def x_labels(periods: pd.Index[Any]) -> list[str]:
    """Give the period names that hover and tables show."""
    return [period_label(period) for period in periods]


def x_range(x: pd.Index[Any]) -> list[Any]:
    """Give the ends of the time axis, with room for the last tick's label."""
    margin = (x[-1] - x[0]) / 50
    return [x[0] - margin, x[-1] + margin]


def joined(x: Sequence[Any] | pd.Index[Any], lines: Floats) -> tuple[list[Any], Floats]:
    """Join many lines into one trace, with a gap after each.

    Parameters
    ----------
    x : sequence of length T
    lines : Floats, shape (K, T)

    Returns
    -------
    x : list of length K * (T + 1)
    y : Floats, shape (K * (T + 1),)
    """
    once = [*list(x), None]
    return once * len(lines), np.column_stack([lines, np.full(len(lines), np.nan)]).ravel()


def layout(figure: go.Figure, theme: Theme, *, height: int, legend: bool = True) -> go.Figure:
    """Apply what all figures share: quiet grid, one hover box, no zoom by dragging.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place.
    theme : Theme
    height : int
        In pixels; fixed, so that the page does not move.
    legend : bool

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 14, "color": theme.text},
        hoverlabel={"bgcolor": theme.surface, "font": {"color": theme.text, "family": FONT}},
        hovermode="x unified",
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0, "xanchor": "left"},
        separators=".,",
    )
    axis = {
        "gridcolor": theme.grid,
        "linecolor": theme.muted,
        "tickcolor": theme.muted,
        "zeroline": False,
        "title_font_size": 14,
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_xaxes(**axis, showgrid=False, ticks="outside", ticklen=4)
    figure.update_yaxes(**axis, separatethousands=True)
    return figure


def onset(figure: go.Figure, n_pre: int, x: pd.Index[Any], label: str, theme: Theme) -> None:
    """Mark the first treated period: a dotted line, its name above the plot, a tint from there on.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place, after :func:`layout`; all its rows share the time axis.
    n_pre : int
        Place of the first treated period; nothing is drawn where there is none.
    x : pandas.Index
        Positions on the time axis.
    label : str
        Name of the first treated period; may be empty.
    theme : Theme
    """
    if n_pre >= len(x):
        return
    figure.add_vrect(x0=x[n_pre], x1=x[-1], fillcolor=theme.tint, line_width=0, layer="below")
    figure.add_vline(x=x[n_pre], line={"color": theme.muted, "dash": "dot", "width": 1.5})
    late = n_pre > len(x) / 2
    figure.add_annotation(
        x=x[n_pre],
        y=1,
        yref="y domain",
        text=plot_text(f"first treated {label}".rstrip()),
        showarrow=False,
        xanchor="right" if late else "left",
        xshift=8 if late else -8,
        yanchor="bottom",
        font={"color": theme.muted, "size": 13},
    )
    figure.update_layout(legend_y=1.07)
