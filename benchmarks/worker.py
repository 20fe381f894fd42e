"""Run one task of one package in that package's own environment, and time it on demand.

Started by run.py. After the imports and one call that warms up it writes one line of JSON, then one
more for every line that it reads: the CPU seconds of a call. Needs numpy, and pandas for the table.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import resource
import sys
import time
import warnings
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

# A call is repeated until a measurement takes this many CPU seconds, and its mean counts.
SHORTEST = 0.1
MOST_CALLS = 500


class Case:
    """A panel in every form that a package may want.

    Parameters
    ----------
    path : Path
        Written by panels.py.
    source : {"table", "matrix"}
        What Panelscope starts from; the other packages start from what they take.
    """

    def __init__(self, path: Path, source: str) -> None:
        with np.load(path) as file:
            self.Y, self.W = file["Y"], file["W"]
            self.units, self.periods = file["units"], file["periods"]
            self.n_pre = int(file["n_pre"])
        self.source = source
        self.treated = self.W.any(axis=1)

    @cached_property
    def table(self) -> Any:
        """Long table: unit, time, y, treated (by cell), ever (by unit), post (by period)."""
        import pandas as pd

        n, t = self.Y.shape
        return pd.DataFrame(
            {
                "unit": np.repeat(self.units.astype(object), t),
                "time": np.tile(self.periods, n),
                "y": self.Y.ravel(),
                "treated": self.W.ravel().astype(np.int64),
                "ever": np.repeat(self.treated, t).astype(np.int64),
                "post": np.tile(self.W.any(axis=0), n).astype(np.int64),
            }
        )

    @property
    def controls(self) -> Any:
        """Outcomes of the never-treated units, shape (N0, T)."""
        return self.Y[~self.treated]

    @property
    def average(self) -> Any:
        """Mean outcome of the treated units, shape (T,)."""
        return self.Y[self.treated].mean(axis=0)

    @property
    def donors(self) -> list[str]:
        """Names of the never-treated units, in the order of `controls`."""
        return [str(unit) for unit in self.units[~self.treated]]

    def aligned(self, weights: Any) -> Any:
        """Weights by name in the order of `controls`."""
        return np.array([float(weights.get(donor, 0.0)) for donor in self.donors])

    def sc_answer(self, omega: Any) -> dict[str, float]:
        """Mean squared gap before treatment and average gap after, by unit weights."""
        gap = self.average - on_simplex(omega) @ self.controls
        before, after = gap[: self.n_pre], gap[self.n_pre :]
        return {"objective": float(np.mean(before**2)), "att": float(after.mean())}

    def sdid_answer(self, omega: Any, att: float, key: str = "att") -> dict[str, float]:
        """Objective of the unit weights of synthetic DID at the paper's penalty, and the effect."""
        before = self.controls[:, : self.n_pre]
        sigma = float(np.diff(before, axis=1).std(ddof=1))
        zeta2 = np.sqrt(float(self.W.sum())) * sigma**2
        omega = on_simplex(omega)
        gap = self.average[: self.n_pre] - omega @ before
        value = float(np.mean((gap - gap.mean()) ** 2) + zeta2 * np.sum(np.square(omega)))
        return {"objective": value, key: float(att)}


def on_simplex(weights: Any) -> Any:
    """Take off what a solver leaves outside the simplex: it would make the objective too low."""
    inside = np.clip(np.asarray(weights, dtype=np.float64), 0.0, None)
    return inside / inside.sum()


def main() -> None:
    """Warm up, report, and time one measurement for every line of input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("adapter", type=Path)
    parser.add_argument("task")
    parser.add_argument("panel", type=Path)
    parser.add_argument("source")
    options = parser.parse_args()
    # What a package prints must not mix with the report.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def report(**values: Any) -> None:
        out.write(json.dumps(values) + "\n")

    try:
        tasks = load(options.adapter).TASKS
        if options.task not in tasks:
            report(missing=True)
            return
        call, read = tasks[options.task](Case(options.panel, options.source))
        report(started=True)
        gc.collect()
        before = memory("VmRSS")
        first, raw = timed(call, 1)
        peak = memory("VmHWM")
        answer = read(raw)
        del raw
    except ImportError as error:
        report(missing=True, why=f"{error}")
        return
    except Exception as error:
        report(error=f"{type(error).__name__}: {error}")
        return
    report(first=first, answer=answer, peak=peak, extra=peak - before)
    number = 1 if first > SHORTEST else None
    for _ in sys.stdin:
        if number is None:
            number = int(min(MOST_CALLS, max(1.0, SHORTEST / max(timed(call, 1)[0], 1e-6))))
        gc.collect()
        cpu, _ = timed(call, number)
        report(cpu=cpu / number)


def load(path: Path) -> ModuleType:
    """Import an adapter by its path, under a name that no package has."""
    sys.path.pop(0)  # this folder, whose names are not meant for the packages
    spec = importlib.util.spec_from_file_location(f"adapter_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(call: Any, number: int) -> tuple[float, Any]:
    """CPU seconds, user and system, of some calls and all their child processes."""
    children = of_children()
    start = time.process_time()
    for _ in range(number):
        raw = call()
    own = time.process_time() - start
    return own + of_children() - children, raw


def of_children() -> float:
    """CPU seconds of ended and of living child processes."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    ticks = os.sysconf("SC_CLK_TCK")
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    todo = own.read_text().split() if own.exists() else []
    while todo:
        child = todo.pop()
        try:
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            todo += Path(f"/proc/{child}/task/{child}/children").read_text().split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15]) / ticks
    return total


def memory(field: str) -> float:
    """Memory of this process in MB: VmRSS now, VmHWM at its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    main()
