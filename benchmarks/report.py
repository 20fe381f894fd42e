"""The report: one table for each task, then every target with its verdict."""

from __future__ import annotations

import math
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from environments import ENVIRONMENTS, OURS, Package
from scaling import ESTIMATORS, Growth
from tasks import (
    LIMITS,
    REASONS,
    STORED,
    STORED_RATIO,
    TASKS,
    Agreement,
    Target,
    Task,
)
from timing import Timing

import panels

Found = dict[tuple[str, str], list[Timing]]

HEAD = """# Benchmarks

`{command}` measures everything anew. These rows were measured on {days}, in
one run or in several, but all packages of a row in the same one. How: README.md beside this file.

- Machine: {machine}
- Python {python}, {libraries}
- Peers: {peers}
- Figures are CPU seconds (user and system, child processes included) of one call with one thread:
  the median of up to five repeats, in turns with the others. Ratio: the peer's seconds over ours.
  The machine was shared with other work, so ratios say more than seconds.
"""


def write(
    found: Found,
    limits: dict[str, Timing],
    growth: list[Growth],
    packages: dict[str, Package],
    *,
    command: str,
    days: str,
    everything: bool,
) -> str:
    """Write the report as Markdown.

    Parameters
    ----------
    found : dict
        Timings by task and panel, ours first.
    limits : dict
        Timings of tasks with a limit in seconds.
    growth : list of Growth
        Empty where scaling was not asked for.
    packages : dict of str to Package
    command : str
    days : str
        When the measurements were made.
    everything : bool
        Whether targets without a measurement are named, too.

    Returns
    -------
    str
    """
    parts = [
        HEAD.format(
            command=command,
            days=days,
            machine=_machine(),
            python=platform.python_version(),
            libraries=", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas")),
            peers=", ".join(_peer(package) for name, package in packages.items() if name != OURS),
        )
    ]
    parts.append("## Targets\n\n" + "\n".join(_verdicts(found, limits, everything=everything)))
    for task in TASKS:
        rows = {name: timings for (key, name), timings in found.items() if key == task.key}
        if rows:
            parts.append(_section(task, rows))
    if limits:
        parts.append(_limit_section(limits))
    if growth:
        parts.append(_growth_section(growth))
    return "\n".join(parts) + "\n"


def _section(task: Task, rows: dict[str, list[Timing]]) -> str:
    start = "the table" if task.start == "table" else "the panel (peers: matrices or the table)"
    lines = [
        f"\n## {task.title}\n",
        f"Ratios are formed with ours from {start}. {task.note}".strip(),
        "Same answer: " + "; ".join(map(str, task.agreements)) + ".\n",
        "| panel | package | CPU s | ratio (range) | answer | same |",
        "|---|---|---|---|---|---|",
    ]
    for name, timings in rows.items():
        ours = _ours(task, timings)
        for timing in timings:
            who = timing.package.title
            if timing.package.name == OURS:
                who += ", from the table" if timing.source == "table" else ", from the panel"
            panel = f"{name} ({panels.describe(name)})"
            lines.append(
                f"| {panel} | {who} | {_seconds(timing)} | {_ratio(timing, ours)} "
                f"| {_answer(timing)} | {_same(task, name, timing, ours)} |"
            )
    return "\n".join(lines)


def _verdicts(found: Found, limits: dict[str, Timing], *, everything: bool) -> list[str]:
    lines = ["| target | reached | figures |", "|---|---|---|"]
    for task in TASKS:
        for target in task.targets:
            timings = found.get((task.key, target.panel))
            if timings is not None:
                lines += _verdict(task, target, timings)
            elif everything:
                lines.append(f"| {task.title}, {target.panel} | not measured | |")
    for limit in LIMITS:
        if limit.key in limits:
            timing = limits[limit.key]
            reached = "**no**: " + timing.why
            if timing.seconds:
                reached = "yes" if timing.cpu < limit.seconds else "**no**"
            lines.append(
                f"| {limit.title} under {limit.seconds:g} s | {reached} | {_seconds(timing)} s, "
                f"{_unhurried(timing, limits.get(limit.check))} |"
            )
    return lines


def _verdict(task: Task, target: Target, timings: list[Timing]) -> list[str]:
    ours = _ours(task, timings)
    figures, reached = [], []
    for timing in timings:
        if timing.package.name not in target.peers:
            continue
        same = _same(task, target.panel, timing, ours)
        ratio = timing.cpu / ours.cpu
        if timing.why.startswith("over"):
            # It was stopped, so that this much is certain.
            ratio = float(timing.why.split()[1]) / ours.cpu
        reached.append(ratio >= target.ratio)
        what = timing.why if math.isnan(ratio) else f"{ratio:.3g} times {timing.package.label}"
        if timing.why.startswith("over"):
            what = f"over {what}"
        for other in timings:
            if (
                other.package.name == OURS
                and other is not ours
                and timing.seconds
                and other.seconds
            ):
                what += f" ({timing.cpu / other.cpu:.3g} from the panel)"
        figures.append(what if same in {"yes", ""} else f"{what} (answer: {same})")
    lowest = _above_lowest(task, timings, ours)
    if lowest:
        reached.append(False)
        figures.append(lowest)
    done = bool(reached) and all(reached)
    verdict = "yes" if done else "**no**"
    if not done and (task.key, target.panel) in REASONS:
        verdict += ": " + REASONS[task.key, target.panel]
    if ours.why:
        verdict, figures = ours.why, []
    line = f"| {task.title}, {target.panel}: {target.ratio:g} times | {verdict} | "
    return [line + "; ".join(figures) + " |", *_stored(task, target.panel, timings, ours)]


def _stored(task: Task, panel: str, timings: list[Timing], ours: Timing) -> list[str]:
    """Compare with a program that ran elsewhere, through a peer that ran there and here."""
    if (task.key, panel) not in STORED or not ours.seconds:
        return []
    seconds, bridge = STORED[task.key, panel]
    here = [timing.cpu for timing in timings if timing.package.name in task.peers]
    scaled = seconds * (here[0] if here else math.nan) / bridge
    ratio = scaled / ours.cpu
    reached = "yes" if ratio >= STORED_RATIO else "**no**"
    return [
        f"| {task.title}, {panel}: {STORED_RATIO:g} times R MCPanel | {reached} | "
        f"{ratio:.3g} times: its {seconds:g} s were measured on another machine, where "
        f"{task.peers[0]} took {bridge:g} s, so that they are {scaled:.3g} s here |"
    ]


def _ours(task: Task, timings: list[Timing]) -> Timing:
    (ours,) = [
        timing for timing in timings if timing.package.name == OURS and timing.source == task.start
    ]
    return ours


def _same(task: Task, panel: str, timing: Timing, ours: Timing) -> str:
    if timing is ours or not timing.answer or not ours.answer:
        return ""
    different = [
        f"{item.key} is {timing.answer[item.key] - ours.answer[item.key]:+.2g} off"
        for item in task.agreements
        if item.key in timing.answer and item.key in ours.answer
        if not _agrees(item, panel, timing.answer[item.key], ours.answer[item.key])
    ]
    return "no: " + ", ".join(different) if different else "yes"


def _agrees(item: Agreement, panel: str, theirs: float, ours: float) -> bool:
    scale = max(abs(ours), abs(theirs)) if item.of == "value" else _spread(panel)
    return abs(theirs - ours) <= item.tolerance * scale


def _spread(panel: str) -> float:
    with np.load(ENVIRONMENTS / "panels" / f"{panel}.npz") as file:
        return float(file["Y"].std())


def _above_lowest(task: Task, timings: list[Timing], ours: Timing) -> str:
    if not task.lowest or task.lowest not in ours.answer:
        return ""
    lowest = min(timing.answer.get(task.lowest, math.inf) for timing in timings)
    excess = ours.answer[task.lowest] / lowest - 1.0
    return f"our {task.lowest} is {excess:.1e} above the lowest" if excess > 1e-9 else ""


def _seconds(timing: Timing) -> str:
    return f"{timing.cpu:.3g}" if timing.seconds else timing.why


def _ratio(timing: Timing, ours: Timing) -> str:
    if timing.package.name == OURS or not (timing.seconds and ours.seconds):
        return ""
    low = min(timing.seconds) / max(ours.seconds)
    high = max(timing.seconds) / min(ours.seconds)
    return f"{timing.cpu / ours.cpu:.3g} ({low:.3g} to {high:.3g})"


def _answer(timing: Timing) -> str:
    return ", ".join(f"{key} {value:.10g}" for key, value in timing.answer.items())


def _unhurried(timing: Timing, check: Timing | None) -> str:
    if check is None or not check.answer or not timing.answer:
        return "not compared with the unhurried search"
    same = all(
        math.isclose(timing.answer[key], check.answer.get(key, math.nan), rel_tol=1e-6)
        for key in ("lambda_unit", "lambda_time", "lambda_nn")
        if key in timing.answer
    )
    return ("the same penalties as" if same else "**other penalties than**") + " the full grid"


def _limit_section(limits: dict[str, Timing]) -> str:
    lines = [
        "\n## TROP with its whole tuning\n",
        "Ours alone, from the panel, with the outcome in units of its standard deviation. The",
        "unhurried search looks at every candidate of the grid, each until it cannot win.\n",
        "| task | CPU s | answer |",
        "|---|---|---|",
    ]
    lines += [f"| {key} | {_seconds(one)} | {_answer(one)} |" for key, one in limits.items()]
    return "\n".join(lines)


def _growth_section(growth: list[Growth]) -> str:
    lines = [
        "\n## Cost against size\n",
        "Ours, from the panel at hand (reading apart): CPU seconds of a fit / memory in MB above",
        "what the process held before. Panels are units x periods x treated units, with the last",
        "quarter of the periods treated. Last column: the power of the number of cells (of treated",
        "units, where only they grow) with which the seconds grow between the last two panels.",
    ]
    for line in growth:
        lines += [
            f"\n### {line.title}\n",
            "| | " + " | ".join(line.sizes) + " | power |",
            "|---" * (len(line.sizes) + 2) + "|",
        ]
        for key, timings in line.timings.items():
            cells = [_cost(timing) for timing in timings]
            power = line.exponent(key)
            cells.append("" if math.isnan(power) else f"{power:.2g}")
            lines.append(f"| {ESTIMATORS[key]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cost(timing: Timing | None) -> str:
    if timing is None:
        return "not tried"
    return f"{timing.cpu:.3g} / {timing.extra:.0f}" if timing.seconds else timing.why


def _machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row.partition(":")[2].strip() for row in info.read_text().splitlines()]
        rows = info.read_text().splitlines()
        model = next((n for n, row in zip(names, rows, strict=True) if "model name" in row), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}"


def _peer(package: Package) -> str:
    return f"{package.title} ({package.missing})" if package.missing else package.title
