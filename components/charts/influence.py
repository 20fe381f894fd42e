"""Units by periods, coloured by what each cell does to the effect; one cell; equal fits."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components.analysis import Result, Words
from components.analysis.words import counterfactual_name, treated_names
from components.arrays import Floats, Ints
from components.charts.theme import Theme, layout, plot_text, x_labels, x_range, x_values
from components.diagnostics.cell_moves import CellMoves
from components.diagnostics.equal_fits import EqualRange
from components.panel import Panel, unit_label

MOST_CELLS = 7000
FEWEST_ROWS = 12
CLAMP = 0.995  # share of cells that the colours tell apart
ROW = 14  # pixels
RINGED = 40
SWITCHES = 400


def shown_rows(panel: Panel, values: Floats) -> Ints:
    """Choose the rows of the map: the treated first, then by their largest cell.

    Parameters
    ----------
    panel : Panel
    values : Floats, shape (N, T)
        What the map is coloured by.

    Returns
    -------
    Ints
        As many as a screen can hold.
    """
    size = np.nan_to_num(np.abs(values)).max(axis=1)
    most = max(FEWEST_ROWS, MOST_CELLS // panel.shape[1])
    return np.lexsort((-size, ~panel.design.treated))[:most].astype(np.int64)


def influence_map(
    panel: Panel, moves: CellMoves, values: Floats, title: str, threshold: float, theme: Theme
) -> go.Figure:
    """Draw units by periods; the last trace holds one invisible point per cell, to be clicked.

    Parameters
    ----------
    panel : Panel
    moves : CellMoves
    values : Floats, shape (N, T)
        What the cells are coloured by, with its sign.
    title : str
        What that is, for the colour bar.
    threshold : float
        Cells further out of line than this get a ring.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = shown_rows(panel, values)
    x, labels = x_values(panel.periods), x_labels(panel.periods)
    names = [plot_text(unit_label(panel.units[row])) for row in rows]
    shown = values[rows]
    known = np.abs(shown[np.isfinite(shown)])
    reach = float(np.quantile(known, CLAMP)) if known.size else 1.0
    reach = reach or float(known.max(initial=0.0)) or 1.0
    signed = bool((shown[np.isfinite(shown)] < 0.0).any())
    colours = [[0.0, theme.synthetic], [0.5, theme.grid], [1.0, theme.effect]]
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            x=x,
            y=names,
            colorscale=colours if signed else [[0.0, theme.grid], [1.0, theme.effect]],
            zmin=-reach if signed else 0.0,
            zmax=reach,
            xgap=0.5,
            ygap=0.5,
            hoverinfo="skip",
            colorbar={
                "title": {"text": plot_text(title), "side": "top", "font": {"size": 12}},
                "orientation": "h",
                "thickness": 10,
                "len": 0.6,
                "x": 0.0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "tickfont": {"size": 11},
            },
        )
    )
    _onset(figure, panel, theme, between=True)
    if panel.design.kind != "block":
        _switches(figure, panel, rows, theme)
    _rings(figure, panel, moves, rows, threshold, theme)
    grid = np.repeat(rows, len(x)), np.tile(np.arange(len(x)), len(rows))
    figure.add_scatter(
        x=np.tile(x.to_numpy(), len(rows)),
        y=np.repeat(names, len(x)),
        mode="markers",
        marker={"symbol": "square", "size": 12, "opacity": 0.0, "color": theme.text},
        selected={"marker": {"opacity": 0.75, "size": 10}},
        unselected={"marker": {"opacity": 0.0}},
        text=np.tile(labels, len(rows)),
        customdata=np.column_stack(
            [
                _said(panel.Y[grid], ",.5g"),
                _said(moves.stand_ins[grid], ",.5g"),
                _said(moves.dropped[grid], "+,.3g"),
                _said(moves.outlying[grid], ".1f"),
            ]
        ),
        hovertemplate=(
            "%{y}, %{text}<br>value %{customdata[0]}, neighbours suggest %{customdata[1]}<br>"
            "effect moves by %{customdata[2]}<br>"
            "%{customdata[3]} usual distances out of line<extra></extra>"
        ),
        showlegend=False,
    )
    layout(figure, theme, height=int(min(760, max(240, 130 + ROW * len(rows)))), legend=False)
    figure.update_layout(hovermode="closest", clickmode="event+select")
    figure.update_layout(margin={"t": 60})
    figure.update_yaxes(
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        type="category",
        dtick=1,
        tickfont={"size": 10},
    )
    return figure


def cell_chart(
    panel: Panel, moves: CellMoves, row: int, column: int, words: Words, theme: Theme
) -> go.Figure:
    """Draw one unit over time, with one cell marked and what its neighbours suggest.

    Parameters
    ----------
    panel : Panel
    moves : CellMoves
    row, column : int
        The cell.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    x, labels = x_values(panel.periods), x_labels(panel.periods)
    name = plot_text(unit_label(panel.units[row]))
    figure = go.Figure()
    figure.add_scatter(
        x=x, y=panel.Y[row], mode="lines+markers", name=name, customdata=labels,
        line={"color": theme.muted, "width": 1.5}, marker={"size": 4},
        hovertemplate="%{customdata}: %{y:,.5~g}<extra></extra>",
    )  # fmt: skip
    for value, label, symbol, colour in (
        (panel.Y[row, column], "This cell", "circle", theme.effect),
        (moves.stand_ins[row, column], "Suggested by its neighbours", "x", theme.synthetic),
    ):
        if np.isfinite(value):
            figure.add_scatter(
                x=[x[column]], y=[value], mode="markers", name=label,
                marker={"symbol": symbol, "size": 11, "color": colour},
                hovertemplate=f"{label}: %{{y:,.5~g}}<extra></extra>",
            )  # fmt: skip
    _onset(figure, panel, theme)
    layout(figure, theme, height=260)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.outcome))
    return figure


def equal_paths(result: Result, found: EqualRange, words: Words, theme: Theme) -> go.Figure:
    """Draw the treated average, its counterfactual, and those of the two extreme weightings.

    Parameters
    ----------
    result : Result
        Of a block design.
    found : EqualRange
        With paths.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    panel = result.estimate.panel
    x, labels = x_values(panel.periods), x_labels(panel.periods)
    paths = result.estimate.paths
    name = counterfactual_name(result, words)
    figure = go.Figure()
    assert found.lowest_path is not None
    assert found.highest_path is not None
    upper = np.maximum(found.lowest_path, found.highest_path)
    lower = np.minimum(found.lowest_path, found.highest_path)
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=np.concatenate([upper, lower[::-1]]),
        fill="toself",
        fillcolor=theme.synthetic_fill,
        line={"width": 0},
        name="Between the two ends",
        hoverinfo="skip",
    )
    for values, label, colour, dash, width in (
        (found.lowest_path, "At the lowest effect", theme.synthetic, "dot", 1.5),
        (found.highest_path, "At the highest effect", theme.synthetic, "dashdot", 1.5),
        (paths["counterfactual"], name[:1].upper() + name[1:], theme.synthetic, "dash", 2.5),
        (paths["observed"], f"{treated_names(panel, words)} (observed)", theme.treated, "solid",
         2.5),
    ):  # fmt: skip
        figure.add_scatter(
            x=x, y=values, mode="lines", name=plot_text(label), customdata=labels,
            line={"color": colour, "dash": dash, "width": width},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    _onset(figure, panel, theme)
    layout(figure, theme, height=400)
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.outcome))
    return figure


def _said(values: Floats, digits: str) -> list[str]:
    """Write numbers for the pointer, and a question mark where there is none."""
    return [f"{value:{digits}}" if np.isfinite(value) else "?" for value in values.tolist()]


def _rings(
    figure: go.Figure, panel: Panel, moves: CellMoves, rows: Ints, threshold: float, theme: Theme
) -> None:
    """Ring the cells that are out of line, the furthest ones where there are many."""
    far = np.nan_to_num(moves.outlying[rows])
    found = np.argwhere(far >= threshold)
    found = found[np.argsort(-far[tuple(found.T)], kind="stable")][:RINGED]
    if len(found):
        x = x_values(panel.periods)
        figure.add_scatter(
            x=[x[column] for column in found[:, 1]],
            y=[plot_text(unit_label(panel.units[rows[place]])) for place in found[:, 0]],
            mode="markers",
            marker={
                "symbol": "circle-open",
                "size": 15,
                "color": theme.text,
                "line": {"width": 2.5},
            },
            hoverinfo="skip",
            showlegend=False,
        )


def _switches(figure: go.Figure, panel: Panel, rows: Ints, theme: Theme) -> None:
    """Mark in each row where treatment begins and ends."""
    x = x_values(panel.periods)
    changes = np.argwhere(panel.W[rows][:, 1:] != panel.W[rows][:, :-1])[:SWITCHES]
    edges = [x[column] + (x[column + 1] - x[column]) / 2 for column in changes[:, 1]]
    line = {"color": theme.text, "width": 1.5}
    figure.update_layout(
        shapes=[
            {"type": "line", "x0": edge, "x1": edge, "y0": place - 0.5, "y1": place + 0.5,
             "line": line}
            for edge, place in zip(edges, changes[:, 0].tolist(), strict=True)
        ]
    )  # fmt: skip


def _onset(figure: go.Figure, panel: Panel, theme: Theme, *, between: bool = False) -> None:
    """Mark the first treated period, or the edge of its cells, where all treated share it."""
    x, n_pre = x_values(panel.periods), panel.design.n_pre
    if panel.design.kind == "block" and n_pre > 0:
        start = x[n_pre - 1] + (x[n_pre] - x[n_pre - 1]) / 2 if between else x[n_pre]
        figure.add_vline(x=start, line={"color": theme.muted, "dash": "dot", "width": 1.5})
