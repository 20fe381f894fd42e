"""Simulate: known truth, and how often each variance finds it."""

import streamlit as st

from components.charts.power import power_curves
from components.ui import frame, results, simulations, state, waiting, world_section
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told

waiting.forget_background("world")
frame.enter("simulate")
view = state.views().power
study = view.study

with st.container(horizontal=True, vertical_alignment="center"):
    st.title("How much does it matter which variance you use?", width="stretch")
    simulations.link()
above = st.container()
simulations.settings(view)
middle = st.container()
simulations.study_form(view)
with middle, told():
    tables = simulations.tables_of(study)
with above:
    simulations.verdict(tables, view)
with middle:
    simulations.point_metrics(tables.curves, view.effect)
    st.plotly_chart(
        power_curves(tables.curves, study.level, frame.theme(), view.effect),
        theme=None,
        key="power curves",
        config=results.CONFIG,
        alt="Share of rejections against effect size, one line for each variance",
    )
    simulations.study_caption(study)

st.header("What lies behind")
simulations.caveat(tables)
behind = simulations.behaviour_table(tables.behaviour)
st.dataframe(
    behind,
    hide_index=True,
    column_config={
        name: st.column_config.NumberColumn(name, format="%.3f") for name in behind.columns[1:]
    },
)
st.caption(
    "False alarms are rejections without an effect. Quiet, middling and noisy cells are the thirds "
    "by true variance; where errors are alike everywhere there are none. A variance that is right "
    "on average only is wrong in both tails."
)
with st.container(horizontal=True):
    for name, table in (("Power curves", tables.curves), ("What lies behind", tables.behaviour)):
        save_button(
            f"{name} (CSV)",
            to_csv(table),
            f"{name.lower().replace(' ', '_')}.csv",
            "text/csv",
            icon=":material/download:",
            key=f"{name} file",
        )

with told():
    world_section.world_section()
