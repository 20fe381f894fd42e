"""Power of the four variance estimators against effect size."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.charts.placebo_errors import GIVEN_WORDS
from components.charts.theme import Theme, layout

DASHES = {"marginal": "dot", "time": "dash", "unit": "dashdot", "both": "solid"}


def power_curves(
    curves: pd.DataFrame, level: float, theme: Theme, effect: float | None = None
) -> go.Figure:
    """Draw share of rejections against effect size, one line for each variance.

    Parameters
    ----------
    curves : pandas.DataFrame
        Of one kind of heteroskedasticity: given, effect, power, mc_error.
    level : float
        Of the test's interval; its size is one minus it.
    theme : Theme
    effect : float, optional
        Size that is read off; marked by a line.

    Returns
    -------
    plotly.graph_objects.Figure
        Bars are two Monte Carlo standard errors; the lines also differ by dash.
    """
    colours = {
        "marginal": theme.muted,
        "time": theme.synthetic,
        "unit": theme.effect,
        "both": theme.treated,
    }
    figure = go.Figure()
    for given, name in GIVEN_WORDS.items():
        part = curves[curves["given"] == given].sort_values("effect")
        figure.add_scatter(
            x=part["effect"],
            y=part["power"],
            error_y={
                "type": "data",
                "array": 2 * part["mc_error"],
                "thickness": 1,
                "width": 3,
                "color": colours[given],
            },
            name=name,
            mode="lines+markers",
            line={"color": colours[given], "dash": DASHES[given], "width": 2.5},
            marker={"size": 6},
            hovertemplate="%{y:.3f}<extra>" + name + "</extra>",
        )
    size = 1.0 - level
    figure.add_hline(
        y=size,
        line={"color": theme.muted, "width": 1, "dash": "dot"},
        annotation_text=f"{size:.3g}: false alarms as meant",
        annotation_position="top right",
        annotation_font_color=theme.muted,
    )
    if effect is not None:
        figure.add_vline(x=effect, line={"color": theme.muted, "width": 1.5, "dash": "dot"})
    layout(figure, theme, height=420)
    figure.update_xaxes(
        title_text="Effect, in standard deviations of an error (0: no effect)",
        range=[-0.1, float(curves["effect"].max()) + 0.1],
    )
    figure.update_yaxes(title_text="Share of panels with a rejection", range=[0, 1.02])
    return figure
