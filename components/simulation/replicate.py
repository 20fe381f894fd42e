"""Replications of a simulation: the same numbers whoever computes them, and in whatever order."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from zlib import crc32

import numpy as np
import scipy

from components.arrays import Floats
from components.errors import PanelscopeError
from components.inference.base import Progress, silent
from components.simulation.executors import Dask, Executor, Serial
from components.simulation.replicate_store import ReplicationStore

MOST_IN_CHUNK = 25
CHUNKS_PER_WORKER = 6


class Task(Protocol):
    """One study: what a replication computes.

    An implementation is a frozen dataclass that survives pickling.
    """

    @property
    def key(self) -> str:
        """Name of its random stream; tasks with equal keys and seeds draw the same."""
        ...

    @property
    def seed(self) -> int:
        """Of the random stream."""
        ...

    @property
    def identity(self) -> str:
        """All that its numbers depend on; equal identities give equal numbers."""
        ...

    def replication(self, number: int, rng: np.random.Generator) -> Floats:
        """Compute one replication, shape (K,); pure."""
        ...


def one(task: Task, number: int) -> Floats:
    """Compute one replication with its own random stream.

    Parameters
    ----------
    task : Task
    number : int
        From 0 on.

    Returns
    -------
    Floats, shape (K,)
        Depends on task and number alone.
    """
    rng = np.random.default_rng([task.seed, crc32(task.key.encode()), number])
    return np.asarray(task.replication(number, rng), dtype=np.float64)


def replicate(
    task: Task,
    numbers: int | Sequence[int],
    *,
    executor: Executor | None = None,
    store: ReplicationStore | None = None,
    progress: Progress = silent,
) -> Floats:
    """Compute replications, or take them from the store where they are finished already.

    Parameters
    ----------
    task : Task
    numbers : int or sequence of int
        How many, or which.
    executor : Executor, optional
        Who computes; by default this process. See
        :func:`components.simulation.executors.from_environment`.
    store : ReplicationStore, optional
        Where finished ones are kept.
    progress : callable, optional
        Told the share that is done.

    Returns
    -------
    Floats, shape (R, K)
        In the order of ``numbers``; bit by bit the same for every executor on equal machines.

    Raises
    ------
    PanelscopeError
        Where a worker of a cluster runs another program, or none can be reached.
    """
    wanted = range(numbers) if isinstance(numbers, int) else numbers
    identity = f"{task.identity}\n{task.key} {task.seed}\n{code_digest()}"
    known = store.read(identity) if store is not None else {}
    missing = [number for number in wanted if number not in known]
    executor = executor or Serial()
    chunks = _chunks(task, missing, executor) if missing else []
    done = len(wanted) - len(missing)
    for place, answer in executor.run(work, chunks) if chunks else ():
        fresh = dict(zip(chunks[place][1], _checked(answer, chunks[place], executor), strict=True))
        known |= fresh
        if store is not None:
            store.append(identity, fresh)
        done += len(fresh)
        progress(done / len(wanted))
    return np.array([known[number] for number in wanted])


def work(chunk: tuple[Task, tuple[int, ...]]) -> tuple[str, Floats]:
    """Compute some replications of a task, wherever this is called.

    Returns
    -------
    code : str
        Which program did it.
    values : Floats, shape (n, K)
    """
    task, numbers = chunk
    return code_digest(), np.array([one(task, number) for number in numbers])


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Name the program that computes: a hash of the engine's source and of its numerical base.

    Returns
    -------
    str
        Numbers that were kept by another program, or computed by one, are not mixed with its own.
    """
    root = Path(__file__).resolve().parents[1]
    rooms = ("numerics", "panel", "estimators", "inference", "simulation")
    digest = sha256(f"{np.__version__} {scipy.__version__} {sys.version_info[:2]}".encode())
    for path in sorted(path for room in rooms for path in (root / room).glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def _chunks(
    task: Task, numbers: Sequence[int], executor: Executor
) -> list[tuple[Task, tuple[int, ...]]]:
    pieces = CHUNKS_PER_WORKER * executor.workers
    size = max(1, min(MOST_IN_CHUNK, -(-len(numbers) // pieces)))
    return [(task, tuple(numbers[first : first + size])) for first in range(0, len(numbers), size)]


def _checked(
    answer: tuple[str, Floats], chunk: tuple[Task, tuple[int, ...]], executor: Executor
) -> Floats:
    """Take values of the same program only; a local one may have changed on disk meanwhile."""
    code, values = answer
    if code == code_digest():
        return values
    if not isinstance(executor, Dask):
        return work(chunk)[1]
    raise PanelscopeError(
        f"A worker runs another version of the program ({code} instead of {code_digest()}).",
        hint="Restart it and the server with the same version of Panelscope, numpy and scipy.",
    )
