"""Simulate: known truth, and how often each variance finds it."""

import streamlit as st

from components.charts.power import power_curves
from components.ui import frame, results, simulations
from components.ui.downloads import save_button, to_csv
from components.ui.guard import told

frame.enter("simulate")

st.title("How much does it matter which variance you use?")
st.markdown(
    "One cell of a simulated panel is treated, and its effect is estimated by difference in "
    "differences. How large an error is usual there? The placebo errors of all other cells give "
    "four answers, and they differ in how often they find an effect."
)
with told():
    study = simulations.study_field()
    tables = simulations.tables_of(study)
(kind,) = study.kinds
curves = simulations.of_kind(tables.curves, kind)

effect = st.select_slider(
    "Effect size to read off",
    sorted(set(curves["effect"])),
    value=0.0,
    format_func=simulations.size_text,
    key=f"power effect {curves['effect'].max():g}",
)
simulations.point_metrics(curves, effect)
st.plotly_chart(
    power_curves(curves, study.level, frame.theme()),
    theme=None,
    key="power curves",
    config=results.CONFIG,
    alt="Share of rejections against effect size, one line for each variance",
)
st.caption(
    f"{study.n_draws:,} panels of {study.n_units} units by {study.n_periods} periods, seed "
    f"{study.seed}; tests at {1 - study.level:.0%}, two-sided, t reference. Bars: two Monte Carlo "
    "standard errors. An effect of 1 is one average standard deviation of an error; at effect 0 "
    "every rejection is a false alarm. These settings are not part of the link: it holds the "
    "analysis alone."
)
st.markdown(
    "**Two caveats.** Where errors are alike everywhere, conditioning costs a little power: choose "
    "*Nothing* above. And for very large effects the marginal variance is ahead, because it "
    "rejects even in cells so noisy that nothing can be told there, effect or no effect: see the "
    "size in noisy cells below."
)
st.header("What lies behind")
behind = simulations.behaviour_table(simulations.of_kind(tables.behaviour, kind))
st.dataframe(
    behind,
    hide_index=True,
    column_config={"variance": "Variance"}
    | {
        name: st.column_config.NumberColumn(name[:1].upper() + name[1:], format="%.3f")
        for name in behind.columns[1:]
    },
)
st.caption(
    "Size is the share of false alarms; quiet, middle and noisy are the thirds of cells by their "
    "true variance. A variance that is right on average only is wrong in both tails."
)
save_button(
    "Power curves (CSV)",
    to_csv(curves),
    "power.csv",
    "text/csv",
    icon=":material/download:",
    key="power file",
)
