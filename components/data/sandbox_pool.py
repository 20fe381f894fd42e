"""Confined processes to do single calls in, a few at a time."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from components.data.sandbox_talk import GRACE, TICK, Call, Limits, converse
from components.errors import DataError

AT_ONCE = 2
PATIENCE = 30.0  # seconds that a call waits for its turn
CAN_FORK = sys.platform != "win32"
SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve far more than they use
    "MALLOC_ARENA_MAX": "2",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a process of one thread forks safely
}


class Sandbox:
    """Runs calls in confined children, a few at the same time.

    Parameters
    ----------
    preload : iterable of str
        Modules that children have imported before any call comes.
    environment : mapping of str to str
        The whole environment of the children, besides a few settings of libraries.
    at_once : int
        How many calls run at the same time; others wait for their turn.
    fork : bool
        False starts a new interpreter per call, as where there is no fork.
    """

    def __init__(
        self,
        preload: Iterable[str],
        environment: Mapping[str, str],
        at_once: int = AT_ONCE,
        *,
        fork: bool = CAN_FORK,
    ) -> None:
        self._preload, self._fork = tuple(preload), fork
        self._environment = {**environment, **SETTINGS}
        self._turns = BoundedSemaphore(at_once)
        self._lock = Lock()
        self._control: socket.socket | None = None
        self._programs: list[subprocess.Popen[bytes]] = []
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """Process that children are forked from, or None where there is none."""
        return self._programs[-1].pid if self._control is not None else None

    def run(
        self,
        call: str,
        *args: object,
        limits: Limits,
        size: int = 0,
        progress: Callable[[float], None] | None = None,
        told: bool = False,
        options: Mapping[str, object] | None = None,
    ) -> Any:
        """Do one call in a child.

        Parameters
        ----------
        call : str
            ``"module:function"``.
        *args
            For the function; see `sandbox_wire.send` for what goes through.
        limits : Limits
        size : int
            Bytes of the file, where time goes by size.
        progress : callable, optional
            Called with the share that is done, many times a second, as long as the call runs;
            whatever it raises ends the child. Zero where the call does not tell.
        told : bool
            Whether the function takes ``progress`` itself.
        options : mapping, optional
            The function's keyword arguments.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        DataError
            As the function; or where it took too long, needed too much memory, or broke down.
        """
        seconds = limits.seconds_for(size)
        self._wait_for_turn(progress)
        try:
            with self._start() as pipe:
                whole = Call(call, args, dict(options or {}), limits, seconds, told)
                return converse(pipe, whole, progress or _nothing)
        finally:
            self._turns.release()

    def warm(self) -> None:
        """Start the program that children are forked from, so that the first call is quick."""
        with self._lock:
            if self._fork and self._control is None:
                self._open()

    def close(self) -> None:
        """End the program that children are forked from, and with it the children."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            for program in self._programs:
                try:
                    program.wait(GRACE)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.wait()
            self._programs.clear()

    def _wait_for_turn(self, progress: Callable[[float], None] | None) -> None:
        until = time.monotonic() + PATIENCE
        while not self._turns.acquire(timeout=TICK):
            if time.monotonic() > until:
                raise DataError(
                    "The server is busy with other tables.", hint="Try again in a minute."
                )
            (progress or _nothing)(0.0)

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        with self._lock, theirs:
            if not self._fork:
                self._launch("once", theirs.fileno())
                return ours
            for _ in range(2):
                if self._control is None or self._programs[-1].poll() is not None:
                    self._open()
                assert self._control is not None
                with suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                    return ours
                self._programs[-1].wait()
        ours.close()
        raise OSError("The program that starts the readers ends at once.")

    def _open(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control, inside = socket.socketpair()
        with inside:
            self._launch("tend", inside.fileno())

    def _launch(self, what: str, descriptor: int) -> None:
        self._programs = [program for program in self._programs if program.poll() is None]
        code = f"from components.data.sandbox_child import {what}; {what}()"
        paths = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        inherited: dict[str, Any] = {"pass_fds": (descriptor,)}
        if sys.platform == "win32":
            os.set_handle_inheritable(descriptor, True)
            handles = {"handle_list": [descriptor]}
            inherited = {"startupinfo": subprocess.STARTUPINFO(lpAttributeList=handles)}
        self._programs.append(
            subprocess.Popen(
                [sys.executable, "-c", code, str(descriptor), *self._preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what readers print may hold values
                env={**self._environment, "PYTHONPATH": paths},
                **inherited,
            )
        )


def _nothing(_: float) -> None:
    pass
