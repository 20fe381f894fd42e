"""Excel, Parquet, Stata, gzip and zip."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import openpyxl
import pandas as pd

from .cases import UNITS, YEARS, Case, W, Y, asks, csv, exact, refuses, rows, said, truth, untreated

TYPED = [
    ["tree", "year", "height", "treated"],
    *[
        [u, int(t), float(Y[i, j]), int(W[i, j])]
        for i, u in enumerate(UNITS)
        for j, t in enumerate(YEARS)
    ],
]
FRAME = pd.DataFrame(TYPED[1:], columns=TYPED[0])
QUARTERS = pd.PeriodIndex([pd.Period("2019Q3", "Q") + k for k in range(6)])


def xlsx(**sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def dta(frame: pd.DataFrame = FRAME, **options) -> bytes:
    stream = io.BytesIO()
    frame.to_stata(stream, write_index=False, **options)
    return stream.getvalue()


def parquet(frame: pd.DataFrame = FRAME) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(
                name.replace("MAC", "__MACOSX").replace("__p", "/p").replace("DOT", "."), content
            )
    return stream.getvalue()


QUARTERLY = FRAME.assign(year=np.tile(QUARTERS.to_timestamp(), 4).astype("datetime64[s]"))
LABELLED = FRAME.assign(tree=pd.Categorical(FRAME["tree"]))
WIDE = [["tree", *YEARS], *[[u, *Y[i].tolist()] for i, u in enumerate(UNITS)]]
NOTES = [["This workbook holds heights."], ["Made in 2007."]]
PACKED: dict[str, Case] = {
    "xlsx": exact(xlsx(panel=TYPED)),
    "xlsx below a title": said(
        xlsx(panel=[["Heights of trees"], [], *TYPED]), r"left out \(row 1\): 'Heights"
    ),
    "xlsx below two cells": said(
        xlsx(panel=[["Heights", "of trees"], *TYPED]), r"left out \(row 1\)"
    ),
    "xlsx with a source": said(
        xlsx(panel=[*TYPED, [], ["Source: own survey"]]), "1 row below the table left out"
    ),
    "xlsx with a total": said(
        xlsx(panel=[*TYPED, ["Total", None, 493.0]]), "1 row of totals left out"
    ),
    "xlsx with notes first": said(xlsx(notes=NOTES, panel=TYPED), "Of 2 sheets, 'panel' was read"),
    "xlsx with units of measure": said(
        xlsx(panel=[TYPED[0], ["name", "yyyy", "metres", "flag"], *TYPED[1:]]),
        "2 rows hold the names",
        truth(outcome="height metres"),
    ),
    "xlsx with periods in columns": said(
        xlsx(panel=WIDE), "one column per period", untreated(outcome="value")
    ),
    "xlsx with text for numbers": exact(xlsx(panel=rows())),
    "xlsx without names": asks(
        xlsx(panel=TYPED[1:]),
        "reading.header",
        0,
        truth(outcome="column 3"),
        unit="column 1",
        time="column 2",
        outcome="column 3",
        treatment="column 4",
    ),
    "stata": exact(dta()),
    "stata 117": exact(dta(version=117)),
    "stata 114": exact(dta(version=114)),
    "stata with labels": said(dta(LABELLED), "replaced by their labels"),
    "stata with quarters": said(
        dta(QUARTERLY, convert_dates={"year": "tq"}, version=118), "", truth(periods=QUARTERS)
    ),
    "parquet": exact(parquet()),
    "parquet with words": exact(parquet(LABELLED)),
    "gzip": said(gzip.compress(csv()), "unpacked from gzip"),
    "gzip in two parts": said(
        gzip.compress(csv()[:100]) + gzip.compress(csv()[100:]), "unpacked from gzip"
    ),
    "gzip of Excel": said(gzip.compress(xlsx(panel=TYPED)), "unpacked from gzip"),
    "zip": said(zipped(panelDOTcsv=csv()), "'panel.csv' was unpacked"),
    "zip in a folder": said(zipped(data__panelDOTcsv=csv()), "'data/panel.csv' was unpacked"),
    "zip from a Macintosh": said(
        zipped(panelDOTcsv=csv(), MAC__panelDOTcsv=b"x", DOTDS_Store=b"y"), "was unpacked"
    ),
    "zip of Stata": said(zipped(panelDOTdta=dta()), "was unpacked"),
    "zip of two": refuses(zipped(aDOTcsv=csv(), bDOTcsv=csv()), "holds 2 files: 'a.csv', 'b.csv'"),
    "zip in zip": refuses(zipped(aDOTzip=zipped(bDOTcsv=csv())), "another archive"),
    "a gzip bomb": refuses(gzip.compress(b"a,b\n" * 20_000_000), "more than 50 MB"),
    "a zip bomb": refuses(zipped(aDOTcsv=b"a,b\n" * 20_000_000), "more than 50 MB"),
    "a cut gzip": refuses(gzip.compress(csv())[:60], "damaged"),
    "a cut stata file": refuses(dta()[:700], "damaged"),
    "a stata file that claims a billion rows": refuses(
        dta(version=118).replace(b"<N>\x18\0\0\0\0\0\0\0</N>", b"<N>\0\0\0\x40\0\0\0\0</N>"),
        "damaged|more than",
    ),
}
