"""Long work outside the page: one child process per job, a queue, and an end for all of it.

One :class:`Jobs` lives as long as the server. Pages hand work in under a key, look the job up by
that key at every rerun, and say ``seen`` while somebody is looking; work that nobody looks at any
more ends by itself.
"""

from __future__ import annotations

import atexit
import math
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from threading import Lock, Thread
from typing import Any, cast

from components.analysis.job import (
    Job,
    State,
    Value,
    annotated,
    cancelled,
    ended_early,
    took_too_long,
)
from components.analysis.nursery import CAN_FORK, MEMORY, Nursery
from components.analysis.run import Result, run
from components.analysis.spec import AnalysisSpec
from components.errors import PanelscopeError
from components.panel import Panel

BUDGET = 600.0  # seconds that one job may run
START = 60.0  # seconds that a process has to come into being
PATIENCE = 20.0  # seconds without a sign of an owner until it counts as gone
GRACE = 0.25  # seconds from asking a child to end until it is made to
MOST_KEPT = 32  # finished jobs
MOST_WAITING = 64  # queued jobs
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(eq=False)
class _Child:
    """A process at work on a job."""

    job: Job[Any]
    pipe: Connection
    deadline: float
    pid: int | None = None
    doomed: bool = False

    def doom(self) -> None:
        """Ask the process to end, and set the time to make it."""
        if not self.doomed:
            self.doomed = True
            self.deadline = time.monotonic() + (GRACE if self.pid else 0.0)
            self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send a signal; its pipe is still open, so that its number names no other process."""
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)


class Jobs:
    """The jobs of one server.

    Parameters
    ----------
    workers : int
        How many jobs run at the same time.
    budget : float
        Seconds that a job may run before it is stopped.
    preload : iterable of str
        Modules that children have imported before any job comes, besides the analysis itself.
    patience : float
        Seconds after which an owner of whom nothing was seen counts as gone.
    kept : int
        How many finished jobs are kept until they are taken or forgotten.
    waiting : int
        How many jobs may be queued.
    memory : int
        Bytes of address space that one child may have.
    fork : bool
        False starts a new interpreter per job, as where the system has no fork.
    """

    def __init__(
        self,
        workers: int = 1,
        budget: float = BUDGET,
        preload: Iterable[str] = (),
        *,
        patience: float = PATIENCE,
        kept: int = MOST_KEPT,
        waiting: int = MOST_WAITING,
        memory: int = MEMORY,
        fork: bool = CAN_FORK,
    ) -> None:
        self._workers, self._budget, self._patience = workers, budget, patience
        self._most_kept, self._most_waiting = kept, waiting
        self._lock = Lock()
        self._queue: list[Job[Any]] = []
        self._active: dict[str, Job[Any]] = {}
        self._finished: OrderedDict[str, Job[Any]] = OrderedDict()
        self._children: list[_Child] = []
        self._last_seen: dict[str, float] = {}
        self._alarm, self._bell = Pipe(duplex=False)
        self._rung = self._closed = False
        self._nursery = Nursery(preload, memory, fork=fork)
        self._thread = Thread(target=self._attend, name="jobs", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, key: str, owner: str, spec: AnalysisSpec, panel: Panel) -> Job[Result]:
        """Hand in an analysis; see :meth:`submit_call`."""
        return self.submit_call(key, owner, run, spec, panel)

    def submit_call(
        self,
        key: str,
        owner: str,
        function: Callable[..., Value],
        *args: Any,
        background: bool = False,
    ) -> Job[Value]:
        """Hand in a call, or join it where the same key is at work or finished already.

        Parameters
        ----------
        key : str
            Must name function and arguments completely: whoever brings an equal key gets this
            job and its result.
        owner : str
            Who waits for it, such as a session.
        function : callable
            From the top level of a module; is given ``progress``, a callable that takes a share
            from 0 to 1, besides the arguments. What it hands to ``progress.show`` is found in
            ``Job.partial`` from then on.
        *args
            Its arguments, which must survive pickling.
        background : bool
            It leaves one worker to the others where there are several.

        Returns
        -------
        Job
            A failed one stays failed until it is forgotten; a cancelled one starts anew.

        Raises
        ------
        PanelscopeError
            Where too many jobs are waiting already.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("The jobs are closed.")
            job = self._active.get(key) or self._finished.get(key)
            if job is None:
                if len(self._queue) >= self._most_waiting:
                    raise PanelscopeError(
                        f"{len(self._queue)} analyses are waiting for their turn already.",
                        hint="Try again in a few minutes.",
                    )
                job = Job(key, (function, args), self._queue, background=background)
                self._active[key] = job
                self._queue.append(job)
            job.owners.add(owner)
            self._last_seen[owner] = time.monotonic()
            self._ring()
            return job

    def find(self, key: str) -> Job[Any] | None:
        """Give the job that is queued, running or kept under a key, or None."""
        with self._lock:
            return self._active.get(key) or self._finished.get(key)

    def seen(self, owner: str) -> None:
        """Hear that an owner is still there."""
        with self._lock:
            if owner in self._last_seen:
                self._last_seen[owner] = time.monotonic()

    def take(self, key: str, owner: str) -> Any:
        """Give the result of an ended job, and forget it when its last owner has taken it.

        Raises
        ------
        KeyError
            Where nothing is kept under the key.
        Exception
            As :meth:`Job.result`.
        """
        with self._lock:
            job = self._finished[key]
            job.owners.discard(owner)
            if not job.owners:
                del self._finished[key]
        return job.result()

    def cancel(self, key: str, owner: str) -> None:
        """Let an owner stop waiting; the work ends when nobody waits for it any more."""
        with self._lock:
            if key in self._active:
                self._depart(self._active[key], owner)

    def leave(self, owner: str) -> None:
        """Let an owner stop waiting for everything."""
        with self._lock:
            for job in list(self._active.values()):
                self._depart(job, owner)

    def forget(self, key: str) -> None:
        """Drop a finished job, so that the same key starts anew."""
        with self._lock:
            self._finished.pop(key, None)

    def close(self) -> None:
        """End all work, and the processes and the thread behind it."""
        with self._lock:
            self._closed = True
            for job in list(self._active.values()):
                self._cancel(job)
            self._ring()
        self._thread.join()
        atexit.unregister(self.close)

    # What follows until _attend is called with the lock held.

    def _ring(self) -> None:
        if not self._rung and self._thread.is_alive():
            self._rung = True
            self._bell.send_bytes(b"!")

    def _depart(self, job: Job[Any], owner: str) -> None:
        if owner in job.owners:
            job.owners.remove(owner)
            if not job.owners:
                self._cancel(job)

    def _cancel(self, job: Job[Any]) -> None:
        self._settle(job, "cancelled", error=cancelled())

    def _settle(
        self, job: Job[Any], state: State, value: Any = None, error: BaseException | None = None
    ) -> None:
        if job.ended:
            return
        del self._active[job.key]
        if job in self._queue:
            self._queue.remove(job)
        if state != "cancelled":
            self._finished[job.key] = job
            while len(self._finished) > self._most_kept:
                self._finished.popitem(last=False)
        job.end(state, value, error)
        for child in self._children:
            if child.job is job and state != "done":
                child.doom()
        self._ring()

    def _miss_owners(self, now: float) -> None:
        waiting = {owner for job in self._active.values() for owner in job.owners}
        self._last_seen = {
            owner: seen for owner, seen in self._last_seen.items() if owner in waiting
        }
        gone = [owner for owner, seen in self._last_seen.items() if now - seen > self._patience]
        for owner in gone:
            for job in list(self._active.values()):
                self._depart(job, owner)

    def _enforce(self, now: float) -> None:
        for child in list(self._children):
            if now < child.deadline:
                continue
            if not child.doomed:
                error = took_too_long(self._budget) if child.pid else ended_early()
                self._settle(child.job, "failed", error=error)
                child.doom()
            elif child.pid is None:
                self._part(child)
            else:
                child.signal(KILL)
                child.deadline = math.inf

    def _start_queued(self) -> None:
        while len(self._children) < self._workers and (job := self._next()) is not None:
            self._queue.remove(job)
            job.begin()
            try:
                pipe = self._nursery.start()
            except OSError as error:
                self._settle(job, "failed", error=error)
            else:
                self._children.append(_Child(job, pipe, time.monotonic() + START))

    def _next(self) -> Job[Any] | None:
        """Give the first in the queue that may start: one worker is kept from background work."""
        behind = sum(child.job.background for child in self._children)
        full = behind >= max(1, self._workers - 1)
        return next((job for job in self._queue if not (job.background and full)), None)

    def _part(self, child: _Child) -> None:
        self._children.remove(child)
        child.pipe.close()

    def _pause(self, now: float) -> float | None:
        times = [child.deadline for child in self._children]
        times += [seen + self._patience for seen in self._last_seen.values()]
        soonest = min(times, default=math.inf)
        return None if math.isinf(soonest) else max(0.0, soonest - now) + 0.001

    # The thread.

    def _attend(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                self._miss_owners(now)
                self._enforce(now)
                if self._closed:
                    break
                self._start_queued()
                pause = self._pause(now)
                pipes = {child.pipe: child for child in self._children}
            for ready in wait([self._alarm, *pipes], pause):
                if ready is self._alarm:
                    with self._lock:
                        self._alarm.recv_bytes()
                        self._rung = False
                else:
                    self._hear(pipes[cast("Connection", ready)])
        for child in self._children:
            child.signal(KILL)
            child.pipe.close()
        self._children.clear()
        self._nursery.close()
        self._alarm.close()
        self._bell.close()

    def _hear(self, child: _Child) -> None:
        """Read one message of a child; the lock is free while a large one comes or goes."""
        try:
            kind, *rest = child.pipe.recv()
            if kind == "ready":
                self._give(child, rest[0])
                return
        except (EOFError, OSError):
            kind, rest = "gone", []
        except Exception as error:
            kind, rest = "failed", [error, "Arguments or result did not survive the pipe."]
        with self._lock:
            if kind == "progress":
                child.job.advance(*rest)
            elif kind == "partial":
                child.job.partial = rest[0]
            elif kind == "done":
                self._settle(child.job, "done", *rest)
            elif kind == "failed":
                self._settle(child.job, "failed", error=annotated(*rest))
            else:
                self._settle(child.job, "failed", error=ended_early())
                self._part(child)

    def _give(self, child: _Child, pid: int) -> None:
        """Hand a child its work."""
        with self._lock:
            child.pid, child.deadline = pid, time.monotonic() + self._budget
            call = child.job.call
            if child.doomed or call is None:
                child.signal(KILL)
                return
            child.job.begin()
        with suppress(OSError):  # where it could not take it all, its next message says why
            child.pipe.send(call)
        child.job.call = None
