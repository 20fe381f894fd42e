"""Coverage: how often every interval holds the true effect, where it should and where it breaks."""

import streamlit as st

from components.simulation.coverage import stored
from components.ui import coverage, frame
from components.ui.guard import told

spec = frame.enter("coverage")
with told():
    table = coverage.current(stored())

st.title("Do the intervals keep their promise?")
st.markdown(
    "Panels with a known effect were simulated and analysed as this app does it. A 95% interval "
    "should hold the effect in 95 of 100 of them where the method's assumptions are true, and the "
    "app should say so where they are not."
)
coverage.your_choice(table, spec)

st.header("Where theory promises 95%")
coverage.promises(table, spec)
st.caption(
    f"Seed {', '.join(str(seed) for seed in sorted(table['seed'].unique()))}; bars are two Monte "
    "Carlo standard errors, the shaded zone is 93 to 97%. Every second panel has an effect of one "
    "standard deviation of an error, the others none."
)

st.header("Where methods are known to break")
st.markdown(
    "Here an assumption is broken on purpose, and most intervals (×) no longer hold the effect as "
    "often as they say. What matters is whether the app warns, and whether it stays quiet where "
    "nothing is wrong. Asked for: a warning in at least 90% of panels, a false alarm in "
    "at most about 10%."
)
coverage.broken(table)
