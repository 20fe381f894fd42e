"""What an interval allows to conclude: an effect, nothing larger than X, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.inference.base import ROUNDING, Uncertainty

Kind = Literal["effect", "nothing larger", "cannot tell"]


@dataclass(frozen=True)
class Verdict:
    """One of three answers, and the numbers behind it.

    Attributes
    ----------
    kind : {"effect", "nothing larger", "cannot tell"}
    beyond : float or None
        The end of the interval that is farther from zero: average effects beyond it, of either
        sign, are ruled out at the level of the interval. None without an interval.
    detectable : float or None
        The smallest effect that the method would have found in four of five cases.
    margin : float or None
        The smallest effect that matters, where the user has said one.
    """

    kind: Kind
    beyond: float | None = None
    detectable: float | None = None
    margin: float | None = None


def verdict(uncertainty: Uncertainty, margin: float | None = None) -> Verdict | None:
    """Read the answer off one method's interval.

    An interval that leaves out zero says that there is an effect. One that holds zero says that
    there is nothing larger than its farther end where that end lies within the margin; without a
    margin of the user's own, where it lies within the smallest effect that the method would have
    found in four of five cases. Anything else cannot tell.

    Parameters
    ----------
    uncertainty : Uncertainty
    margin : float, optional
        The smallest average effect that would matter, in the unit of measure of the outcome.

    Returns
    -------
    Verdict or None
        None where the method gives neither an interval nor a p-value.
    """
    interval, p_value = uncertainty.interval, uncertainty.p_value
    if interval is None:
        if p_value is None:
            return None
        found = p_value <= 1.0 - uncertainty.level + ROUNDING
        return Verdict("effect" if found else "cannot tell", margin=margin)
    beyond = max(abs(interval.lower), abs(interval.upper))
    detectable = uncertainty.detectable
    kind: Kind = "cannot tell"
    limit = detectable if margin is None else margin
    if 0.0 not in interval:
        kind = "effect"
    elif limit is not None and beyond <= limit:
        kind = "nothing larger"
    return Verdict(kind, beyond, detectable, margin)
