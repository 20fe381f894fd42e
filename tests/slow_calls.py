"""Work for the tests of jobs: at the top level of a module, so that a child can import it."""

from __future__ import annotations

import os
import re
import signal
import time

import numpy as np

from components.errors import DesignError


class Fussy(Exception):  # noqa: N818
    """Cannot be unpickled: it wants two arguments and passes on one."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def echo(value, *, progress):
    return value


def process(*, progress):
    return os.getpid(), os.getppid()


def count(n, seconds, *, progress):
    for i in range(n):
        time.sleep(seconds)
        progress((i + 1) / n)
    return n


def chatter(n, *, progress):
    for i in range(n):
        progress(i / n)
    return n


def spin(*, progress):
    while True:
        progress(0.5)


def hold_interpreter(*, progress):
    """Stay in compiled code that never lets another thread run."""
    progress(0.5)
    re.match(r"(a+)+$", "a" * 60 + "b")


def ignore_requests(*, progress):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    progress(0.5)
    while True:
        time.sleep(0.01)


def fail(kind, *, progress):
    if kind == "design":
        raise DesignError("No cell is treated.", hint="Choose a unit.")
    if kind == "bug":
        return {}["nothing here"]
    if kind == "fussy":
        raise Fussy("one", "two")
    if kind == "exit":
        raise SystemExit(3)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return lambda: "cannot be sent"


def fill(megabytes, *, progress):
    values = np.ones(megabytes << 17)
    return float(values[-1]), os.getpid()


def threads(*, progress):
    return os.environ["OPENBLAS_NUM_THREADS"], os.environ["OMP_NUM_THREADS"]
