"""How tuning was chosen: the out-of-sample error along each penalty."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.charts.theme import Theme, layout

SHORT = {"lambda_unit": "λ unit", "lambda_time": "λ time", "lambda_nn": "λ nn"}
NAMES = {
    "lambda_unit": "λ unit: how fast weights fall with distance between units",
    "lambda_time": "λ time: how fast weights fall with distance in time",
    "lambda_nn": "λ nn: price of the low-rank part",
    "penalty": "Penalty of the low-rank part",
}


def tuning_curves(
    curves: Mapping[str, pd.DataFrame], chosen: Mapping[str, float], theme: Theme
) -> go.Figure:
    """Draw one panel per penalty, the others at their chosen values.

    Parameters
    ----------
    curves : mapping of str to pandas.DataFrame
        By penalty: ``value``, ``error`` and ``exact`` (False where the search stopped early, so
        that the error is a lower bound).
    chosen : mapping of str to float
        The value that was taken.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = make_subplots(
        rows=len(curves),
        cols=1,
        vertical_spacing=0.25 / max(len(curves), 1),
        subplot_titles=[NAMES.get(name, name) for name in curves],
    )
    for row, (name, whole) in enumerate(curves.items(), start=1):
        curve = whole[np.isfinite(whole["error"])]
        labels = ["∞" if np.isinf(value) else f"{value:.3g}" for value in curve["value"]]
        best = [value == chosen.get(name) for value in curve["value"]]
        figure.add_scatter(
            x=labels,
            y=curve["error"],
            mode="lines+markers",
            line={"color": theme.synthetic, "width": 2},
            marker={
                "opacity": 1,
                "size": [12 if is_best else 7 for is_best in best],
                "color": [theme.effect if is_best else theme.synthetic for is_best in best],
                "symbol": ["circle" if exact else "triangle-up-open" for exact in curve["exact"]],
            },
            hovertemplate="%{x}: %{y:.4~g}<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        figure.update_xaxes(type="category", row=row, col=1)
        figure.update_yaxes(title_text="Error", row=row, col=1)
    layout(figure, theme, height=60 + 200 * len(curves), legend=False)
    figure.update_layout(hovermode="closest", margin_t=34)
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    return figure
