"""How numbers may be written: with a decimal mark, and with a mark between thousands or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.arrays import Floats


def cast(text: Any) -> Floats:
    """Convert plain text to floats."""
    values: Floats = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    return values


@dataclass(frozen=True)
class Style:
    """How numbers are written: the decimal mark, and the mark between thousands if any."""

    decimal: str
    thousands: str
    hundreds: bool = False  # lakh and crore: 12,34,567

    def pattern(self, *, strict: bool) -> str:
        """Match this style; strictly: every number from 1000 on has its thousands marked."""
        mark, ungrouped = self.thousands, "[0-9]{1,3}" if strict else "[0-9]+"
        grouped = rf"[1-9][0-9]{{0,2}}(?:[{mark}][0-9]{{3}})+|" if mark else ""
        if self.hundreds:
            grouped = rf"[1-9][0-9]?(?:[{mark}][0-9]{{2}})*[{mark}][0-9]{{3}}|"
        whole = grouped + (ungrouped if mark else "[0-9]+")
        decimals = rf"[{self.decimal}][0-9]*"
        return rf"^[+-]?(?:(?:{whole})(?:{decimals})?|[{self.decimal}][0-9]+)(?:[eE][+-]?[0-9]+)?$"

    def read(self, text: Any) -> Floats:
        """Convert text of this style."""
        if self.thousands:
            text = pc.replace_substring(text, self.thousands, "")
        return cast(pc.replace_substring(text, self.decimal, "."))


STYLES = (
    *(
        Style(decimal, thousands)
        for decimal in ".,"
        for thousands in ("", ",", ".", " ", "'")
        if thousands != decimal
    ),
    Style(".", ",", hundreds=True),
)
