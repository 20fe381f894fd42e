"""What is odd about a panel, before anything is estimated from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from components.arrays import Bools
from components.data.ledger import Ledger, counted, shown
from components.panel import Panel, period_label, unit_label

Verdict = Literal["good", "caution", "bad"]
SCALE_RATIO = 100.0
NAMED = 3
SUM_TOLERANCE = 1e-4  # of all outcomes together: totals are often rounded
SUM_SHARE = 0.9
CHECK = "Check that nothing is lost."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    title : str
        What was looked at.
    verdict : {"good", "caution", "bad"}
        Bad where most methods will refuse or mislead; caution where something wants a look.
    sentence : str
        What was found, with counts and the first places.
    cure : str
        What to do about it; empty where the verdict is good.
    """

    title: str
    verdict: Verdict
    sentence: str
    cure: str = ""


def health(panel: Panel, ledger: Ledger = ()) -> tuple[Check, ...]:
    """Look a panel over.

    Parameters
    ----------
    panel : Panel
        What was read.
    ledger : tuple of Entry
        What happened on the way; conversions that want a look are repeated here.

    Returns
    -------
    tuple of Check
        Size, missing outcomes, steps of time, names, constant units, scale, treatment; the worst
        first, otherwise in this order.
    """
    checks = [
        _size(panel),
        _missing(panel),
        _steps(panel.periods),
        *_names([unit_label(unit) for unit in panel.units]),
        *_constant(panel),
        *_scale(panel),
        *_totals(panel),
        _treatment(panel),
        *_late_entry(panel),
        *_converted(ledger),
    ]
    order: dict[Verdict, int] = {"bad": 0, "caution": 1, "good": 2}
    return tuple(sorted(checks, key=lambda check: order[check.verdict]))


def _size(panel: Panel) -> Check:
    n, t = panel.shape
    first, last = period_label(panel.periods[0]), period_label(panel.periods[-1])
    return Check("Size", "good", f"{n:,} units x {t:,} periods, {first} to {last}.")


def _missing(panel: Panel) -> Check:
    absent = ~panel.observed
    count = int(absent.sum())
    if count == 0:
        return Check("Missing outcomes", "good", "Every unit has an outcome in every period.")
    places = [panel.cell_name(int(row), int(column)) for row, column in np.argwhere(absent)[:NAMED]]
    empty_units = panel.units[np.flatnonzero(absent.all(axis=1))]
    empty_periods = panel.periods[np.flatnonzero(absent.all(axis=0))]
    sentence = (
        f"{counted(count, 'cell')} of {absent.size:,} ({count / absent.size:.1%}) have no outcome: "
        f"{_list(places, count)}."
    )
    cure = (
        "Methods that need a complete table will refuse: leave out those units or periods, or use "
        "a method that allows gaps, such as matrix completion."
    )
    if len(empty_units):
        names = _list([shown(unit_label(unit)) for unit in empty_units[:NAMED]], len(empty_units))
        return Check("Missing outcomes", "bad", f"{sentence} Units without any: {names}.", cure)
    if len(empty_periods):
        names = _list([period_label(p) for p in empty_periods[:NAMED]], len(empty_periods))
        return Check("Missing outcomes", "bad", f"{sentence} Periods without any: {names}.", cure)
    return Check("Missing outcomes", "caution", sentence, cure)


def _steps(periods: pd.Index[Any]) -> Check:
    for steps, unit in _measures(periods):
        if len(steps) and (steps == steps[0]).all() and steps[0] > 0:
            every = unit if steps[0] == 1 else f"{steps[0]:,} {unit}s"
            return Check("Steps of time", "good", f"One period every {every}, without a gap.")
    steps, unit = next(iter(_measures(periods)))
    values, counts = np.unique(steps, return_counts=True)
    usual = int(values[counts.argmax()])
    odd = np.flatnonzero(steps != usual)
    places = [
        f"{period_label(periods[i])} to {period_label(periods[i + 1])}"
        for i in odd[:NAMED].tolist()
    ]
    return Check(
        "Steps of time",
        "caution",
        f"Most steps are {counted(usual, unit)}, but {len(odd):,} of {len(steps):,} are not: "
        f"{_list(places, len(odd))}.",
        "Check that no period is missing from the file; methods that use the order of time treat "
        "all steps alike.",
    )


def _measures(periods: pd.Index[Any]) -> Iterator[tuple[np.ndarray[Any, Any], str]]:
    """Yield the steps between periods in every unit in which they could be regular."""
    if isinstance(periods, pd.PeriodIndex):
        yield np.diff(periods.asi8), "quarter" if periods.freqstr.startswith("Q") else "month"
    elif isinstance(periods, pd.DatetimeIndex):
        days = periods.to_numpy().astype("datetime64[D]")
        if (periods == periods.normalize()).all():
            yield np.diff(days).astype(np.int64), "day"
            months = days.astype("datetime64[M]").astype(np.int64)
            ends = bool(periods.is_month_end.all())
            if ends or len(set(periods.day)) == 1:
                yield np.diff(months), "month"
            if np.is_busday(days).all():
                yield np.busday_count(days[:-1], days[1:]), "weekday"
        else:
            seconds = periods.to_numpy().astype("datetime64[s]").astype(np.int64)
            yield np.diff(seconds), "second"
    else:
        years = bool(periods[0] >= 1500 and periods[-1] <= 2200)
        yield np.diff(periods.to_numpy()), "year" if years else "step"


def _names(names: Sequence[str]) -> Iterator[Check]:
    alike: dict[str, list[str]] = {}
    for name in names:
        folded = "".join(
            letter for letter in unicodedata.normalize("NFKC", name) if letter.isprintable()
        )
        alike.setdefault(" ".join(folded.casefold().split()), []).append(name)
    pairs = [group for group in alike.values() if len(group) > 1]
    if pairs:
        first = " and ".join(shown(name) for name in pairs[0])
        yield Check(
            "Names of units",
            "caution",
            f"{counted(len(pairs), 'name')} written in more than one way; they count as different "
            f"units: {first}.",
            "If they are the same unit, write them alike in the file.",
        )
    hidden = [name for name in names if not name.isprintable()]
    if hidden:
        yield Check(
            "Names of units",
            "caution",
            f"{counted(len(hidden), 'name')} with characters that cannot be seen: "
            f"{_list([ascii(name[:40]) for name in hidden[:NAMED]], len(hidden))}.",
            "Take those characters out in the file if they are not meant.",
        )


def _constant(panel: Panel) -> Iterator[Check]:
    known = panel.observed.sum(axis=1) > 1
    spread = np.full(len(panel.units), np.nan)
    Y = panel.Y[known]
    spread[known] = np.nanmax(Y, axis=1) - np.nanmin(Y, axis=1) if len(Y) else spread[known]
    flat = spread == 0
    if flat.any():
        yield Check(
            "Constant units",
            "caution",
            f"The outcome never changes for {counted(int(flat.sum()), 'unit')}: "
            f"{_units(panel, flat)}.",
            "Check that the values were not filled in; leave such units out if they were.",
        )


def _scale(panel: Panel) -> Iterator[Check]:
    """Units far from the median unit in scale, judged only where all outcomes are positive."""
    known = panel.observed.any(axis=1)
    if np.nanmin(panel.Y) <= 0 or known.sum() < 5:
        return
    level = np.full(len(panel.units), np.nan)
    level[known] = np.nanmedian(panel.Y[known], axis=1)
    ratio = level / np.nanmedian(level)
    far = (ratio > SCALE_RATIO) | (ratio < 1 / SCALE_RATIO)
    if 0 < far.sum() <= known.sum() / 10:
        yield Check(
            "Scale",
            "caution",
            f"The outcome of {counted(int(far.sum()), 'unit')} is more than {SCALE_RATIO:.0f} "
            f"times larger or smaller than the median unit's: {_units(panel, far)}.",
            "Check the unit of measure, and that no totals stand among the units.",
        )


def _totals(panel: Panel) -> Iterator[Check]:
    """Units that are the sum of all others, in nearly every period."""
    known = panel.observed.all(axis=0)
    if len(panel.units) < 4 or known.sum() < 3:
        return
    Y = panel.Y[:, known]
    whole = Y.sum(axis=0)
    close = np.abs(2 * Y - whole) <= SUM_TOLERANCE * np.abs(Y).sum(axis=0)
    sums = (close.mean(axis=1) >= SUM_SHARE) & (np.ptp(Y, axis=1) > 0)
    if sums.any():
        yield Check(
            "Totals",
            "bad",
            f"{_units(panel, sums)} is the sum of all other units.",
            "Leave it out: untick it among the donors on the design page.",
        )


def _treatment(panel: Panel) -> Check:
    design = panel.design
    many = counted(design.n_treated, "unit")
    title = "Treatment"
    if design.kind == "none":
        return Check(
            title,
            "caution",
            "No cell is treated.",
            "Choose the treated units and their first treated period on the design page.",
        )
    if design.n_controls == 0:
        cure = "Add units that are never treated."
        return Check(title, "bad", "Every unit is treated at some time.", cure)
    if design.n_pre == 0:
        first = period_label(panel.periods[0])
        names = _units(panel, panel.W[:, 0])
        all_first = bool(panel.W[design.treated, 0].all())
        always = bool(panel.W[design.treated].all())
        who = " The table seems to say who is treated, but not from when." if always else ""
        return Check(
            title,
            "bad" if all_first else "caution",
            f"Treatment starts in the first period, {first}, for {names}: nothing was seen before."
            f"{who}",
            "Choose the first treated period on the design page, add earlier periods, or leave "
            "those units out.",
        )
    last = period_label(panel.periods[design.n_pre - 1])
    first = period_label(panel.periods[design.n_pre])
    dates = f"last untreated {last}, first treated {first}"
    if design.kind == "block":
        return Check(title, "good", f"{many} treated to the end ({dates}): a block design.")
    if design.kind == "staggered":
        count = len(design.cohorts)
        sentence = f"{many} treated to the end from {count} dates on ({dates}): a staggered design."
        return Check(title, "good", sentence)
    ends = _ends(panel.W)
    return Check(
        title,
        "caution",
        f"{many} treated ({dates}), but treatment ends again for "
        f"{counted(int(ends.sum()), 'unit')}: {_units(panel, ends)}.",
        "Few methods allow that; check that the treatment column says treated to the end.",
    )


def _late_entry(panel: Panel) -> Iterator[Check]:
    """Units whose first known outcome is already a treated one, after the first period."""
    seen = panel.observed.any(axis=1)
    first = panel.observed.argmax(axis=1)
    late = seen & (first > 0) & panel.W[np.arange(len(first)), first]
    if late.any():
        yield Check(
            "Treated when first seen",
            "bad",
            f"{counted(int(late.sum()), 'unit')} treated already at the first known outcome: "
            f"{_units(panel, late)}.",
            "Their untreated level was never seen: leave those units out.",
        )


def _converted(ledger: Ledger) -> Iterator[Check]:
    for entry in ledger:
        chosen = entry.sentence.endswith("as chosen.") or ", as chosen;" in entry.sentence
        if entry.kind in ("dropped", "filled") or chosen or entry.doubtful:
            cure = "Look whether it is meant so." if entry.doubtful else CHECK
            yield Check("Reading", "caution", entry.sentence, cure)


def _ends(W: Bools) -> Bools:
    ended: Bools = (np.maximum.accumulate(W, axis=1) != W).any(axis=1)
    return ended


def _units(panel: Panel, mask: Bools) -> str:
    rows = np.flatnonzero(mask)
    return _list([shown(unit_label(panel.units[row])) for row in rows[:NAMED]], len(rows))


def _list(named: Sequence[str], count: int) -> str:
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return ", ".join(named) + more
