"""The main picture: observed against counterfactual, and the gap between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.analysis import Result, Words
from components.analysis.words import counterfactual_name, spoken, treated_names
from components.charts.theme import (
    Theme,
    joined,
    layout,
    onset,
    plot_text,
    x_labels,
    x_range,
    x_values,
)
from components.inference.base import Band, level_text

MOST_PLACEBO_LINES, MANY_LINES = 100, 60


def trajectory(result: Result, words: Words, theme: Theme, *, placebos: bool = True) -> go.Figure:
    """Draw observed and counterfactual above, the gap below, on one time axis.

    Parameters
    ----------
    result : Result
    words : Words
    theme : Theme
    placebos : bool
        Show the placebo gaps where the method has them.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    estimate, panel = result.estimate, result.estimate.panel
    paths, x = estimate.paths, x_values(panel.periods)
    labels = x_labels(panel.periods)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.6, 0.4]
    )
    who = plot_text(treated_names(panel, words))
    synthetic = plot_text(counterfactual_name(result, words))
    _band(figure, result, x, theme)
    if placebos:
        _placebo_lines(figure, result, x, theme)
    lines = [
        ("counterfactual", synthetic[:1].upper() + synthetic[1:], theme.synthetic, "dash", 1),
        ("observed", f"{who} (observed)", theme.treated, "solid", 1),
        ("gap", "Gap", theme.effect, "solid", 2),
    ]
    for column, name, colour, dash, row in lines:
        figure.add_scatter(
            x=x,
            y=paths[column],
            name=name,
            customdata=labels,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
            showlegend=row == 1,
            row=row,
            col=1,
        )
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1}, row=2, col=1)
    layout(figure, theme, height=540)
    n_pre = panel.design.n_pre
    if n_pre < len(x):
        onset(figure, n_pre, x, spoken(panel.periods[n_pre]), theme)
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.axis), row=1, col=1)
    title = f"Gap, {words.measure}" if words.measure else "Gap"
    reach = _reach(figure)
    figure.update_yaxes(title_text=plot_text(title), range=[-reach, reach], row=2, col=1)
    return figure


def cumulative(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw the running total of the effects over the treated periods.

    Parameters
    ----------
    result : Result
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    running = result.estimate.cumulative().dropna()
    figure = _effects(running, None, "Cumulative effect", words, theme)
    figure.data[-1].update(fill="tozeroy", fillcolor=theme.effect_fill)
    return figure


def by_period(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw the average effect over the cells treated in each period, with its band.

    Parameters
    ----------
    result : Result
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    band = result.uncertainty.band if result.uncertainty is not None else None
    series = result.estimate.by_period()
    series = series.loc[series.first_valid_index() : series.last_valid_index()]
    return _effects(series, band, "Average effect", words, theme)


def by_event_time(result: Result, words: Words, theme: Theme) -> go.Figure:
    """Draw the average effect by periods since each unit's treatment began, with its band.

    Parameters
    ----------
    result : Result
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    band = result.uncertainty.event_band if result.uncertainty is not None else None
    series = event_effects(result)
    figure = _effects(series, band, "Average effect", words, theme)
    times = series.index
    first = int(np.searchsorted(times, 0))
    if first < len(times):
        onset(figure, first, times, "", theme)
    figure.update_xaxes(title_text="Periods since treatment began", tickformat=",d")
    return figure


def event_effects(result: Result) -> pd.Series[float]:
    """Give the average effect by event time as it is drawn.

    Parameters
    ----------
    result : Result

    Returns
    -------
    pandas.Series
        By periods since treatment began: those of the event study where the method has one.
    """
    study = None if result.uncertainty is None else result.uncertainty.details.get("event_study")
    series = result.estimate.by_event_time() if study is None else study["att"]
    return series.dropna()


def _effects(
    series: pd.Series[float], band: Band | None, name: str, words: Words, theme: Theme
) -> go.Figure:
    """Draw effects as a line with markers around zero, with their band where there is one."""
    x, labels = x_values(series.index), x_labels(series.index)
    figure = go.Figure()
    if band is not None and len(band.lower):
        figure.add_scatter(
            **_band_around(series, x, band, theme),
            name=f"{level_text(band.level)} band, {band.kind}",
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=x,
        y=series.to_numpy(),
        customdata=labels,
        mode="lines+markers",
        line={"color": theme.effect, "width": 2.5},
        name=name,
        hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
    )
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1})
    layout(figure, theme, height=460)
    title = f"{name}, {words.measure}" if words.measure else name
    figure.update_yaxes(title_text=plot_text(title))
    if len(x) > 1:
        figure.update_xaxes(range=x_range(x))
    return figure


def _band_around(
    series: pd.Series[float], x: pd.Index[Any], band: Band, theme: Theme
) -> dict[str, Any]:
    """Fill each stretch of neighbours that have a band; bars where one stands alone."""
    places = band.lower.index.get_indexer(series.index)
    upper, lower = band.upper.to_numpy()[places], band.lower.to_numpy()[places]
    seen = np.flatnonzero((places >= 0) & np.isfinite(upper) & np.isfinite(series.to_numpy()))
    stretches = np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1)
    if any(len(stretch) == 1 for stretch in stretches):
        y = series.to_numpy()[seen]
        bars = {"array": upper[seen] - y, "arrayminus": y - lower[seen]}
        style = {"symmetric": False, "color": theme.effect, "thickness": 1.5, "width": 0}
        marker = {"color": theme.effect, "symbol": "line-ns-open", "size": 9}
        return {"x": x[seen], "y": y, "mode": "markers", "marker": marker, "error_y": bars | style}
    outline: dict[str, list[Any]] = {"x": [], "y": []}
    for stretch in stretches:
        outline["x"] += [*x[stretch], *x[stretch][::-1], None]
        outline["y"] += [*upper[stretch], *lower[stretch][::-1], None]
    line = {"width": 1, "color": theme.effect_fill}
    fill = {"fill": "toself", "fillcolor": theme.effect_fill, "line": line}
    return {**outline, **fill, "mode": "lines"}


def _reach(figure: go.Figure) -> float:
    """Give the end of a symmetric axis that holds all that is drawn in the lower panel."""
    sizes = [
        float(np.nanmax(np.abs(np.asarray(trace.y, dtype=np.float64))))
        for trace in figure.data
        if trace.yaxis == "y2" and np.isfinite(np.asarray(trace.y, dtype=np.float64)).any()
    ]
    return 1.08 * max(sizes, default=0.0) or 1.0


def _band(figure: go.Figure, result: Result, x: pd.Index[Any], theme: Theme) -> None:
    uncertainty = result.uncertainty
    if uncertainty is None or uncertainty.band is None:
        return
    if result.estimate.panel.design.kind != "block":
        return  # the average runs over units that are not treated yet; the band does not
    band, paths = uncertainty.band, result.estimate.paths
    where = result.estimate.panel.periods.get_indexer(band.lower.index)
    observed = paths["observed"].to_numpy()[where]
    edges = [
        (observed - band.upper.to_numpy(), observed - band.lower.to_numpy(), "synthetic", 1),
        (band.lower.to_numpy(), band.upper.to_numpy(), "effect", 2),
    ]
    name = f"{level_text(band.level)} band, {band.kind}"
    for lower, upper, role, row in edges:
        figure.add_scatter(
            x=[*x[where], *x[where][::-1]],
            y=np.r_[upper, lower[::-1]],
            fill="toself",
            fillcolor=getattr(theme, f"{role}_fill"),
            line={"width": 0},
            mode="lines",
            name=name,
            legendgroup="band",
            showlegend=row == 1,
            hoverinfo="skip",
            row=row,
            col=1,
        )


def _placebo_lines(figure: go.Figure, result: Result, x: pd.Index[Any], theme: Theme) -> None:
    uncertainty = result.uncertainty
    gaps = None if uncertainty is None else uncertainty.details.get("placebo_gaps")
    if gaps is None:
        return
    shown = gaps.to_numpy()[:: max(1, -(-len(gaps) // MOST_PLACEBO_LINES))]
    xs, ys = joined(x, shown)
    some = "" if len(shown) == len(gaps) else f" of {len(gaps)}"
    figure.add_scatter(
        x=xs,
        y=ys,
        mode="lines",
        name=f"Placebo gaps ({len(shown)}{some})",
        line={"color": theme.placebo, "width": 1},
        opacity=1.0 if len(shown) <= MANY_LINES else 0.5,
        hoverinfo="skip",
        row=2,
        col=1,
    )
