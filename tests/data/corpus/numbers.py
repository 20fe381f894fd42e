"""Ways to write the outcome."""

from __future__ import annotations

import numpy as np

from .cases import Case, Y, asks, csv, exact, refuses, rows, said, truth

BIG = truth(Y * 1000)
HOLED = Y.copy()
HOLED[2, 1] = HOLED[3, 4] = np.nan
HOLES = truth(HOLED)


def german(value: float, places: int = 2) -> str:
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def holes(word: str) -> bytes:
    table = rows()
    table[1 + 2 * 6 + 1][2] = table[1 + 3 * 6 + 4][2] = word
    return csv(table)


def wrong(word: str) -> bytes:
    table = rows()
    table[5][2] = word
    return csv(table)


def written(value, mark=","):
    return csv(rows(value=value), mark)


def quoted(value):
    return written(lambda v: f'"{value(v)}"')


NUMBERS: dict[str, Case] = {
    "points": exact(csv()),
    "powers of ten": exact(written(lambda v: f"{v:.6e}")),
    "signs": exact(written(lambda v: f"+{v}")),
    "spaces around": exact(written(lambda v: f"  {v} ")),
    "decimal commas": said(written(lambda v: f"{v:.2f}".replace(".", ","), ";"), "decimal comma"),
    "decimal commas in quotes": said(
        quoted(lambda v: f"{v:.2f}".replace(".", ",")), "decimal comma"
    ),
    "points between thousands": said(
        written(lambda v: german(v * 1000), ";"), "points between", BIG
    ),
    "commas between thousands": said(
        quoted(lambda v: f"{v * 1000:,.2f}"), "commas between thousands", BIG
    ),
    "spaces between thousands": said(
        written(lambda v: f"{v * 1000:,.2f}".replace(",", " ")), "spaces between", BIG
    ),
    "narrow spaces between thousands": said(
        written(lambda v: f"{v * 1000:,.2f}".replace(",", "\u202f")), "spaces between", BIG
    ),
    "apostrophes between thousands": said(
        written(lambda v: f"{v * 1000:,.2f}".replace(",", "'")), "apostrophes", BIG
    ),
    "dollars before": said(written(lambda v: f"${v}"), "sign of currency '\\$'"),
    "dollars with a space": said(written(lambda v: f"$ {v}"), "sign of currency"),
    "dollars and thousands": said(quoted(lambda v: f"${v * 1000:,.2f}"), "sign of currency", BIG),
    "euros behind": said(written(lambda v: f"{v} €"), "sign of currency '€'"),
    "euros in German": said(written(lambda v: f"{german(v)} €", ";"), "decimal comma"),
    "pounds": said(written(lambda v: f"£{v}"), "sign of currency"),
    "codes of currency": said(written(lambda v: f"USD {v}"), "sign of currency 'USD'"),
    "codes behind": said(written(lambda v: f"{v} CHF"), "sign of currency 'CHF'"),
    "kroner": said(written(lambda v: f"{v} kr"), "sign of currency 'kr'"),
    "percent": said(written(lambda v: f"{v}%"), "percent sign was taken off"),
    "percent with a space": said(written(lambda v: f"{v} %"), "percent sign"),
    "percent in German": said(written(lambda v: f"{german(v)} %", ";"), "percent sign"),
    "negative in brackets": said(
        written(lambda v: f"({v})" if v < 10 else str(v)),
        "in brackets",
        truth(np.where(Y < 10, -Y, Y)),
    ),
    "a printed minus": said(
        written(lambda v: f"\u2212{v}" if v < 10 else str(v)),
        "minus sign",
        truth(np.where(Y < 10, -Y, Y)),
    ),
    "a percent sign in one row only": refuses(wrong("4.5%"), "Line 6.*percent sign, but not all"),
    "a currency in one row only": refuses(wrong("$4.5"), "Line 6.*sign of currency, but not all"),
    "two currencies": refuses(
        csv(rows(value=lambda v: f"${v}" if v < 20 else f"€{v}")), "elsewhere amounts are in"
    ),
    **{
        f"{word!r} for missing": said(holes(word), "2 cells of 'height'", HOLES)
        for word in ("", "NA", "n/a", "NaN", ".", "..", "null", "-", "#N/A", "None")
    },
    "a word among numbers": refuses(
        wrong("tall"), "Line 6, column 'height': 'tall'", outcome="height"
    ),
    "infinity": refuses(wrong("inf"), "'inf' is no number", outcome="height"),
    "a number too large": refuses(wrong("1e999"), "too large"),
    "a hexadecimal number": refuses(wrong("0x1F"), "no number", outcome="height"),
    "two decimal points": refuses(wrong("1.2.3"), "no number", outcome="height"),
    "commas that may be decimals or thousands": asks(
        quoted(lambda v: f"{v * 1000:,.0f}"), "decimal", ".", BIG, outcome="height"
    ),
    "the same, and decimals are meant": asks(
        quoted(lambda v: f"{v * 1000:,.0f}"), "decimal", ",", outcome="height"
    ),
    "thousands marked in some rows only": refuses(
        csv(rows(value=lambda v: f'"{v * 1000:,.2f}"' if v > 20 else f"{v * 1000:.2f}")),
        "thousands in some numbers only",
        outcome="height",
    ),
    "sixteen digits": said(
        written(lambda v: f"{int(v * 100)}00000000000001"),
        "rounded",
        truth(np.array([[float(f"{int(v * 100)}00000000000001") for v in row] for row in Y])),
    ),
    "points that may be thousands": asks(written(lambda v: f"{v:.3f}"), "decimal", ".", truth()),
    "points that are thousands, and a number below": asks(
        written(lambda v: f"{v * 40:,.0f}".replace(",", ".")), "decimal", ",", truth(Y * 40)
    ),
}
