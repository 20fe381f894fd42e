"""Replications: the same numbers from anybody, in any order, after any accident."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from components.analysis.jobs import Jobs
from components.errors import PanelscopeError
from components.simulation import executors, replicate_store
from components.simulation.executors import Dask, Local, Serial, from_environment
from components.simulation.replicate import code_digest, one, replicate
from components.simulation.replicate_store import ReplicationStore, default_store
from conftest import ROOT
from simulated_tasks import Draws, meet, study_in_job

N = 60
SOON = 30.0


@pytest.fixture(scope="module")
def undisturbed():
    return replicate(Draws(), N)


@pytest.fixture(scope="module")
def pool():
    with Local(2) as workers:
        yield workers


def until(condition, seconds=SOON):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (ProcessLookupError, FileNotFoundError):
        return False


def workers_in(folder):
    return {int(path.name.split(".")[0]) for path in Path(folder).glob("*.*.*")}


def test_a_replication_depends_on_task_and_number_alone(undisturbed):
    assert one(Draws(), 17).tobytes() == undisturbed[17].tobytes()
    backwards = replicate(Draws(), list(range(N))[::-1])
    assert backwards[::-1].tobytes() == undisturbed.tobytes()
    assert len(np.unique(undisturbed[:, 1])) == N
    other = replicate(Draws(seed=8), 3)
    assert not np.isclose(other[:, 1], undisturbed[:3, 1]).any()


def test_local_processes_give_the_same_bits(pool, undisturbed, tmp_path):
    shares = []
    found = replicate(Draws(0.002, told=str(tmp_path)), N, executor=pool, progress=shares.append)
    assert found.tobytes() == undisturbed.tobytes()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert os.getpid() not in workers_in(tmp_path)


def test_local_processes_work_side_by_side(pool, tmp_path):
    """Each call waits for the other, however busy the machine that starts their processes is."""
    pids = dict(pool.run(meet, [str(tmp_path), str(tmp_path)])).values()
    assert len(set(pids)) == 2
    assert os.getpid() not in pids


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_local_worker_that_is_killed_costs_nothing(undisturbed, tmp_path):
    killed = []

    def kill(share):
        if not killed:
            killed.append(workers_in(tmp_path).pop())
            os.kill(killed[0], signal.SIGKILL)

    with Local(2) as workers:
        found = replicate(Draws(0.01, told=str(tmp_path)), N, executor=workers, progress=kill)
    assert killed
    assert found.tobytes() == undisturbed.tobytes()


@pytest.mark.skipif(sys.platform == "win32", reason="reads /proc")
def test_workers_end_when_their_parent_is_killed_and_the_study_goes_on(tmp_path):
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "simulated_tasks", str(tmp_path)]
    with subprocess.Popen(command, env=environment) as parent:
        store = ReplicationStore(tmp_path)
        until(lambda: len(workers_in(tmp_path)) == 2 and any(tmp_path.glob("*.replications")))
        pids = workers_in(tmp_path)
        assert all(alive(pid) for pid in pids)
        parent.kill()
    until(lambda: not any(alive(pid) for pid in pids))
    kept = store.read(f"{Draws().identity}\ndraws 7\n{code_digest()}")
    assert kept
    assert all(kept[n].tobytes() == one(Draws(), n).tobytes() for n in kept)


def test_it_works_inside_a_job(undisturbed, tmp_path):
    with Jobs(patience=600) as jobs:
        job = jobs.submit_call("study", "me", study_in_job, str(tmp_path), N)
        assert job.wait(SOON)
        found, child = job.result()
    assert found.tobytes() == undisturbed.tobytes()
    assert workers_in(tmp_path).isdisjoint({os.getpid(), child})
    until(lambda: not any(alive(pid) for pid in workers_in(tmp_path)))


# What is kept.


class Halting(Serial):
    """Stops after some calls, and counts them."""

    def __init__(self, most):
        self.calls, self.most = 0, most

    def run(self, function, items):
        for place, item in enumerate(items):
            if self.calls == self.most:
                raise KeyboardInterrupt
            self.calls += 1
            yield place, function(item)


def test_a_stopped_study_goes_on_where_it_was(undisturbed, tmp_path):
    store, first = ReplicationStore(tmp_path), Halting(3)
    with pytest.raises(KeyboardInterrupt):
        replicate(Draws(), N, executor=first, store=store)
    (path,) = tmp_path.glob("*.replications")
    done = len(ReplicationStore(tmp_path).read(f"{Draws().identity}\ndraws 7\n{code_digest()}"))
    assert 0 < done < N
    rest = Halting(1000)
    assert replicate(Draws(), N, executor=rest, store=store).tobytes() == undisturbed.tobytes()
    again = Halting(0)
    assert replicate(Draws(), N, executor=again, store=store).tobytes() == undisturbed.tobytes()
    assert again.calls == 0 < rest.calls
    # A torn line, another one on top of it, and a flipped digit are done anew.
    text = path.read_text(encoding="ascii")
    lines = text.splitlines()
    broken = next(place for place, line in enumerate(lines) if line)
    lines[broken] = lines[broken].replace("0x1", "0x2", 1)
    path.write_text("\n".join(lines)[:-20], encoding="ascii")
    mended = Halting(1000)
    assert replicate(Draws(), N, executor=mended, store=store).tobytes() == undisturbed.tobytes()
    assert mended.calls >= 1


def test_nan_and_infinity_are_kept(tmp_path):
    store = ReplicationStore(tmp_path)
    row = np.array([np.nan, np.inf, -np.inf, -0.0, 1 / 3])
    store.append("one", {4: row})
    assert store.read("one")[4].tobytes() == row.tobytes()
    assert store.read("other") == {}


def test_the_store_is_bounded_and_never_fatal(tmp_path):
    store = ReplicationStore(tmp_path / "a", most_bytes=5000)
    for number in range(12):
        store.append(f"study {number}", {n: np.full(10, n / 7) for n in range(10)})
        os.utime(max((tmp_path / "a").iterdir(), key=lambda path: path.stat().st_mtime_ns))
    size = sum(path.stat().st_size for path in (tmp_path / "a").iterdir())
    assert size <= 5000
    assert store.read("study 11")
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="ascii")
    ReplicationStore(blocked / "below").append("one", {0: np.zeros(1)})
    assert ReplicationStore(blocked / "below").read("one") == {}


def test_where_the_store_lies_is_up_to_the_owner_of_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv(replicate_store.PLACE, str(tmp_path))
    assert default_store().folder == tmp_path
    monkeypatch.setenv(replicate_store.PLACE, "")
    assert default_store() is None
    monkeypatch.delenv(replicate_store.PLACE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert default_store().folder == tmp_path / "panelscope" / "studies"


# A cluster.


@pytest.fixture(scope="module")
def cluster():
    """Start a Dask scheduler and three worker processes, without anybody to replace a lost one."""
    pytest.importorskip("distributed", reason="the optional package distributed is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "OPENBLAS_NUM_THREADS": "1",
    }
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = [sys.executable, "-m", "dask"]
    where = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [*run, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen([*run, "scheduler", *where], **quiet)]
    started += [subprocess.Popen(worker, **quiet) for _ in range(3)]
    yield address, started[1:]
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.filterwarnings("default")
def test_a_cluster_gives_the_same_bits_while_a_worker_is_killed(cluster, undisturbed, tmp_path):
    address, processes = cluster
    dask = Dask(address)
    until(lambda: dask.workers == 3, 60.0)
    killed = []

    def kill(share):
        if not killed and len(workers_in(tmp_path)) == 3:
            killed.append(processes[1].pid)
            processes[1].kill()

    store = ReplicationStore(tmp_path / "kept")
    task = Draws(0.05, told=str(tmp_path))
    found = replicate(task, N, executor=dask, store=store, progress=kill)
    assert killed
    assert processes[1].wait(5) == -signal.SIGKILL
    assert found.tobytes() == undisturbed.tobytes()
    pids = workers_in(tmp_path)
    assert {process.pid for process in processes} == pids
    after = max(tmp_path.glob(f"{killed[0]}.*.*"), key=lambda path: path.stat().st_mtime_ns)
    later = [
        path for path in tmp_path.glob("*.*.*") if path.stat().st_mtime > after.stat().st_mtime
    ]
    assert {int(path.name.split(".")[0]) for path in later} == pids - {killed[0]}
    assert replicate(task, N, executor=Halting(0), store=store).tobytes() == undisturbed.tobytes()


def test_the_address_comes_from_the_environment_only(monkeypatch):
    monkeypatch.delenv(executors.DASK, raising=False)
    assert isinstance(from_environment(), Local)
    assert from_environment().workers == executors.cores()
    monkeypatch.setenv(executors.DASK, "tcp://somewhere:8786")
    assert from_environment() == Dask("tcp://somewhere:8786")


@pytest.mark.filterwarnings("default")
def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "PATIENCE", 0.5)
    with pytest.raises(PanelscopeError, match=r"No Dask cluster .* tcp://127\.0\.0\.1:9"):
        replicate(Draws(), 2, executor=Dask("tcp://127.0.0.1:9"))


def test_a_worker_with_another_program_is_refused(monkeypatch):
    class Other(Dask):
        workers = 1

        def run(self, function, items):
            for place, item in enumerate(items):
                yield place, ("another", function(item)[1])

    with pytest.raises(PanelscopeError, match="another version of the program"):
        replicate(Draws(), 2, executor=Other("tcp://nowhere"))
