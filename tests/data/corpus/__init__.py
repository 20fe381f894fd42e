"""Awkward files, each with what should become of it; all are made here, none is stored."""

from __future__ import annotations

from .awkward_tables import AWKWARD_TABLES
from .awkward_times import AWKWARD_TIMES
from .cases import Case
from .choices import CHOICES
from .letters import LETTERS
from .numbers import NUMBERS
from .packed import PACKED
from .refusals import REFUSALS
from .shapes import SHAPES
from .strangers import STRANGERS
from .times import TIMES
from .treatments import TREATMENTS
from .trimmings import TRIMMINGS

CORPUS: dict[str, Case] = {
    f"{group} - {name}": case
    for group, cases in {
        "letters": LETTERS,
        "trimmings": TRIMMINGS,
        "numbers": NUMBERS,
        "times": TIMES,
        "treatments": TREATMENTS,
        "shapes": SHAPES,
        "choices": CHOICES,
        "packed": PACKED,
        "refusals": REFUSALS,
        "awkward times": AWKWARD_TIMES,
        "awkward tables": AWKWARD_TABLES,
        "strangers": STRANGERS,
    }.items()
    for name, case in cases.items()
}

__all__ = ["CORPUS", "Case"]
