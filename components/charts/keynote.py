"""Prediction error of six estimators on nine data sets, each row relative to its best."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.charts.looks import look_of
from components.charts.theme import Theme, layout, plot_text

KEYS = {
    "TROP": "trop",
    "SDID": "sdid",
    "SC": "sc",
    "DID": "did",
    "MC": "mc",
    "DIFP": "sc_intercept",
}
"""Names in print, in the order of the published table."""

TICKS = (1, 1.2, 1.5, 2, 3, 5, 8)
ROW_HEIGHT = 58


def keynote_dots(table: pd.DataFrame, filled: str, theme: Theme) -> go.Figure:
    """Draw relative errors: printed ones hollow, ours filled, one line of dots per data set.

    Parameters
    ----------
    table : pandas.DataFrame
        row, estimator, series, rmse, relative; the series "printed" and ``filled`` are drawn.
    filled : str
        "replicated" or "as defined".
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        The axis is logarithmic, so that equal distances are equal ratios.
    """
    rows = list(dict.fromkeys(table["row"]))
    figure = go.Figure()
    for number, (estimator, key) in enumerate(KEYS.items()):
        place = (number - (len(KEYS) - 1) / 2.0) / (len(KEYS) + 2.0)
        look = look_of(key)
        colour = look.colour(theme)
        for series in ("printed", filled):
            part = table[(table["estimator"] == estimator) & (table["series"] == series)]
            hollow = series == "printed"
            figure.add_scatter(
                x=part["relative"],
                y=[rows.index(row) + place for row in part["row"]],
                mode="markers",
                name=estimator,
                legendgroup=estimator,
                showlegend=not hollow,
                marker={
                    "symbol": look.symbol + ("-open" if hollow else ""),
                    "size": 13 if hollow else 7,
                    "color": colour,
                    "line": {"width": 1.5, "color": colour},
                },
                customdata=part[["row", "rmse"]],
                hovertemplate=(
                    f"{estimator}, {'in print' if hollow else 'ours'}<br>%{{customdata[0]}}<br>"
                    "%{x:.3f} times the row's best (%{customdata[1]:.4f})<extra></extra>"
                ),
            )
    layout(figure, theme, height=110 + ROW_HEIGHT * len(rows))
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(
        type="log",
        title_text="Error relative to the row's best",
        tickvals=TICKS,
        ticktext=[f"{tick:g}" for tick in TICKS],
        showgrid=True,
        gridcolor=theme.grid,
        range=[-0.045, 0.95],
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[plot_text(row).replace(", ", ",<br>") for row in rows],
        range=[len(rows) - 0.45, -0.55],
        showgrid=False,
    )
    figure.layout.shapes = [
        {
            "type": "line",
            "xref": "x domain",
            "x0": 0,
            "x1": 1,
            "y0": row - 0.5,
            "y1": row - 0.5,
            "line": {"color": theme.grid, "width": 1},
        }
        for row in range(1, len(rows))
    ]
    return figure
