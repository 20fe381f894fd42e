"""Replicate the published tables, and write docs/replication.md.

Finished rows are kept in components/simulation/published/ with a key of their settings, so a
stopped run goes on where it was. ``--processes 2`` halves the wait; ``--only "1|SDID"`` runs the
tables whose name matches; ``--write`` runs nothing and makes the document from what is stored.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd
from replication_text import document

from components.simulation.replication import AnyRow, replicate, run
from components.simulation.replication_designs import Design, cost, designs, staged
from components.simulation.replication_extra import simulate, studies
from components.simulation.replication_verdicts import EXTRA

FOLDER = Path(os.environ.get("PANELSCOPE_DATA", ROOT.parent / "shared" / "data"))


def main() -> None:
    """Run what is missing, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if not arguments.write:
        options = {"only": arguments.only, "processes": arguments.processes}
        run(studies(designs()), partial(simulated, one=simulate, **options), say, EXTRA)
        run(staged(designs()), partial(cheap_first, one=replicate, **options), say)
    (ROOT / "docs" / "replication.md").write_text(document(), encoding="utf-8")


def simulated(
    missing: list[AnyRow], one: Callable[..., pd.DataFrame], only: str, processes: int
) -> Iterator[tuple[AnyRow, pd.DataFrame]]:
    """Simulate rows one after the other, or several at once."""
    missing = [row for row in missing if re.search(only, row.table)]
    if processes == 1:
        for row in missing:
            yield row, one(row, FOLDER, told)
        return
    with ProcessPoolExecutor(processes) as pool:
        jobs = {pool.submit(one, row, FOLDER): row for row in missing}
        for job in as_completed(jobs):
            yield jobs[job], job.result()


def cheap_first(missing: list[Design], **options: Any) -> Iterator[tuple[Design, pd.DataFrame]]:
    """Simulate the cheap columns of all rows before the dear ones of any."""
    return simulated(sorted(missing, key=cost), **options)


def say(text: str) -> None:
    """Write a line to the terminal."""
    sys.stderr.write(f"\r{text}\n")


def told(share: float) -> None:
    """Show how far a row has come."""
    sys.stderr.write(f"\r  {share:4.0%}")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
