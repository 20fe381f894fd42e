"""Intervals of placebos, where the true effect is zero."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components.analysis import Words
from components.charts.theme import Theme, layout, plot_text
from components.inference.honesty import Honesty

MOST_SHOWN = 100


def placebo_intervals(honest: Honesty, words: Words, theme: Theme) -> go.Figure:
    """Draw the interval of each placebo, in order of its middle; those without zero stand out.

    Parameters
    ----------
    honest : Honesty
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = honest.placebos.assign(middle=lambda t: (t["lower"] + t["upper"]) / 2)
    table = table.iloc[:MOST_SHOWN].sort_values("middle", ignore_index=True)
    figure = go.Figure()
    kinds = [
        (True, "Interval holds zero", theme.synthetic, "circle"),
        (False, "Interval misses zero", theme.effect, "diamond"),
    ]
    for covers, name, colour, symbol in kinds:
        part = table[table["covers"] == covers]
        figure.add_scatter(
            x=part.index.to_numpy() + 1,
            y=part["middle"],
            error_y={
                "type": "data",
                "array": np.asarray(part["upper"] - part["middle"]),
                "thickness": 1.5,
                "width": 0,
                "color": colour,
            },
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 6},
            name=name,
            customdata=[plot_text(name) for name in part["placebo"]],
            hovertemplate="%{customdata}: %{y:,.4~g}<extra></extra>",
        )
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1})
    layout(figure, theme, height=300)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title_text="Placebos, in order of their estimate")
    title = f"Effect, {words.measure}" if words.measure else "Effect"
    figure.update_yaxes(title_text=plot_text(title))
    return figure
