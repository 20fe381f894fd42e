"""What carries the counterfactual: donors and untreated periods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.analysis import Result, Words
from components.analysis.words import counterfactual_name, treated_names
from components.charts.theme import Theme, layout, plot_text, x_labels, x_range, x_values

MOST_BARS = 20
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
    names = [plot_text(unit) for unit in ordered.index[:most]]
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
            hovertemplate="%{y}%{x:.2%}<extra></extra>",
        )
    )
    layout(figure, theme, height=70 + 30 * len(names), legend=False)
    figure.update_layout(hovermode="closest", bargap=0.25)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    reach = float(np.abs(values).max()) if len(values) else 1.0
    figure.update_xaxes(range=[min(0.0, float(values.min(initial=0.0))), 1.18 * reach])
    figure.update_xaxes(tickformat=".0%", showgrid=True, visible=False)
    return figure


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
    if len(rest):
        parts.append(f"{len(rest)} more donors carry {rest.sum():.1%} together")
    if none:
        parts.append(f"{none} donors carry none")
    return "; ".join(parts) + "." if parts else ""


def time_weights(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw the time weights as bars under the trajectory that they weight.

    Parameters
    ----------
    result : Result
        Its estimate has time weights.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    estimate = result.estimate
    panel, weights = estimate.panel, estimate.time_weights
    assert weights is not None
    x, labels = x_values(panel.periods), x_labels(panel.periods)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.72, 0.28]
    )
    name = counterfactual_name(result, words)
    lines = (
        ("counterfactual", name[:1].upper() + name[1:], theme.synthetic, "dash"),
        ("observed", f"{treated_names(panel, words)} (observed)", theme.treated, "solid"),
    )
    for column, label, colour, dash in lines:
        figure.add_scatter(
            x=x,
            y=estimate.paths[column],
            name=plot_text(label),
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
            row=1,
            col=1,
        )
    where = panel.periods.get_indexer(weights.index)
    figure.add_bar(
        x=x[where],
        y=weights.to_numpy(),
        marker={"color": theme.effect},
        name="Time weight",
        hovertemplate="%{y:.2%}<extra>Time weight</extra>",
        row=2,
        col=1,
    )
    n_pre = panel.design.n_pre
    if n_pre < len(x):
        figure.add_vline(x=x[n_pre], line={"color": theme.muted, "dash": "dot", "width": 1.5})
        figure.add_annotation(
            x=x[n_pre],
            y=1,
            yref="y domain",
            text=f" first treated {labels[n_pre]}",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            font={"color": theme.muted, "size": 13},
        )
    layout(figure, theme, height=460)
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.outcome), row=1, col=1)
    figure.update_yaxes(title_text="Time weight", tickformat=".0%", row=2, col=1)
    return figure
