"""The settings of an analysis in words, and those that differ between two."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd

from components.analysis.codec import write_method
from components.analysis.spec import AnalysisSpec
from components.data import SAMPLES
from components.inference.base import level_text


def setting_changes(before: AnalysisSpec, after: AnalysisSpec) -> pd.DataFrame:
    """List the settings that differ, in words: setting, before, after."""
    old, new = settings(before), settings(after)
    rows = [
        (name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    return pd.DataFrame(rows, columns=["setting", "before", "after"])


def settings(spec: AnalysisSpec) -> dict[str, str]:
    """Write every setting of a spec in words."""
    sample = spec.sample
    by_hand = spec.treatment
    words = {
        "data": SAMPLES[sample].title if sample else f"file {spec.source.partition(':')[2][:12]}"
    }
    for item in fields(spec.columns):
        if item.name != "other":
            words[f"column: {item.name.replace('_', ' ')}"] = _word(
                getattr(spec.columns, item.name)
            )
    return words | {
        "treated units": _word(by_hand.units if by_hand else "from the table"),
        "first treated period": by_hand.start if by_hand else "from the table",
        "window": " to ".join(spec.window) if spec.window else "all periods",
        "units left out": _word(spec.dropped),
        "periods left out": _word(spec.skipped),
        "cells not used": _word(spec.blanked),
        "cells replaced": _word(spec.smoothed),
        "estimator": _method(spec.estimator),
        "inference": _method(spec.inference) if spec.inference else "none",
        "level": level_text(spec.level),
        "seed": str(spec.seed),
    }


def _method(method: Any) -> str:
    """Give the title of a method, with the options that are not at their defaults."""
    _, bracket, options = write_method(method).partition("(")
    title: str = method.card.title
    return f"{title} ({options}" if bracket else title


def _word(value: Any) -> str:
    if value in ((), None, ""):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(
            " in ".join(map(str, item)) if isinstance(item, tuple) else str(item) for item in value
        )
    return str(value)
