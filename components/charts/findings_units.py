"""Figures of findings that show one mark or line for each unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from components.analysis import Result, Words
from components.charts.theme import Theme, layout, plot_text, x_labels, x_range, x_values
from components.charts.weights import unit_weights
from components.diagnostics import Finding


@dataclass(frozen=True, eq=False)
class Scene:
    """A finding, what it is about, its words and the colours."""

    finding: Finding
    result: Result
    words: Words
    theme: Theme


MOST_MARKS = 40
MOST_LINES = 40
LABELLED = 6
WITH_ALL = ("counterfactual", "observed", "gap")
ROW = 20  # pixels
COLUMNS = {
    "support": ("in_own_noise", "Distance to the best weighted average, in its own noise"),
    "noise": ("noise", "Movement from period to period"),
    "trends": ("slope", "Slope before treatment, per period"),
    "autocorrelation": ("correlation", "Correlation of neighbouring errors"),
}


def placebo_ratios(of: Scene) -> go.Figure:
    """Draw the RMSPE ratio of every unit, the treated one marked, those left out hollow.

    Parameters
    ----------
    of : Scene

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table = _most(of.finding.table, "rmspe_ratio")
    return _marks(table, "rmspe_ratio", "RMSPE after treatment over RMSPE before", of.theme)


def by_unit(of: Scene) -> go.Figure:
    """Draw one number for every unit, treated units marked.

    Parameters
    ----------
    of : Scene

    Returns
    -------
    plotly.graph_objects.Figure
    """
    column, title = COLUMNS[of.finding.key]
    return _marks(_most(of.finding.table, column), column, title, of.theme)


def left_out(of: Scene) -> go.Figure:
    """Draw the counterfactual without each unit, every line named.

    The names of those that move it most stand at the ends of their lines, all others in the box
    that follows the pointer.

    Parameters
    ----------
    of : Scene

    Returns
    -------
    plotly.graph_objects.Figure
    """
    paths, periods = of.finding.details["paths"], of.result.estimate.panel.periods
    x, labels = x_values(periods), x_labels(periods)
    names = [name for name in paths.columns if name not in ("period", *WITH_ALL)]
    chart = go.Figure()
    for name in names[:MOST_LINES][::-1]:
        chart.add_scatter(
            x=x,
            y=paths[name],
            mode="lines",
            name=f"without {plot_text(name)}",
            showlegend=False,
            line={"color": of.theme.muted, "width": 1, "dash": "dot"},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
        )
    own = {
        "counterfactual": ("Counterfactual with all", of.theme.synthetic, "dash"),
        "observed": ("Observed", of.theme.treated, "solid"),
        "gap": ("Gap with all", of.theme.effect, "solid"),
    }
    for column in [name for name in WITH_ALL if name in paths]:
        title, colour, dash = own[column]
        chart.add_scatter(
            x=x,
            y=paths[column],
            mode="lines",
            name=title,
            customdata=labels,
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
        )
    layout(chart, of.theme, height=420)
    chart.update_layout(hovermode="closest")
    gap = f"Gap, {of.words.measure}" if of.words.measure else "Gap"
    chart.update_yaxes(title_text=plot_text(gap) if "gap" in paths else plot_text(of.words.outcome))
    chart.update_xaxes(range=x_range(x))
    _end_labels(chart, paths, names[:LABELLED], x, of.theme)
    return chart


def weights(of: Scene) -> go.Figure:
    """Draw the largest weights as bars.

    Parameters
    ----------
    of : Scene

    Returns
    -------
    plotly.graph_objects.Figure
    """
    found = of.result.estimate.unit_weights
    assert found is not None
    return unit_weights(found, of.theme, most=12)


def differences(of: Scene) -> go.Figure:
    """Draw the difference of each covariate, weighted donors against all donors.

    Parameters
    ----------
    of : Scene

    Returns
    -------
    plotly.graph_objects.Figure
    """
    assert of.finding.table is not None
    table = of.finding.table.iloc[::-1]
    names = [f"{plot_text(name)} " for name in table["covariate"]]
    chart = go.Figure()
    for column, name, colour, symbol in (
        ("difference_all_donors", "All donors alike", of.theme.muted, "circle-open"),
        ("difference", "Weighted donors", of.theme.synthetic, "circle"),
    ):
        chart.add_scatter(
            x=table[column],
            y=names,
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2}},
            hovertemplate="%{y}: %{x:.2f} sd<extra>%{fullData.name}</extra>",
        )
    chart.add_vline(x=0, line={"color": of.theme.muted, "width": 1})
    layout(chart, of.theme, height=120 + 30 * len(table))
    chart.update_layout(hovermode="closest")
    chart.update_xaxes(
        title_text="Treated minus donors, standard deviations between donors", showgrid=True
    )
    chart.update_yaxes(type="category")
    return chart


def _most(table: pd.DataFrame | None, column: str) -> pd.DataFrame:
    """Keep the treated units and the largest others, smallest first."""
    assert table is not None
    known = table[np.isfinite(table[column])]
    known = known.sort_values(column, ascending=False, kind="stable")
    room = max(MOST_MARKS - int(known["treated"].sum()), MOST_MARKS // 2)
    rank = (~known["treated"]).cumsum()
    shown = known[known["treated"] | (rank <= room)]
    most: pd.DataFrame = shown.iloc[: 2 * MOST_MARKS][::-1]
    return most


def _marks(table: pd.DataFrame, column: str, title: str, theme: Theme) -> go.Figure:
    chart = go.Figure()
    kept = table["kept"] if "kept" in table else pd.Series(True, index=table.index)
    names = [f"{plot_text(name)} " for name in table["unit"]]
    groups = [
        ("Never treated", ~table["treated"] & kept, theme.synthetic, "circle"),
        ("Left out for its fit", ~table["treated"] & ~kept, theme.muted, "circle-open"),
        ("Treated", table["treated"], theme.effect, "diamond"),
    ]
    for name, rows, colour, symbol in groups:
        if not rows.any():
            continue
        chart.add_scatter(
            x=table.loc[rows, column],
            y=[names[place] for place in np.flatnonzero(rows.to_numpy())],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 10},
            hovertemplate="%{y}: %{x:,.4~g}<extra></extra>",
        )
    layout(chart, theme, height=110 + ROW * len(table))
    chart.update_layout(hovermode="closest")
    chart.update_xaxes(title_text=title, showgrid=True)
    chart.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=names,
        tickmode="linear",
        tickfont={"size": 12},
        range=[-0.8, len(names) - 0.2],
    )
    return chart


def _end_labels(
    chart: go.Figure,
    paths: pd.DataFrame,
    names: list[str],
    x: pd.Index,
    theme: Theme,
) -> None:
    """Write names beside the ends of their lines, moved apart where they would overlap."""
    ends = paths[names].iloc[-1].dropna().sort_values()
    if not len(ends):
        return
    values = paths.drop(columns="period").to_numpy(dtype=np.float64)
    step = 0.05 * float(np.nanmax(values) - np.nanmin(values))
    places = ends.to_numpy().copy()
    for place in range(1, len(places)):
        places[place] = max(places[place], places[place - 1] + step)
    places -= (places - ends.to_numpy()).mean()
    for name, y in zip(ends.index, places, strict=True):
        chart.add_annotation(
            x=x[-1],
            y=y,
            text=f" without {plot_text(name)}",
            showarrow=False,
            xanchor="left",
            font={"color": theme.muted, "size": 12},
        )
    chart.update_layout(margin_r=130)
