"""Placebo errors as a picture of units by periods, and the four intervals that they give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from components.analysis import Result, Words
from components.analysis.words import number
from components.charts.theme import Theme, layout, plot_text, x_labels
from components.inference.base import level_text
from components.panel import unit_label

MOST_ROWS = 60
FULL_COLOUR_AT = 0.98  # quantile of absolute errors that gets the full colour
GIVEN_WORDS = {
    "marginal": "Marginal",
    "time": "Given the period",
    "unit": "Given the unit",
    "both": "Given both",
}


def placebo_errors(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw every placebo error as a cell, treated units on top, then by size.

    Parameters
    ----------
    result : Result
        Of conditional variance: its details have ``"placebo_errors"``.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Symmetric colours around zero. Cells without an error are empty, treated cells marked;
        periods with neither are left out.
    """
    table, panel = _table(result), result.estimate.panel
    order, reach = rows_shown(result), _reach(table)
    names = [plot_text(unit_label(panel.units[row])) for row in order]
    shown = np.isfinite(table.to_numpy()).any(axis=0) | panel.W.any(axis=0)
    labels = np.array(x_labels(panel.periods), dtype=object)
    values = table.to_numpy()[order][:, shown]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=labels[shown],
            y=names,
            zmid=0,
            zmin=-reach,
            zmax=reach,
            colorscale=[[0, theme.synthetic], [0.5, theme.surface], [1, theme.effect]],
            xgap=1,
            ygap=1,
            hoverongaps=False,
            colorbar={
                "title": {"text": plot_text(words.measure or "error"), "side": "right"},
                "thickness": 12,
                "outlinewidth": 0,
                "tickfont": {"color": theme.muted},
            },
            hovertemplate="%{y}, %{x}: placebo error %{z:,.4~g}<extra></extra>",
        )
    )
    _treated_cells(figure, result, names, theme)
    layout(figure, theme, height=int(np.clip(110 + 14 * len(names), 240, 720)), legend=True)
    figure.update_layout(hovermode="closest", plot_bgcolor=theme.tint)
    figure.update_xaxes(type="category", nticks=12)
    figure.update_yaxes(
        autorange="reversed", showgrid=False, type="category", tickfont={"size": 11}
    )
    return figure


def rows_shown(result: Result) -> list[int]:
    """Choose the rows of the picture: treated units first, then the largest errors.

    Parameters
    ----------
    result : Result

    Returns
    -------
    list of int
        At most ``MOST_ROWS`` rows of the panel.
    """
    table = _table(result)
    treated = result.estimate.panel.design.treated
    size = np.nan_to_num(np.sqrt(np.square(table).mean(axis=1)).to_numpy(), nan=-1.0)
    order = np.lexsort((-size, ~treated))
    return [int(row) for row in order[:MOST_ROWS]]


def four_intervals(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw the four intervals side by side, the chosen one in front.

    Parameters
    ----------
    result : Result
        Of conditional variance: its details have ``"conditional_intervals"``.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    assert result.uncertainty is not None
    table = result.uncertainty.details["conditional_intervals"]
    att, level = result.estimate.att, level_text(result.uncertainty.level)
    chosen = getattr(result.uncertainty.method, "given", "")
    figure = go.Figure()
    for _, row in table.iterrows():
        own = row["given"] == chosen
        colour = theme.effect if own else theme.muted
        name = GIVEN_WORDS[row["given"]] + (" (shown)" if own else "")
        known = np.isfinite(row["lower"])
        text = f"{number(row['lower'])} to {number(row['upper'])}" if known else "no placebo errors"
        figure.add_scatter(
            x=[row["lower"], att, row["upper"]] if known else [None],
            y=[name] * (3 if known else 1),
            mode="lines+markers",
            line={"color": colour, "width": 4 if own else 2.5},
            marker={
                "color": colour,
                "size": [9, 11, 9],
                "symbol": ["line-ns-open", "circle", "line-ns-open"],
            },
            hovertemplate=f"{name}: {level} {text}<extra></extra>",
            showlegend=False,
        )
    figure.add_vline(x=0, line={"color": theme.muted, "width": 1, "dash": "dot"})
    layout(figure, theme, height=240, legend=False)
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    title = f"Average effect, {words.measure}" if words.measure else "Average effect"
    figure.update_xaxes(showgrid=True, title_text=plot_text(f"{title} ({level} intervals)"))
    return figure


def _table(result: Result) -> pd.DataFrame:
    assert result.uncertainty is not None
    table: pd.DataFrame = result.uncertainty.details["placebo_errors"]
    return table


def _reach(table: pd.DataFrame) -> float:
    sizes = np.abs(table.to_numpy())
    sizes = sizes[np.isfinite(sizes)]
    return float(np.quantile(sizes, FULL_COLOUR_AT)) or 1.0 if sizes.size else 1.0


def _treated_cells(figure: go.Figure, result: Result, names: list[str], theme: Theme) -> None:
    """Mark treated cells, which have no placebo error."""
    panel, labels = result.estimate.panel, x_labels(result.estimate.panel.periods)
    marked = [
        (labels[column], names[place])
        for place, row in enumerate(rows_shown(result))
        for column in np.flatnonzero(panel.W[row])
    ]
    figure.add_scatter(
        x=[x for x, _ in marked],
        y=[y for _, y in marked],
        mode="markers",
        marker={"symbol": "square-open", "size": 5, "color": theme.treated},
        name="Treated",
        hovertemplate="%{y}, %{x}: treated<extra></extra>",
        showlegend=True,
    )
