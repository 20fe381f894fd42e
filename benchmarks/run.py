"""Measure Panelscope and its peers side by side: python benchmarks/run.py.

Every package runs in an environment of its own, every task in a fresh process with one thread, in
turns with the others. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import signal
import sys

import report
import scaling
from environments import ENVIRONMENTS, HERE, OURS, available, describe, prepare
from store import GROWTH, Store
from tasks import LIMITS, TASKS
from timing import measure

import panels

RESULTS = HERE / "RESULTS.md"
# CPU seconds for what no one waits for: it only checks another answer.
UNHURRIED = 1800.0


def main() -> None:
    options = _options()
    folder = ENVIRONMENTS / "panels"
    folder.mkdir(parents=True, exist_ok=True)
    packages = {name: describe(name) for name in [OURS, *available()]}
    packages |= {name: prepare(name) for name in options.peers}
    store = Store(ENVIRONMENTS / "measured", packages)
    for task in TASKS:
        if task.key in options.tasks:
            for name in options.sizes or task.panels:
                contenders = [(packages[OURS], source) for source in _sources(task.start)]
                contenders += [
                    (packages[peer], "table")
                    for peer in task.peers_on(name)
                    if peer in options.peers
                ]
                path = panels.write(name, folder)
                timings = measure(task.key, path, contenders, options.repeats, options.timeout)
                store.put(task.key, name, timings)
    for limit in LIMITS:
        if limit.key in options.tasks:
            path = panels.write(limit.panel, folder)
            for key, repeats in ((limit.key, options.repeats), (limit.check, 0)):
                if key == limit.check and options.hurry:
                    continue
                timeout = max(options.timeout, UNHURRIED)
                contenders = [(packages[OURS], "matrix")]
                store.put(key, limit.panel, measure(key, path, contenders, repeats, timeout))
    if options.scaling:
        scaling.run(
            packages[OURS],
            folder,
            options.scaling_timeout,
            lambda key, size, timings: store.put(GROWTH + key, size, timings),
        )
    found, limits, growth = store.found(), store.limits(), store.growth()
    text = report.write(
        found,
        limits,
        growth,
        packages,
        command="python benchmarks/run.py --scaling",
        days=" and ".join(sorted({min(store.days), max(store.days)})) if store.days else "never",
        everything=True,
    )
    RESULTS.write_text(text)
    print(text)


def _sources(start: str) -> tuple[str, ...]:
    """Ours starts where the peers do, and from the panel too."""
    return ("table", "matrix") if start == "table" else ("matrix",)


def _keys() -> list[str]:
    return [item.key for item in (*TASKS, *LIMITS)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Panelscope and its peers side by side.")
    parser.add_argument("--tasks", nargs="*", choices=_keys(), default=_keys())
    parser.add_argument("--peers", nargs="*", choices=available(), default=available())
    parser.add_argument(
        "--sizes", nargs="+", metavar="PANEL", help="instead of each task's own panels"
    )
    parser.add_argument("--repeats", type=int, default=5, help="of each call (default: 5)")
    parser.add_argument(
        "--timeout", type=float, default=300.0, help="CPU seconds of a call (default: 300)"
    )
    parser.add_argument(
        "--hurry", action="store_true", help="compare with unhurried searches as kept, not anew"
    )
    parser.add_argument("--scaling", action="store_true", help="cost against size as well")
    parser.add_argument("--scaling-timeout", type=float, default=60.0)
    return parser.parse_args()


if __name__ == "__main__":
    # Whoever ends this process ends the measurements with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
