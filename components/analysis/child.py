"""What a child process does: one call that comes through a pipe, and its answer.

The child says ``("ready", pid)``, is sent ``(function, args)``, says ``("progress", share)`` at
most ten times a second and ``("partial", value)`` where it has a result in part, and ends with
``("done", value)`` or ``("failed", error, traceback)``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NoReturn

from components.errors import PanelscopeError

NICENESS = 5  # the server answers its users first
LOOK_EVERY = 0.5  # seconds between two looks at the parent
TELL_EVERY = 0.1  # seconds between two reports of progress
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux
PIPE_END: Any = getattr(pipes, "PipeConnection", Connection)  # the former on Windows


def work(descriptor: int, memory: int, parent: int) -> NoReturn:
    """Do the one job that comes through the pipe, and end the process."""
    try:
        connection: Connection = PIPE_END(descriptor)
        _behave(memory, parent)
        connection.send(("ready", os.getpid()))
        try:
            function, args = connection.recv()
            Thread(target=_watch, args=(connection, parent), daemon=True).start()
            value = function(*args, progress=_Teller(connection))
            connection.send(("done", value))
        except BaseException as error:
            connection.send(("failed", *_portable(error, memory)))
    except (EOFError, OSError):
        pass  # the server has hung up: nobody waits for this work any more
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)


class _Teller:
    """Report progress to the server, not more often than anyone can see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._last = -TELL_EVERY
        self._share = 0.0

    def __call__(self, share: float) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._last >= TELL_EVERY or self._share < 1.0 <= share:
                self._connection.send(("progress", float(share)))
                self._last = now
                self._share = float(share)

    def show(self, value: Any) -> None:
        """Send a result in part; the latest one is what the server has."""
        with self._lock:
            self._connection.send(("partial", value))


def _watch(connection: Connection, parent: int) -> None:
    """End this process when its parent dies or the server hangs up."""
    with suppress(OSError):
        while os.getppid() == parent and not connection.poll(LOOK_EVERY):
            pass
    os._exit(1)


def _behave(memory: int, parent: int) -> None:
    """Yield to the server: in processor time, in memory, and when it dies."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    with suppress(OSError):
        os.nice(NICENESS)
    with suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))
    if sys.platform == "linux":
        with suppress(OSError):  # where memory runs out, the system takes this one first
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        # The watching thread cannot run while compiled code holds the interpreter; the kernel can.
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _portable(error: BaseException, memory: int) -> tuple[BaseException, str]:
    """Give an error that survives the pipe, and its traceback."""
    text = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return _too_large(memory), text
    try:
        again = ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        again = None
    if isinstance(error, Exception) and type(again) is type(error):
        return error, text
    return RuntimeError(f"{type(error).__name__}: {error}"), text


def _too_large(memory: int) -> PanelscopeError:
    return PanelscopeError(
        f"The work needs more memory than the {memory / (1 << 30):.3g} GB that it may have.",
        hint="Leave out units or periods on the design page, or ask for fewer draws.",
    )
