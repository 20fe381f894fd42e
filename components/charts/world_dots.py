"""What estimators find on average in a world with known truth, without an effect and with one."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.charts.leaderboard import short
from components.charts.theme import Theme, layout, plot_text
from components.estimators import ESTIMATORS


def world_dots(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """Draw mean estimates, one row for each estimator; a line marks each truth.

    Parameters
    ----------
    table : pandas.DataFrame
        From ``study_world``, or its first case alone.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Bars are two Monte Carlo standard errors.
    """
    keys = list(dict.fromkeys(table["estimator"]))
    figure = go.Figure()
    for effect, part in table.groupby("effect", sort=True):
        none = effect == 0.0
        colour = theme.muted if none else theme.effect
        figure.add_vline(x=effect, line={"color": colour, "width": 1, "dash": "dot"})
        figure.add_scatter(
            x=part["estimate"],
            y=[keys.index(key) for key in part["estimator"]],
            error_x={
                "type": "data",
                "array": 2 * part["estimate_error"],
                "thickness": 1.5,
                "width": 4,
                "color": colour,
            },
            mode="markers",
            name="No effect" if none else f"Effect of {effect:g}",
            marker={
                "symbol": "circle-open" if none else "circle",
                "size": 11,
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            text=[plot_text(ESTIMATORS[key].card.title) for key in part["estimator"]],
            customdata=part[["rmse"]],
            hovertemplate="%{text}: %{x:,.3f} on average, typical error %{customdata[0]:,.3f}"
            "<extra>%{fullData.name}</extra>",
        )
    layout(figure, theme, height=110 + 46 * len(keys))
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(title_text="Average estimate (dotted: the truth)", showgrid=True)
    figure.update_yaxes(
        tickvals=list(range(len(keys))),
        ticktext=[short(ESTIMATORS[key].card.title) for key in keys],
        range=[len(keys) - 0.5, -0.5],
    )
    return figure
