"""How the cost of each estimator grows with units, periods and treated cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from environments import Package
from timing import Timing, measure

import panels

UNITS = ("50x100x5", "200x100x5", "1000x100x5", "5000x100x5")
PERIODS = ("200x25x5", "200x50x5", "200x100x5", "200x200x5", "200x365x5")
TREATED = ("200x100x1", "200x100x5", "200x100x20", "200x100x80")
LARGEST = ("1000x200x10", "5000x365x50")

ESTIMATORS = {
    "read_table": "reading a long table",
    "did_fit": "difference in differences",
    "sc_fit": "synthetic control",
    "sc_intercept_fit": "SC with intercept",
    "sdid_fit": "synthetic DID",
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
        """Slope of log seconds over log size between the last two that were measured."""
        known = [
            (math.prod(map(int, size.split("x"))), timing.cpu)
            for size, timing in zip(self.sizes, self.timings[key], strict=True)
            if timing is not None and timing.seconds
        ]
        if len(known) < 2:
            return float("nan")
        (before, cheap), (after, dear) = known[-2:]
        return math.log(dear / cheap) / math.log(after / before)


def run(ours: Package, folder: Path, timeout: float) -> list[Growth]:
    """Measure every estimator on every panel, each in a fresh process.

    Parameters
    ----------
    ours : Package
    folder : Path
        For the panels.
    timeout : float
        Longest call, in seconds; an estimator that takes longer skips the larger panels.

    Returns
    -------
    list of Growth
    """
    lines = {
        "Units": UNITS,
        "Periods": PERIODS,
        "Treated units": TREATED,
        "Both": LARGEST,
    }
    known: dict[tuple[str, str], Timing] = {}
    found = []
    for title, sizes in lines.items():
        timings: dict[str, list[Timing | None]] = {}
        for key in ESTIMATORS:
            timings[key] = []
            for size in sizes:
                if timings[key] and (timings[key][-1] is None or timings[key][-1].why):
                    timings[key].append(None)
                    continue
                if (key, size) not in known:
                    path = panels.write(size, folder)
                    source = "table" if key == "read_table" else "matrix"
                    (known[key, size],) = measure(key, path, [(ours, source)], 3, timeout)
                    path.unlink()
                timings[key].append(known[key, size])
        found.append(Growth(title, sizes, timings))
    return found
