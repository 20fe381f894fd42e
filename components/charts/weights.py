"""What carries the counterfactual: donors and untreated periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.charts.theme import Theme, layout, plot_text, short_names, x_labels, x_values

MOST_BARS, MOST_ROWS, MANY_PERIODS = 20, 12, 60
SMALL = 1e-6


def unit_weights(weights: pd.Series[float], theme: Theme, *, most: int = MOST_BARS) -> go.Figure:
    """Draw the largest weights as sorted bars.

    Parameters
    ----------
    weights : pandas.Series
        Indexed by unit.
    theme : Theme
    most : int
        Bars at most; :func:`rest_of_weights` says what is not drawn.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    ordered = weights[weights.abs() > SMALL].sort_values(ascending=False, kind="stable")
    names = short_names(ordered.index[:most])
    values = ordered.to_numpy()[:most]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[f"{name} " for name in names],
            orientation="h",
            marker={"color": theme.synthetic},
            text=[f"{value:.1%}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[plot_text(unit) for unit in ordered.index[:most]],
            hovertemplate="%{customdata} %{x:.2%}<extra></extra>",
        )
    )
    layout(figure, theme, height=70 + 30 * len(names), legend=False)
    figure.update_layout(hovermode="closest", bargap=0.25)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    reach = float(np.abs(values).max()) if len(values) else 1.0
    figure.update_xaxes(range=[min(0.0, float(values.min(initial=0.0))), 1.4 * reach])
    figure.update_xaxes(tickformat=".0%", showgrid=True, visible=False)
    return figure


def largest_in_words(weights: pd.Series[float]) -> str:
    """Name the three largest weights, in place of the picture.

    Parameters
    ----------
    weights : pandas.Series
        Indexed by unit.

    Returns
    -------
    str
        "Utah 39.4%, Montana 23.2%, Nevada 20.5% and 3 more".
    """
    ordered = weights[weights.abs() > SMALL].sort_values(ascending=False, kind="stable")
    named = ", ".join(f"{unit} {value:.1%}" for unit, value in ordered.iloc[:3].items())
    return named + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")


def rest_of_weights(weights: pd.Series[float], *, most: int = MOST_BARS) -> str:
    """Say what :func:`unit_weights` does not draw.

    Parameters
    ----------
    weights : pandas.Series
    most : int

    Returns
    -------
    str
    """
    ordered = weights[weights.abs() > SMALL].sort_values(ascending=False, kind="stable")
    rest, none = ordered.to_numpy()[most:], len(weights) - len(ordered)
    parts = []
    if len(rest) == 1:
        parts.append(f"1 more donor carries {rest.sum():.1%}")
    elif len(rest):
        parts.append(f"{len(rest)} more donors carry {rest.sum():.1%} together")
    if none:
        parts.append(f"{none} donors carry none" if none > 1 else "1 donor carries none")
    return "; ".join(parts) + "." if parts else ""


def uneven(weights: pd.Series[float]) -> bool:
    """Tell whether some weights are larger than others."""
    return bool(np.ptp(weights.to_numpy()) > SMALL)


def double_weights(
    units: pd.Series[float], periods: pd.Series[float], theme: Theme, *, most: int = MOST_ROWS
) -> go.Figure:
    """Draw unit weights as bars, and beside each what its cells count.

    Parameters
    ----------
    units, periods : pandas.Series
        Weights of donors and of periods before treatment; a cell counts their product.
    theme : Theme
    most : int
        Donors at most; :func:`rest_of_weights` says what is not drawn.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    ordered = units[units.abs() > SMALL].sort_values(ascending=False, kind="stable").iloc[:most]
    names = [f"{name} " for name in short_names(ordered.index)]
    figure = make_subplots(
        rows=1, cols=2, column_widths=[0.35, 0.65], shared_yaxes=True, horizontal_spacing=0.02
    )
    figure.add_bar(
        x=ordered.to_numpy(),
        y=names,
        orientation="h",
        marker={"color": theme.synthetic},
        text=[f"{value:.1%}" for value in ordered],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}%{x:.2%}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_heatmap(
        x=x_values(periods.index),
        y=names,
        z=np.outer(ordered, periods),
        customdata=np.tile(x_labels(periods.index), (len(names), 1)),
        colorscale=[[0.0, theme.synthetic_faint], [1.0, theme.synthetic]],
        zmin=0.0,
        showscale=False,
        xgap=0.5 if len(periods) <= MANY_PERIODS else 0.0,
        ygap=0.5,
        hovertemplate="%{y}in %{customdata}: %{z:.3%}<extra></extra>",
        row=1,
        col=2,
    )
    layout(figure, theme, height=60 + 27 * len(names), legend=False)
    figure.update_layout(hovermode="closest", bargap=0.2)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_yaxes(showline=False, ticks="", col=2)
    figure.update_xaxes(range=[0.0, 1.5 * float(ordered.max())], visible=False, col=1)
    return figure
