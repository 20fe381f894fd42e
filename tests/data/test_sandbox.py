"""No file harms the server: limits, hostile files, and what is left after an end."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.data import read_table
from components.data.sandbox import READING, Limits, Sandbox, read_table_safely
from components.data.sandbox_wire import receive, send
from components.data.table import Table
from components.errors import DataError, PanelscopeError
from conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
SMALL = b"unit,year,y\nA,2000,1\nA,2001,2\nB,2000,NA\nB,2001,001\n"


@pytest.fixture(scope="module", autouse=True)
def warm():
    read_table_safely(SMALL, "warm.csv")


def same(one: Table, other: Table) -> None:
    pd.testing.assert_frame_equal(one.text, other.text)
    for name in ("name", "digest", "columns", "first_row", "kind", "entries"):
        assert getattr(one, name) == getattr(other, name)
    assert (one.lines is None) == (other.lines is None)
    if one.lines is not None:
        np.testing.assert_array_equal(one.lines, other.lines)


def as_parquet() -> bytes:
    sink = io.BytesIO()
    frame = pd.DataFrame({"unit": ["A", "B", None, "D"], "year": [1, 2, 3, 4], "y": [1.5, 2, 3, 4]})
    frame.to_parquet(sink)
    return sink.getvalue()


def as_workbook() -> bytes:
    sink = io.BytesIO()
    frame = pd.DataFrame({"unit": ["A", "B", "NA"], "year": [1, 2, 3], "y": [1.5, 2, None]})
    frame.to_excel(sink, index=False)
    return sink.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        SMALL,
        b"unit;year;y\n\nA;2000;1\n\n\nB;2001;\n;;\n",
        "unit,year,y\n\u00c5land,2000,1\nB\u200b,2001,2\n".encode("utf-16"),
        as_parquet(),
        as_workbook(),
    ],
    ids=["csv", "gaps", "utf-16", "parquet", "xlsx"],
)
def test_the_table_is_the_same_as_read_at_home(data):
    same(read_table_safely(data, "a/b.csv"), read_table(data, "a/b.csv"))


def test_a_refusal_is_the_same_as_at_home():
    data = b"unit,year,y\nA,2000,1\nA,2001\n"
    with pytest.raises(DataError) as home:
        read_table(data, "a.csv")
    with pytest.raises(DataError) as away:
        read_table_safely(data, "a.csv")
    assert (away.value.message, away.value.hint) == (home.value.message, home.value.hint)


def test_where_there_is_no_fork_each_call_has_its_own_interpreter():
    pool = Sandbox((), {}, fork=False)
    table = pool.run("components.data.upload:read_table", SMALL, "a.csv", limits=Limits())
    same(table, read_table(SMALL, "a.csv"))
    pool.close()


# What comes back through the pipe.


def through(value: object) -> object:
    ours, theirs = Pipe()
    worker = threading.Thread(target=send, args=(theirs, "done", value, 2**30))
    worker.start()
    _, back = receive(ours, 2**30)
    worker.join()
    return back


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        0.1,
        float("inf"),
        "é\ud800",
        (),
        (1, ("a", [2])),
        {"a": (1,)},
        b"\x00" * 10**7,
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_survive_the_pipe(value):
    assert through(value) == value


def test_errors_keep_their_kind_and_what_they_carry():
    error = DataError("What", hint="Do")
    error.choices = ("a", "b")
    back = through(error)
    assert type(back) is DataError
    assert (back.message, back.hint, back.choices, str(back)) == ("What", "Do", ("a", "b"), "What")


@pytest.mark.parametrize(
    "form",
    [
        ["made", "os:system", {"command": "true"}],
        ["made", "subprocess:Popen", {"args": "true"}],
        ["made", "components.data.sandbox_pool:Path", {}],
        ["made", "components.data.sandbox_pool:Sandbox", {"preload": ["os"], "environment": {}}],
        ["made", "components.data.upload:read_table", {"data": "", "name": ""}],
        ["error", "components.data.table:Table", "a", "b", ["dict", []]],
        ["error", "builtins:SystemExit", "a", "b", ["dict", []]],
        ["array", 0, "object", [1]],
        ["nothing", "components.data.table:Table"],
    ],
)
def test_no_answer_can_name_code(form):
    ours, theirs = Pipe()
    theirs.send_bytes(json.dumps(["done", form, []]).encode())
    with pytest.raises((TypeError, IndexError)):
        receive(ours, 2**20)


# Limits.


def ended(call: str, *args: object, **limits: object) -> str:
    with pytest.raises(DataError) as refusal:
        READING.run(call, *args, limits=Limits(**limits))
    assert refusal.value.hint
    return refusal.value.message


def test_an_endless_call_is_stopped_in_time():
    begun = time.monotonic()
    assert "longer than 1 seconds" in ended("time:sleep", 60, seconds=1.0)
    assert time.monotonic() - begun < 30.0


@linux
def test_an_endless_loop_in_compiled_code_is_stopped_in_time():
    begun = time.monotonic()
    assert "longer than 1 seconds" in ended(
        "re:fullmatch", "(a|aa)+$", "a" * 200 + "b", seconds=1.0
    )
    assert time.monotonic() - begun < 30.0


@linux
def test_memory_is_bounded():
    assert "more memory than the 2 GB" in ended("builtins:bytearray", 3 << 30)
    assert READING.run("builtins:len", "a" * 100, limits=Limits()) == 100


@pytest.mark.parametrize(
    ("call", "args"),
    [("os:abort", ()), ("ctypes:string_at", (0,)), ("os:_exit", (3,)), ("sys:exit", (0,))],
)
def test_a_crash_is_a_refusal(call, args):
    assert "broke down" in ended(call, *args)
    same(read_table_safely(SMALL, "a.csv"), read_table(SMALL, "a.csv"))


def test_an_answer_that_is_too_large_is_refused():
    assert "takes 3 MB" in ended("builtins:bytes", 3 * 2**20, answer=2**20)


@linux
def test_nothing_can_be_written_and_nothing_of_the_server_is_seen(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x" * 100)
    copy = tmp_path / "b"
    ended("shutil:copyfile", str(tmp_path / "a"), str(copy))
    assert not copy.exists() or copy.stat().st_size == 0
    assert READING.run("os:getenv", "PYTEST_CURRENT_TEST", limits=Limits()) is None
    assert READING.run("resource:getrlimit", 4, limits=Limits()) == (0, 0)  # RLIMIT_CORE


def test_time_goes_by_size():
    limits = Limits()
    assert [limits.seconds_for(size * 2**20) for size in (0, 5, 50, 500)] == [5, 5, 15, 15]
    assert limits.seconds_for(20 * 2**20) == pytest.approx(8.33, abs=0.01)


class LeaveError(Exception):
    pass


def children_of(parent: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, owner = place.read_text().rpartition(")")[2].split()[:2]
            if int(owner) == parent and state != "Z":
                found.append(int(place.parent.name))
    return found


def gone(pids: list[int], within: float) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.02)
    return False


@linux
def test_who_leaves_ends_the_child():
    seen: list[int] = []

    def leave(_: float) -> None:
        seen.extend(children_of(READING.pid))
        if seen:
            raise LeaveError

    with pytest.raises(LeaveError):
        READING.run("time:sleep", 60, limits=Limits(seconds=30), progress=leave)
    assert gone(seen, 1.0)


@linux
def test_no_orphan_is_left_when_the_server_is_killed():
    code = (
        "import sys, threading\n"
        "from components.data.sandbox import READING, Limits\n"
        "READING.warm(); print(READING.pid, flush=True)\n"
        "READING.run('time:sleep', 60, limits=Limits(seconds=50))\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    nursery = int(server.stdout.readline())
    until = time.monotonic() + 20
    while not (workers := children_of(nursery)) and time.monotonic() < until:
        time.sleep(0.05)
    assert workers
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()
    assert gone([nursery, *workers], 3.0)


def test_only_two_at_a_time():
    begun = time.monotonic()
    threads = [
        threading.Thread(
            target=lambda: READING.run("time:sleep", 0.5, limits=Limits()), daemon=True
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun >= 1.0


# Hostile files.


def zipped(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def workbook(sheet: bytes) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zipped(
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{package}/content-types">'
                '<Default Extension="rels" ContentType="application/'
                'vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
                '<Override PartName="/xl/worksheets/sheet1.xml" '
                f'ContentType="{kind}.worksheet+xml"/>'
                "</Types>"
            ).encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{links}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets><sheet name="a" sheetId="1" '
                'r:id="r1"/></sheets></workbook>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{links}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
            ).encode(),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet xmlns="{main}">'.encode() + sheet + b"</worksheet>"
            ),
        }
    )


def far_cell(dimension: bytes = b"") -> bytes:
    cell = b'<c r="%s" t="inlineStr"><is><t>x</t></is></c>'
    rows = b'<row r="1">' + cell % b"A1" + b'</row><row r="1048576">' + cell % b"XFD1048576"
    return workbook(dimension + b"<sheetData>" + rows + b"</row></sheetData>")


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def many_rows() -> bytes:
    zeros = pa.array(np.zeros(40_000_000, dtype=np.int8))
    return parquet(pa.table({"unit": zeros, "year": zeros, "y": zeros}))


def long_words() -> bytes:
    words = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(3_000_000, dtype=np.int32)), pa.array(["x" * 4000])
    )
    return parquet(pa.table({"unit": words, "year": words, "y": words}))


def forged_rows() -> bytes:
    table = pa.table({"unit": ["A"] * 1000, "year": list(range(1000)), "y": [1.0] * 1000})
    data = parquet(table)
    footer = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    many = data[footer:].replace(b"\xd0\x0f", b"\xfe\x7f")  # 1000 and 8191 as zigzag varints
    assert many != data[footer:]
    return data[:footer] + many


def circular_xls() -> bytes:
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIII", header, 44, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, 2, 1, *[0xFFFFFFFF] * 125)
    return bytes(header) + table + b"\x00" * 1024


def gzip_bomb(size: int, block: bytes = b"A,2000,1\n" * 2**17) -> bytes:
    """Repeat one compressed block; after a full flush each repetition is the same bytes."""
    head = b"unit,year,y\n"
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    part = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    count, check = size // len(block), zlib.crc32(head)
    for _ in range(count):
        check = zlib.crc32(block, check)
    length = (len(head) + count * len(block)) % 2**32
    body = start + part * count + packer.flush(zlib.Z_FINISH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", check, length)


def test_the_gzip_bomb_is_a_good_gzip_file():
    assert len(gzip.decompress(gzip_bomb(10**7))) > 9 * 10**6


def objects() -> bytes:
    return b"\x80\x04cos\nsystem\n(S'touch owned'\ntR."


HOSTILE = {
    "far cell": far_cell,
    "far cell, false size": lambda: far_cell(b'<dimension ref="A1:B2"/>'),
    "sheet of 400 MB": lambda: workbook(b"<sheetData>" + b" " * (400 << 20) + b"</sheetData>"),
    "parquet of 40 million rows": many_rows,
    "parquet of long words": long_words,
    "gzip of 2 GB": lambda: gzip_bomb(2 << 30),
    "gzip of zeros": lambda: gzip_bomb(2 << 30, b"\x00" * 2**20),
    "gzip in gzip in gzip": lambda: gzip.compress(gzip.compress(gzip_bomb(1 << 28))),
    "zip of 400 MB": lambda: zipped({"a.csv": b"unit,year,y\n" + b"A,2000,1\n" * (50 << 20)}),
    "zip of many": lambda: zipped({f"{number}.csv": SMALL for number in range(20_000)}),
    "zip that climbs": lambda: zipped({"../../a.csv": SMALL, "../b.csv": SMALL}),
    "deep JSON": lambda: b'[{"a":' * 200_000,
    "deep JSON as CSV": lambda: b"a,b\n" + b"[" * 1_000_000,
    "a file of objects": objects,
    "10,000 columns": (
        ",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n"
    ).encode,
    "one line of 2 MB": lambda: b"x" * 2_000_000,
    "one line of 2 MB of commas": lambda: b"," * 2_000_000,
    "one open quotation mark": lambda: b'unit,year,y\nA,2000,"' + b"x\n" * 1_000_000,
    "xls in a circle": circular_xls,
}


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def click() -> float:
    """Give the seconds of a little work, as another visitor's click makes the server do it."""
    begun = time.perf_counter()
    np.linalg.solve(np.eye(60) + 0.1, np.ones(60))
    time.sleep(0.005)
    return time.perf_counter() - begun


@linux
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_while_the_server_goes_on(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = HOSTILE[name]()
    assert len(data) < 50 * 2**20
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(read_table_safely(data, "hostile.csv"))
        except PanelscopeError as error:
            outcome.append(error)

    worker = threading.Thread(target=read)
    alone = [click() for _ in range(40)]
    before, begun = resident(), time.monotonic()
    worker.start()
    growth, delays = 0, []
    while worker.is_alive():
        delays.append(click())
        growth = max(growth, resident() - before)
    passed = time.monotonic() - begun
    assert isinstance(outcome[0], DataError), outcome
    assert outcome[0].message
    assert outcome[0].hint
    assert passed < Limits().seconds_for(len(data)) + 20.0
    assert growth < 300 * 2**20
    assert np.quantile(delays, 0.95) < 1.0 + 2 * np.quantile(alone, 0.95)
    assert not list(tmp_path.iterdir())


def test_forged_counts_give_no_row_that_is_not_there():
    with contextlib.suppress(DataError):
        assert len(read_table_safely(forged_rows(), "forged.parquet").text) == 1000


FORMULAS = (
    'unit,year,y\n=cmd|\' /C calc\'!A0,2000,1\n"=HYPERLINK(""http://a.example"")",2000,2\n'
    "@SUM(1+1),2000,3\n"
)


def test_formulas_stay_text():
    table = read_table_safely(FORMULAS.encode(), "formulas.csv")
    assert [*table.text["unit"]] == [
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://a.example")',
        "@SUM(1+1)",
    ]
