"""Power of the four variance estimators against effect size."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.charts.placebo_errors import GIVEN_WORDS
from components.charts.theme import Theme, layout

DASHES = {"marginal": "dot", "time": "dash", "unit": "dashdot", "both": "solid"}


def power_curves(curves: pd.DataFrame, level: float, theme: Theme) -> go.Figure:
    """Draw share of rejections against effect size, one line for each variance.

    Parameters
    ----------
    curves : pandas.DataFrame
        Of one kind of heteroskedasticity: given, effect, power, mc_error.
    level : float
        Of the test's interval; its size is one minus it.
    theme : Theme

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
        annotation_text=f"nominal size {size:.3g}",
        annotation_position="bottom right",
        annotation_font_color=theme.muted,
    )
    layout(figure, theme, height=460)
    figure.update_xaxes(
        title_text="Effect in error sd (0: no effect)",
        range=[-0.1, float(curves["effect"].max()) + 0.1],
    )
    figure.update_yaxes(title_text="Share of panels in which the test rejects", range=[0, 1.02])
    return figure
