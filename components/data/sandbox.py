"""Read strangers' bytes in a process of its own, so that no file can harm the server.

A crash, a bomb or an endless loop ends the child, never the server, and comes back as a
`DataError`. Children are forked from a small program that has imported the readers already:
``multiprocessing`` would run the server's main script in every child, which under Streamlit is the
whole app. Where there is no fork, each call starts a new interpreter, and only the limits of time
and size hold; macOS does not enforce the limit of memory.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import BoundedSemaphore, Lock, Timer
from typing import Any, NoReturn

import pyarrow as pa

from components.data.sandbox_child import LONGEST_REQUEST, too_long
from components.data.sandbox_wire import TooLongError, receive, send
from components.data.table import Table
from components.errors import DataError

AT_ONCE = 2
PATIENCE = 30.0  # seconds that a call waits for its turn
GRACE = 1.0  # seconds from a child's own alarm until it is ended from outside
TICK = 0.05  # seconds between two signs of life
SMALL_FILE, LARGE_FILE = 5 * 2**20, 50 * 2**20
SHORTEST, LONGEST = 5.0, 15.0
CAN_FORK = sys.platform != "win32"
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
READERS = ("components.data", "pandas.io.stata", "pyarrow.parquet", "pyarrow.csv", "zipfile")
READERS += ("charset_normalizer", "python_calamine", "encodings.utf_16", "encodings.cp1252")
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")
SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve far more than they use
    "MALLOC_ARENA_MAX": "2",
}
HINT = "Save the table as a plain CSV in UTF-8 with only the columns that you need."
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, ImportError, pa.ArrowException)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one call may use.

    Attributes
    ----------
    memory : int
        Bytes beyond what an idle child has.
    seconds : float, optional
        Until it is ended; None gives 5 s to files of up to 5 MB and 15 s to the largest.
    answer : int
        Bytes that the table may have, which the server then holds.
    file_size : int, optional
        Bytes that a file written by the child may have; None does not limit them.
    """

    memory: int = 2 << 30
    seconds: float | None = None
    answer: int = 224 * 2**20
    file_size: int | None = 0

    def seconds_for(self, size: int) -> float:
        """Give the seconds for a file of ``size`` bytes."""
        if self.seconds is not None:
            return self.seconds
        share = (size - SMALL_FILE) / (LARGE_FILE - SMALL_FILE)
        return SHORTEST + (LONGEST - SHORTEST) * min(max(share, 0.0), 1.0)


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
        wall = limits.seconds_for(size)
        request = {
            "call": call,
            "args": args,
            "options": dict(options or {}),
            "answer": limits.answer,
            "bounds": [limits.memory, int(2 * wall) + 2, wall, limits.file_size],
            "told": told,
        }
        self._wait_for_turn(progress)
        try:
            with self._start() as pipe:
                return _converse(pipe, request, wall, limits, progress or _nothing)
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


def read_table_safely(
    data: bytes,
    name: str,
    *,
    limits: Limits | None = None,
    progress: Callable[[float], None] | None = None,
    **options: object,
) -> Table:
    """Read a table in a confined process.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What the user calls it; for display only.
    limits : Limits, optional
    progress : callable, optional
        Called many times a second while the file is read; what it raises ends the reading.
    **options
        As `components.data.read_table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        As `components.data.read_table`; or if reading took too long, needed too much memory, or
        broke the reader.
    """
    table = READING.run(
        "components.data.upload:read_table",
        data,
        name,
        limits=limits or Limits(),
        size=len(data),
        progress=progress,
        options=options,
    )
    assert isinstance(table, Table)
    return table


def _converse(
    pipe: Connection,
    request: dict[str, Any],
    wall: float,
    limits: Limits,
    progress: Callable[[float], None],
) -> Any:
    begun = time.monotonic()
    share, alive, timer = 0.0, None, None

    def ready() -> None:
        while not pipe.poll(TICK):
            if time.monotonic() - begun > wall + GRACE + START:
                raise TimeoutError
            progress(share)

    try:
        _, alive = receive(pipe, 0, ready)
        begun = time.monotonic()
        timer = Timer(wall + GRACE, _end, [alive])
        timer.daemon = True
        timer.start()
        send(pipe, "call", request, LONGEST_REQUEST)
        while True:
            kind, value = receive(pipe, limits.answer, ready)
            if kind != "progress":
                break
            share = float(value)
        alive = None if kind in ANSWERS else alive
        return _settled(kind, value, limits)
    except TooLongError as error:
        raise too_long(error.size, limits.answer) from None
    except (EOFError, OSError):
        _explain_end(time.monotonic() - begun, wall, limits)
    except UNREADABLE:
        raise _broken("an answer that is none") from None
    finally:
        if timer is not None:
            timer.cancel()
        if alive is not None:
            _end(alive)


def _settled(kind: str, value: Any, limits: Limits) -> Any:
    if kind == "done":
        return value
    if kind == "refused" and isinstance(value, DataError):
        raise value
    if kind == "memory":
        raise _too_much_memory(limits)
    what, place = value
    log.warning("The reader of tables broke down with %s at %s", what, place)
    raise _broken(str(what))


def _end(pid: int) -> None:
    """End a child; called while its end of the pipe is open, so the number is still its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, KILL)


def _explain_end(passed: float, wall: float, limits: Limits) -> NoReturn:
    if passed >= wall - TICK:
        raise DataError(
            f"Reading was stopped because it took longer than {wall:.0f} seconds.", hint=HINT
        ) from None
    raise DataError(
        "The reader broke down on this file: it is damaged, or needs more memory than the "
        f"{limits.memory / 2**30:.2g} GB that reading may use.",
        hint=HINT,
    ) from None


def _too_much_memory(limits: Limits) -> DataError:
    return DataError(
        f"Reading needs more memory than the {limits.memory / 2**30:.2g} GB that it may use.",
        hint=HINT,
    )


def _broken(what: str) -> DataError:
    return DataError(f"The reader broke down on this file ({what}).", hint=HINT)


def _nothing(_: float) -> None:
    pass


START = 10.0  # seconds that a child may take to say that it is there
ANSWERS = ("done", "refused", "memory", "broken")
READING = Sandbox(READERS, {name: os.environ[name] for name in KEPT if name in os.environ})
