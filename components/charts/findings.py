"""The figure behind each finding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from components.analysis import Result, Words
from components.charts.findings_units import (
    Scene,
    by_unit,
    differences,
    left_out,
    placebo_ratios,
    weights,
)
from components.charts.theme import Theme, layout, plot_text, x_labels, x_range, x_values
from components.diagnostics import Finding

Draw = Callable[[Scene], go.Figure]


def figure(finding: Finding, result: Result, words: Words, theme: Theme) -> go.Figure | None:
    """Draw what a finding is read off, or give None where its table says it all.

    Parameters
    ----------
    finding : Finding
    result : Result
        What it is about.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure or None
    """
    draw = FIGURES.get(finding.key)
    if draw is None or finding.table is None or not len(finding.table):
        return None
    if finding.key in ONE_DATE and result.estimate.panel.design.kind != "block":
        return None
    return draw(Scene(finding, result, words, theme))


def _fit(of: Scene) -> go.Figure:
    table, chart = _table(of.finding), go.Figure()
    x = _x(of.result, table)
    lines = [
        ("gap_to_plain_mean", "Gap to the plain mean of all donors", of.theme.muted, "dot"),
        ("gap", "Gap to the weighted counterfactual", of.theme.effect, "solid"),
    ]
    for column, name, colour, dash in lines:
        _line(chart, x, table["period"], table[column].to_numpy(), name, colour, dash)
    return _gap_axes(chart, of.words, of.theme, x)


def _earlier(of: Scene) -> go.Figure:
    table, chart = _table(of.finding), go.Figure()
    x = _x(of.result, table)
    first = int(table["pretended"].to_numpy().argmax())
    lines = [
        ("counterfactual", "Predicted from the periods before", of.theme.synthetic, "dash"),
        ("observed", "Observed", of.theme.treated, "solid"),
    ]
    for column, name, colour, dash in lines:
        _line(chart, x, table["period"], table[column].to_numpy(), name, colour, dash)
    chart.add_vrect(x0=x[first], x1=x[-1], fillcolor=of.theme.tint, line_width=0, layer="below")
    chart.add_vline(x=x[first], line={"color": of.theme.muted, "dash": "dot", "width": 1.5})
    layout(chart, of.theme, height=340)
    chart.update_yaxes(title_text=plot_text(of.words.outcome))
    chart.update_xaxes(range=x_range(x))
    chart.add_annotation(
        x=x[first],
        y=0,
        yref="y domain",
        text=f" as if first treated {plot_text(table['period'].iloc[first])} ",
        showarrow=False,
        xanchor="right" if first > len(x) / 2 else "left",
        yanchor="bottom",
        font={"color": of.theme.muted, "size": 13},
    )
    return chart


def _honest(of: Scene) -> go.Figure:
    table, chart = _table(of.finding), go.Figure()
    part = table[table["restriction"] == "relative magnitudes"]
    middle = ((part["lower"] + part["upper"]) / 2).to_numpy()
    chart.add_scatter(
        x=[f"{value:g}" for value in part["M"]],
        y=middle,
        mode="markers",
        marker={"size": 1, "color": of.theme.effect},
        error_y={
            "type": "data",
            "array": part["upper"].to_numpy() - middle,
            "color": of.theme.effect,
            "thickness": 2.5,
            "width": 8,
        },
        customdata=part[["lower", "upper"]].to_numpy(),
        hovertemplate="%{x} times: %{customdata[0]:,.4~g} to %{customdata[1]:,.4~g}<extra></extra>",
    )
    chart.add_hline(y=0, line={"color": of.theme.muted, "width": 1})
    layout(chart, of.theme, height=340, legend=False)
    chart.update_layout(hovermode="closest")
    chart.update_xaxes(
        title_text="Steps away from parallel, at most this many times the largest before",
        type="category",
    )
    chart.update_yaxes(
        title_text=plot_text(f"Effect, {of.words.measure}" if of.words.measure else "Effect")
    )
    return chart


def _reactions(of: Scene) -> go.Figure:
    gaps, chart = of.finding.details["gaps"], go.Figure()
    panel = of.result.estimate.panel
    x, labels = x_values(panel.periods), pd.Series(x_labels(panel.periods))
    named = of.finding.details["named"][:3] or [_table(of.finding)["unit"].iloc[0]]
    others = [name for name in gaps.columns[1:] if name not in named]
    for name in [*others, *named]:
        shown = name in named
        _line(
            chart,
            x,
            labels,
            gaps[name].to_numpy(),
            plot_text(name),
            of.theme.effect if shown else of.theme.placebo,
            ("solid", "dash", "dot")[named.index(name)] if shown else "solid",
        )
        chart.data[-1].update(
            showlegend=shown,
            line_width=2.5 if shown else 1,
            hoverinfo=None if shown else "skip",
            hovertemplate=chart.data[-1].hovertemplate if shown else None,
        )
    chart.add_vline(
        x=x[panel.design.n_pre], line={"color": of.theme.muted, "dash": "dot", "width": 1.5}
    )
    return _gap_axes(chart, of.words, of.theme, x)


def _time(of: Scene) -> go.Figure:
    table = _table(of.finding)
    chart = go.Figure(
        go.Bar(
            x=table["period"],
            y=table["weight"],
            marker={"color": of.theme.synthetic},
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
        )
    )
    layout(chart, of.theme, height=300, legend=False)
    chart.update_yaxes(tickformat=".0%", title_text="Time weight")
    chart.update_xaxes(type="category")
    return chart


FIGURES: dict[str, Draw] = {
    "fit": _fit,
    "anticipation": _earlier,
    "backdating": _earlier,
    "honest": _honest,
    "contamination": _reactions,
    "time_support": _time,
    "placebo_units": placebo_ratios,
    "leave_donor_out": left_out,
    "leave_treated_out": left_out,
    "concentration": weights,
    "balance": differences,
    "support": by_unit,
    "noise": by_unit,
    "trends": by_unit,
    "autocorrelation": by_unit,
}
ONE_DATE = ("anticipation", "backdating")
"""Figures of averages that stand for something only where all start at one date."""


def _table(finding: Finding) -> pd.DataFrame:
    assert finding.table is not None
    return finding.table


def _x(result: Result, table: pd.DataFrame) -> pd.Index:
    """Give the positions of the periods that a table names."""
    periods = result.estimate.panel.periods
    labels = pd.Index(x_labels(periods))
    return x_values(periods)[labels.get_indexer(pd.Index(table["period"]))]


def _line(
    chart: go.Figure,
    x: pd.Index,
    labels: pd.Series[str],
    y: np.ndarray,
    name: str,
    colour: str,
    dash: str,
) -> None:
    chart.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=name,
        customdata=labels,
        line={"color": colour, "dash": dash, "width": 2.5},
        hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
    )


def _gap_axes(chart: go.Figure, words: Words, theme: Theme, x: pd.Index) -> go.Figure:
    chart.add_hline(y=0, line={"color": theme.muted, "width": 1})
    layout(chart, theme, height=340)
    chart.update_yaxes(title_text=plot_text(f"Gap, {words.measure}" if words.measure else "Gap"))
    chart.update_xaxes(range=x_range(x))
    return chart
