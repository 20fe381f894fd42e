"""Long work in child processes: same numbers, a queue, and an end for everything."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

import slow_calls
from components.analysis import AnalysisSpec, run
from components.analysis.jobs import Jobs
from components.data import Roles
from components.errors import DesignError, NotApplicableError, PanelscopeError
from components.estimators import ESTIMATORS, DifferenceInDifferences, SyntheticControl
from components.inference import METHODS, Conformal, PlaceboInSpace
from components.panel import Panel
from conftest import ROOT
from panels import block_panel

SOON = 10.0  # seconds; only a test that fails waits so long


@pytest.fixture(scope="module")
def jobs():
    with Jobs(patience=600) as registry:
        yield registry


@pytest.fixture
def adjusted(jobs, monkeypatch):
    """Change settings of the common jobs for one test: a new nursery takes a second to start."""

    def adjust(**settings):
        for name, value in settings.items():
            assert hasattr(jobs, f"_{name}")
            monkeypatch.setattr(jobs, f"_{name}", value)
        return jobs

    yield adjust
    jobs.leave("me")
    until(lambda: not jobs._children)


@pytest.fixture
def opened():
    """Open jobs with other settings, and close them after the test."""
    registries = []

    def open_jobs(**settings):
        registries.append(Jobs(**settings))
        return registries[-1]

    yield open_jobs
    for registry in registries:
        registry.close()


@pytest.fixture(autouse=True)
def key(request):
    return request.node.name


def until(condition, seconds=SOON):
    """Give the seconds until a condition holds."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.005)
    return time.monotonic() - begun


def alive(pid):
    """Say whether a process still runs; one that has ended but was not waited for does not."""
    try:
        os.kill(pid, 0)
        if sys.platform == "linux":
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
            return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True


def child_of(jobs, job):
    """Give the process at work on a job, once it has told its number."""
    until(lambda: job.progress > 0)
    return next(child.pid for child in jobs._children if child.job is job)


def spec_for_tests(**changes):
    roles = Roles("unit", "time", "y", "treated")
    return AnalysisSpec(source="sample:prop99", columns=roles).with_(**changes)


# The same numbers.


@pytest.mark.parametrize(
    ("estimator", "inference"),
    [(SyntheticControl(), PlaceboInSpace()), (DifferenceInDifferences(), Conformal())],
)
def test_the_result_is_that_of_the_same_process_bit_for_bit(jobs, key, estimator, inference):
    spec, panel = spec_for_tests(estimator=estimator, inference=inference), block_panel()
    job = jobs.submit(key, "me", spec, panel)
    assert job.wait(SOON)
    there, here = job.result(), run(spec, panel)
    assert there.numbers() == here.numbers()
    assert there.spec == spec
    assert there.estimate.Y0.tobytes() == here.estimate.Y0.tobytes()
    assert there.estimate.panel.fingerprint == here.estimate.panel.fingerprint
    assert not there.estimate.Y0.flags.writeable
    assert (there.uncertainty.draws is None) == (here.uncertainty.draws is None)
    if here.uncertainty.draws is not None:
        assert there.uncertainty.draws.tobytes() == here.uncertainty.draws.tobytes()


@pytest.mark.parametrize("key_of_estimator", ESTIMATORS)
def test_every_estimate_survives_pickling(key_of_estimator):
    estimator = ESTIMATORS[key_of_estimator]()
    panel = block_panel()
    if estimator.why_not(panel) is not None:
        pytest.skip("not for a block design")
    before = estimator.fit(panel)
    assert before.att == before.att  # fills the cache that must not travel
    after = pickle.loads(pickle.dumps(before))
    assert set(vars(after)) == {item.name for item in fields(after)}
    assert after.estimator == estimator
    assert after.att == before.att
    assert after.notes == before.notes
    assert set(after.details) == set(before.details)
    for one, other in ((before.unit_weights, after.unit_weights), (before.Y0, after.Y0)):
        np.testing.assert_array_equal(one, other)
    assert not after.Y0.flags.writeable


@pytest.mark.parametrize("key_of_method", METHODS)
def test_every_uncertainty_survives_pickling(key_of_method):
    spec = spec_for_tests(
        estimator=SyntheticControl()
        if key_of_method == "prediction"
        else DifferenceInDifferences(),
        inference=METHODS[key_of_method](),
        level=0.9,
    )
    before = run(spec, block_panel(n=24, n_treated=6, t=30))
    assert before.uncertainty is not None, before.refusal
    after = pickle.loads(pickle.dumps(before))
    assert after.numbers() == before.numbers()
    assert after.uncertainty.sentence == before.uncertainty.sentence
    assert after.uncertainty.method == before.uncertainty.method


def test_a_panel_survives_pickling_frozen_and_with_its_covariates():
    base = block_panel()
    before = Panel(
        Y=base.Y,
        W=base.W,
        units=base.units,
        periods=pd.period_range("2000Q1", periods=15, freq="Q"),
        outcome="packs",
        X={"price": base.Y * 2},
    )
    after = pickle.loads(pickle.dumps(before))
    assert after.fingerprint == before.fingerprint
    assert after.outcome == "packs"
    assert after.periods.equals(before.periods)
    assert isinstance(after.X, MappingProxyType)
    for array in (after.Y, after.W, after.X["price"]):
        assert not array.flags.writeable


# Where a job is.


def test_progress_and_the_time_left_are_told(jobs, key):
    job = jobs.submit_call(key, "me", slow_calls.count, 8, 0.1)
    shares, left = [], []
    while not job.ended:
        if job.progress not in shares:
            shares.append(job.progress)
            left.append(job.seconds_left)
        time.sleep(0.01)
    assert len(shares) >= 6
    assert shares == sorted(shares)
    known = [seconds for seconds in left if seconds is not None]
    assert known
    assert known[0] < 3.0
    assert job.result() == 8
    assert job.progress == 1.0
    assert 0.75 < job.seconds < 3.0
    assert job.seconds_left == 0.0


def test_a_chatty_job_is_heard_at_most_ten_times_a_second(jobs, key, monkeypatch):
    heard = []
    hear = type(jobs)._hear
    monkeypatch.setattr(
        type(jobs), "_hear", lambda self, child: (heard.append(1), hear(self, child))
    )
    job = jobs.submit_call(key, "me", slow_calls.chatter, 200_000)
    assert job.wait(SOON)
    assert len(heard) <= 10 * job.seconds + 5


def test_jobs_wait_for_their_turn_in_order(jobs, key):
    first, *others = [
        jobs.submit_call(f"{key} {i}", "me", slow_calls.count, 3, 0.05) for i in range(4)
    ]
    until(lambda: first.state == "running")
    assert [job.state for job in others] == ["queued"] * 3
    assert [job.position for job in (first, *others)] == [0, 1, 2, 3]
    assert others[0].seconds == 0.0
    jobs.cancel(others[0].key, "me")
    assert [job.position for job in others] == [0, 1, 2]
    assert others[2].wait(SOON)
    assert others[1].state == "done"
    assert others[0].state == "cancelled"
    assert others[0].seconds == 0.0


def test_two_workers_run_two_jobs(adjusted, key):
    jobs = adjusted(workers=2)
    both = [jobs.submit_call(f"{key} {i}", "me", slow_calls.count, 5, 0.1) for i in range(3)]
    until(lambda: [job.state for job in both] == ["running", "running", "queued"])


def test_background_work_leaves_one_worker_to_the_others(adjusted, key):
    jobs = adjusted(workers=2)
    behind = [
        jobs.submit_call(f"{key} {n}", "me", slow_calls.spin, background=True) for n in range(2)
    ]
    until(lambda: behind[0].state == "running")
    needed = jobs.submit_call(f"{key} needed", "me", slow_calls.echo, 5)
    assert needed.wait(SOON)
    assert needed.result() == 5
    assert behind[1].state == "queued"
    jobs.cancel(f"{key} 0", "me")
    until(lambda: behind[1].state == "running")


def test_a_full_queue_refuses(adjusted, key):
    jobs = adjusted(most_waiting=1)
    running = jobs.submit_call(key, "me", slow_calls.spin)
    until(lambda: running.state == "running")
    jobs.submit_call(f"{key} next", "me", slow_calls.spin)
    with pytest.raises(PanelscopeError, match="1 analyses are waiting"):
        jobs.submit_call(f"{key} one more", "me", slow_calls.spin)


def test_a_result_is_not_to_be_had_before_its_time(jobs, key):
    job = jobs.submit_call(key, "me", slow_calls.count, 5, 0.05)
    with pytest.raises(RuntimeError, match="has not ended yet"):
        job.result()


# Ends.


@pytest.mark.parametrize(
    "work", [slow_calls.spin, slow_calls.hold_interpreter, slow_calls.ignore_requests]
)
def test_a_cancelled_job_is_gone(jobs, key, work):
    job = jobs.submit_call(key, "me", work)
    pid = child_of(jobs, job)
    jobs.cancel(key, "me")
    assert job.state == "cancelled"
    assert jobs.find(key) is None
    until(lambda: not alive(pid))
    with pytest.raises(PanelscopeError, match="was cancelled"):
        job.result()
    again = jobs.submit_call(key, "me", slow_calls.echo, "anew")
    assert again.wait(SOON)
    assert again.result() == "anew"


def test_a_job_cancelled_before_its_process_is_ready_does_not_run(opened, key):
    jobs = opened()
    job = jobs.submit_call(key, "me", slow_calls.spin)
    until(lambda: job.state == "running", 0.3)  # long before the nursery has imported anything
    jobs.cancel(key, "me")
    until(lambda: not jobs._children)
    after = jobs.submit_call(f"{key} after", "me", slow_calls.echo, 1)
    assert after.wait(SOON)
    assert after.result() == 1


def test_two_owners_share_a_job_that_ends_when_both_have_left(jobs, key):
    job = jobs.submit_call(key, "one", slow_calls.spin)
    assert jobs.submit_call(key, "other", slow_calls.spin) is job
    pid = child_of(jobs, job)
    jobs.cancel(key, "a stranger")
    jobs.cancel(key, "one")
    jobs.cancel(key, "one")
    time.sleep(0.1)
    assert job.state == "running"
    assert alive(pid)
    jobs.leave("other")
    assert job.state == "cancelled"
    until(lambda: not alive(pid), 0.5)


def test_leaving_ends_all_jobs_of_an_owner_and_no_others(jobs, key):
    mine = [jobs.submit_call(f"{key} {i}", "me", slow_calls.spin) for i in range(2)]
    yours = jobs.submit_call(f"{key} yours", "you", slow_calls.echo, 1)
    jobs.leave("me")
    assert [job.state for job in mine] == ["cancelled"] * 2
    assert yours.wait(SOON)


def test_work_of_an_owner_who_is_not_seen_any_more_ends(adjusted, key):
    jobs = adjusted(patience=0.4)
    job = jobs.submit_call(key, "me", slow_calls.spin)
    for _ in range(20):
        time.sleep(0.05)
        jobs.seen("me")
    assert job.state == "running"
    seconds = until(lambda: job.state == "cancelled")
    assert 0.2 < seconds < 0.8
    until(lambda: not jobs._children, 0.5)


def test_a_job_over_its_budget_is_stopped_with_a_cure(opened, key):
    jobs = opened(budget=0.3)
    job = jobs.submit_call(key, "me", slow_calls.spin)
    pid = child_of(jobs, job)
    assert job.wait(SOON)
    assert job.seconds == pytest.approx(0.3, abs=0.2)
    with pytest.raises(PanelscopeError, match=r"longer than 0\.3 seconds") as caught:
        job.result()
    assert "fewer draws" in caught.value.hint
    until(lambda: not alive(pid), 0.5)
    assert jobs.find(key) is job


# Errors.


def test_a_refusal_arrives_as_it_is(jobs, key):
    W = block_panel().W.copy()
    W[3, 6:9] = True  # treatment that ends again
    job = jobs.submit(key, "me", spec_for_tests(), block_panel().reassign(W))
    assert job.wait(SOON)
    assert job.state == "failed"
    with pytest.raises(NotApplicableError, match="Treatment ends again") as caught:
        job.result()
    assert caught.value.hint
    assert not hasattr(caught.value, "__notes__")


def test_errors_keep_their_kind_and_the_place_in_the_child(jobs, key):
    fails = {
        kind: jobs.submit_call(f"{key} {kind}", "me", slow_calls.fail, kind)
        for kind in ("design", "bug", "fussy", "exit", "killed", "lambda")
    }
    for job in fails.values():
        assert job.wait(SOON)
        assert job.state == "failed"
    with pytest.raises(DesignError, match="No cell is treated"):
        fails["design"].result()
    with pytest.raises(KeyError, match="nothing here") as caught:
        fails["bug"].result()
    assert 'return {}["nothing here"]' in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Fussy: one and two") as caught:
        fails["fussy"].result()
    assert "slow_calls.py" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        fails["exit"].result()
    with pytest.raises(PanelscopeError, match="ended without a result"):
        fails["killed"].result()
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        fails["lambda"].result()


def test_arguments_that_cannot_travel_fail_the_job_and_no_other(jobs, key):
    job = jobs.submit_call(key, "me", slow_calls.echo, lambda: 1)
    assert job.wait(SOON)
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        job.result()
    after = jobs.submit_call(f"{key} after", "me", slow_calls.echo, 2)
    assert after.wait(SOON)
    assert after.result() == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to this limit")
def test_a_job_that_needs_too_much_memory_is_refused_with_a_cure(opened, key):
    jobs = opened(memory=2 << 30)
    job = jobs.submit_call(key, "me", slow_calls.fill, 4000)
    assert job.wait(SOON)
    with pytest.raises(PanelscopeError, match="more memory than the 2 GB"):
        job.result()


# What is kept.


def test_a_failed_job_is_kept_until_it_is_forgotten(jobs, key):
    job = jobs.submit_call(key, "me", slow_calls.fail, "bug")
    assert job.wait(SOON)
    assert jobs.submit_call(key, "me", slow_calls.fail, "bug") is job
    jobs.forget(key)
    assert jobs.find(key) is None


def test_a_result_is_kept_until_all_its_owners_have_taken_it(jobs, key):
    job = jobs.submit_call(key, "one", slow_calls.echo, "value")
    jobs.submit_call(key, "other", slow_calls.echo, "value")
    assert job.wait(SOON)
    assert jobs.take(key, "one") == "value"
    assert jobs.find(key) is job
    assert jobs.take(key, "other") == "value"
    assert jobs.find(key) is None
    with pytest.raises(KeyError):
        jobs.take(key, "one")


def test_only_so_many_finished_jobs_are_kept(adjusted, key):
    jobs = adjusted(most_kept=2)
    for i in range(4):
        assert jobs.submit_call(f"{key} {i}", "me", slow_calls.echo, i).wait(SOON)
    assert [jobs.find(f"{key} {i}") is not None for i in range(4)] == [False, False, True, True]


# Processes.


def test_a_child_has_one_thread_for_algebra_and_one_process_behind_it(jobs, key):
    threads = jobs.submit_call(f"{key} threads", "me", slow_calls.threads)
    process = jobs.submit_call(f"{key} process", "me", slow_calls.process)
    assert process.wait(SOON)
    assert threads.result() == ("1", "1")
    pid, parent = process.result()
    assert parent == jobs._nursery.pid
    assert pid not in {parent, os.getpid()}
    if sys.platform == "linux":
        assert len(os.listdir(f"/proc/{parent}/task")) == 1  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_memory_of_a_child_is_given_back(jobs, key):
    def resident():
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    before = resident()
    job = jobs.submit_call(key, "me", slow_calls.fill, 400)
    assert job.wait(SOON)
    value, pid = job.result()
    assert value == 1.0
    until(lambda: not alive(pid), 0.5)
    assert resident() - before < 20


def test_a_nursery_that_dies_is_replaced(jobs, key):
    assert jobs.submit_call(f"{key} 1", "me", slow_calls.echo, 1).wait(SOON)
    old = jobs._nursery.pid
    os.kill(old, signal.SIGKILL)
    until(lambda: not alive(old))
    job = jobs.submit_call(f"{key} 2", "me", slow_calls.echo, 2)
    assert job.wait(SOON)
    assert job.result() == 2
    assert jobs._nursery.pid != old


def test_without_fork_each_job_has_an_interpreter_of_its_own(opened, key):
    jobs = opened(fork=False)
    spec, panel = spec_for_tests(), block_panel()
    job = jobs.submit(key, "me", spec, panel)
    assert job.wait(SOON)
    assert job.result().numbers() == run(spec, panel).numbers()
    endless = jobs.submit_call(f"{key} endless", "me", slow_calls.spin)
    pid = child_of(jobs, endless)
    jobs.cancel(endless.key, "me")
    until(lambda: not alive(pid), 0.5)


def test_closing_leaves_no_process(key):
    jobs = Jobs()
    job = jobs.submit_call(key, "me", slow_calls.ignore_requests)
    pids = [child_of(jobs, job), jobs._nursery.pid]
    jobs.close()
    jobs.close()
    until(lambda: not any(map(alive, pids)), 0.5)
    assert job.state == "cancelled"
    with pytest.raises(RuntimeError, match="closed"):
        jobs.submit_call(key, "me", slow_calls.echo, 1)


SERVER = """
    import sys, time
    sys.path[:0] = {paths!r}
    import slow_calls
    from components.analysis.jobs import Jobs

    print("server", flush=True)  # a second time where a child runs this script
    jobs = Jobs(workers=2, fork={fork}, preload={preload})
    work = [jobs.submit_call(f.__name__, "me", f) for f in (slow_calls.spin, slow_calls.{work})]
    while not all(job.progress > 0 for job in work):
        time.sleep(0.01)
    print(*(child.pid for child in jobs._children), jobs._nursery.pid or "", flush=True)
    {then}
"""


def serve(tmp_path, *, fork=True, preload=(), work="ignore_requests", then="time.sleep(60)"):
    """Start a small server with two endless jobs; give it and the processes behind it."""
    script = tmp_path / "server.py"
    paths = [str(ROOT), str(ROOT / "tests")]
    text = SERVER.format(paths=paths, fork=fork, preload=preload, work=work, then=then)
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    server = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "server\n"
    return server, [int(pid) for pid in server.stdout.readline().split()]


@pytest.mark.parametrize(
    ("fork", "preload", "work"),
    [
        pytest.param(
            True,
            (),
            "hold_interpreter",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="its kernel ends the child"),
        ),
        (False, ("no_death_signal",), "ignore_requests"),
    ],
)
def test_a_server_killed_hard_leaves_no_process(tmp_path, fork, preload, work):
    server, pids = serve(tmp_path, fork=fork, preload=preload, work=work)
    with server:
        assert len(pids) == 2 + fork
        assert all(map(alive, pids))
        server.kill()
        server.wait()
        seconds = until(lambda: not any(map(alive, pids)))
    assert seconds < 5.0


def test_a_server_that_ends_by_itself_takes_its_work_along(tmp_path):
    server, pids = serve(tmp_path, then="")
    with server:
        assert server.wait(SOON) == 0
        assert server.stdout.read() == ""
    until(lambda: not any(map(alive, pids)), 1.0)
