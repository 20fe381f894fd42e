"""Measurements kept on disk, so that one row can be measured anew and the report be whole."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from environments import OURS, Package
from scaling import ESTIMATORS, LINES, Growth
from tasks import LIMITS, TASKS
from timing import Timing

GROWTH = "growth."


class Store:
    """A folder with one file for each task and panel.

    Parameters
    ----------
    folder : Path
    packages : dict of str to Package
        What the measurements may refer to; those of other packages are left out.
    """

    def __init__(self, folder: Path, packages: dict[str, Package]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.packages = folder, packages
        self.days: set[str] = set()

    def put(self, task: str, panel: str, timings: list[Timing]) -> None:
        """Keep the timings of one task on one panel in the place of older ones."""
        rows = [
            {
                "package": one.package.name,
                "version": one.package.version,
                "source": one.source,
                "seconds": one.seconds,
                "answer": one.answer,
                "peak": one.peak,
                "extra": one.extra,
                "why": one.why,
            }
            for one in timings
        ]
        kept = {"day": date.today().isoformat(), "rows": rows}
        self._path(task, panel).write_text(json.dumps(kept, indent=1))

    def get(self, task: str, panel: str) -> list[Timing]:
        """Give the timings that were kept, but of packages that have changed since."""
        path = self._path(task, panel)
        if not path.exists():
            return []
        kept = json.loads(path.read_text())
        self.days.add(kept["day"])
        timings = []
        for row in kept["rows"]:
            package = self.packages.get(row.pop("package"))
            if package is not None and package.version == row.pop("version"):
                timings.append(Timing(package, **row))
        return timings

    def found(self) -> dict[tuple[str, str], list[Timing]]:
        """Whatever is kept of the tasks, with ours in it."""
        rows = {}
        for task in TASKS:
            kept = {path.stem.partition("-")[2] for path in self.folder.glob(f"{task.key}-*.json")}
            usual = [name for name in task.panels if name in kept]
            for name in (*usual, *sorted(kept - set(usual))):
                rows[task.key, name] = self.get(task.key, name)
        return {key: row for key, row in rows.items() if _has_ours(row)}

    def limits(self) -> dict[str, Timing]:
        """Whatever is kept of the tasks with a limit in seconds."""
        rows = {
            key: self.get(key, limit.panel) for limit in LIMITS for key in (limit.key, limit.check)
        }
        return {key: row[0] for key, row in rows.items() if row}

    def growth(self) -> list[Growth]:
        """Whatever is kept of the growth with size."""
        lines = [
            Growth(
                title,
                sizes,
                {
                    key: [next(iter(self.get(GROWTH + key, size)), None) for size in sizes]
                    for key in ESTIMATORS
                },
            )
            for title, sizes in LINES.items()
        ]
        return [line for line in lines if any(any(row) for row in line.timings.values())]

    def _path(self, task: str, panel: str) -> Path:
        return self.folder / f"{task}-{panel}.json"


def _has_ours(row: list[Timing]) -> bool:
    return any(timing.package.name == OURS for timing in row)
