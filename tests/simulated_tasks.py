"""Tasks for the tests of replications: at the top level of a module, so that workers find them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.simulation.executors import Local
from components.simulation.replicate import replicate
from components.simulation.replicate_store import ReplicationStore


@dataclass(frozen=True)
class Draws:
    """Takes a while, tells who did it, and gives a few numbers that depend on its stream alone."""

    seconds: float = 0.0
    told: str = ""
    seed: int = 7
    key: str = "draws"

    @property
    def identity(self):
        return "draws of the tests"

    def replication(self, number, rng):
        time.sleep(self.seconds)
        if self.told:
            Path(self.told, f"{os.getpid()}.{number}.{time.monotonic_ns()}").touch()
        values = rng.normal(size=(30, 30))
        return np.array([number, *np.linalg.svd(values, compute_uv=False)[:3]])


@dataclass(frozen=True)
class Counted(Draws):
    """Burns processor time instead of sleeping."""

    def replication(self, number, rng):
        begun = time.process_time()
        while time.process_time() - begun < self.seconds:
            pass
        return np.array([rng.normal()])


def meet(folder, seconds=30.0):
    """Wait until a second process has come here too, and tell who this one is."""
    Path(folder, str(os.getpid())).touch()
    begun = time.monotonic()
    while sum(1 for _ in Path(folder).iterdir()) < 2:
        assert time.monotonic() - begun < seconds, "nobody else came"
        time.sleep(0.01)
    return os.getpid()


def study_in_job(folder, n, *, progress):
    with Local(2) as pool:
        found = replicate(Draws(told=folder), n, executor=pool, progress=progress)
    return found, os.getpid()


def shows(*, progress):
    progress.show({"first": 1})
    time.sleep(0.3)
    progress.show({"second": 2})
    time.sleep(0.3)
    return "whole"


def endless(folder):
    """Run a study for long in two processes, for a test that ends this one."""
    with Local(2) as pool:
        replicate(
            Draws(0.2, told=folder), 1000, executor=pool, store=ReplicationStore(Path(folder))
        )


if __name__ == "__main__":
    import sys

    endless(sys.argv[1])
