"""What the processes do that read strangers' bytes: give away their rights, do one call, end."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

from components.data.sandbox_wire import TooLongError, receive, send
from components.errors import DataError, PanelscopeError

NICENESS = 5  # the server answers its users first
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
NO_NEW_RIGHTS = 38  # PR_SET_NO_NEW_PRIVS of Linux
LONGEST_REQUEST = 2**31
TELL_EVERY = 0.1  # seconds between two reports of progress
LOOK_EVERY = 0.5  # seconds between two looks at the parent
PIPE_END: Any = getattr(pipes, "PipeConnection", Connection)  # the former on Windows


def tend() -> None:
    """Fork a child for every pipe that the server sends, until the server hangs up."""
    descriptor, *preload = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in preload:
        with suppress(ImportError):
            import_module(name)
    gc.collect()
    gc.freeze()
    parent = os.getpid()
    with socket.socket(fileno=int(descriptor)) as control:
        while True:
            asked, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not asked:
                return
            for inherited in descriptors:
                if os.fork() == 0:
                    control.close()
                    work(PIPE_END(inherited), parent)
                os.close(inherited)


def once() -> None:
    """Do one call in an interpreter of its own, where there is no fork."""
    descriptor, *_ = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(PIPE_END(int(descriptor)), os.getppid())


def work(pipe: Connection, parent: int) -> NoReturn:
    """Do the one call that comes through the pipe, and end the process."""
    try:
        if sys.platform == "linux":
            library = ctypes.CDLL(None)
            library.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
            library.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        Thread(target=_watch, args=(parent,), daemon=True).start()
        send(pipe, "ready", os.getpid(), 0)
        _answer(pipe)
    finally:
        os._exit(0)


def confine(memory: int, cpu: int, wall: float, file_size: int | None) -> None:
    """Give away for good what reading a table does not need.

    Parameters
    ----------
    memory : int
        Bytes of address space beyond what the process has now (Linux; macOS does not enforce it).
    cpu : int
        Seconds of processor time.
    wall : float
        Seconds until the system ends the process.
    file_size : int, optional
        Bytes that a written file may have; None leaves that free.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, wall)
    with suppress(OSError):
        os.nice(NICENESS)
    bounds = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: cpu}
    if file_size is not None:
        bounds[resource.RLIMIT_FSIZE] = file_size
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        bounds[resource.RLIMIT_AS] = memory + pages * resource.getpagesize()
        with suppress(OSError):  # where memory runs out, the system takes this one first
            Path("/proc/self/oom_score_adj").write_text("900", "ascii")
    for what, wanted in bounds.items():
        _, most = resource.getrlimit(what)
        bound = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (bound, bound))


class Teller:
    """Report progress to the server, not more often than anyone can see."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._last = -TELL_EVERY

    def __call__(self, share: float) -> None:
        """Report the share that is done."""
        now = time.monotonic()
        if now - self._last >= TELL_EVERY:
            send(self._pipe, "progress", float(share), 0)
            self._last = now


def _answer(pipe: Connection) -> None:
    most = 0
    try:
        _, request = receive(pipe, LONGEST_REQUEST)
        most = request["answer"]
        confine(*request["bounds"])
        module, _, name = request["call"].partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        told = {"progress": Teller(pipe)} if request["told"] else {}
        value = function(*request["args"], **request["options"], **told)
        send(pipe, "done", value, most)
    except PanelscopeError as error:
        send(pipe, "refused", error, 2**20)
    except TooLongError as error:
        send(pipe, "refused", too_long(error.size, most), 0)
    except MemoryError:
        send(pipe, "memory", None, 0)
    except (EOFError, OSError):
        pass  # the server has hung up: nobody waits for this any more
    except BaseException as error:
        # A panic of a compiled reader is no Exception. Its text may hold values: only its place.
        send(pipe, "broken", [type(error).__name__, _place(error)], 0)


def too_long(size: int, most: int) -> DataError:
    """Say that a table is too large once it is read."""
    return DataError(
        f"Written out as text the table takes {size / 2**20:,.0f} MB; at most "
        f"{most / 2**20:,.0f} can be used.",
        hint="Keep only the columns that you need, or sum up to longer periods.",
    )


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


def _watch(parent: int) -> None:
    """End this process when its parent dies, where the system does not do so by itself."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os._exit(1)
