"""A folder of Parquet too big to upload: time and peak memory, side by side with plain DuckDB.

Makes the folder, then lets `read_source` and DuckDB by itself sum the same rows up to the same
cells, one after the other in turn, with the same memory limit and number of threads, each in
processes of its own. The number of cells and their total are compared.

    python -m benchmarks.big_folder --rows 50000000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

UNITS, DAYS = 2_000, 365
FILES = 25
MEMORY_MB = 1024
LOOK_EVERY = 0.02
PLAIN = """
import os, sys, time, duckdb
os.nice(5)  # as read_source does
database = duckdb.connect(config={"memory_limit": "1024MiB", "temp_directory": sys.argv[2]})
database.execute("SET enable_progress_bar=false")
print("begin", flush=True)
time.sleep(1)
begun = time.perf_counter()
cells = database.sql(
    "SELECT shop, date_trunc('day', time)::DATE AS day, sum(amount) AS amount "
    "FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", params=[sys.argv[1] + "/*.parquet"]
).to_arrow_table()
print(time.perf_counter() - begun, cells.num_rows, sum(cells["amount"].to_pylist()))
"""
OURS = """
import json, os, sys, time
os.environ["PANELSCOPE_SOURCES"] = sys.argv[1]
from components.data.sources import READING, SourceQuery, read_source
READING.warm()
time.sleep(3)
print("begin", flush=True)
time.sleep(1)
told = []
begun = time.perf_counter()
table = read_source(
    SourceQuery("sales", "shop", "time", "amount", aggregate="sum", truncation="day"), told.append
)
passed = time.perf_counter() - begun
total = table.text["amount"].astype(float)
print(passed, len(table.text), sum(total), len(set(told)), table.digest)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the data go; they are deleted after")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="big-folder-", dir=options.folder))
    try:
        begun = time.perf_counter()
        make(place / "sales", options.rows)
        size = sum(path.stat().st_size for path in (place / "sales").iterdir())
        seconds = time.perf_counter() - begun
        print(f"{options.rows:,} rows, {size / 1e9:.2f} GB, written in {seconds:.0f} s")
        compare(place, options.rounds)
    finally:
        shutil.rmtree(place)


def make(folder: Path, rows: int) -> None:
    import duckdb

    folder.mkdir()
    database = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder)})
    each = -(-rows // FILES)
    for number in range(FILES):
        first, last = number * each, min((number + 1) * each, rows)
        database.execute(
            "COPY (SELECT 'shop ' || lpad((i % 2000)::VARCHAR, 4, '0') AS shop, "
            "TIMESTAMP '2023-01-01' + to_seconds(((i // 2000) % 365) * 86400 "
            "+ (hash(i) % 86400)::BIGINT) AS time, hash(i + 1) AS receipt, "
            "exp(5 * random()) AS amount, random() AS margin, random() AS weight, "
            "random() AS discount, (hash(i + 2) % 50)::INTEGER AS items "
            f"FROM range({first}, {last}) r(i) ORDER BY hash(i + 3)) "
            f"TO '{folder}/part-{number:03}.parquet' (FORMAT parquet)"
        )
    database.close()
    shutil.rmtree(folder / ".tmp", ignore_errors=True)


def compare(place: Path, rounds: int) -> None:
    listed = {"kind": "folder", "path": "sales", "memory_mb": MEMORY_MB}
    lines = [
        "[sources.sales]",
        *(f"{word} = {json.dumps(value)}" for word, value in listed.items()),
    ]
    (place / "sources.toml").write_text("\n".join(lines), "utf-8")
    (place / "spare").mkdir()
    times: dict[str, list[float]] = {"plain": [], "ours": []}
    loads: dict[str, list[float]] = {"plain": [], "ours": []}
    peaks: dict[str, list[float]] = {"plain": [], "ours": []}
    answers = set()
    for _ in range(rounds):
        for name, code, words in (
            ("plain", PLAIN, [str(place / "sales"), str(place / "spare")]),
            ("ours", OURS, [str(place / "sources.toml")]),
        ):
            said, peak, load = watched([sys.executable, "-c", code, *words])
            loads[name].append(load)
            times[name].append(float(said[0]))
            peaks[name].append(peak)
            answers.add((int(said[1]), f"{float(said[2]):.9g}"))
            said[0] = f"{times[name][-1]:.1f} s, {load:.1f} s of processor, peak {peak:.0f} MB;"
            print(f"{name:>6}:", *said, flush=True)
    assert len(answers) == 1, answers
    for what, values in (("time", times), ("processor", loads)):
        plain, ours = statistics.median(values["plain"]), statistics.median(values["ours"])
        print(f"{what}: plain {plain:.1f} s, read_source {ours:.1f} s, ratio {ours / plain:.2f}")
    most = {name: max(values) for name, values in peaks.items()}
    print(f"peak of all processes: plain {most['plain']:.0f} MB, read_source {most['ours']:.0f} MB")


def watched(command: list[str]) -> tuple[list[str], float, float]:
    """Run a program: what it says, its peak memory in MB and processor seconds, with children."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, over = [0.0], threading.Event()
    worked: dict[int, float] = {}

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            pids = family(program.pid)
            peak[0] = max(peak[0], sum(map(proportional, pids)) / 2**20)
            for pid in pids:
                with suppress(OSError):
                    worked[pid] = processor(pid)

    thread = threading.Thread(target=look)
    thread.start()
    assert program.stdout is not None
    program.stdout.readline()
    before = sum(map(processor, family(program.pid)))
    said, _ = program.communicate()
    over.set()
    thread.join()
    assert program.returncode == 0
    return said.split(), peak[0], sum(worked.values()) - before


def family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def processor(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proportional(pid: int) -> float:
    """Memory of a process in bytes; what several share is divided among them."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) * 1024
    return 0.0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
