"""How often intervals hold the true effect, by simulation: one row for each design and method.

A row is simulated from a random stream of its own, so that rows can be added, left out and taken
up again without a change to any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import numpy as np
import pandas as pd

from components.errors import NotApplicableError
from components.estimators.base import Estimate, Estimator
from components.inference.base import InferenceMethod, Progress, Uncertainty, silent
from components.simulation.coverage_worlds import EFFECT, CoverageWorld

LEVEL = 0.95
STORED = Path(__file__).with_name("coverage.csv")
Promise = Literal["nominal", "conservative", "broken"]
Warns = Callable[[Estimate, Uncertainty], bool]


@dataclass(frozen=True)
class Row:
    """One line of the study.

    Parameters
    ----------
    design : str
        Name of the world.
    world : CoverageWorld
    estimator : Estimator
    method : InferenceMethod
    promise : {"nominal", "conservative", "broken"}
        What theory says of this method on this design.
    draws : int
        Panels to simulate.
    looks : int
        In how many of them the warnings are looked at.
    """

    design: str
    world: CoverageWorld
    estimator: Estimator
    method: InferenceMethod
    promise: Promise
    draws: int
    looks: int = 500

    def stream(self, seed: int) -> np.random.Generator:
        """Give the random stream of this row."""
        name = f"{self.design} | {self.estimator!r} | {self.method!r}"
        return np.random.default_rng([seed, crc32(name.encode())])

    def fingerprint(self, seed: int) -> str:
        """Tell this row from one of any other setting, world, length or seed."""
        return f"{crc32(f'{self!r} {seed}'.encode()):08x}"


@dataclass
class _Tally:
    covered: list[bool]
    rejected: list[bool]
    widths: list[float]
    band: list[float]
    warned: dict[str, list[bool]]
    silent: int = 0


def simulate(
    row: Row,
    seed: int,
    warnings: Mapping[str, Warns] | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Simulate one row.

    Every second panel has no effect at all, the others one of ``EFFECT``; coverage is counted in
    all of them, the size of the p-value in those without.

    Parameters
    ----------
    row : Row
    seed : int
    warnings : mapping of str to callable, optional
        By name, whether the warning shows for an estimate and its uncertainty.
    progress : callable, optional

    Returns
    -------
    dict
        One line of the table.
    """
    warnings = warnings or {}
    tally = _Tally([], [], [], [], {name: [] for name in warnings})
    for number, (effect, estimate, uncertainty) in enumerate(_draws(row, seed)):
        if uncertainty is None:
            tally.silent += 1
        else:
            _count(tally, uncertainty, effect)
            if number < row.looks:
                for name, warns in warnings.items():
                    tally.warned[name].append(warns(estimate, uncertainty))
        progress((number + 1) / row.draws)
    return _line(row, tally, seed)


def look_again(row: Row, seed: int, warnings: Mapping[str, Warns]) -> dict[str, float]:
    """Draw the panels of a row in which warnings are looked at once more, and look.

    Parameters
    ----------
    row : Row
    seed : int
    warnings : mapping of str to callable
        As for :func:`simulate`, which draws the same panels.

    Returns
    -------
    dict
        Their entries in the line of the row.
    """
    seen: dict[str, list[bool]] = {name: [] for name in warnings}
    for _, (_, estimate, uncertainty) in zip(range(row.looks), _draws(row, seed), strict=False):
        if uncertainty is not None:
            for name, warns in warnings.items():
                seen[name].append(warns(estimate, uncertainty))
    return _warned(seen)


def _draws(row: Row, seed: int) -> Iterator[tuple[float, Estimate, Uncertainty | None]]:
    """Draw and assess one panel after the other, every second one with an effect."""
    rng = row.stream(seed)
    for number in range(row.draws):
        effect = EFFECT * (number % 2)
        estimate = row.estimator.fit(row.world.draw(rng, effect))
        yield effect, estimate, assess(row, estimate, rng)


def assess(row: Row, estimate: Estimate, rng: np.random.Generator) -> Uncertainty | None:
    """Assess one estimate; None where the method refuses."""
    if row.method.why_not(estimate) is not None:
        return None
    try:
        return row.method.assess(estimate, level=LEVEL, rng=rng, progress=silent)
    except NotApplicableError:
        return None


def _count(tally: _Tally, found: Uncertainty, effect: float) -> None:
    if found.interval is not None:
        tally.covered.append(effect in found.interval)
        tally.widths.append(found.interval.upper - found.interval.lower)
    if found.p_value is not None and effect == 0.0:
        tally.rejected.append(found.p_value <= 1.0 - LEVEL + 1e-9)
    band = found.band if found.band is not None else found.event_band
    if band is not None:
        late = band.lower.index >= 0 if band is found.event_band else True
        truth = np.where(late, effect, 0.0)
        inside = ((band.lower <= truth) & (truth <= band.upper)).to_numpy()
        tally.band.append(float(inside.all() if band.simultaneous else inside.mean()))


def _line(row: Row, tally: _Tally, seed: int) -> dict[str, Any]:
    coverage, coverage_error = share(tally.covered)
    size, size_error = share(tally.rejected)
    band, band_error = share(tally.band)
    line: dict[str, Any] = {
        "design": row.design,
        "estimator": row.estimator.card.key,
        "tuning": setting(row.estimator),
        "method": row.method.card.key,
        "setting": setting(row.method),
        "promise": row.promise,
        "draws": row.draws,
        "seed": seed,
        "refused": tally.silent / row.draws,
        "coverage": coverage,
        "coverage_error": coverage_error,
        "width": float(np.mean(tally.widths)) if tally.widths else float("nan"),
        "size": size,
        "size_error": size_error,
        "band_coverage": band,
        "band_error": band_error,
    }
    line |= _warned(tally.warned)
    line["fingerprint"] = row.fingerprint(seed)
    return line


def _warned(seen: Mapping[str, list[bool]]) -> dict[str, float]:
    line = {}
    for name, looks in seen.items():
        line[f"warned_{name}"], line[f"warned_{name}_error"] = share(looks)
    return line


def share(seen: list[bool] | list[float]) -> tuple[float, float]:
    """Give the mean and its Monte Carlo standard error; NaN where nothing was seen."""
    if not seen:
        return float("nan"), float("nan")
    values = np.asarray(seen, dtype=np.float64)
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def setting(method: Estimator | InferenceMethod) -> str:
    """Write the tuning that is not as usual, such as ``given='unit'``."""
    tuned: Any = method
    usual = type(tuned)()
    return ", ".join(
        f"{item.name}={getattr(tuned, item.name)!r}"
        for item in fields(tuned)
        if getattr(tuned, item.name) != getattr(usual, item.name)
    )


def complete(
    rows: Sequence[Row],
    seed: int,
    path: Path = STORED,
    warnings: Mapping[str, Warns] | None = None,
    tell: Callable[[str], None] | None = None,
    again: Callable[[Row], bool] | None = None,
    looks: Mapping[str, Warns] | None = None,
) -> pd.DataFrame:
    """Simulate the rows that a table does not hold yet, and write it after each of them.

    Parameters
    ----------
    rows : sequence of Row
        The whole study, in the order of the table; lines of other rows are dropped.
    seed : int
    path : Path
        The table, a CSV file.
    warnings : mapping of str to callable, optional
        As for :func:`simulate`.
    tell : callable, optional
        Told each new row in words.
    again : callable, optional
        Which rows are simulated anew although the table holds them: those of a method whose code
        has changed, for nothing else tells.
    looks : mapping of str to callable, optional
        Warnings whose shares are counted anew in the rows that are kept.

    Returns
    -------
    pandas.DataFrame
    """
    lines: dict[str, dict[Any, Any]] = {}
    if path.exists():
        kept = stored(path)
        lines = {str(line["fingerprint"]): dict(line) for line in kept.to_dict("records")}
    wanted = [row.fingerprint(seed) for row in rows]
    lines = {mark: lines[mark] for mark in wanted if mark in lines}
    for row, mark in zip(rows, wanted, strict=True):
        new = mark not in lines or (again is not None and again(row))
        if new:
            lines[mark] = simulate(row, seed, warnings)
        elif looks:
            lines[mark] |= look_again(row, seed, looks)
        table = pd.DataFrame([lines[one] for one in wanted if one in lines])
        table.round(6).to_csv(path, index=False, lineterminator="\n")
        if tell is not None and (new or looks):
            tell(f"{row.design} · {row.estimator.card.title} · {row.method.card.title}")
    return stored(path)


def stored(path: Path = STORED) -> pd.DataFrame:
    """Read the table of the study, as ``make coverage`` has left it."""
    words = {"fingerprint": str, "tuning": str, "setting": str}
    table = pd.read_csv(path, dtype=words)
    return table.fillna(dict.fromkeys(words, ""))
