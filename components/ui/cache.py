"""The only place that keeps results: a session's own, and those of the samples for everybody."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import uuid4

import streamlit as st

from components.analysis import AnalysisSpec, Result, load_table, run
from components.analysis.job import Job
from components.analysis.jobs import Jobs
from components.data import Ledger, Table, to_panel
from components.panel import Panel

MOST_KEPT = 48
MOST_FIGURES = 24
PATIENCE = 1.0  # seconds of work before a progress bar appears
QUICK = ("did", "sc", "sc_intercept", "sdid", "callaway_santanna", "sun_abraham")
QUICK_INFERENCE = (None, "placebo_in_space", "conditional", "event_study")
REFITS_NOTHING = (None, "event_study")
QUICK_CELLS = 5000
MOST_WORKERS = 4
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


@st.cache_resource(show_spinner=False)
def _shared_figures() -> Store:
    return Store(MOST_FIGURES)


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
    tables.put(f"{table.digest} {table.reading!r}", table)


def table_of(spec: AnalysisSpec) -> Table | None:
    """Give the table of an analysis, or None where this session does not have the file."""
    if spec.sample is not None:
        reading = spec.columns.reading
        key = f"table {spec.source} {reading!r}"
        table: Table = _kept(spec, key, lambda: load_table(spec.source, reading=reading))
        return table
    tables: Store | None = st.session_state.get(TABLES)
    digest = spec.source.partition(":")[2]
    return None if tables is None else tables.get(f"{digest} {spec.columns.reading!r}")


def panel_of(spec: AnalysisSpec) -> tuple[Panel, Ledger]:
    """Give the whole panel of an analysis, and the ledger of how it was read."""
    table = table_of(spec)
    assert table is not None
    key = f"panel {spec.source} {spec.columns!r}"
    pair: tuple[Panel, Ledger] = _kept(spec, key, lambda: to_panel(table, spec.columns))
    return pair


def kept(spec: AnalysisSpec, key: str) -> Any | None:
    """Give what is kept under a key beside the results of an analysis, or None."""
    return _store(spec).get(key)


def keep(spec: AnalysisSpec, key: str, value: Any) -> None:
    """Keep something beside the results of an analysis, for whoever may see those."""
    _store(spec).put(key, value)


def drawn(result: Result, key: str, make: Callable[[], Any]) -> Any:
    """Give a figure of a result; it is made once for whoever may see the result.

    Parameters
    ----------
    result : Result
        The object that is drawn; another one, be it of the same analysis, is drawn anew.
    key : str
        Must name all else that the figure depends on: view, words, colours.
    make : callable
        Makes the figure, which nobody changes afterwards.
    """
    if result.spec.sample is not None:
        store = _shared_figures()
    else:
        store = st.session_state.setdefault("figures", Store(MOST_FIGURES))
    pair: tuple[Result, Any] | None = store.get(key)
    if pair is None or pair[0] is not result:
        pair = (result, make())
        store.put(key, pair)
    return pair[1]


def kept_result(spec: AnalysisSpec) -> Result | None:
    """Give the result of an analysis where it is kept already; nothing is computed."""
    result: Result | None = _store(spec).get(f"result {spec!r}")
    return result


def result_of(spec: AnalysisSpec) -> Result | Job[Result]:
    """Give the result of an analysis, or the job that works on it.

    Raises
    ------
    PanelscopeError
        As :func:`components.analysis.run`.
    """
    store, key = _store(spec), f"result {spec!r}"
    kept: Result | None = store.get(key)
    if kept is not None:
        return kept
    panel, _ = panel_of(spec)
    if is_quick(spec, panel):
        result = run(spec, panel)
    else:
        job = jobs().submit(job_key(spec), owner(), spec, panel)
        if not job.wait(PATIENCE):
            return job
        result = job.result()
    store.put(key, result)
    return result


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Give the one registry of long work that this server has."""
    return Jobs(workers=min(MOST_WORKERS, max(2, os.cpu_count() or 1)))


def job_key(spec: AnalysisSpec) -> str:
    """Name the work on an analysis: the data by its fingerprint, and the spec."""
    return f"{panel_of(spec)[0].fingerprint} {spec!r}"


def owner() -> str:
    """Name this session among the owners of jobs; the name says nothing about it."""
    if "owner" not in st.session_state:
        st.session_state["owner"] = uuid4().hex
    name: str = st.session_state["owner"]
    return name


def is_quick(spec: AnalysisSpec, panel: Panel) -> bool:
    """Tell whether the work takes a moment only, so that no process is worth its start."""
    inference = None if spec.inference is None else spec.inference.card.key
    few = panel.design.n_treated <= 1 or inference in REFITS_NOTHING
    small = panel.Y.size <= QUICK_CELLS and few
    return spec.estimator.card.key in QUICK and inference in QUICK_INFERENCE and small
