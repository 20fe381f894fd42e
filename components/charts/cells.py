"""Every cell of a table: treated, untreated, missing or given twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from components.arrays import Bools, Ints
from components.charts.theme import Theme, layout, plot_text, x_labels, x_values
from components.panel import Panel, unit_label

MOST_CELLS = 60_000
MOST_ROWS = 400
WORDS = ("missing", "untreated", "treated", "given more than once")


def shown_rows(panel: Panel, counts: Ints) -> Ints:
    """Choose the rows that the map shows, in their order.

    Parameters
    ----------
    panel : Panel
    counts : Ints, shape (N, T)
        Rows of the table that give each cell.

    Returns
    -------
    Ints
        All of them, the treated first; where there are too many, those with odd cells come next.
    """
    starts = np.where(panel.design.treated, panel.W.argmax(axis=1), panel.shape[1])
    plain = ~(_missing(panel) | (counts > 1)).any(axis=1)
    most = min(MOST_ROWS, max(20, MOST_CELLS // panel.shape[1]))
    keys = (plain, starts) if panel.shape[0] > most else (starts,)
    return np.lexsort(keys)[:most].astype(np.int64)


def cell_map(
    panel: Panel, counts: Ints, odd: Mapping[tuple[int, int], str], theme: Theme
) -> go.Figure:
    """Draw units by periods, and name odd cells on hover with their lines in the file.

    Parameters
    ----------
    panel : Panel
    counts : Ints, shape (N, T)
        Rows of the table that give each cell.
    odd : mapping of (int, int) to str
        What to say of missing and repeated cells.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    state = np.where(panel.W, 2, 1)
    state[_missing(panel)] = 0
    state[counts > 1] = 3
    rows = shown_rows(panel, counts)
    labels = x_labels(panel.periods)
    words = [
        [
            plot_text(f"{labels[t]}: {odd.get((row, t)) or WORDS[state[row, t]]}")
            for t in range(panel.shape[1])
        ]
        for row in rows.tolist()
    ]
    colours = (theme.missing_cell, theme.donor_cell, theme.effect, theme.synthetic)
    scale = [[(k + end) / 4, colour] for k, colour in enumerate(colours) for end in (0, 1)]
    figure = go.Figure(
        go.Heatmap(
            z=state[rows],
            x=x_values(panel.periods),
            y=[plot_text(unit_label(panel.units[row])) for row in rows],
            customdata=words,
            colorscale=scale,
            zmin=-0.5,
            zmax=3.5,
            showscale=False,
            xgap=0.5,
            ygap=0.5,
            hovertemplate="%{y}, %{customdata}<extra></extra>",
        )
    )
    names = {2: "Treated", 1: "Untreated", 0: "Missing", 3: "Given more than once"}
    for number, name in names.items():
        if (state == number).any():
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                marker={
                    "symbol": "square",
                    "size": 12,
                    "color": colours[number],
                    "line": {"color": theme.muted, "width": int(number == 0)},
                },
                name=name,
            )
    layout(figure, theme, height=int(min(620, max(200, 80 + 14 * len(rows)))))
    figure.update_layout(hovermode="closest")
    figure.update_yaxes(
        autorange="reversed", showgrid=False, type="category", tickfont={"size": 11}
    )
    return figure


def _missing(panel: Panel) -> Bools:
    return ~panel.observed
