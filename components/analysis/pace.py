"""How far a contest is, from the time that its parts have taken so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from components.inference.base import Progress

LONGEST = 420.0
"""Seconds after which no further round begins."""

UNKNOWN = 5.0
"""Seconds that a slow fit, or the work at a pace not known yet, is taken to need at least."""


class Pace:
    """Turns work done and work left into a share that only grows.

    Parameters
    ----------
    progress : callable
        Told the share.
    clock : callable, optional
        Gives seconds.
    """

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock = progress, clock
        self._begun = clock()
        self._share = 0.0
        self._seconds: dict[str, float] = {}

    @property
    def late(self) -> bool:
        """Whether no further round should begin."""
        return self._clock() - self._begun > LONGEST

    def of(self, key: str) -> float:
        """Give the seconds of one replication; 0 where that is not known."""
        return self._seconds.get(key, 0.0)

    def learn(self, key: str, seconds: float) -> None:
        """Take in how long one replication takes."""
        self._seconds[key] = seconds

    def tell(self, left: Mapping[str, float], besides: float = 0.0) -> None:
        """Report the share that is done.

        Parameters
        ----------
        left : mapping of str to float
            Replications to come, by key.
        besides : float
            Seconds of other work to come. Where the pace of a key is not known, its fits are taken
            to last twice as long as the slowest ones known.
        """
        elapsed = self._clock() - self._begun
        strange = 2.0 * max(self._seconds.values(), default=0.0)
        ahead = besides
        for key, count in left.items():
            if key in self._seconds:
                ahead += self._seconds[key] * count
            elif count:
                ahead += max(strange * count, UNKNOWN)
        ahead = min(ahead, max(LONGEST - elapsed, UNKNOWN))
        share = elapsed / (elapsed + ahead) if elapsed + ahead > 0.0 else 0.0
        self._share = max(self._share, min(share, 0.99))
        self._progress(self._share)
