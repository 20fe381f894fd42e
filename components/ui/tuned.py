"""How tuning that came from the data was chosen, on screen."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.analysis import Result
from components.analysis.words import number
from components.charts import tuning
from components.ui import frame
from components.ui.downloads import save_button, to_csv
from components.ui.text import md


def tuning_section(result: Result) -> None:
    """Show how tuning that came from the data was chosen, with the numbers behind it."""
    curves = tuning_curves_of(result)
    if not curves:
        return
    st.header("How the tuning was chosen")
    chosen = {name: float(result.estimate.details[name]) for name in curves}
    values = ", ".join(
        f"**{md(tuning.SHORT.get(name, name.capitalize()))} = {number(v)}**"
        for name, v in chosen.items()
    )
    bounds = ""
    if not all(curve["exact"].all() for curve in curves.values()):
        bounds = (
            " Open triangles are lower bounds, where the search saw that a value could not win."
        )
    st.markdown(
        f"{values}: the smallest error on cells that were held out, marked in the pictures.{bounds}"
    )
    st.plotly_chart(
        tuning.tuning_curves(curves, chosen, frame.theme()),
        theme=None,
        key="tuning curves",
        config={"displayModeBar": False},
        alt="Error on held-out cells along each penalty",
    )
    table = pd.concat(curves, names=["penalty", "place"]).reset_index().drop(columns="place")
    with st.expander("The curves as a table"):
        st.dataframe(table, hide_index=True)
        save_button(
            "Curves (CSV)",
            to_csv(table),
            "tuning_curves.csv",
            "text/csv",
            icon=":material/download:",
            key="tuning curves file",
        )


def tuning_curves_of(result: Result) -> dict[str, pd.DataFrame]:
    """Give the error along each penalty that was chosen from the data.

    Parameters
    ----------
    result : Result

    Returns
    -------
    dict of str to pandas.DataFrame
        value, error, exact; empty where nothing was chosen from the data.
    """
    details = result.estimate.details
    if "cv_penalties" in details:
        curve = pd.DataFrame({"value": details["cv_penalties"], "error": details["cv_errors"]})
        return {"penalty": curve.assign(exact=True)}
    return {
        name: pd.DataFrame({"value": curve.values, "error": curve.rmse, "exact": curve.exact})
        for name, curve in details.get("curves", {}).items()
    }
