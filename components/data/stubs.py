"""Columns that are named after periods, such as 1970 or gdp_1970, grouped by what they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from components.data.guess import TIME
from components.data.monthnames import MONTH
from components.data.sketch import Column, as_periods
from components.data.timeforms import may_be_period

MARK = "[-_/. ]"
PERIOD = (
    rf"[0-9]{{4}}{MARK}?Q[1-4]|Q[1-4]{MARK}?[0-9]{{4}}|"
    rf"[0-9]{{4}}{MARK}?[HS][12]|H[12]{MARK}?[0-9]{{4}}|"
    rf"[0-9]{{4}}{MARK}[0-9]{{1,2}}{MARK}[0-9]{{1,2}}|[0-9]{{1,2}}{MARK}[0-9]{{1,2}}{MARK}[0-9]{{4}}|"
    rf"[0-9]{{4}}(?:{MARK}|M)[0-9]{{1,2}}|[0-9]{{1,2}}{MARK}[0-9]{{4}}|"
    rf"(?:{MONTH.replace('(?P<month>', '(?:')}){MARK}*[0-9]{{4}}|"
    rf"[0-9]{{4}}{MARK}?W[0-9]{{1,2}}|[0-9]{{8}}|[0-9]{{6}}|[0-9]{{1,4}}"
)
NAMED = re.compile(rf"(?P<stub>.*?)[-_ .:(]*(?P<period>{PERIOD})\)?", re.IGNORECASE | re.DOTALL)
PERIOD_FIRST = re.compile(r"(?P<period>[0-9]{4}(?:-?Q[1-4])?)[-_ .:]+(?P<stub>[^\W\d].*)")
WORLD_BANK = re.compile(r"(?P<period>[0-9]{4}) \[YR(?P=period)\]")
# A stub that begins with a number or holds a year is a period cut in two.
LIKE_YEAR = r"(?<![0-9])(?:1[5-9]|20|21)[0-9]{2}(?![0-9])"
CUT = re.compile(rf"^[0-9]+($|[^a-z]|[a-z]{{1,2}}$)|{LIKE_YEAR}", re.IGNORECASE)
NO_STUB = re.compile(rf"x|v|{TIME.pattern}", re.IGNORECASE)
VALUE = "value"


@dataclass(frozen=True)
class Stub:
    """Columns that hold one quantity, each in another period."""

    name: str
    columns: tuple[str, ...]
    periods: tuple[str, ...]


def find_stubs(names: Sequence[str]) -> list[Stub]:
    """Group columns by what is left of their names without the period."""
    whole = [name for name in names if may_be_period(name)]
    if _are_periods(whole, share=len(whole) / len(names)):
        groups = {"": [(name, name) for name in whole]}
    else:
        groups = _named_groups(names)
    stubs = []
    for stub, members in groups.items():
        columns, periods = zip(*members, strict=True)
        if _are_periods(periods, share=len(members) / len(names)):
            stubs.append(Stub(stub or VALUE, columns, periods))
    kinds = {_kind(stub.periods) for stub in stubs}
    return stubs if len(kinds) == 1 else []


def _named_groups(names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Group names such as gdp_1970 by their first part, with the period that follows."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        match = WORLD_BANK.fullmatch(name) or NAMED.fullmatch(name) or PERIOD_FIRST.fullmatch(name)
        if match is not None:
            stub = (match.groupdict().get("stub") or "").strip()
            if CUT.search(stub) or (stub and not re.search(r"\w", stub)):
                continue
            plain = "" if NO_STUB.fullmatch(stub) else stub
            groups.setdefault(plain, []).append((name, match["period"].replace("_", "-")))
    return groups


def _are_periods(words: Sequence[str], share: float) -> bool:
    if len(words) < 2 or len(set(words)) < len(words):
        return False
    periods = as_periods([*words])
    if periods is None or not periods.is_unique:
        return False
    if not pd.api.types.is_integer_dtype(periods.dtype):
        return True
    if periods.min() >= 1500 and periods.max() <= 2200:
        return True
    # Numbers that are no years may count anything: they must go up by one and fill the table.
    steps = np.diff(np.sort(periods.to_numpy()))
    return len(words) >= 3 and share > 0.5 and bool((steps == 1).all())


def are_dated(stub: Stub) -> bool:
    """Whether the periods are more than numbers, which may count units as well."""
    return Column("", pd.Series(stub.periods, dtype="str")).is_dated


def fill_most(stubs: Sequence[Stub], kept: Sequence[Column]) -> bool:
    """Whether years fill most of the table, and no other column holds a time: then rows repeat."""
    width = sum(len(stub.columns) for stub in stubs)
    years = [int(p) for stub in stubs for p in stub.periods if re.fullmatch("[0-9]{4}", p)]
    told = len(years) == width > 0.5 * (width + len(kept))
    return told and min(years) >= 1500 and not any(column.is_dated for column in kept)


def _kind(words: Sequence[str]) -> str:
    periods = as_periods([*words])
    return "" if periods is None else str(periods.dtype)
