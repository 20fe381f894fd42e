"""One call to a confined process: what it may use, what is said, and how it can end."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import Connection
from threading import Timer
from typing import Any, NoReturn

import pyarrow as pa

from components.data.sandbox_child import LONGEST_REQUEST, too_long
from components.data.sandbox_wire import TooLongError, receive, send
from components.errors import DataError

START = 30.0  # seconds that a child may take to say that it is there
GRACE = 1.0  # seconds from a child's own alarm until it is ended from outside
TICK = 0.05  # seconds between two signs of life
SMALL_FILE, LARGE_FILE = 5 * 2**20, 50 * 2**20
SHORTEST, LONGEST = 5.0, 15.0
BUSY = 3.0  # a server that others keep busy may take so much longer than its processor does
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
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
        Until it is ended; None gives 5 s of the processor to files of up to 5 MB and 15 s to the
        largest, and more by the clock where the server is busy.
    answer : int
        Bytes that the table may have, which the server then holds.
    file_size : int, optional
        Bytes that a file written by the child may have; None does not limit them.
    hint : str
        What to do where a limit is met.
    """

    memory: int = 2 << 30
    seconds: float | None = None
    answer: int = 224 * 2**20
    file_size: int | None = 0
    hint: str = HINT

    def seconds_for(self, size: int) -> float:
        """Give the seconds for a file of ``size`` bytes."""
        if self.seconds is not None:
            return self.seconds
        share = (size - SMALL_FILE) / (LARGE_FILE - SMALL_FILE)
        return SHORTEST + (LONGEST - SHORTEST) * min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class Call:
    """One call, as it is sent to a child.

    Attributes
    ----------
    function : str
        ``"module:name"``.
    args : tuple
    options : dict
    limits : Limits
    seconds : float
        That it may take: of the processor where the limits leave it open, by the clock otherwise.
    told : bool
        Whether the function takes ``progress`` itself.
    """

    function: str
    args: tuple[object, ...]
    options: dict[str, object]
    limits: Limits
    seconds: float
    told: bool = False

    @property
    def wall(self) -> float:
        """Seconds until the child is ended."""
        return self.seconds * (BUSY if self.limits.seconds is None else 1.0)

    @property
    def request(self) -> dict[str, Any]:
        """What the child is sent."""
        of_processor = self.seconds if self.limits.seconds is None else 2 * self.seconds + 2
        bounds = [self.limits.memory, ceil(of_processor), self.wall, self.limits.file_size]
        return {
            "call": self.function,
            "args": self.args,
            "options": self.options,
            "answer": self.limits.answer,
            "bounds": bounds,
            "told": self.told,
        }


def converse(pipe: Connection, call: Call, progress: Callable[[float], None]) -> Any:
    """Have a child do a call, and end it if it does not end by itself.

    Parameters
    ----------
    pipe : multiprocessing.connection.Connection
        Its other end is with a child that has just been started.
    call : Call
    progress : callable
        Called with the share that is done many times a second; what it raises ends the child.

    Returns
    -------
    object
        What the function returned.

    Raises
    ------
    DataError
        As the function, or why there is no answer.
    """
    waiting = _Waiting(pipe, progress)
    try:
        waiting.limit(START)
        _, waiting.child = receive(pipe, 0, waiting)
        waiting.limit(call.wall + GRACE)
        send(pipe, "call", call.request, LONGEST_REQUEST)
        while True:
            kind, value = receive(pipe, call.limits.answer, waiting)
            if kind != "progress":
                return _settled(kind, value, call.limits)
            waiting.share = float(value)
    except TooLongError as error:
        raise too_long(error.size, call.limits.answer) from None
    except (EOFError, OSError):
        _explain_end(waiting.seconds, call)
    except UNREADABLE:
        raise _broken("an answer that is none") from None
    finally:
        waiting.end()


class _Waiting:
    """Waits for what a child says, and ends it when nobody waits any more."""

    def __init__(self, pipe: Connection, progress: Callable[[float], None]) -> None:
        self._pipe, self._progress = pipe, progress
        self._begun = self._until = 0.0
        self._timer: Timer | None = None
        self.share = 0.0
        self.child: int | None = None

    def limit(self, seconds: float) -> None:
        """Start to count, and end the child after so many seconds."""
        self._begun = time.monotonic()
        self._until = self._begun + seconds
        if self.child is not None:
            self._timer = Timer(seconds, self._kill)
            self._timer.daemon = True
            self._timer.start()

    @property
    def seconds(self) -> float:
        """Seconds since the limit was set."""
        return time.monotonic() - self._begun

    def __call__(self) -> None:
        """Return once there is something to read."""
        while not self._pipe.poll(TICK):
            if time.monotonic() > self._until:
                raise TimeoutError
            self._progress(self.share)

    def end(self) -> None:
        """End the child, if it is still there: its end of the pipe is then open."""
        if self._timer is not None:
            self._timer.cancel()
        with suppress(OSError):
            send(self._pipe, "alive?", None, 0)
            self._kill()

    def _kill(self) -> None:
        if self.child is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.child, KILL)


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


def _explain_end(passed: float, call: Call) -> NoReturn:
    if passed >= call.seconds - TICK:
        raise DataError(
            f"Reading was stopped because it took longer than {call.seconds:.0f} seconds.",
            hint=f"{call.limits.hint} Or try again when the server is less busy.",
        ) from None
    raise DataError(
        "The reader broke down on this file: it is damaged, or needs more memory than the "
        f"{call.limits.memory / 2**30:.2g} GB that reading may use.",
        hint=call.limits.hint,
    ) from None


def _too_much_memory(limits: Limits) -> DataError:
    return DataError(
        f"Reading needs more memory than the {limits.memory / 2**30:.2g} GB that it may use.",
        hint=limits.hint,
    )


def _broken(what: str) -> DataError:
    return DataError(f"The reader broke down on this file ({what}).", hint=HINT)
