"""Measure Panelscope and its peers side by side: python benchmarks/run.py.

Every package runs in an environment of its own, every task in a fresh process with one thread, in
turns with the others. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

import report
import scaling
from environments import ENVIRONMENTS, HERE, OURS, Package, available, prepare
from tasks import LIMITS, TASKS
from timing import Timing, measure

import panels

RESULTS = HERE / "RESULTS.md"


def main() -> None:
    options = _options()
    folder = ENVIRONMENTS / "panels"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [task for task in TASKS if task.key in options.tasks]
    wanted = {peer for task in chosen for peer in (*task.peers, *task.small)} & set(options.peers)
    packages = {name: prepare(name) for name in [OURS, *sorted(wanted)]}
    found: report.Found = {}
    for task in chosen:
        for name in options.sizes or task.panels:
            path = panels.write(name, folder)
            contenders = [(packages[OURS], source) for source in _sources(task.start)]
            contenders += [
                (packages[peer], "table") for peer in task.peers_on(name) if peer in packages
            ]
            found[task.key, name] = measure(
                task.key, path, contenders, options.repeats, options.timeout
            )
    limits = _limits(packages[OURS], folder, options)
    growth = scaling.run(packages[OURS], folder, options.scaling_timeout) if options.scaling else []
    text = report.write(
        found,
        limits,
        growth,
        packages,
        command=_command(),
        everything=not (options.sizes or set(options.tasks) < set(_keys())),
    )
    print(text)
    if options.output:
        options.output.write_text(text)


def _sources(start: str) -> tuple[str, ...]:
    """Ours starts where the peers do, and from the panel too."""
    return ("table", "matrix") if start == "table" else ("matrix",)


def _limits(ours: Package, folder: Path, options: argparse.Namespace) -> dict[str, Timing]:
    found = {}
    for limit in LIMITS:
        if limit.key not in options.tasks:
            continue
        path = panels.write(limit.panel, folder)
        for key, repeats in ((limit.key, 1), (limit.check, 0)):
            (found[key],) = measure(key, path, [(ours, "matrix")], repeats, options.timeout)
    return found


def _keys() -> list[str]:
    return [item.key for item in (*TASKS, *LIMITS)]


def _command() -> str:
    return shlex.join(["python", "benchmarks/run.py", *sys.argv[1:]])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Panelscope and its peers side by side.")
    parser.add_argument("--tasks", nargs="+", choices=_keys(), default=_keys())
    parser.add_argument("--peers", nargs="*", choices=available(), default=available())
    parser.add_argument(
        "--sizes", nargs="+", metavar="PANEL", help="instead of each task's own panels"
    )
    parser.add_argument("--repeats", type=int, default=5, help="of each call (default: 5)")
    parser.add_argument(
        "--timeout", type=float, default=300.0, help="CPU seconds of a call (default: 300)"
    )
    parser.add_argument("--scaling", action="store_true", help="cost against size as well")
    parser.add_argument("--scaling-timeout", type=float, default=60.0)
    parser.add_argument(
        "--output",
        type=Path,
        default=None,
        help=f"write the report here too (default: {RESULTS.name} when everything is run)",
    )
    options = parser.parse_args()
    partial = options.sizes or set(options.tasks) < set(_keys())
    partial = partial or set(options.peers) < set(available())
    if options.output is None and not partial:
        options.output = RESULTS
    return options


if __name__ == "__main__":
    # Whoever ends this process ends the measurements with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
