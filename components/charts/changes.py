"""Two runs in one picture: their gaps, and their conclusions estimator by estimator."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.analysis import Result, Words
from components.charts.theme import Theme, layout, plot_text, x_labels, x_values

ROW = 44  # pixels


def two_gaps(before: Result, after: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw observed minus counterfactual of both runs.

    Parameters
    ----------
    before, after : Result
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    for result, name, colour, dash in (
        (before, "Before", theme.muted, "dash"),
        (after, "After", theme.effect, "solid"),
    ):
        panel = result.estimate.panel
        x = x_values(panel.periods)
        figure.add_scatter(
            x=x, y=result.estimate.paths["gap"], mode="lines", name=name,
            customdata=x_labels(panel.periods), line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
        if panel.design.kind == "block":
            start = x[panel.design.n_pre]
            figure.add_vline(x=start, line={"color": colour, "dash": "dot", "width": 1})
    figure.add_hline(y=0.0, line={"color": theme.muted, "width": 1})
    layout(figure, theme, height=300)
    title = f"Gap, {words.measure}" if words.measure else "Gap"
    figure.update_yaxes(title_text=plot_text(title))
    return figure


def estimator_effects(table: pd.DataFrame, words: Words, theme: Theme) -> go.Figure:
    """Draw the effect before and after for every estimator, joined by a line.

    Parameters
    ----------
    table : pandas.DataFrame
        As `components.analysis.changes.conclusions` gives it.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    names = [f"{plot_text(name)} " for name in table["estimator"]]
    figure = go.Figure()
    for place, name in enumerate(names):
        ends = table[["effect_before", "effect_after"]].iloc[place]
        figure.add_scatter(
            x=ends, y=[name, name], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": theme.placebo, "width": 3},
        )  # fmt: skip
    for column, words_, state, symbol, colour in (
        ("effect_before", "Before", "before", "circle-open", theme.text),
        ("effect_after", "After", "after", "circle", theme.effect),
    ):
        figure.add_scatter(
            x=table[column], y=names, mode="markers", name=words_, text=table[state],
            marker={"size": 11, "symbol": symbol, "color": colour, "line": {"width": 2}},
            hovertemplate="%{y}%{x:,.4~g} (%{text})<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.add_vline(x=0.0, line={"color": theme.muted, "width": 1})
    layout(figure, theme, height=90 + ROW * len(names))
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    title = f"Average effect ({words.measure})" if words.measure else "Average effect"
    figure.update_xaxes(title_text=plot_text(title), showgrid=True)
    return figure
