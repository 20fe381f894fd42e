"""Hostile files through the real page: growth of the server, and how fast another visitor stays.

Starts the app, lets one browser upload a file after another while a second one clicks on a page of
its own all the time, and reports for each file the decision, its seconds, the growth of the server
process and the second visitor's rerun times beside those in quiet.

    python -m benchmarks.hostile_uploads --chromium /usr/bin/chromium
"""

from __future__ import annotations

import argparse
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
QUIET, LOOK_EVERY = 40, 0.02
RUNNING = "[data-testid=stApp][data-test-script-state=running]"
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


def far_cell() -> bytes:
    """Make a workbook of a few kilobytes with one cell at the far corner."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["unit", "year", "y"])
    sheet["XFD1048576"] = 1
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def large_sheet() -> bytes:
    """Make a small workbook whose sheet unpacks to a gigabyte."""
    stream = io.BytesIO(far_cell())
    with (
        zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet2.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(1024):
            member.write(b" " * 2**20)
    return stream.getvalue()


def parquet_bomb() -> bytes:
    """Make a file of kilobytes that holds a hundred million equal rows."""
    stream = io.BytesIO()
    rows = pa.table({"y": pa.array([1.0]).take(pa.array([0] * 10**6))})
    with pq.ParquetWriter(stream, rows.schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(rows)
    return stream.getvalue()


def parquet_words() -> bytes:
    """Make a file within the limit of cells whose words take gigabytes once written out."""
    word = "x" * 30_000
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), [word])
    stream = io.BytesIO()
    pq.write_table(pa.table({"unit": column, "year": pa.array([2000] * 200_000)}), stream)
    return stream.getvalue()


def zip_bomb() -> bytes:
    """Make an archive of a megabyte that unpacks to one gigabyte."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(1024):
            member.write(b"a,b,c\n" * 174_763)
    return stream.getvalue()


def plain(n_units: int, n_periods: int) -> bytes:
    """Make an honest table."""
    rows = ["unit,year,y"]
    rows += [f"u{i},{1000 + t},{i * t}.5" for i in range(n_units) for t in range(n_periods)]
    return "\n".join(rows).encode()


FILES = {
    "far_cell.xlsx": far_cell,
    "large_sheet.xlsx": large_sheet,
    "rows.parquet": parquet_bomb,
    "words.parquet": parquet_words,
    "bomb.zip": zip_bomb,
    "deep.json": lambda: b"[" * 2_000_000 + b"]" * 2_000_000,
    "columns.csv": lambda: b"\n".join([b",".join(b"c%d" % k for k in range(10_000))] * 3),
    "line.csv": lambda: b"unit,year,y\n" + b"x" * 2_000_000 + b",2000,1\n",
    "quotes.csv": lambda: b"unit,year,y\n" + b'"' * 2_000_001,
    "honest_5_MB.csv": lambda: plain(2_000, 170),
    "honest_45_MB.csv": lambda: plain(4_000, 600),
}


class Memory(threading.Thread):
    """Watches the resident memory of one process."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._path = Path(f"/proc/{pid}/statm")
        self.most = self.now = 0.0

    def run(self) -> None:
        """Look until the process is gone."""
        with suppress(OSError):
            while True:
                pages = int(self._path.read_text("ascii").split()[1])
                self.now = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
                self.most = max(self.most, self.now)
                time.sleep(LOOK_EVERY)


class Other(threading.Thread):
    """Another visitor, who clicks and notes the seconds until the page has settled."""

    def __init__(self, address: str, chromium: str) -> None:
        super().__init__(daemon=True)
        self._address, self._chromium = address, chromium
        self.seconds: list[float] = []
        self.ready, self.stop = threading.Event(), threading.Event()

    def run(self) -> None:
        """Click until it is told to stop."""
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=self._chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{self._address}/method?v=1&data=prop99")
            page.wait_for_selector(SETTLED, timeout=60_000)
            box = page.locator("[data-testid=stNumberInput] input:visible").first
            box.wait_for(timeout=60_000)
            step = 0
            while not self.stop.is_set():
                box.focus()
                begun = time.monotonic()
                page.keyboard.press("ArrowDown" if step % 2 else "ArrowUp")
                page.keyboard.press("Enter")
                with suppress(Exception):
                    page.wait_for_selector(RUNNING, timeout=1_000)
                page.wait_for_selector(SETTLED, timeout=60_000)
                self.seconds.append(time.monotonic() - begun)
                step += 1
                if step >= QUIET:
                    self.ready.set()
                time.sleep(0.05)
            browser.close()


def percentile(seconds: list[float], share: float) -> float:
    """Give a percentile; NaN where nothing was measured."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def decide(page, name: str, data: bytes, folder: Path) -> tuple[str, float]:
    """Upload a file, and give what the page says of it and after how many seconds."""
    path = folder / name
    path.write_bytes(data)
    page.goto(page.url.partition("?")[0] + "?v=1&data=prop99")
    page.wait_for_selector(SETTLED, timeout=60_000)
    page.set_input_files("[data-testid=stFileUploader] input", str(path))
    begun = time.monotonic()
    alert = page.locator("[data-testid=stAlertContentError]")
    done = page.get_by_role("heading", name=name)
    while time.monotonic() - begun < 60:
        if alert.count():
            told = [line for line in alert.first.inner_text().splitlines() if " " in line]
            return (told or ["refused"])[0], time.monotonic() - begun
        if done.count():
            return "read", time.monotonic() - begun
        time.sleep(0.05)
    return "NO DECISION", time.monotonic() - begun


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--chromium", default="/usr/bin/chromium")
    options.add_argument("--port", type=int, default=0)
    chosen = options.parse_args()
    port = chosen.port
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(address)
        _visit(address, server.pid, chosen.chromium)
    finally:
        server.kill()


def _wait(address: str) -> None:
    for _ in range(240):
        with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
            return
        time.sleep(0.25)


def _visit(address: str, pid: int, chromium: str) -> None:
    files = {name: make() for name, make in FILES.items()}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/data?v=1&data=prop99")
        page.wait_for_selector(SETTLED, timeout=120_000)
        decide(page, "warm.csv", plain(5, 9), Path(folder))
        memory, other = Memory(pid), Other(address, chromium)
        other.start()
        other.ready.wait(300)
        memory.start()
        time.sleep(1)
        before = memory.now
        quiet = other.seconds[5:]
        alone = percentile(quiet, 0.95)
        print(f"server {before:.0f} MB; the other visitor alone: "
              f"median {statistics.median(quiet):.2f} s, p95 {alone:.2f} s")  # fmt: skip
        print("| file | MB | decision | s | growth, MB | other visitor's median, s | p95, s |")
        print("|---|---|---|---|---|---|---|")
        everything: list[float] = []
        for name, data in files.items():
            memory.most, first = memory.now, len(other.seconds)
            told, seconds = decide(page, name, data, Path(folder))
            time.sleep(0.5)
            during = other.seconds[first:]
            everything += during
            print(
                f"| {name} | {len(data) / 2**20:.1f} | {told[:70]} | {seconds:.1f} | "
                f"{memory.most - before:.0f} | {statistics.median(during or [float('nan')]):.2f} | "
                f"{percentile(during, 0.95):.2f} |",
                flush=True,
            )
        print(f"all together: p95 {percentile(everything, 0.95):.2f} s against {alone:.2f} s alone")
        other.stop.set()
        other.join(60)
        browser.close()


if __name__ == "__main__":
    main()
