"""Time several packages on one task in turns, each in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from environments import HERE, Package

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1"
    for name in ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMBA", "NUMEXPR", "VECLIB", "POLARS_MAX")
}
# With a first call this long, in CPU seconds, two repeats are made, or it counts itself.
LONG, VERY_LONG = 3.0, 10.0
# Longest wait by the clock over the CPU seconds allowed: the machine may be busy.
MOST_PATIENCE = 20.0
# Repeats further apart than this are taken as disturbed, and made once more.
DISTURBED = 1.3


@dataclass(eq=False)
class Timing:
    """What a package took and found.

    Attributes
    ----------
    package : Package
    source : str
        "table" or "matrix": what it started from.
    seconds : list of float
        CPU seconds of each repeat.
    answer : dict of str to float
    peak, extra : float
        Memory of its process at the peak of the first call, and how far above the start, in MB.
    why : str
        Why there is no figure.
    """

    package: Package
    source: str
    seconds: list[float] = field(default_factory=list)
    answer: dict[str, float] = field(default_factory=dict)
    peak: float = float("nan")
    extra: float = float("nan")
    why: str = ""

    @property
    def cpu(self) -> float:
        """Median of the repeats."""
        return median(self.seconds) if self.seconds else float("nan")

    @property
    def disturbed(self) -> bool:
        """Whether the repeats lie far apart."""
        return bool(self.seconds) and max(self.seconds) > DISTURBED * min(self.seconds)


class Worker:
    """A process that waits to be asked for the next repeat."""

    def __init__(self, package: Package, task: str, panel: Path, source: str) -> None:
        command = [package.python, HERE / "worker.py", package.adapter, task, panel, source]
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "LOKY_MAX_CPU_COUNT": "1", "PYTHONHASHSEED": "0"},
            start_new_session=True,
        )

    def hear(self, timeout: float) -> dict[str, Any] | None:
        """Wait for its next report; None if it has used so many CPU seconds without one."""
        stream = self.process.stdout
        if stream is None:
            return None
        start = self.cpu()
        patience = time.monotonic() + MOST_PATIENCE * timeout
        while not select.select([stream], [], [], 1.0)[0]:
            if self.cpu() - start > timeout or time.monotonic() > patience:
                return None
        line = stream.readline()
        return json.loads(line) if line else {"error": "the process ended without an answer"}

    def cpu(self) -> float:
        """CPU seconds that the process has used so far."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return 0.0
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def ask(self) -> None:
        """Ask for one more repeat."""
        if self.process.stdin is not None:
            self.process.stdin.write(b"go\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """End the process and those that it has started."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def measure(
    task: str,
    panel: Path,
    contenders: list[tuple[Package, str]],
    repeats: int,
    timeout: float,
) -> list[Timing]:
    """Time a task with every contender, one repeat of each in turn.

    Parameters
    ----------
    task : str
        A key of TASKS in the adapters.
    panel : Path
        Written by panels.py.
    contenders : list of (Package, str)
        Each with what it starts from, "table" or "matrix".
    repeats : int
        Rounds; fewer for contenders that take long.
    timeout : float
        CPU seconds that one call may take.

    Returns
    -------
    list of Timing
    """
    timings = [Timing(package, source) for package, source in contenders]
    running: list[tuple[Timing, Worker, int]] = []
    try:
        for timing in timings:
            if timing.package.missing:
                timing.why = timing.package.missing
                continue
            _say(f"{task} {panel.stem} {timing.package.name} {timing.source}")
            worker = Worker(timing.package, task, panel, timing.source)
            first = _first(worker, timing, timeout)
            running.append((timing, worker, _rounds(first, repeats)))
        _rounds_of(running, repeats, timeout)
        if any(timing.disturbed for timing, _, _ in running):
            _rounds_of(running, repeats, timeout)
    finally:
        for _, worker, _ in running:
            worker.stop()
    return timings


def _first(worker: Worker, timing: Timing, timeout: float) -> float:
    """Hear of the imports and the call that warms up; NaN where there is nothing to time."""
    report = worker.hear(timeout)
    if report is not None and "started" in report:
        report = worker.hear(timeout)
    if report is None:
        timing.why = f"over {timeout:.0f} s"
    elif "missing" in report:
        timing.why = "not built yet" if timing.package.name == "panelscope" else "has no such task"
        if report.get("why"):
            timing.why += f" ({report['why']})"
    elif "error" in report:
        timing.why = report["error"].splitlines()[0][:160]
    else:
        timing.answer = report["answer"]
        timing.peak, timing.extra = report["peak"], report["extra"]
        first = float(report["first"])
        if first > VERY_LONG:
            timing.seconds.append(first)
        return first
    return float("nan")


def _rounds(first: float, repeats: int) -> int:
    if not first >= 0.0:
        return 0
    if first > VERY_LONG:
        return 0
    return min(repeats, 2) if first > LONG else repeats


def _rounds_of(running: list[tuple[Timing, Worker, int]], repeats: int, timeout: float) -> None:
    for turn in range(repeats):
        for timing, worker, rounds in running:
            if turn >= rounds or timing.why:
                continue
            worker.ask()
            report = worker.hear(timeout)
            if report is None or "cpu" not in report:
                timing.why = f"over {timeout:.0f} s" if report is None else str(report.get("error"))
            else:
                timing.seconds.append(float(report["cpu"]))


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
