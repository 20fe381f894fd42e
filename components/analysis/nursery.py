"""Child processes for long work: forked from a process that has imported the engine already.

``multiprocessing`` would run the server's main script in every child, which under Streamlit is
the whole app; so the children here come from a small program of their own, the nursery. It is
single-threaded, ends when the server's end of its socket closes, and forks one child per job. Where
there is no fork, each job starts a new interpreter instead.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from components.analysis.child import work

CAN_FORK = sys.platform != "win32"
MEMORY = 8 << 30  # bytes of address space of one child
FAREWELL = 1.0  # seconds that a process has to end by itself
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a process of one thread forks safely
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
        paths = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        self._environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": paths}
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
        """End the nursery, and with it every child."""
        if self._control is not None:
            self._control.close()
            self._control = None
        for program in self._programs:
            program.terminate()
        for program in self._programs:
            try:
                program.wait(FAREWELL)
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
        command = [
            sys.executable,
            "-c",
            f"from components.analysis.nursery import {what}; {what}()",
        ]
        options: dict[str, Any] = (
            {"pass_fds": (descriptor,)} if CAN_FORK else _inherited(descriptor)
        )
        self._programs.append(
            subprocess.Popen(
                [*command, str(descriptor), str(self._memory), *self._preload],
                stdin=subprocess.DEVNULL,
                env=self._environment,
                **options,
            )
        )


def _inherited(handle: int) -> dict[str, Any]:
    """Let a new process on Windows inherit a handle."""
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        options["startupinfo"] = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
    return options


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
    descriptor, memory, *preload = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in preload:
        import_module(name)
    work(int(descriptor), int(memory), os.getppid())
