"""What surrounds every page: the steps, the line that says which analysis this is, the link."""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st

from components.analysis import AnalysisSpec, Result, prepare, script_name, to_script, words_of
from components.analysis.words import Words, summary
from components.charts.theme import Theme, theme_of
from components.data.sandbox import warm
from components.panel import Panel
from components.ui import cache, state, waiting
from components.ui.downloads import save_button
from components.ui.guard import tell, told
from components.ui.text import md
from components.ui.uploads import ask_for_file

PAGES = Path(__file__).resolve().parents[2] / "pages"
ICON = Path(__file__).with_name("icon.svg")
FRAMED, PLACE = "framed", "frame place"
STEPS = {
    "data": ("Data", ":material/table:"),
    "design": ("Design", ":material/tune:"),
    "method": ("Method", ":material/function:"),
    "weights": ("Weights", ":material/balance:"),
    "counterfactual": ("Counterfactual", ":material/show_chart:"),
    "diagnose": ("Diagnose", ":material/stethoscope:"),
    "compare": ("Compare", ":material/leaderboard:"),
    "simulate": ("Simulate", ":material/science:"),
}
ASIDE = {
    "influence": ("Influence", ":material/ads_click:"),
    "specifications": ("Specifications", ":material/ssid_chart:"),
    "changes": ("What changed", ":material/difference:"),
    "coverage": ("Coverage", ":material/fact_check:"),
}
BESIDE = {"diagnose": ("influence", "specifications", "changes"), "simulate": ("coverage",)}
"""Pages that are reached from a step, in a second row."""
STYLE = """<style>
header[data-testid=stHeader] {background: transparent}
header[data-testid=stHeader], header[data-testid=stHeader] div {pointer-events: none}
header[data-testid=stHeader] :is(button, a), header[data-testid=stHeader] :is(button, a) * {
  pointer-events: auto}
[data-testid=stMain] {scroll-padding-top: 7rem}
[data-testid=stMainBlockContainer] {padding-top: .4rem}
@keyframes to-top-PAGE {from, 99% {max-height: 50vh; overflow: hidden} to {max-height: none}}
[data-testid=stMainBlockContainer] {animation: to-top-PAGE .2s}
div:has(> .st-key-frame) {position: sticky; top: 0; z-index: 90}
.st-key-frame {background: SURFACE; padding: .45rem 0 .3rem}
.st-key-steps {padding-right: 2rem}
.st-key-frame a:focus-visible {outline: 2px solid ACCENT; outline-offset: -1px}
.st-key-strip {padding: .3rem .4rem .3rem .9rem; background: SURFACE}
[data-testid=stMain] h1 {padding: .5rem 0 .2rem; text-wrap: balance}
[data-testid=stMetric] > div {padding: .55rem .85rem}
[data-testid=stBaseButton-primary] * {color: SURFACE}
@media (max-width: 640px) {
  div:has(> .st-key-frame) {position: static}
  .st-key-frame [data-testid=stPageLink] span:has(> [data-testid=stIconMaterial]) {display: none}
  .st-key-steps {gap: .4rem}
  [data-testid=stButtonGroup] button {padding-left: .5rem; padding-right: .5rem}
}
</style>"""


@st.cache_resource(show_spinner=False)
def _settle() -> None:
    """Start the process that reads files, and spare the garbage collector what is imported."""
    warm()
    gc.collect()
    gc.freeze()


def main() -> None:
    """Set up the app and run the page that the address names."""
    st.set_page_config("Panelscope", str(ICON), layout="wide")
    _settle()
    page = navigation()
    # A page begins at its top, wherever the one before was left: its name restarts the animation.
    name = page.url_path or "start"
    words = {"SURFACE": theme().surface, "ACCENT": theme().synthetic, "PAGE": name}
    style = STYLE
    for word, value in words.items():
        style = style.replace(word, value)
    st.html(style)
    state.follow_link()
    st.session_state[FRAMED] = True
    page.run()


def navigation() -> st.Page:
    """Declare the pages."""
    start = st.Page(PAGES / "start.py", title="Panelscope", url_path="start", default=True)
    steps = [
        st.Page(PAGES / f"{name}.py", title=f"{label} · Panelscope", url_path=name)
        for name, (label, _) in (STEPS | ASIDE).items()
    ]
    return st.navigation([start, *steps], position="hidden")


def enter(step: str | None = None) -> AnalysisSpec:
    """Begin a page: the steps, and the current analysis in one line.

    Parameters
    ----------
    step : str, optional
        Name of the page; None for the start page.

    Returns
    -------
    AnalysisSpec
        Its table is at hand.
    """
    if not st.session_state.pop(FRAMED, False):
        # With a folder pages/, the first deep link after a start runs the page without the app.
        navigation()
        st.rerun()
    spec = state.current()
    place = st.container(key="frame", gap="small")
    st.session_state[PLACE] = place
    with place:
        _steps(step)
        waiting.keep_alive()
    if (error := state.link_error()) is not None:
        tell(error)
        st.info("The analysis below is the one before this link.", icon=":material/link_off:")
    return spec


def panel_in_frame(spec: AnalysisSpec) -> tuple[Panel, Words]:
    """Give the prepared panel and its words, and draw the line that says which analysis it is.

    Where the session does not have the file of a link, the page asks for it and ends.
    """
    if cache.table_of(spec) is None:
        ask_for_file(spec)
        st.stop()
    panel = None
    with told(stop=False):
        panel = prepare(spec, cache.panel_of(spec)[0])
    if panel is None:
        _ways_out("data")
        st.stop()
    return panel, summary_line(spec, panel)


def summary_line(spec: AnalysisSpec, panel: Panel) -> Words:
    """Say in one line which analysis this is, with its method and link at the end."""
    words = words_of(spec, table_title(spec))
    line = st.session_state[PLACE].container(
        border=True, horizontal=True, wrap=False, vertical_alignment="center", key="strip"
    )
    title, _, rest = summary(spec, panel, words).partition(" · ")
    with line:
        st.markdown(f"**{md(title)}** · {md(rest)}", width="stretch")
        with st.popover("Link", icon=":material/link:", key="link popover"):
            st.caption(_what_the_link_holds(spec))
            st.code(state.address(), language=None, wrap_lines=True)
    return words


def _what_the_link_holds(spec: AnalysisSpec) -> str:
    if spec.sample is not None:
        return "This link opens the same analysis with the same numbers."
    if spec.columns.reading.query is not None:
        return (
            "This link holds the settings and the question to this server's source, not the data: "
            "the same server reads it again."
        )
    return "This link holds the settings, not the data: whoever opens it is asked for the file."


def result_in_frame(spec: AnalysisSpec) -> Result:
    """Give the result; where it is not there yet, or cannot be had, say so and end the page."""
    result = None
    with told(stop=False):
        if waiting.was_stopped(cache.job_key(spec)):
            st.stop()
        result = cache.result_of(spec)
    if result is None:
        _ways_out("design", "method")
        st.stop()
    if not isinstance(result, Result):
        waiting.wait_for(result)
        st.stop()
    waiting.arrived()
    return result


def _ways_out(*names: str) -> None:
    """Offer the pages on which what is wrong can be changed."""
    with st.container(horizontal=True):
        for name in names:
            _link(name, current=False)


def script_button(result: Result, words: Words) -> None:
    """Offer the script that gives the numbers on screen."""
    ledger = cache.panel_of(result.spec)[1]
    text = to_script(result, words, table_title(result.spec), ledger)
    save_button(
        "Python script",
        text,
        script_name(result),
        "text/x-python",
        icon=":material/code:",
        key="script",
    )


def table_title(spec: AnalysisSpec) -> str:
    """Give the file name of an uploaded table."""
    table = cache.table_of(spec)
    return table.name if table is not None else "your table"


def go_on(page: str, label: str) -> None:
    """Offer the next step as the page's main action."""
    if st.button(label, type="primary", icon=":material/arrow_forward:", key="go on"):
        st.switch_page(PAGES / f"{page}.py", query_params=state.query())


def theme() -> Theme:
    """Give the colours for the theme on screen."""
    return theme_of(st.context.theme.type)


def _steps(here: str | None) -> None:
    step = next((name for name, aside in BESIDE.items() if here in aside), here)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="steps"):
        st.page_link(
            PAGES / "start.py",
            label="**Panelscope**" if here is None else "Panelscope",
            icon=":material/query_stats:",
            query_params=state.query() if state.chosen() else None,
        )
        for name in STEPS:
            _link(name, current=name == step)
    if step in BESIDE:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            for name in (step, *BESIDE[step]):
                _link(name, current=name == here)


def _link(name: str, *, current: bool) -> None:
    label, icon = (STEPS | ASIDE)[name]
    st.page_link(
        PAGES / f"{name}.py",
        label=f"**{label}**" if current else label,
        icon=":material/radio_button_checked:" if current else icon,
        query_params=state.query(),
    )
