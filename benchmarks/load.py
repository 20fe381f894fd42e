"""Many visitors at a time: how long they wait, and what a rerun costs the server.

Starts the app anew for each row, lets visitors without a browser open it and look around, and
reports first run, reruns, errors, and the processor time and memory of the server. Linux only: time
and memory come from /proc.

    python -m benchmarks.load               # all rows, written to benchmarks/LOAD.md
    python -m benchmarks.load --users 20    # one row, on screen
    python -m benchmarks.load --pages       # each page by itself, run again unchanged
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.visitors import Tally, Visitor

ROOT = Path(__file__).resolve().parents[1]
QUERY = "v=1&data=prop99"
BUSY = {
    "contest": ("compare", "v=1&data=staggered"),
    "TROP tuning": ("counterfactual", "v=1&data=staggered&estimator=trop&inference=bootstrap"),
}
PAGES = ["start", "data", "design", "method", "weights", "counterfactual", "diagnose"]
PAGES += ["influence", "specifications", "changes", "compare", "simulate", "coverage"]
ROWS = [(1, ""), (1, "contest"), (1, "TROP tuning"), (20, ""), (20, "contest"), (40, "")]
HEAD = (
    "| visitors | meanwhile | first run, median / worst | reruns | p50 | p95 | worst | errors "
    "| CPU of server per rerun | memory of server / with its processes |\n" + "|---" * 10 + "|\n"
)
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """The app, and what it costs."""

    def __init__(self, script: str, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address, self.log = f"127.0.0.1:{port}", log
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
        with log.open("w") as out:
            self.program = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://{self.address}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)

    def seconds(self) -> float:
        """Processor time of the server itself, user and system."""
        parts = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / TICK

    def memory(self) -> tuple[float, float]:
        """Megabytes of the server, and of it and all its processes (shared pages once)."""
        return _megabytes("Rss", [self.program.pid]), _megabytes("Pss", tree(self.program.pid))

    def troubles(self) -> int:
        """Count the uncaught exceptions in the log."""
        return self.log.read_text().count("Traceback")


def tree(root: int) -> list[int]:
    """Give a process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _megabytes(kind: str, pids: list[int]) -> float:
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))
    return total / 1024


@contextmanager
def serving(script: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(script, Path(folder) / "log.txt")
        try:
            yield server
        finally:
            server.program.terminate()
            server.program.wait(20)


async def crowd(server: Server, users: int, busy: str, seconds: float) -> Tally:
    """Let visitors arrive together and look around for so many seconds."""
    tally, until = Tally(), time.monotonic() + seconds
    stays = [
        Visitor(server.address, QUERY, tally, seed).stay(
            "counterfactual", until=until, think=(1.0, 2.0)
        )
        for seed in range(users)
    ]
    if busy:
        page, query = BUSY[busy]
        stays.append(Visitor(server.address, query, Tally(), 0).wait_there(page, until))
        await asyncio.sleep(0)
    for gone in await asyncio.gather(*stays, return_exceptions=True):
        if gone is not None:
            tally.errors.append(repr(gone))
    return tally


def row(script: str, users: int, busy: str, seconds: float) -> str:
    """Measure one row of the table."""
    with serving(script) as server:
        before = server.seconds()
        tally = asyncio.run(crowd(server, users, busy, seconds))
        spent = server.seconds() - before
        own, tree = server.memory()
        troubles = server.troubles()
    for error in tally.errors:
        print(error, file=sys.stderr)
    times = sorted(tally.all_reruns())
    return (
        f"| {users} | {busy} | {statistics.median(tally.first):.2f} / {max(tally.first):.2f} s "
        f"| {len(times)} | {1000 * statistics.median(times):.0f} ms "
        f"| {1000 * times[int(0.95 * len(times))]:.0f} ms | {times[-1]:.2f} s "
        f"| {len(tally.errors)} and {troubles} in the log "
        f"| {1000 * spent / (len(times) + len(tally.first)):.0f} ms | {own:.0f} / {tree:.0f} MB |\n"
    )


async def _page_costs(server: Server, times: int) -> list[tuple[str, float, float]]:
    costs = []
    for page in PAGES:
        visitor = Visitor(server.address, QUERY, Tally(), 0)
        async with visitor.connected():
            await visitor.go(page)
            await visitor.think(3.0)
            while visitor.refresh:
                await visitor.think(2.0)
            before = server.seconds()
            waits = [await visitor.rerun() for _ in range(times)]
            costs.append((page, (server.seconds() - before) / times, statistics.median(waits)))
    return costs


def pages(script: str, times: int = 20) -> str:
    """Measure what it costs to run each page again when everything is computed."""
    with serving(script) as server:
        costs = asyncio.run(_page_costs(server, times))
    lines = [
        f"| {page} | {1000 * cpu:.0f} ms | {1000 * wait:.0f} ms |" for page, cpu, wait in costs
    ]
    return "\n".join(["| page | CPU | median wait |", "|---|---|---|", *lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int)
    parser.add_argument("--busy", choices=list(BUSY), default="")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pages", action="store_true")
    parser.add_argument("--script", default="asgi.py")
    asked = parser.parse_args()
    if asked.pages:
        print(pages(asked.script))
    elif asked.users:
        print(HEAD + row(asked.script, asked.users, asked.busy, asked.seconds))
    else:
        rows = "".join(row(asked.script, *each, asked.seconds) for each in ROWS)
        load = os.getloadavg()[2]
        place = Path(__file__).with_name("LOAD.md")
        text = place.read_text(encoding="utf-8")
        text = text.partition("## Measured")[0] + (
            f"## Measured\n\nPython {platform.python_version()}, {os.cpu_count()} cores, "
            f"{asked.seconds:.0f} s a row. All that ran on the machine in the last quarter of an "
            f"hour, this measurement among it, asked for {load:.0f} cores.\n\n"
            f"{HEAD}{rows}\nEach page run again unchanged, by one visitor alone:\n\n"
            f"{pages(asked.script)}"
        )
        place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
