"""Who predicts best where nothing happened: errors of all estimators as dots with their noise."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.analysis.compare import VARIANTS
from components.analysis.disagreement import JUDGES, board_of, in_order
from components.analysis.entrants import Contest, Judge
from components.analysis.words import Words
from components.charts.theme import Theme, layout, plot_text
from components.simulation.leaderboard import ranking

SYMBOLS: dict[Judge, str] = {"placebos": "circle", "worlds": "diamond"}
OFFSETS: dict[Judge, float] = {"placebos": -0.14, "worlds": 0.14}
VARIANT_WORDS = {
    "baseline": "Worlds like the data",
    "no_additive": "without unit and period effects",
    "no_interactive": "without common factors",
    "no_autocorrelation": "without autocorrelation",
}
BROAD = 18  # characters from which a name takes two lines


def short(title: str) -> str:
    """Give a name that fits beside a figure on a telephone, safe for Plotly."""
    words, lines = title.split(" "), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > BROAD:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(plot_text(line) for line in lines)


def error_dots(contest: Contest, judge: Judge, words: Words, theme: Theme) -> go.Figure:
    """Draw the root mean squared error of each estimator, the best of one judge on top.

    Parameters
    ----------
    contest : Contest
    judge : {"placebos", "worlds"}
        Sets the order.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
        Bars are two Monte Carlo standard errors; filled marks are tied with the best.
    """
    order = in_order(contest, judge)
    places = {key: place for place, key in enumerate(order)}
    figure = go.Figure()
    for name in JUDGES:
        board = board_of(contest, name)
        if board.empty:
            continue
        colour = theme.synthetic if name == "placebos" else theme.effect
        figure.add_scatter(
            x=board["rmse"],
            y=[places[str(key)] + OFFSETS[name] for key in board["key"]],
            error_x={
                "type": "data",
                "array": 2 * board["rmse_error"],
                "thickness": 1.2,
                "width": 4,
                "color": colour,
            },
            mode="markers",
            name=JUDGES[name],
            marker={
                "symbol": [
                    SYMBOLS[name] if tied else f"{SYMBOLS[name]}-open" for tied in board["tied"]
                ],
                "size": 11,
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            text=[plot_text(title) for title in board["estimator"]],
            customdata=board[["bias", "n"]],
            hovertemplate="%{text}: typical error %{x:,.4~g}, bias %{customdata[0]:,.3~g}, "
            "%{customdata[1]} panels<extra></extra>",
        )
    _rows(figure, [contest.entrants[key].title for key in order])
    layout(figure, theme, height=120 + 46 * len(order))
    figure.update_layout(hovermode="closest")
    label = f"Typical error (RMSE), {words.measure or words.outcome}"
    figure.update_xaxes(title_text=plot_text(label), rangemode="tozero", showgrid=True)
    return figure


def variant_table(contest: Contest) -> pd.DataFrame:
    """Tabulate errors in worlds with parts left out.

    Parameters
    ----------
    contest : Contest

    Returns
    -------
    pandas.DataFrame
        key, estimator, world (a key of ``VARIANT_WORDS``), rmse, rmse_error, n.
    """
    worlds = {"baseline": contest.draws.get("worlds", {}), **contest.variants}
    tables = []
    for world, draws in worlds.items():
        board = ranking(draws)[["key", "rmse", "rmse_error", "n"]]
        board.insert(1, "world", world)
        tables.append(board)
    table = pd.concat(tables, ignore_index=True)
    table.insert(1, "estimator", [contest.entrants[str(key)].title for key in table["key"]])
    return table


def variant_dots(contest: Contest, judge: Judge | None, words: Words, theme: Theme) -> go.Figure:
    """Draw how errors change when a part of the world is left out.

    Parameters
    ----------
    contest : Contest
    judge : {"placebos", "worlds"} or None
        Sets the order.
    words : Words
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    table, order = variant_table(contest), in_order(contest, judge)
    places = {key: place for place, key in enumerate(order)}
    looks = dict(
        zip(
            ("baseline", *VARIANTS),
            (
                ("diamond", theme.effect),
                ("square-open", theme.muted),
                ("circle-open", theme.synthetic),
                ("triangle-up-open", theme.treated),
            ),
            strict=True,
        )
    )
    figure = go.Figure()
    for world, (symbol, colour) in looks.items():
        part = table[table["world"] == world]
        if part.empty:
            continue
        figure.add_scatter(
            x=part["rmse"],
            y=[places[str(key)] for key in part["key"]],
            mode="markers",
            name=VARIANT_WORDS[world],
            marker={
                "symbol": symbol,
                "size": 11,
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            text=[plot_text(title) for title in part["estimator"]],
            hovertemplate="%{text}: %{x:,.4~g}<extra>" + VARIANT_WORDS[world] + "</extra>",
        )
    _rows(figure, [contest.entrants[key].title for key in order])
    layout(figure, theme, height=150 + 34 * len(order))
    figure.update_layout(hovermode="closest")
    label = f"Typical error (RMSE), {words.measure or words.outcome}"
    figure.update_xaxes(title_text=plot_text(label), rangemode="tozero", showgrid=True)
    return figure


def _rows(figure: go.Figure, titles: list[str]) -> None:
    """Name the rows, the first on top."""
    figure.update_yaxes(
        tickvals=list(range(len(titles))),
        ticktext=[short(title) for title in titles],
        range=[len(titles) - 0.5, -0.5],
    )
