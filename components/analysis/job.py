"""One piece of long work: where it is, how far, and what came of it."""

from __future__ import annotations

import math
import time
from threading import Event
from typing import Any, Generic, Literal, TypeVar, cast

from components.errors import PanelscopeError

State = Literal["queued", "running", "done", "failed", "cancelled"]
Value = TypeVar("Value")


class Job(Generic[Value]):
    """One piece of work; all that it tells may be read from any thread at any time.

    Attributes
    ----------
    key : str
        Names the work: equal keys are the same work.
    state : {"queued", "running", "done", "failed", "cancelled"}
        Where it is.
    progress : float
        Share that is done, from 0 to 1, as the work itself tells.
    partial : Any or None
        The latest result in part that the work has shown; it stays after a failure.
    owners : set of str
        Who waits for it.
    background : bool
        Somebody may watch it, but nobody needs it to go on.
    """

    def __init__(
        self, key: str, call: tuple[Any, ...], queue: list[Job[Any]], *, background: bool = False
    ) -> None:
        self.key = key
        self.background = background
        self.state: State = "queued"
        self.progress = 0.0
        self.partial: Any = None
        self.owners: set[str] = set()
        self.call: tuple[Any, ...] | None = call
        self._queue = queue
        self._value: Value | None = None
        self._error: BaseException | None = None
        self._begun = self._over = math.nan
        self._first: tuple[float, float] | None = None
        self._latest = math.nan
        self._ended = Event()

    def __repr__(self) -> str:
        return f"<Job {self.key!r} {self.state}>"

    @property
    def ended(self) -> bool:
        """True where it is done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def position(self) -> int:
        """Place in the queue: 1 is the next to start, 0 is not in the queue."""
        try:
            return self._queue.index(self) + 1
        except ValueError:
            return 0

    @property
    def seconds(self) -> float:
        """Seconds that it has been running, or ran; 0 while it is queued."""
        begun, over = self._begun, self._over
        if math.isnan(begun):
            return 0.0
        return (time.monotonic() if math.isnan(over) else over) - begun

    @property
    def seconds_left(self) -> float | None:
        """Seconds until its end at the pace so far, or None where that is not known yet.

        The pace is taken between the first and the latest report, so that a long fit before the
        first report does not count into it.
        """
        if self.ended:
            return 0.0
        if self._first is None or self.progress <= self._first[1]:
            return None
        then, share = self._first
        pace = (self._latest - then) / (self.progress - share)
        return max(0.0, pace * (1.0 - self.progress) - (time.monotonic() - self._latest))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end, at most ``timeout`` seconds; True where it has ended."""
        return self._ended.wait(timeout)

    def result(self) -> Value:
        """Give what the work returned.

        Raises
        ------
        PanelscopeError
            The one that the work met; or that it took too long, needed too much memory or was
            cancelled.
        Exception
            Any other error of the work as it was, with the traceback of the child as a note.
        RuntimeError
            Where the work has not ended yet.
        """
        if not self.ended:
            raise RuntimeError(f"The work {self.key!r} has not ended yet: it is {self.state}.")
        if self._error is not None:
            raise self._error.with_traceback(None)
        return cast("Value", self._value)

    def begin(self) -> None:
        """Start its clock: once when its process is asked for, and anew when that is ready."""
        self.state = "running"
        self._begun = time.monotonic()

    def advance(self, share: float) -> None:
        """Note how far the work says that it is."""
        self.progress, self._latest = share, time.monotonic()
        if self._first is None:
            self._first = (self._latest, share)

    def end(
        self, state: State, value: Value | None = None, error: BaseException | None = None
    ) -> None:
        """Note what came of it, let go of its arguments and wake whoever waits."""
        self._value, self._error, self.call = value, error, None
        self._over = time.monotonic()
        if state == "done":
            self.progress = 1.0
        self.state = state  # last: whoever reads it may ask for the result at once
        self._ended.set()


def annotated(error: BaseException, traceback: str) -> BaseException:
    """Note the traceback of the child on an error that is a bug."""
    if not isinstance(error, PanelscopeError):
        error.add_note(f"In the child process:\n{traceback}")
    return error


def took_too_long(budget: float) -> PanelscopeError:
    """Say that a job was stopped after its budget of seconds."""
    limit = f"{budget / 60:.3g} minutes" if budget >= 120 else f"{budget:.3g} seconds"
    return PanelscopeError(
        f"The work was stopped because it took longer than {limit}.",
        hint="Ask for fewer draws or placebos, choose a faster method, or leave out units or "
        "periods on the design page.",
    )


def ended_early() -> PanelscopeError:
    """Say that a child is gone without an answer."""
    return PanelscopeError(
        "The process that did the work ended without a result; most often the machine had no "
        "memory left for it.",
        hint="Try once more, or leave out units or periods on the design page.",
    )


def cancelled() -> PanelscopeError:
    """Say that nobody waited for the job any more."""
    return PanelscopeError("The work was cancelled.", hint="Start it again.")
