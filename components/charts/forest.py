"""All estimators on one figure: effects with intervals, counterfactuals, and weights."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from components.analysis.entrants import Contest
from components.analysis.words import Words
from components.arrays import Floats
from components.charts.leaderboard import short
from components.charts.looks import look_of
from components.charts.theme import Theme, layout, onset, plot_text, x_labels, x_range, x_values
from components.panel import Panel, period_label, unit_label

MOST_DONORS = 12
MOST_WRITTEN = 8  # periods whose cells have room for a number, on a telephone too
LEAST_WRITTEN = 0.005


def forest(
    contest: Contest, order: list[str], chosen: str, words: Words, theme: Theme
) -> go.Figure:
    """Draw every estimated effect with its interval.

    Parameters
    ----------
    contest : Contest
    order : list of str
        Keys from top to bottom: the best predictor first.
    chosen : str
        Key of the estimator of the analysis, drawn in colour.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        An open mark has no interval.
    """
    figure = go.Figure()
    for place, key in enumerate(order):
        entrant = contest.entrants[key]
        colour = theme.effect if key == chosen else theme.treated
        interval = entrant.interval
        if interval is not None:
            figure.add_scatter(
                x=list(interval),
                y=[place, place],
                mode="lines",
                line={"color": colour, "width": 3 if key == chosen else 2},
                hoverinfo="skip",
                showlegend=False,
            )
        span = "no interval" if interval is None else f"{interval[0]:,.4g} to {interval[1]:,.4g}"
        figure.add_scatter(
            x=[entrant.att],
            y=[place],
            mode="markers",
            marker={
                "size": 12 if key == chosen else 10,
                "color": colour,
                "symbol": "circle-open" if interval is None else "circle",
                "line": {"width": 2, "color": colour},
            },
            hovertemplate=f"{plot_text(entrant.title)}: %{{x:,.4~g}}, {span}<extra></extra>",
            showlegend=False,
        )
    layout(figure, theme, height=100 + 42 * len(order), legend=False)
    figure.update_layout(hovermode="closest")
    figure.add_vline(x=0, line={"color": theme.muted, "width": 1, "dash": "dot"})
    titles = [short(contest.entrants[key].title) for key in order]
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[
            f"<b>{title}</b>" if key == chosen else title
            for key, title in zip(order, titles, strict=True)
        ],
        range=[len(order) - 0.5, -0.5],
    )
    label = f"Average effect, {words.measure or words.outcome}"
    figure.update_xaxes(title_text=plot_text(label), showgrid=True, range=_span(contest, order))
    return figure


def _span(contest: Contest, order: list[str]) -> list[float] | None:
    """Give the ends of the axis, with room beside the longest interval; zero is always there."""
    entrants = [contest.entrants[key] for key in order]
    ends = [0.0, *(one.att for one in entrants)]
    ends += [end for one in entrants for end in one.interval or ()]
    known = [end for end in ends if np.isfinite(end)]
    margin = 0.05 * (max(known) - min(known))
    return [min(known) - margin, max(known) + margin] if margin else None


def overlay(
    contest: Contest, order: list[str], panel: Panel, words: Words, theme: Theme
) -> go.Figure:
    """Draw what each estimator says would have happened to the treated units, on average.

    Parameters
    ----------
    contest : Contest
    order : list of str
    panel : Panel
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Lines differ by colour and dash; a click on the legend hides one.
    """
    x = x_values(panel.periods)
    figure = go.Figure()
    for key in order:
        entrant = contest.entrants[key]
        if entrant.counterfactual is None:
            continue
        look = look_of(key)
        figure.add_scatter(
            x=x,
            y=entrant.counterfactual,
            mode="lines",
            name=plot_text(entrant.title),
            line={"color": look.colour(theme), "dash": look.dash, "width": 1.8},
            customdata=x_labels(panel.periods),
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
        )
    first = contest.entrants[order[0]].observed if order else None
    if first is not None:
        figure.add_scatter(
            x=x,
            y=first,
            mode="lines",
            name="Observed",
            line={"color": theme.treated, "width": 2.8},
            hovertemplate="%{y:,.4~g}<extra>Observed</extra>",
        )
    layout(figure, theme, height=500)
    n_pre = panel.design.n_pre
    if 0 < n_pre < len(x):
        onset(figure, n_pre, x, period_label(panel.periods[n_pre]), theme)
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.outcome))
    return figure


def weight_table(contest: Contest, order: list[str], what: Literal["unit", "time"]) -> pd.DataFrame:
    """Put weights side by side.

    Parameters
    ----------
    contest : Contest
    order : list of str
    what : {"unit", "time"}

    Returns
    -------
    pandas.DataFrame
        One row per donor, the largest weight in any estimator first, or per period; one column
        per estimator that has such weights.
    """
    columns = {
        key: weights
        for key in order
        if (weights := getattr(contest.entrants[key], f"{what}_weights")) is not None
    }
    if not columns:
        return pd.DataFrame()
    table = pd.DataFrame(columns).fillna(0.0)
    if what == "unit":
        largest = table.abs().max(axis=1).sort_values(ascending=False, kind="stable")
        table = table.loc[largest.index]
    name = unit_label if what == "unit" else period_label
    table.index = pd.Index([name(label) for label in table.index])
    return table.rename(columns={key: contest.entrants[key].title for key in columns})


def donor_map(table: pd.DataFrame, theme: Theme, *, most: int = MOST_DONORS) -> go.Figure:
    """Draw weights on donors side by side, one column per estimator.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`weight_table`.
    theme : Theme
    most : int
        Rows at most.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    shown = table.iloc[:most]
    names = [short(str(name)) for name in shown.columns]
    figure = _shaded(shown.to_numpy(), names, [plot_text(name) for name in shown.index], theme)
    layout(figure, theme, height=110 + 26 * len(shown), legend=False)
    figure.update_layout(hovermode="closest", plot_bgcolor=theme.tint)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(type="category", side="top", ticklen=0, tickfont={"size": 12})
    return figure


def period_map(table: pd.DataFrame, theme: Theme) -> go.Figure:
    """Draw weights on periods one below the other, one row per estimator, time to the right.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`weight_table`.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Shares are written into the cells where there is room.
    """
    names = [short(str(name)) for name in table.columns]
    periods = [plot_text(name) for name in table.index]
    figure = _shaded(table.to_numpy().T, periods, names, theme, written=len(table) <= MOST_WRITTEN)
    layout(figure, theme, height=90 + 46 * len(names), legend=False)
    figure.update_layout(hovermode="closest", plot_bgcolor=theme.tint)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(type="category", ticklen=0, tickfont={"size": 12}, nticks=12)
    return figure


def _shaded(
    values: Floats, columns: list[str], rows: list[str], theme: Theme, *, written: bool = True
) -> go.Figure:
    """Shade cells by their share, and write it into them."""
    text = [[f"{v:.0%}" if abs(v) >= LEAST_WRITTEN else "" for v in row] for row in values]
    return go.Figure(
        go.Heatmap(
            z=values,
            x=columns,
            y=rows,
            zmin=0,
            zmax=max(float(np.abs(values).max(initial=0.0)), 1e-9),
            colorscale=[[0, theme.surface], [1, theme.synthetic]],
            text=text if written else None,
            texttemplate="%{text}" if written else None,
            textfont={"size": 12},
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y}, %{x}: %{z:.2%}<extra></extra>",
        )
    )
