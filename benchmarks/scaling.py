"""How the cost of each estimator grows with units, periods and treated cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environments import Package
from timing import Timing, measure

import panels

UNITS = ("50x100x5", "200x100x5", "1000x100x5", "5000x100x5")
PERIODS = ("200x50x5", "200x100x5", "200x365x5")
TREATED = ("200x100x5", "200x100x20", "200x100x80")
LARGEST = ("1000x200x10", "5000x365x50")

LINES = {"Units": UNITS, "Periods": PERIODS, "Treated units": TREATED, "Both": LARGEST}

ESTIMATORS = {
    "read_table": "reading a long table",
    "did_fit": "difference in differences",
    "sc_fit": "synthetic control",
    "sc_intercept_fit": "SC with intercept",
    "sdid_plain": "synthetic DID",
    "mc_fixed": "matrix completion, fixed penalty",
    "mc_cv": "matrix completion, cross-validated",
    "trop_fixed": "TROP, fixed penalties",
    "trop_fit": "TROP, tuned",
}


@dataclass(frozen=True)
class Growth:
    """Timings of all estimators along one line of growing panels.

    Attributes
    ----------
    title : str
    sizes : tuple of str
        "NxTxK".
    timings : dict of str to list of Timing or None
        By estimator; None where a smaller panel took too long already.
    """

    title: str
    sizes: tuple[str, ...]
    timings: dict[str, list[Timing | None]]

    def exponent(self, key: str) -> float:
        """Slope of log seconds over log cells (or treated units) between the last two figures."""
        shapes = [tuple(map(int, size.split("x"))) for size in self.sizes]
        # Where units and periods stay the same, what grows are the treated units.
        grow = len({shape[:2] for shape in shapes}) > 1
        known = [
            (shape[0] * shape[1] if grow else shape[2], timing.cpu)
            for shape, timing in zip(shapes, self.timings[key], strict=True)
            if timing is not None and timing.seconds
        ]
        if len(known) < 2:
            return float("nan")
        (before, cheap), (after, dear) = known[-2:]
        return math.log(dear / cheap) / math.log(after / before)


def run(
    ours: Package,
    folder: Path,
    timeout: float,
    keep: Callable[[str, str, list[Timing]], None],
) -> None:
    """Measure every estimator on every panel, each in a fresh process.

    Parameters
    ----------
    ours : Package
    folder : Path
        For the panels.
    timeout : float
        CPU seconds of a call; an estimator that takes longer skips the larger panels.
    keep : callable
        Takes the estimator, the panel and the timings.
    """
    done: dict[tuple[str, str], bool] = {}
    for sizes in LINES.values():
        for key in ESTIMATORS:
            for size in sizes:
                if (key, size) not in done:
                    path = panels.write(size, folder)
                    source = "table" if key == "read_table" else "matrix"
                    timings = measure(key, path, [(ours, source)], 3, timeout)
                    keep(key, size, timings)
                    path.unlink()
                    done[key, size] = not timings[0].why
                if not done[key, size]:
                    break
