"""Other weights that fit as well, on screen; and how a finding is said."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import Result, Words
from components.charts import influence as charts
from components.diagnostics import Finding
from components.diagnostics.equal_fits import EqualFits, EqualRange
from components.estimators import ESTIMATORS
from components.panel import period_label
from components.ui import frame
from components.ui.downloads import save_button, to_csv
from components.ui.finding_cards import BADGES
from components.ui.text import md

MARGINS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
CONFIG = {"displayModeBar": False}


def finding_line(finding: Finding) -> None:
    """Show a finding: badge, sentence, what to do."""
    label, icon, colour = BADGES[finding.verdict]
    st.badge(label, icon=icon, color=colour)
    st.markdown(md(finding.sentence))
    if finding.advice:
        st.markdown(f"**What to do:** {md(finding.advice)}")


def equal_section(result: Result, words: Words) -> None:
    """Show the range of effects over weights that fit nearly as well."""
    st.header("Other weights that fit as well")
    diagnostic = EqualFits()
    reason = diagnostic.why_not(result.estimate)
    if reason is not None:
        able = ESTIMATORS["sc"]().why_not(result.estimate.panel) is None
        cure = " Choose synthetic control or synthetic DID to see this." if able else ""
        st.info(f"{md(reason)}{cure}", icon=":material/info:")
        return
    margin = st.select_slider(
        "The fit before treatment may be worse by at most",
        MARGINS,
        value=diagnostic.margin,
        format_func=lambda share: f"{share:.0%}",
        key="equal margin",
    )
    finding = EqualFits(margin).examine(result.estimate, result.uncertainty, lambda _: None)
    finding_line(finding)
    found: EqualRange = finding.details["range"]
    if found.lowest_path is not None:
        st.plotly_chart(
            charts.equal_paths(result, found, words, frame.theme()),
            theme=None,
            key="equal paths",
            config=CONFIG,
            alt=finding.sentence,
        )
        save_button(
            "Paths at both ends (CSV)",
            to_csv(paths_table(result, found)),
            "equal_fits_paths.csv",
            "text/csv",
            icon=":material/download:",
            key="equal paths file",
        )
    assert finding.table is not None
    with st.expander("The weights at both ends"):
        st.dataframe(
            finding.table,
            hide_index=True,
            column_config={
                "unit": "Donor",
                "weight": st.column_config.NumberColumn("In use", format="%.3f"),
                "lowest": st.column_config.NumberColumn("At the lowest effect", format="%.3f"),
                "highest": st.column_config.NumberColumn("At the highest effect", format="%.3f"),
            },
        )
        save_button(
            "Weights at both ends (CSV)",
            to_csv(finding.table),
            "equal_fits.csv",
            "text/csv",
            icon=":material/download:",
            key="equal fits file",
        )


def paths_table(result: Result, found: EqualRange) -> pd.DataFrame:
    """Give the numbers behind the picture: observed, counterfactual, and those at both ends.

    Parameters
    ----------
    result : Result
    found : EqualRange
        With paths.

    Returns
    -------
    pandas.DataFrame
        period, observed, counterfactual, lowest, highest.
    """
    table = result.estimate.paths[["observed", "counterfactual"]].assign(
        lowest=found.lowest_path, highest=found.highest_path
    )
    table.insert(0, "period", [period_label(period) for period in table.index])
    return table.reset_index(drop=True)
