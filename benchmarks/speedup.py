"""Two local workers against one on the same replications: `python -m benchmarks.speedup`."""

from __future__ import annotations

import time

import numpy as np

from components.analysis import load_table, sample_spec
from components.data import to_panel
from components.estimators import MatrixCompletion
from components.simulation.executors import Local
from components.simulation.leaderboard import Trial
from components.simulation.placebo_assignments import CalibratedWorlds
from components.simulation.replicate import replicate

REPLICATIONS = 600


def main() -> None:
    spec = sample_spec("prop99")
    panel, _ = to_panel(load_table(spec.source), spec.columns)
    task = Trial(CalibratedWorlds.of(panel), MatrixCompletion(penalty=0.03))
    seconds, errors = {}, {}
    for workers in (1, 2):
        with Local(workers) as executor:
            replicate(task, range(REPLICATIONS, REPLICATIONS + 8), executor=executor)  # start it
            begun = time.perf_counter()
            errors[workers] = replicate(task, REPLICATIONS, executor=executor)
            seconds[workers] = time.perf_counter() - begun
    same = np.array_equal(errors[1], errors[2], equal_nan=True)
    print(f"{REPLICATIONS} replications: {seconds[1]:.1f} s with one worker, {seconds[2]:.1f} s "
          f"with two: {seconds[1] / seconds[2]:.2f} times as fast; same bits: {same}")  # fmt: skip


if __name__ == "__main__":
    main()
