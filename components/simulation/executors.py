"""Who computes replications: this process, all local cores, or a Dask cluster; one call for all."""

from __future__ import annotations

import multiprocessing as processes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection
from threading import Thread
from types import TracebackType
from typing import Any, Protocol, Self

from components.errors import PanelscopeError

DASK = "PANELSCOPE_DASK"
"""Environment variable with the address of a Dask scheduler, set by whoever runs the server."""

TRIES = 3
"""How often lost workers are replaced before a study gives up."""

PATIENCE = 20.0
"""Seconds to reach a scheduler, and to see its first worker."""

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PRELOADED = ("components.simulation.leaderboard",)


class Executor(Protocol):
    """Calls a function on many arguments; results come in any order."""

    @property
    def workers(self) -> int:
        """How many calls run side by side."""
        ...

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Give the place of each item and its result, as they come.

        Parameters
        ----------
        function : callable
            From the top level of a module, pure.
        items : sequence
            What it is called with, one by one.
        """
        ...


class Serial:
    """One call after the other, in the process that asks."""

    workers = 1

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Give the results in order."""
        for place, item in enumerate(items):
            yield place, function(item)


class Local:
    """A pool of processes on this machine, which end with the process that made it.

    Parameters
    ----------
    workers : int, optional
        By default one for each core that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the pool."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Give results as they come; what a lost worker had in hand is done again.

        Raises
        ------
        PanelscopeError
            Where workers are lost again and again.
        """
        left = dict(enumerate(items))
        for _ in range(TRIES):
            futures: dict[Future[Any], int] = {}
            try:
                pool = self._opened()
                futures = {pool.submit(function, item): place for place, item in left.items()}
                for future in as_completed(futures):
                    value = future.result()
                    del left[futures[future]]
                    yield futures[future], value
            except BrokenProcessPool:
                self.close()
            finally:
                for future in futures:
                    future.cancel()
            if not left:
                return
        raise PanelscopeError(
            "The processes that simulate were ended from outside again and again; most often the "
            "machine had no memory left for them.",
            hint="Try once more later, or leave out units or periods on the design page.",
        )

    def _opened(self) -> ProcessPoolExecutor:
        if self._pool is None:
            for name in THREADS:
                os.environ.setdefault(name, "1")
            method = "spawn" if sys.platform in {"win32", "darwin"} else "forkserver"
            context: Any = processes.get_context(method)
            if method == "forkserver":
                context.set_forkserver_preload(list(PRELOADED))
            self._pool = ProcessPoolExecutor(self.workers, context, _settle)
        return self._pool


@dataclass(frozen=True)
class Dask:
    """A Dask cluster, reached at the address of its scheduler.

    The address comes from whoever runs the server, never from a visitor: a cluster runs what it is
    sent. Its workers need the same program and versions; :mod:`components.simulation.replicate`
    compares them.

    Parameters
    ----------
    address : str
        Such as ``"tcp://scheduler:8786"``.
    """

    address: str

    @property
    def workers(self) -> int:
        """Threads of all workers that are there now."""
        with self._client() as client:
            return max(1, int(sum(client.nthreads().values())))

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Give results as they come; Dask does again what a lost worker had.

        Raises
        ------
        PanelscopeError
            Where the cluster cannot be reached, or its workers are lost again and again.
        """
        with self._client() as client:
            futures = {
                client.submit(function, item, pure=False, retries=TRIES): place
                for place, item in enumerate(items)
            }
            try:
                for future, value in self._package().as_completed(
                    futures, loop=client.loop, with_results=True
                ):
                    yield futures[future], value
                    future.release()
            except self._package().KilledWorker as error:
                raise PanelscopeError(
                    f"Workers of the cluster at {self.address} were lost again and again.",
                    hint="Look at the logs of its workers; finished replications are kept.",
                ) from error

    @staticmethod
    def _package() -> Any:
        try:
            return import_module("distributed")
        except ImportError as error:
            raise PanelscopeError(
                f"{DASK} names a Dask cluster, but the package distributed is not installed.",
                hint="Install requirements-scale.txt, or take the variable away.",
            ) from error

    def _client(self) -> Any:
        connect = self._package().Client
        try:
            client = connect(self.address, timeout=PATIENCE, set_as_default=False)
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            except BaseException:
                client.close()
                raise
        except (OSError, TimeoutError, ValueError) as error:
            raise PanelscopeError(
                f"No Dask cluster with a worker answers at {self.address}.",
                hint=f"Start it, correct {DASK}, or take the variable away.",
            ) from error
        return client


def from_environment() -> Dask | Local:
    """Give the cluster that ``PANELSCOPE_DASK`` names, or all local cores."""
    address = os.environ.get(DASK, "").strip()
    return Dask(address) if address else Local()


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _settle() -> None:
    """End this worker when the process that made the pool ends."""
    parent = processes.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        with suppress(OSError):
            connection.wait([sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()
