"""How a counterfactual comes about, step by step, over the weights of the periods."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from components.analysis import Result, Words
from components.analysis.buildup import NAMES, Step
from components.analysis.words import counterfactual_name, spoken, treated_names
from components.charts.theme import Theme, layout, onset, plot_text, x_range, x_values
from components.charts.weights import uneven

ON_THE_WAY = {"average": ("muted", "dot"), "weighted": ("synthetic", "dot")}
MOVED = ("synthetic", "dashdot")


def build_up(result: Result, words: Words, steps: Sequence[Step], theme: Theme) -> go.Figure:
    """Draw the steps towards the counterfactual, and the time weights where they differ.

    Parameters
    ----------
    result : Result
    words : Words
    steps : sequence of Step
        The last is the counterfactual; none draws the counterfactual alone.
    theme : Theme

    Returns
    -------
    plotly.graph_objects.Figure
    """
    estimate = result.estimate
    panel, weights = estimate.panel, estimate.time_weights
    if weights is not None and not uneven(weights):
        weights = None
    x = x_values(panel.periods)
    rows = 1 if weights is None else 2
    figure = make_subplots(
        rows=rows,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[1.0] if weights is None else [0.75, 0.25],
    )
    name = counterfactual_name(result, words)
    lines = [
        (step.path, NAMES[step.kind], *ON_THE_WAY.get(step.kind, MOVED), 1.8) for step in steps[:-1]
    ]
    paths = estimate.paths
    lines += [
        (paths["counterfactual"], name[:1].upper() + name[1:], "synthetic", "dash", 2.5),
        (paths["observed"], f"{treated_names(panel, words)} (observed)", "treated", "solid", 2.5),
    ]
    for path, label, colour, dash, width in lines:
        figure.add_scatter(
            x=x,
            y=path,
            name=plot_text(label),
            mode="lines",
            line={"color": getattr(theme, colour), "dash": dash, "width": width},
            hovertemplate="%{y:,.4~g}<extra>%{fullData.name}</extra>",
            row=1,
            col=1,
        )
    if weights is not None:
        figure.add_bar(
            x=x[panel.periods.get_indexer(weights.index)],
            y=weights.to_numpy(),
            marker={"color": theme.synthetic},
            name="Time weight",
            showlegend=False,
            hovertemplate="%{y:.2%}<extra>Time weight</extra>",
            row=2,
            col=1,
        )
        figure.update_yaxes(title_text="Time weight", tickformat=".0%", row=2, col=1)
    layout(figure, theme, height=360 if weights is None else 460)
    n_pre = panel.design.n_pre
    if n_pre < len(x):
        onset(figure, n_pre, x, spoken(panel.periods[n_pre]), theme)
    figure.update_xaxes(range=x_range(x))
    figure.update_yaxes(title_text=plot_text(words.axis), row=1, col=1)
    return figure
