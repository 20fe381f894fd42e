"""Files that are no table, and tables that are no panel."""

from __future__ import annotations

from .cases import Case, csv, exact, refuses, rows, truth


def without(unit=None, year=None) -> bytes:
    body = [r for r in rows()[1:] if r[0] in (unit or r[0]) and r[1] in (year or r[1])]
    return csv([rows()[0], *body])


NAMES = ("1e5", "NA", "TRUE", "null")
REFUSALS: dict[str, Case] = {
    "nothing": refuses(b"", "empty"),
    "blanks": refuses(b" \r\n\n", "empty"),
    "a space and an open quote": refuses(b': "', "quotation mark on line 1"),
    "a single column": refuses(b"tree\nAsh\nBirch\n", "single column"),
    "a single unit": refuses(
        without(unit=["Ash"]), "single unit", treatment=None, unit="tree", outcome="height"
    ),
    "a single period": refuses(
        without(year=["2001"]),
        "single period",
        unit="tree",
        time="year",
        outcome="height",
        treatment=None,
    ),
    "a PDF": refuses(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF document"),
    "a picture": refuses(b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG picture"),
    "a web page": refuses(b"<!DOCTYPE html>\n<html><table><tr><td>1", "a web page"),
    "JSON": refuses(b'[{"tree": "Ash", "year": 2001}]', "a JSON document"),
    "XML": refuses(b"<?xml version='1.0'?><rows/>", "an XML document"),
    "objects of Python": refuses(b"\x80\x04\x95\x10\x00\x00\x00", "Python objects"),
    "SPSS": refuses(b"$FL2@(#) SPSS DATA FILE", "an SPSS file"),
    "R": refuses(b"RDX3\nX\n" + bytes(9), "an R data file"),
    "a table without a unit": refuses(
        csv([row[1:] for row in rows()[:7]]),
        "No column is chosen for the unit",
        shape=None,
        unit=None,
    ),
    "one empty unit": refuses(
        csv([row if i != 9 else ["", *row[1:]] for i, row in enumerate(rows())]),
        "1 row without a unit .* line 10",
        unit="tree",
    ),
    "an outcome of nothing": refuses(
        csv([row if i == 0 else [*row[:2], "", row[3]] for i, row in enumerate(rows())]),
        "no number at all",
        outcome="height",
    ),
    "names that look like numbers": exact(
        csv(rows(unit=dict(zip(("Ash", "Birch", "Cedar", "Dogwood"), NAMES, strict=True)).get)),
        truth(units=NAMES),
    ),
    "leading zeros": exact(
        csv(rows(unit={"Ash": "001", "Birch": "01", "Cedar": "1", "Dogwood": "10"}.get)),
        truth(units=("001", "01", "1", "10")),
        unit="tree",
        outcome="height",
    ),
}
