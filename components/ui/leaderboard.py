"""The ranking of estimators on screen: who predicts best where nothing happened."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from components.analysis import Words
from components.analysis.disagreement import JUDGES, all_of, board_of, judges_of, verdict
from components.analysis.entrants import Contest, Judge
from components.charts import leaderboard as charts
from components.inference.base import level_text
from components.panel import Panel
from components.simulation.leaderboard import cheap_interval
from components.ui import frame, results, state
from components.ui.downloads import save_button, to_csv
from components.ui.text import md
from components.ui.view_fields import view_choice

NOTHING = 1e-9  # of the typical error: rounding
ASIDES = {"placebos": "placebo assignments", "worlds": "worlds like the data"}


def judge_of(found: Contest | None) -> Judge | None:
    """Give what the ranking is taken from now; None while nothing has been ranked."""
    ready = [] if found is None else judges_of(found)
    asked = state.views().judge
    return next((judge for judge in ready if judge == asked), next(iter(ready), None))


def judge_field(found: Contest) -> None:
    """Ask what the ranking is taken from, where there is a choice."""
    ready = judges_of(found)
    if len(ready) > 1:
        names = {str(judge): JUDGES[judge] for judge in ready}
        view_choice("judge", "Judged by", names, ready[0])


def headline(found: Contest | None, judge: Judge | None, words: Words) -> None:
    """Say who predicts best, in the title."""
    if found is None or judge is None:
        st.title("Which estimator predicts best here?")
    else:
        first, _, rest = verdict(found, judge, words).partition(". ")
        st.title(md(first if first.endswith(".") else f"{first}."))
        if rest:
            st.markdown(md(rest))


def explanation(found: Contest, panel: Panel) -> None:
    """Say what was tried, and that no treated outcome was looked at."""
    design = panel.design
    lines = []
    if "placebos" in found.draws:
        size = found.placebo_size
        what = "1 unit" if size == 1 else f"{size} units"
        scaled = (
            f" (fewer than the {design.n_treated} treated ones, so that donors are left)"
            if size < design.n_treated
            else ""
        )
        lines.append(
            f"**Placebo assignments**: {what}{scaled} of the {design.n_controls} never treated "
            "get the treated periods of the real ones, and every estimator predicts them."
        )
    if "worlds" in found.draws:
        lines.append(
            "**Worlds like the data**: outcomes drawn from a factor model of the untreated cells, "
            "with the same number of treated units and periods, at random."
        )
    lines += [f"**No {ASIDES[name]}**: {md(reason)}" for name, reason in found.reasons.items()]
    lines.append(
        "The true effect is zero in all of them, so every estimated effect is an error. Outcomes "
        "of treated cells are never looked at, so choosing the winner does not peek at the "
        "result. Tuning that comes from the data is chosen once, on the untreated cells, and held; "
        "TROP's is chosen on the same kind of placebos, which favours it a little there but not "
        "in the worlds."
    )
    with st.expander("What was tried", icon=":material/info:"):
        st.markdown("\n".join(f"- {line}" for line in lines))


def board(found: Contest, judge: Judge, words: Words) -> None:
    """Show the ranking as dots and as a table."""
    table = _table(found, judge)
    chart, listing = st.columns([4, 5], gap="medium")
    with chart:
        st.plotly_chart(
            charts.error_dots(found, judge, words, frame.theme()),
            theme=None,
            key="leaderboard",
            config=results.CONFIG,
            alt=verdict(found, judge, words),
        )
        st.caption(
            "Bars: two Monte Carlo standard errors. Filled marks are within noise of the best; "
            "open marks are behind it by more than two standard errors of the paired difference."
        )
    with listing:
        st.dataframe(table, hide_index=True, column_config=_columns(found, table, words))
        st.caption(md(_coverage_words(found, judge)))
        lines = absent(found)
        if lines:
            st.markdown("\n".join(f"- {line}" for line in lines))
        save_button(
            "Leaderboard (CSV)",
            to_csv(both_boards(found)),
            "leaderboard.csv",
            "text/csv",
            icon=":material/download:",
            key="leaderboard file",
        )


def absent(found: Contest) -> list[str]:
    """Say who is not in the ranking and why, as Markdown: one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in found.entrants.values():
        if one.reason is not None:
            reasons.setdefault(one.reason, []).append(f"**{md(one.title)}**")
    lines = [
        f"{all_of(names)} {'is' if len(names) == 1 else 'are'} absent: {md(reason)}"
        for reason, names in reasons.items()
    ]
    waits = [
        f"**{md(one.title)}**"
        for one in found.entrants.values()
        if one.reason is None and one.tuned is None
    ]
    if waits and found.stage:
        lines.append(f"{all_of(waits)} {'is' if len(waits) == 1 else 'are'} still being tuned.")
    elif waits:
        lines.append(f"{all_of(waits)} had not been tuned when the contest was stopped.")
    return lines


def both_boards(found: Contest) -> pd.DataFrame:
    """Give the rankings by both judges in one table, for the file."""
    boards = []
    for judge in judges_of(found):
        one = board_of(found, judge)
        one.insert(0, "judged_by", JUDGES[judge])
        boards.append(one)
    return pd.concat(boards, ignore_index=True)


def _table(found: Contest, judge: Judge) -> pd.DataFrame:
    ranked = board_of(found, judge)
    place = [
        "1 (tie)" if tied and ranked["tied"].sum() > 1 else str(int(place))
        for place, tied in zip(ranked["place"], ranked["tied"], strict=True)
    ]
    return pd.DataFrame(
        {
            "Place": place,
            "Estimator": ranked["estimator"],
            "RMSE": ranked["rmse"],
            "±": ranked["rmse_error"],
            "Bias": ranked["bias"].where(ranked["bias"].abs() > NOTHING * ranked["rmse"], 0.0),
            "Coverage": [_share(share) for share in ranked["coverage"]],
            "Behind": ranked["behind"],
            "Seconds": ranked["seconds"],
        }
    )


def _share(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else "–"


def _columns(found: Contest, table: pd.DataFrame, words: Words) -> dict[str, Any]:
    measure = f", in {words.measure}" if words.measure else ""
    numbers = {
        "RMSE": f"Root mean squared error of the average effect{measure}",
        "±": "Monte Carlo standard error of the RMSE",
        "Bias": f"Mean error{measure}",
        "Behind": "RMSE less that of the best, on the panels that both have seen",
    }
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(name, format=_format(table["RMSE"]), help=md(text))
        for name, text in numbers.items()
    }
    columns["Coverage"] = st.column_config.TextColumn(
        "Coverage",
        alignment="right",
        help=f"How often the {level_text(found.level)} interval holds the true zero",
    )
    columns["Seconds"] = st.column_config.NumberColumn(
        "Seconds", format="%.3f", help="Processor time of one fit of this panel, with its tuning"
    )
    return columns


def _format(errors: pd.Series[float]) -> str:
    """Write numbers with as many decimals as the smallest error needs for three digits."""
    least = float(errors[errors > 0.0].min()) if (errors > 0.0).any() else 1.0
    return f"%.{min(max(2 - math.floor(math.log10(least)), 0), 9)}f"


def _coverage_words(found: Contest, judge: Judge) -> str:
    """Name the interval behind each number in the column."""
    named: dict[str, list[str]] = {}
    ranked = board_of(found, judge)
    for key, coverage in zip(ranked["key"], ranked["coverage"], strict=True):
        one = found.entrants[str(key)]
        method = cheap_interval(one.estimator) if math.isfinite(coverage) else None
        name = "no interval that is cheap enough" if method is None else method.card.title.lower()
        named.setdefault(name, []).append(one.title)
    parts = [f"{name} for {', '.join(titles)}" for name, titles in named.items()]
    return f"Coverage: {'; '.join(parts)}."
