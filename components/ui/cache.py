"""The only place that keeps results: a session's own, and those of the samples for everybody."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import streamlit as st

from components.analysis import AnalysisSpec, Result, load_table, run
from components.data import Ledger, Table, to_panel
from components.panel import Panel

MOST_KEPT = 48
PATIENCE = 0.7  # seconds of work before a progress bar appears
TABLES = "tables"


class Store:
    """Keep the most recently used values by key."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()
        self._most = most

    def get(self, key: str) -> Any | None:
        """Give the value, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: str, value: Any) -> None:
        """Keep a value, and forget the one that was used longest ago where there are too many."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _shared() -> Store:
    return Store()


def _store(spec: AnalysisSpec) -> Store:
    """Give everybody's store for a sample, the session's own for an uploaded table."""
    if spec.sample is not None:
        return _shared()
    if "store" not in st.session_state:
        st.session_state["store"] = Store()
    store: Store = st.session_state["store"]
    return store


def _kept(spec: AnalysisSpec, key: str, make: Callable[[], Any]) -> Any:
    store = _store(spec)
    value = store.get(key)
    if value is None:
        value = make()
        store.put(key, value)
    return value


def keep_table(table: Table) -> None:
    """Keep an uploaded table for this session alone."""
    tables = st.session_state.setdefault(TABLES, Store(4))
    tables.put(table.digest, table)


def table_of(spec: AnalysisSpec) -> Table | None:
    """Give the table of an analysis, or None where this session does not have the file."""
    if spec.sample is not None:
        table: Table = _kept(spec, f"table {spec.source}", lambda: load_table(spec.source))
        return table
    tables: Store | None = st.session_state.get(TABLES)
    return None if tables is None else tables.get(spec.source.partition(":")[2])


def panel_of(spec: AnalysisSpec) -> tuple[Panel, Ledger]:
    """Give the whole panel of an analysis, and the ledger of how it was read."""
    table = table_of(spec)
    assert table is not None
    key = f"panel {spec.source} {spec.columns!r}"
    pair: tuple[Panel, Ledger] = _kept(spec, key, lambda: to_panel(table, spec.columns))
    return pair


def result_of(spec: AnalysisSpec) -> Result:
    """Give the result of an analysis; work of more than a moment shows how far it is.

    Raises
    ------
    PanelscopeError
        As :func:`components.analysis.run`.
    """
    result: Result = _kept(spec, f"result {spec!r}", lambda: _run_in_sight(spec))
    return result


def _run_in_sight(spec: AnalysisSpec) -> Result:
    panel, _ = panel_of(spec)
    place = st.empty()
    begun = time.monotonic()

    def progress(share: float) -> None:
        passed = time.monotonic() - begun
        if passed > PATIENCE:
            left = passed / max(share, 0.01) * (1 - share)
            with place.container():
                st.progress(min(share, 1.0), f"Refitting: {share:.0%}, about {left:.0f} s left")
                st.caption("Change any setting to stop this and start anew.")

    try:
        return run(spec, panel, progress)
    finally:
        place.empty()
