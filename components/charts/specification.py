"""The specification curve: sorted effects above, the choices behind each below."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.analysis import Words
from components.analysis.curve_words import NAMES, OWN, option_name
from components.analysis.specification import FIELDS
from components.arrays import Floats
from components.charts.theme import Theme, joined, layout, plot_text

ROW = 17  # pixels
TOP = 260
POINTS = 60  # of each placebo curve
MOST_LINES = 100


def specification_curve(table: pd.DataFrame, words: Words, theme: Theme) -> go.Figure:
    """Draw the curve, with the declared specification marked.

    Parameters
    ----------
    table : pandas.DataFrame
        As `components.analysis.curve_words.with_declared` gives it.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = _rows(table)
    marks = np.stack([(table[field] == option).to_numpy() for field, option in rows])
    height = TOP + ROW * len(rows)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.04,
        row_heights=[TOP / height, 1.0 - TOP / height],
    )  # fmt: skip
    x = np.arange(1, len(table) + 1)
    said = [plot_text(_said(row)) for row in table[list(FIELDS)].itertuples(index=False)]
    declared = table["declared"].to_numpy()
    figure.add_scatter(
        x=x, y=table["effect"], mode="markers", name="One specification", text=said,
        marker={"size": 4, "color": theme.synthetic},
        hovertemplate="%{y:,.4~g}<br>%{text}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=x[declared], y=table["effect"][declared], mode="markers", name="The declared one",
        marker={"size": 13, "symbol": "diamond", "color": theme.effect},
        hovertemplate="declared: %{y:,.4~g}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_hline(y=0.0, line={"color": theme.muted, "width": 1}, row=1, col=1)
    figure.add_heatmap(
        z=marks.astype(np.float32),
        x=x,
        y=[f"{NAMES[field]}: {plot_text(option_name(field, option))} " for field, option in rows],
        colorscale=[[0.0, theme.tint], [1.0, theme.synthetic]],
        zmin=0.0, zmax=1.0, showscale=False, ygap=2, hoverinfo="skip", row=2, col=1,
    )  # fmt: skip
    for row in (1, 2):
        figure.add_vline(
            x=int(x[declared][0]), line={"color": theme.effect, "width": 1.5}, row=row, col=1
        )
    layout(figure, theme, height=height)
    figure.update_layout(hovermode="closest")
    title = f"Average effect ({words.measure})" if words.measure else "Average effect"
    figure.update_yaxes(title_text=plot_text(title), row=1, col=1)
    figure.update_yaxes(
        autorange="reversed", showgrid=False, type="category", dtick=1,
        tickfont={"size": 10}, row=2, col=1,
    )  # fmt: skip
    figure.update_xaxes(range=[0.5, len(table) + 0.5])
    figure.update_xaxes(title_text="Specifications, by effect", row=2, col=1)
    return figure


def placebo_curves(effects: Floats, placebos: Floats, words: Words, theme: Theme) -> go.Figure:
    """Draw the sorted effects of the treated in front of those of the placebos.

    Parameters
    ----------
    effects : Floats, shape (S,)
    placebos : Floats, shape (P, S)
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    shares = np.linspace(0.0, 1.0, POINTS)
    lines = curve_quantiles(placebos[:MOST_LINES])
    xs, ys = joined(list(shares), lines)
    figure = go.Figure()
    some = f"{len(lines)} of {len(placebos)}" if len(lines) < len(placebos) else f"{len(lines)}"
    figure.add_scatter(
        x=xs, y=ys, mode="lines", name=f"Placebo curves ({some})", hoverinfo="skip",
        line={"color": theme.placebo, "width": 1},
    )  # fmt: skip
    figure.add_scatter(
        x=shares, y=np.quantile(effects, shares), mode="lines", name="The treated",
        line={"color": theme.effect, "width": 2.5},
        hovertemplate="%{x:.0%} of specifications are below %{y:,.4~g}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=0.0, line={"color": theme.muted, "width": 1})
    layout(figure, theme, height=340)
    figure.update_xaxes(tickformat=".0%", title_text="Share of specifications, by effect")
    title = f"Average effect ({words.measure})" if words.measure else "Average effect"
    figure.update_yaxes(title_text=plot_text(title))
    return figure


def curve_quantiles(effects: Floats) -> Floats:
    """Thin sorted curves, shape (P, S), out to 60 points each, shape (P, 60)."""
    return np.asarray(np.quantile(effects, np.linspace(0.0, 1.0, POINTS), axis=1).T)


def _rows(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Give every option that is used, field by field, where there is a choice."""
    found = []
    for field in FIELDS:
        named = table.sort_values("place", kind="stable")[field].unique()
        options = [str(option) for option in named if option != OWN]
        if len(options) > 1:
            found += [(field, option) for option in options]
    return found


def _said(row: tuple[str, ...]) -> str:
    return ", ".join(option_name(field, option) for field, option in zip(FIELDS, row, strict=True))
