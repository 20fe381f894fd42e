"""Child processes for long work: forked from a process that has imported the engine already.

``multiprocessing`` would run the server's main script in every child, which under Streamlit is
the whole app; so the children here come from a small program of their own, the nursery. It is
single-threaded, ends when the server's end of its socket closes, and forks one child per job. Where
there is no fork, each job starts a new interpreter instead.

A child and the server share one pipe. The child says ``("ready", pid)``, is sent
``(function, args)``, says ``("progress", share)`` at most ten times a second, and ends with
``("done", value)`` or ``("failed", error, traceback)``.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NoReturn

from components.errors import PanelscopeError

CAN_FORK = sys.platform != "win32"
PIPE_END: Any = getattr(pipes, "PipeConnection", Connection)  # the former on Windows
MEMORY = 8 << 30  # bytes of address space of one child
NICENESS = 5  # the server answers its users first
LOOK_EVERY = 0.5  # seconds between two looks at the parent
TELL_EVERY = 0.1  # seconds between two reports of progress
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class Nursery:
    """Starts child processes for a server.

    Parameters
    ----------
    preload : iterable of str
        Modules to import before any job comes, besides the analysis itself.
    memory : int
        Bytes of address space that one child may have, where the system can hold it to that.
    fork : bool
        False starts a new interpreter per job, as where there is no fork.
    """

    def __init__(
        self, preload: Iterable[str] = (), memory: int = MEMORY, *, fork: bool = CAN_FORK
    ) -> None:
        self._preload = tuple(preload)
        self._memory = memory
        self._fork = fork
        self._control: socket.socket | None = None
        self._programs: list[subprocess.Popen[bytes]] = []
        if fork:
            self._open()

    @property
    def pid(self) -> int | None:
        """Process that children are forked from, or None where there is none."""
        return self._programs[-1].pid if self._fork and self._programs else None

    def start(self) -> Connection:
        """Start a child and give the server's end of its pipe.

        Raises
        ------
        OSError
            Where the system starts no more processes.
        """
        ours, theirs = Pipe()
        try:
            if self._fork:
                self._ask_for_child(theirs)
            else:
                self._launch("once", theirs.fileno())
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def close(self) -> None:
        """End the nursery; its children end when their pipes are closed."""
        if self._control is not None:
            self._control.close()
            self._control = None
        for program in self._programs:
            try:
                program.wait(2 * LOOK_EVERY)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self._programs.clear()

    def _ask_for_child(self, theirs: Connection) -> None:
        for _ in range(2):
            if self._control is None or self._programs[-1].poll() is not None:
                self._open()
            assert self._control is not None
            with suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                return
            self._programs[-1].wait()
        raise OSError("The process that starts the children ends at once.")

    def _open(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control, inside = socket.socketpair()
        with inside:
            self._launch("tend", inside.fileno())

    def _launch(self, what: str, descriptor: int) -> None:
        self._programs = [program for program in self._programs if program.poll() is None]
        command = [sys.executable, "-c", f"from components.analysis.nursery import {what}; {what}()"]
        paths = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        options: dict[str, Any] = {"pass_fds": (descriptor,)} if CAN_FORK else _inherited(descriptor)
        self._programs.append(
            subprocess.Popen(
                [*command, str(descriptor), str(self._memory), *self._preload],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths},
                **options,
            )
        )


def _inherited(handle: int) -> dict[str, Any]:
    """Let a new process on Windows inherit a handle."""
    os.set_handle_inheritable(handle, True)
    return {"startupinfo": subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})}


def tend() -> None:
    """Run the nursery: fork a child for every pipe that the server sends, until it hangs up."""
    descriptor, memory, *preload = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in preload:
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
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    work(inherited, int(memory), parent)
                os.close(inherited)


def once() -> None:
    """Do one job in an interpreter of its own."""
    descriptor, memory, *_ = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(int(descriptor), int(memory), os.getppid())


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
        pdeathsig = 1
        ctypes.CDLL(None).prctl(pdeathsig, signal.SIGKILL, 0, 0, 0)
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
