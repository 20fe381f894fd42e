"""Numbers and names as findings write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "\u2212"
MOST_NAMED = 3


def number(value: float, digits: int = 3) -> str:
    """Write a number with a true minus sign and about so many significant digits."""
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else f"{MINUS if value < 0 else ''}∞"
    size = abs(value)
    if size and not 1e-4 <= size < 1e9:
        text = f"{size:.{digits - 1}e}"
    else:
        whole = math.floor(math.log10(size)) + 1 if size else 1
        text = f"{size:,.{min(max(digits - whole, 0), 6)}f}"
    zero = not any(character in "123456789" for character in text.split("e")[0])
    return f"{MINUS if value < 0 and not zero else ''}{text}"


def p_text(value: float) -> str:
    """Write a p-value: ``p = 0.077``."""
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def share(value: float) -> str:
    """Write a share as a percentage without decimals."""
    return f"{value:.0%}"


def counted(n: int, one: str, several: str = "") -> str:
    """Write a count with its noun: ``1 donor``, ``3 donors``."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def listed(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """Name a few, and count the rest: ``Utah, Nevada, Montana and 4 others``."""
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        shown.append(counted(rest, "other"))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
