"""Numbers and results in plain sentences, in the data's own words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from components.analysis.run import Result
from components.analysis.spec import AnalysisSpec
from components.data import SAMPLES
from components.inference.base import level_text
from components.panel import Panel, period_label, unit_label

MINUS = "\u2212"
MOST_NAMED, LONGEST = 3, 60
SYNTHETIC = frozenset({"sc", "sc_intercept", "sdid"})
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LOGARITHM = re.compile(r"(^|[^a-z])(log|ln)([^a-z]|$)")


@dataclass(frozen=True)
class Words:
    """What the numbers of a panel are called.

    Attributes
    ----------
    title : str
        Name of the data.
    outcome : str
        What the outcome is, for axis titles.
    measure : str
        Its unit of measure, after a number; empty if unknown.
    unit : tuple of str
        What a unit is called, singular and plural.
    in_logs : bool
        The outcome is a logarithm, so that an effect on it is a relative one.
    """

    title: str
    outcome: str
    measure: str
    unit: tuple[str, str]
    in_logs: bool = False

    @property
    def axis(self) -> str:
        """The outcome as the title of an axis; the name of a user's column stays as it is."""
        return self.outcome[:1].upper() + self.outcome[1:] if self.measure else self.outcome

    @property
    def adds_up(self) -> bool:
        """Whether a sum over cells means something: not for logarithms, nor for "per 1,000"."""
        return not self.in_logs and not self.measure.startswith("per ")


def words_of(spec: AnalysisSpec, title: str = "Your table") -> Words:
    """Give the words of a sample, or the column names of an uploaded table.

    Parameters
    ----------
    spec : AnalysisSpec
    title : str, optional
        Name of an uploaded table.

    Returns
    -------
    Words
    """
    if spec.sample is not None and spec.columns.outcome == SAMPLES[spec.sample].outcome:
        sample = SAMPLES[spec.sample]
        names = (sample.unit_word, sample.units_word)
        in_logs = _is_log(sample.outcome)
        return Words(sample.title, sample.outcome_words, sample.measure_word, names, in_logs)
    name = SAMPLES[spec.sample].title if spec.sample is not None else title
    outcome = spec.columns.outcome or "outcome"
    return Words(name, outcome, "", ("unit", "units"), _is_log(outcome))


def _is_log(column: str) -> bool:
    return LOGARITHM.search(column.lower()) is not None


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Write a number with a true minus sign and about ``digits`` significant digits.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits; whole digits are never cut.
    signed : bool
        Write a plus sign too.

    Returns
    -------
    str
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    size = abs(value)
    if size and not 1e-4 <= size < 1e9:
        text = f"{size:.{digits - 1}e}"
    else:
        whole = math.floor(math.log10(size)) + 1 if size else 1
        text = f"{size:,.{min(max(digits - whole, 0), 6)}f}"
    is_zero = not any(character in "123456789" for character in text.split("e")[0])
    sign = "" if is_zero else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def quantity(value: float, words: Words, *, signed: bool = False) -> str:
    """Write a number with its unit of measure."""
    return f"{number(value, signed=signed)} {words.measure}".rstrip()


def percent(value: float, *, signed: bool = False) -> str:
    """Write a share as a percentage with one decimal."""
    if not math.isfinite(value):
        return "unknown"
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    return f"{sign}{abs(value):.1%}"


def spoken(period: Any) -> str:
    """Write a period for a sentence: "8 Apr 2024", "Jan 2021"; others as their label.

    Parameters
    ----------
    period : object
        An entry of ``Panel.periods``.

    Returns
    -------
    str
    """
    is_month = isinstance(period, pd.Period) and period.freqstr == "M"
    is_day = isinstance(period, pd.Period) and period.freqstr == "D"
    if isinstance(period, pd.Timestamp):
        is_day = period == period.normalize()
    if not (is_month or is_day):
        return period_label(period)
    day = f"{period.day} " if is_day else ""
    return f"{day}{MONTHS[period.month - 1]} {period.year}"


def treated_names(panel: Panel, words: Words) -> str:
    """Name the treated units: one, two or three by name, more by number."""
    names = [unit_label(unit) for unit in panel.units[panel.design.treated]]
    if len(names) > MOST_NAMED:
        return f"{len(names):,} treated {words.unit[1]}"
    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def dates(panel: Panel) -> str:
    """Say both dates of the treatment: "last untreated 1988, first treated 1989"."""
    design = panel.design
    if design.kind == "none":
        return "nothing treated yet"
    first = spoken(panel.periods[design.n_pre])
    if design.n_pre == 0:
        return f"first treated {first}"
    if design.kind != "block":
        starts = len(design.cohorts)
        return f"first treated {first}" + (f", {starts} starting dates" if starts > 1 else "")
    return f"last untreated {spoken(panel.periods[design.n_pre - 1])}, first treated {first}"


def treated_span(panel: Panel) -> str:
    """Say from when to when cells are treated: "1989-2000" with an en dash."""
    columns = np.flatnonzero(panel.W.any(axis=0))
    first, last = spoken(panel.periods[columns[0]]), spoken(panel.periods[columns[-1]])
    if first == last:
        return f"in {first}"
    return f"{first}–{last}" if len(first) <= 4 else f"from {first} to {last}"


def summary(spec: AnalysisSpec, panel: Panel, words: Words) -> str:
    """Say in one line which analysis this is: data, unit, dates, donors, estimator, band.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        As prepared for the spec.
    words : Words

    Returns
    -------
    str
    """
    design = panel.design
    parts = [words.title]
    if design.n_treated:
        parts += [treated_names(panel, words), dates(panel)]
    parts.append(f"{design.n_controls} donors" if design.n_controls != 1 else "1 donor")
    parts.append(spec.estimator.card.title)
    if spec.inference is not None:
        parts.append(f"{spec.inference.card.title.lower()}, {level_text(spec.level)}")
    return " · ".join(parts + _exceptions(spec))


def _exceptions(spec: AnalysisSpec) -> list[str]:
    """Count the periods and cells that the analysis does not take as they are."""
    counts = {
        "period left out": len(spec.skipped),
        "cell not used": len(spec.blanked),
        "cell replaced": len(spec.smoothed),
    }
    return [
        f"{count} {words}" if count == 1 else f"{count} {words.replace(' ', 's ', 1)}"
        for words, count in counts.items()
        if count
    ]


def counterfactual_name(result: Result, words: Words) -> str:
    """Name the imputed path: "synthetic California", or "California without treatment"."""
    who = treated_names(result.estimate.panel, words)
    if result.spec.estimator.card.key not in SYNTHETIC:
        return f"{who} without treatment"
    if result.estimate.panel.design.n_treated <= MOST_NAMED and len(who) <= LONGEST // 2:
        return f"synthetic {who}"
    one = result.estimate.panel.design.n_treated == 1
    return "its synthetic counterpart" if one else "their synthetic counterparts"


def relative(result: Result, words: Words) -> float | None:
    """Give the effect as a share of the counterfactual; None where that means nothing.

    Parameters
    ----------
    result : Result
    words : Words

    Returns
    -------
    float or None
        ``exp(att) - 1`` for an outcome in logs; None where outcomes are not all of one sign.
    """
    estimate = result.estimate
    if words.in_logs:
        return math.expm1(estimate.att)
    imputed = estimate.Y0[estimate.panel.W & np.isfinite(estimate.effects)]
    signs = np.sign(imputed)
    return estimate.relative_effect if len(set(signs.tolist())) == 1 and signs[0] else None


def headline(result: Result, words: Words) -> str:
    """Say the effect in one sentence.

    Parameters
    ----------
    result : Result
    words : Words

    Returns
    -------
    str
        Such as "California: 19.5 packs lower than synthetic California, on average 1989-2000".
    """
    estimate = result.estimate
    if not math.isfinite(estimate.att):
        return "No effect can be computed: no treated cell has both an outcome and a donor"
    side = "lower" if estimate.att < 0 else "higher"
    who = treated_names(estimate.panel, words)
    synthetic = result.spec.estimator.card.key in SYNTHETIC
    than = counterfactual_name(result, words) if synthetic else "without treatment"
    return (
        f"{who}: {quantity(abs(estimate.att), words)} {side} than {than}, "
        f"on average {treated_span(estimate.panel)}"
    )
