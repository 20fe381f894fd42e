"""Who is treated when: the treatment map, and all units' outcomes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components.analysis.words import spoken
from components.arrays import Floats, Ints
from components.charts.theme import (
    Theme,
    joined,
    layout,
    onset,
    plot_text,
    short_names,
    x_labels,
    x_range,
    x_values,
)
from components.panel import Panel, unit_label

MOST_LINES, MANY_PERIODS = 200, 60
MOST_ROWS = 400


def treatment_map(panel: Panel, theme: Theme) -> go.Figure:
    """Draw units by periods: untreated, treated, and cells without an outcome.

    Parameters
    ----------
    panel : Panel
        Treated units come first, earliest first; beyond 400 units the rest is left out and said.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    order = _order(panel)[:MOST_ROWS]
    state = np.where(panel.W, 2.0, 1.0)
    state[~panel.observed] = 0.0
    names = short_names(unit_label(panel.units[row]) for row in order)
    words = np.array(["no outcome", "untreated", "treated"])[state[order].astype(np.int64)]
    figure = go.Figure(
        go.Heatmap(
            z=state[order],
            x=x_values(panel.periods),
            y=names,
            customdata=words,
            text=np.tile(x_labels(panel.periods), (len(order), 1)),
            colorscale=[
                [0, theme.missing_cell],
                [1 / 3, theme.missing_cell],
                [1 / 3, theme.donor_cell],
                [2 / 3, theme.donor_cell],
                [2 / 3, theme.effect],
                [1, theme.effect],
            ],
            zmin=0,
            zmax=2,
            showscale=False,
            xgap=0.5,
            ygap=0.5,
            hovertemplate="%{y}, %{text}: %{customdata}<extra></extra>",
        )
    )
    for name, colour in (("Treated", theme.effect), ("Untreated", theme.donor_cell)):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": colour},
            name=name,
        )
    if not panel.observed.all():
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={
                "symbol": "square",
                "size": 12,
                "color": theme.missing_cell,
                "line": {"color": theme.muted, "width": 1},
            },
            name="No outcome",
        )
    layout(figure, theme, height=int(min(760, max(220, 70 + 14 * len(names)))))
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(
        autorange="reversed", showgrid=False, type="category", tickfont={"size": 11}
    )
    return figure


def outcomes(panel: Panel, words_outcome: str, theme: Theme) -> go.Figure:
    """Draw every unit's outcome, the treated ones in front; its points can be clicked.

    Parameters
    ----------
    panel : Panel
    words_outcome : str
        Title of the vertical axis.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        The last trace is the average of the treated units (of all units where none is treated),
        with one marker per period.
    """
    treated = panel.design.treated
    donors = np.flatnonzero(~treated)
    shown = donors[:: max(1, -(-len(donors) // MOST_LINES))]
    x, labels = x_values(panel.periods), x_labels(panel.periods)
    figure = go.Figure()
    if len(shown):
        xs, ys = joined(x, panel.Y[shown])
        some = f"{len(shown)} of {len(donors)}" if len(shown) < len(donors) else f"{len(donors)}"
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": theme.placebo, "width": 1},
            name=f"Donors ({some})",
            hoverinfo="skip",
        )
    front = treated if treated.any() else np.ones_like(treated)
    average = _mean_by_column(panel.Y[front])
    if treated.sum() == 1:
        name = short_names([unit_label(panel.units[int(np.flatnonzero(treated)[0])])], 60)[0]
    else:
        name = f"Average of {int(front.sum())} {'treated ' if treated.any() else ''}units"
    figure.add_scatter(
        x=x,
        y=average,
        mode="lines+markers",
        line={"color": theme.treated, "width": 2.5},
        marker={"size": 7 if len(x) <= MANY_PERIODS else 4, "color": theme.treated},
        name=name,
        customdata=labels,
        hovertemplate="%{customdata}: %{y:,.4~g}<extra></extra>",
    )
    layout(figure, theme, height=400)
    n_pre = panel.design.n_pre
    if n_pre < len(x):
        onset(figure, n_pre, x, spoken(panel.periods[n_pre]), theme)
    figure.update_xaxes(range=x_range(x))
    figure.update_layout(hovermode="closest", clickmode="event+select")
    figure.update_yaxes(title_text=plot_text(words_outcome))
    return figure


def _order(panel: Panel) -> Ints:
    starts = np.where(panel.design.treated, panel.W.argmax(axis=1), panel.shape[1])
    return np.argsort(starts, kind="stable").astype(np.int64)


def _mean_by_column(Y: Floats) -> Floats:
    seen = np.isfinite(Y)
    total = np.where(seen, Y, 0.0).sum(axis=0)
    count = seen.sum(axis=0)
    means: Floats = np.divide(total, count, out=np.full(Y.shape[1], np.nan), where=count > 0)
    return means
