"""More awkward tables: words for treatment, numbers, encodings, merged cells, wrong cells."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .cases import (
    HEAD,
    START,
    UNITS,
    YEARS,
    Case,
    W,
    Y,
    asks,
    csv,
    exact,
    refuses,
    rows,
    said,
    text,
    truth,
    untreated,
)
from .letters import named, panel_of
from .numbers import BIG, HOLES, holes, written, wrong
from .packed import FRAME, TYPED, dta
from .shapes import by_period
from .times import MONTHS
from .treatments import starts, worded

WORDS = {
    "ja and nein": ("ja", "nein"),
    "oui and non": ("oui", "non"),
    "sí and no": ("sí", "no"),
    "да and нет": ("да", "нет"),
    "wahr and falsch": ("WAHR", "FALSCH"),
    "treated and not treated": ("Treated", "Not treated"),
    "active and inactive": ("active", "inactive"),
}
UNCLEAR = {
    "1 and a point": ("1", "."),
    "A and B": ("A", "B"),
    "test and control": ("test", "control"),
    "law and no law": ("reform", "no reform"),
    "100 and 0": ("100", "0"),
}
SENTINEL = Y.copy()
SENTINEL[0, 4] = -999
ALPHABETS = {
    "cp1255": {"Ash": "ירושלים", "Birch": "חיפה", "Cedar": "אילת", "Dogwood": "נצרת"},
    "cp874": {"Ash": "กรุงเทพ", "Birch": "เชียงใหม่", "Cedar": "ภูเก็ต", "Dogwood": "พัทยา"},
    "cp1254": {"Ash": "İstanbul", "Birch": "Şırnak", "Cedar": "Ağrı", "Dogwood": "Muş"},
}
NOISE = [[*row[:3], str(int(k * 7 % 5 == 0))] for k, row in enumerate(rows()[1:])]


def flagged(name: str, cells) -> bytes:
    return csv(
        [[*HEAD[:3], name], *[[*r[:3], cell] for r, cell in zip(rows()[1:], cells, strict=True)]]
    )


def book(merge=(), table=TYPED, edit=None) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "trees"
    for row in table:
        sheet.append(row)
    for area in merge:
        sheet.merge_cells(area)
    if edit is not None:
        edit(sheet)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def solved(workbook: bytes, value: bytes) -> bytes:
    """Store a result beside each formula, as Excel does."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            content = re.sub(rb"(</f>)<v ?/?>(</v>)?", rb"\g<1><v>" + value + b"</v>", content)
            new.writestr(member, content)
    return stream.getvalue()


def formula(sheet):
    sheet["C4"] = "=12.5-0.75"


def parquet_with(name: str, array: pa.Array) -> bytes:
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    stream = io.BytesIO()
    pq.write_table(table.set_column(table.column_names.index(name), name, array), stream)
    return stream.getvalue()


def midnights(zone: str) -> pa.Array:
    days = [f"2020-03-{25 + int(year) - YEARS[0]:02}" for _, year, *_ in TYPED[1:]]
    return pa.array(pd.to_datetime(days).tz_localize(zone).astype(f"datetime64[us, {zone}]"))


HEADS = [["tree", "height", *[None] * 5], [None, *YEARS]]
WIDE = [*HEADS, *[[u, *Y[i].tolist()] for i, u in enumerate(UNITS)]]
OVER = [
    ["tree", *(cell for year in YEARS for cell in (year, None))],
    [None, *["height", "treated"] * 6],
    *[
        [u, *(c for j in range(6) for c in (float(Y[i, j]), int(W[i, j])))]
        for i, u in enumerate(UNITS)
    ],
]
BLOCKS = [f"A{2 + 6 * k}:A{7 + 6 * k}" for k in range(4)]
AWKWARD_TABLES: dict[str, Case] = {
    **{name: exact(worded(on, off)) for name, (on, off) in WORDS.items()},
    **{name: asks(worded(on, off), "treated_values", (on,)) for name, (on, off) in UNCLEAR.items()},
    "yes and 1, no and 0": asks(
        flagged(
            "treated",
            [
                ("yes", "1")[k % 2] if r[3] == "1" else ("no", "0")[k % 2]
                for k, r in enumerate(rows()[1:])
            ],
        ),
        "treated_values",
        ("yes", "1"),
    ),
    "YES and yes": exact(
        flagged(
            "treated",
            [
                ("YES", "yes")[k % 2] if r[3] == "1" else ("no", "No")[k % 2]
                for k, r in enumerate(rows()[1:])
            ],
        )
    ),
    "a cross and nothing": asks(worded("x", ""), "treated_values", ("x",)),
    "1 and nothing": asks(worded("1", ""), "treated_values", ("1",)),
    "a flag that comes and goes is no treatment": said(
        csv([[*HEAD[:3], "holiday"], *NOISE]), "No column says treatment", untreated()
    ),
    **{
        f"first treated, never is {never!r}": exact(starts(never))
        for never in ("∞", "-999", "999", "00", "–", "nie", "not yet treated", "1e9")
    },
    "first treated, before the first year": said(
        starts("1900"),
        "3 starts before the first period \\('1900'\\): treated throughout",
        truth(w=W | (np.array(UNITS) != "Birch")[:, None]),
    ),
    **{
        f"first treated, called {name}": exact(starts("0", name=name))
        for name in ("policy_year", "yr_treated", "treated since", "effective_date", "treated")
    },
    "first treated differs within a unit": refuses(
        starts("0").replace(b"Birch,2001,22.5,2004", b"Birch,2001,22.5,2003"),
        "two first treated periods",
    ),
    **{
        f"a wrong cell: {word}": refuses(wrong(word), "Line 6, column 'height': .* no number")
        for word in ("<5", "12 kg", "5 (1)", "2.5 b", "1_000", "12:30", "1/2", "--5")
    },
    **{
        f"{word!r} for missing": said(holes(word), "2 cells of 'height'", HOLES)
        for word in ("n.a.", "—", "...", ":", "#DIV/0!", "missing", "\\N", "<NA>")
    },
    "-999 among numbers": said(
        csv([r if k != 5 else [*r[:2], "-999", r[3]] for k, r in enumerate(rows())]),
        "-999 stands in 1 cell of 'height', unlike all other numbers",
        truth(SENTINEL),
    ),
    "a comma in one row": refuses(
        csv([r if k != 5 else [*r[:2], "13,5", r[3]] for k, r in enumerate(rows())], ";"),
        "Line 6, column 'height': '13,5' is no number",
    ),
    "printed apostrophes between thousands": said(
        written(lambda v: f"{v * 1000:,.2f}".replace(",", "\u2019")), "apostrophes", BIG
    ),
    "figure spaces between thousands": said(
        written(lambda v: f"{v * 1000:,.2f}".replace(",", "\u2007")), "spaces between", BIG
    ),
    "a dash for minus": said(written(lambda v: f"\u2013{v}"), "minus sign", truth(-Y)),
    **{
        encoding: asks(named(names, encoding), "reading.encoding", encoding, panel_of(names))
        for encoding, names in ALPHABETS.items()
    },
    "letters garbled before": said(
        csv(rows(unit=lambda u: u.replace("Ash", "FrÃ¼h"))),
        "'Ã¼' on line 2 looks like a letter saved in a wrong encoding",
        panel_of({"Ash": "FrÃ¼h", "Birch": "Birch", "Cedar": "Cedar", "Dogwood": "Dogwood"}),
    ),
    "letters of HZ": said(
        csv(rows(unit=lambda u: u.replace("Ash", "~{11>)~}"))),
        "Chinese in the old encoding HZ",
        panel_of({"Ash": "~{11>)~}", "Birch": "Birch", "Cedar": "Cedar", "Dogwood": "Dogwood"}),
    ),
    "letters of UTF-7": said(
        csv(rows(unit=lambda u: u.replace("Ash", "K+APY-ln"))),
        "old encoding UTF-7",
        panel_of({"Ash": "K+APY-ln", "Birch": "Birch", "Cedar": "Cedar", "Dogwood": "Dogwood"}),
    ),
    "an old mark of the end": said(csv() + b"\x1a", "A mark for the end of the file"),
    "zeros below": said(csv() + bytes(100), "A mark for the end of the file"),
    "bars and spaces around": said(
        text([["", *(f" {c} " for c in row), ""] for row in rows()], "|").encode(),
        "Spaces around 4 names of 'tree'",
    ),
    "a table of Markdown": said(
        text(
            [["", *(f" {c} " for c in row), ""] for row in [rows()[0], ["---"] * 4, *rows()[1:]]],
            "|",
        ).encode(),
        "line of dashes below the names",
    ),
    "a table of SQL": said(
        (
            "|".join(rows()[0]) + "\n-----+------+-----\n" + text(rows()[1:], "|") + "(24 rows)\n"
        ).encode(),
        "1 line below the table left out",
    ),
    "dashes under the names": said(
        csv([rows()[0], ["----"] * 4, *rows()[1:]]), "line of dashes below the names"
    ),
    "columns of fixed width": said(
        "\n".join("".join(cell.ljust(12) for cell in row) for row in rows()).encode(),
        "Spaces part the cells",
    ),
    "names with a space at the end": said(
        csv(rows(unit=lambda u: u + " " if u == "Ash" else u)), "Spaces around 1 name of 'tree'"
    ),
    "names that differ by a space": exact(
        csv(rows(unit={"Ash": "Ash", "Birch": "Ash ", "Cedar": "Cedar", "Dogwood": "Dogwood"}.get)),
        truth(units=("Ash", "Ash ", "Cedar", "Dogwood")),
    ),
    "xlsx with merged units": said(
        book(
            BLOCKS,
            [TYPED[0], *[[r[0] if k % 6 == 0 else None, *r[1:]] for k, r in enumerate(TYPED[1:])]],
        ),
        "20 cells of 'tree' filled with the value of the merged range",
    ),
    "xlsx with merged names": said(
        book(["B1:G1", "A1:A2"], WIDE), "2 rows hold the names", untreated()
    ),
    "xlsx with years merged over two columns": said(
        book([f"{chr(66 + 2 * k)}1:{chr(67 + 2 * k)}1" for k in range(6)], OVER),
        "2 rows hold the names",
        truth(),
    ),
    "xlsx with two merged outcomes": refuses(
        book(["C4:C5"]), "The cells C4:C5 are merged: .* '11.75' counts"
    ),
    "xlsx with a merged square": refuses(book(["C4:D5"]), "The cells C4:D5 are merged"),
    "xlsx with a formula that has a result": exact(solved(book(edit=formula), b"11.75")),
    "xlsx with a formula without a result": refuses(
        book(edit=formula), "C4 of the sheet 'trees' holds a formula without a stored result"
    ),
    "xlsx with hidden rows": said(
        book(edit=lambda sheet: setattr(sheet.row_dimensions[5], "hidden", True)),
        "1 row that Excel hides",
    ),
    "stata 114 with months": exact(
        dta(
            FRAME.assign(year=np.tile(MONTHS.to_timestamp(), 4).astype("datetime64[s]")),
            convert_dates={"year": "tm"},
            version=114,
        ),
        truth(periods=MONTHS),
    ),
    "stata with years": exact(
        dta(
            FRAME.assign(year=[np.datetime64(f"{y}-01-01", "s") for y in FRAME["year"]]),
            convert_dates={"year": "ty"},
        )
    ),
    "parquet with midnights of a time zone": said(
        parquet_with("year", midnights("Europe/Berlin")),
        "Midnights of 'Europe/Berlin' in 'year' read as days",
        truth(
            periods=pd.DatetimeIndex(
                np.arange("2020-03-25", "2020-03-31", dtype="datetime64[D]").astype(
                    "datetime64[us]"
                )
            )
        ),
    ),
    "units in columns, numbered": said(
        by_period(YEARS).replace(b"Ash,Birch,Cedar,Dogwood", b"1,2,3,4"),
        "one column per unit",
        untreated(units=("1", "2", "3", "4"), outcome="value"),
    ),
    "units in columns, one called T": said(
        by_period(YEARS).replace(b"Dogwood", b"T"),
        "one column per unit",
        untreated(units=(*UNITS[:3], "T"), outcome="value"),
    ),
    "units in columns, and a flag that is said": said(
        by_period(YEARS, extra=[("post", [str(int(year >= START)) for year in YEARS])]),
        "Not taken for units: 'post'",
        untreated(outcome="value"),
        treatment=None,
    ),
}
