"""Coverage of intervals, and how often warnings show, as dots with error bars."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.charts.theme import Theme, layout, plot_text
from components.simulation.coverage import LEVEL
from components.simulation.coverage_table import ENOUGH, MOST_ALARMS, ZONE

ROW = 44  # pixels for each dot and the name above it
FIXED = 110  # for axis and legend
LEAST = 0.85  # left end of the axis where nothing lies farther out
MARKS = {
    "kept": ("Within 93 to 97%", "circle"),
    "above": ("Above: wider than needed", "triangle-right"),
    "unsure": ("Below, but within Monte Carlo error", "circle-open"),
    "missed": ("Below: too short", "x"),
    "broken": ("Known to break", "x"),
}


def coverage_dots(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """Draw the share of intervals that hold the effect, one dot for each row.

    Parameters
    ----------
    table : pandas.DataFrame
        ``name``, ``share``, ``error`` (Monte Carlo standard error) and ``verdict``, a key of
        ``MARKS``, in the order of the screen.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Bars are two Monte Carlo standard errors; the zone from 93 to 97 % is shaded.
    """
    colours = {
        "kept": theme.synthetic,
        "above": theme.muted,
        "unsure": theme.synthetic,
        "missed": theme.effect,
        "broken": theme.effect,
    }
    table = table[table["share"].notna()].reset_index(drop=True)
    figure = go.Figure()
    figure.add_vrect(x0=ZONE[0], x1=ZONE[1], fillcolor=theme.synthetic_fill, line_width=0)
    figure.add_vline(x=LEVEL, line={"color": theme.muted, "width": 1, "dash": "dot"})
    for verdict, (name, symbol) in MARKS.items():
        part = table[table["verdict"] == verdict]
        if len(part):
            figure.add_scatter(
                **_dots(part["share"], part["error"], part.index, part["name"]),
                name=name,
                marker={"color": colours[verdict], "size": 10, "symbol": symbol},
            )
    left = min(LEAST, float((table["share"] - 2 * table["error"]).min()) - 0.02)
    _names(figure, list(table["name"]), theme)
    return _finished(
        figure,
        len(table),
        [max(left, -0.02), 1.01],
        "Share of intervals that hold the effect",
        theme,
    )


def warning_dots(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """Draw how often the warning shows with a fault and without, and what the interval is worth.

    Parameters
    ----------
    table : pandas.DataFrame
        ``name``, and ``warned``, ``false_alarms`` and ``coverage``, each with its ``_error``.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Bars are two Monte Carlo standard errors; what is asked for is shaded at either end.
    """
    table = table.reset_index(drop=True)
    figure = go.Figure()
    figure.add_vrect(x0=ENOUGH, x1=1.02, fillcolor=theme.effect_fill, line_width=0)
    figure.add_vrect(x0=-0.02, x1=MOST_ALARMS, fillcolor=theme.synthetic_fill, line_width=0)
    for column, name, colour, symbol in (
        ("warned", "Warning shows", theme.effect, "circle"),
        ("false_alarms", "False alarm without the fault", theme.synthetic, "diamond"),
        ("coverage", "Interval holds the effect", theme.muted, "x"),
    ):
        known = table[table[column].notna()]
        figure.add_scatter(
            **_dots(known[column], known[f"{column}_error"], known.index, known["name"]),
            name=name,
            marker={"color": colour, "size": 10, "symbol": symbol},
        )
    _names(figure, list(table["name"]), theme)
    return _finished(figure, len(table), [-0.02, 1.02], "Share of panels", theme)


def _dots(
    share: pd.Series[float], error: pd.Series[float], rows: pd.Index[int], names: pd.Series[str]
) -> dict[str, object]:
    return {
        "x": share,
        "y": list(rows),
        "error_x": {"type": "data", "array": 2 * error, "thickness": 1.5, "width": 4},
        "mode": "markers",
        "customdata": [
            [plot_text(name), 100 * two] for name, two in zip(names, error, strict=True)
        ],
        "hovertemplate": "%{customdata[0]}: %{x:.1%} ± %{customdata[1]:.1f} points<extra></extra>",
    }


def _names(figure: go.Figure, names: list[str], theme: Theme) -> None:
    # All at once: Plotly checks the ones that are there again for each that is added.
    figure.layout.annotations = [
        {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": row,
            "yshift": 15,
            "text": plot_text(name),
            "showarrow": False,
            "font": {"size": 12, "color": theme.text},
        }
        for row, name in enumerate(names)
    ]


def _finished(
    figure: go.Figure, rows: int, span: list[float], title: str, theme: Theme
) -> go.Figure:
    layout(figure, theme, height=FIXED + ROW * max(rows, 1))
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title_text=title, range=span, tickformat=".0%", showgrid=True)
    figure.update_yaxes(
        range=[rows - 0.5, -0.9], showticklabels=False, showgrid=False, zeroline=False
    )
    return figure
