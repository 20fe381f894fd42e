"""Tables as agencies, older programs and other languages write them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .cases import HEAD, UNITS, YEARS, Case, W, Y, asks, csv, exact, refuses, rows, said, truth
from .packed import FRAME, dta, xlsx, zipped

HALVES = pd.DatetimeIndex([f"{y}-{m}-01" for y in (2001, 2002, 2003) for m in ("01", "07")])
QUARTERS = pd.period_range("2001Q3", periods=6, freq="Q")
MONTHS = pd.period_range("2001-10", periods=6, freq="M")
SHORT = {y: f"{y % 100:02d}" for y in range(1997, 2003)}
DAYS = pd.DatetimeIndex([f"2021-01-{28 + k}" if k < 4 else f"2021-02-0{k - 3}" for k in range(6)])


def timed(words, periods, words_said="", **roles) -> Case:
    """Write each period in another way."""
    at = dict(zip(YEARS, words, strict=True))
    index = pd.Index(periods)
    return said(csv(rows(time=at.__getitem__)), words_said, truth(periods=index), **roles)


def halves(form):
    return [form.format(y=day.year, h=1 + (day.month > 6)) for day in HALVES]


def quarters(form):
    roman = {1: "I", 2: "II", 3: "III", 4: "IV"}
    return [form.format(y=q.year, q=q.quarter, r=roman[q.quarter]) for q in QUARTERS]


def named(encoding, *names) -> Case:
    """Name the units in another language; the encoding must be asked for."""
    word = dict(zip(UNITS, names, strict=True))
    order = sorted(range(len(names)), key=lambda i: names[i])
    panel = truth(Y[order], W[order], [names[i] for i in order])
    data = csv(rows(unit=word.__getitem__)).decode().encode(encoding)
    return asks(data, "reading.encoding", encoding, panel)


def marked(mark, words) -> Case:
    """Put a mark behind the large numbers."""
    return said(csv(rows(value=lambda v: f"{v}{mark}" if v > 30 else repr(v))), words)


def nested() -> bytes:
    table = pa.Table.from_pandas(FRAME).append_column("tags", pa.array([[1, 2]] * len(FRAME)))
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def wide(*extra, key="tree") -> str:
    body = [[u, *map(repr, Y[i].tolist())] for i, u in enumerate(UNITS)]
    return "\n".join("\t".join(map(str, r)) for r in [[key, *YEARS], *body, *extra]) + "\n"


PLAIN = csv().decode()
LINES = PLAIN.splitlines()
UNTREATED = truth(w=np.zeros_like(W), outcome="value")
LETTERS = dta(FRAME.replace("Ash", "Alda"), version=114).replace(b"Alda", b"\xa3\xf3d\x9f")
LODZ = truth(Y[[1, 2, 3, 0]], W[[1, 2, 3, 0]], ("Birch", "Cedar", "Dogwood", "Łódź"))

STRANGERS: dict[str, Case] = {
    **{
        f"half-years {form}": timed(halves(form), HALVES, "the date of its first day")
        for form in ("{y}H{h}", "{y}-S{h}", "H{h} {y}", "{h}H{y}", "{h}. Halbjahr {y}")
    },
    **{
        f"quarters {form}": timed(quarters(form), QUARTERS, words)
        for form, words in (
            ("{r}/{y}", "I to IV read as quarters"),
            ("{y}-{r}", "I to IV read as quarters"),
            ("{y}K{q}", ""),
            ("{y}:{q}", "read as the fourth quarter"),
            ("{q}/{y}", "read as the fourth quarter"),
            ("{y} (Q{q})", ""),
            ("Quarter {q} {y}", ""),
        )
    },
    **{
        f"months in words: {words}": timed(words.split(","), MONTHS)
        for words in (
            "říjen 2001,listopad 2001,prosinec 2001,leden 2002,únor 2002,březen 2002",
            "октябрь 2001,ноябрь 2001,декабрь 2001,январь 2002,февраль 2002,март 2002",
            "Ekim 2001,Kasım 2001,Aralık 2001,Ocak 2002,Şubat 2002,Mart 2002",
            "X 2001,XI 2001,XII 2001,I 2002,II 2002,III 2002",
        )
    },
    "years of two digits over 2000": timed(SHORT.values(), [*SHORT], "two digits are 1969 to"),
    "fiscal years of two digits": timed(
        [f"FY{s}" for s in SHORT.values()], [*SHORT], "two digits are 1969 to"
    ),
    "fiscal years with a dash of print": timed(
        [f"{y}–{(y + 1) % 100:02d}" for y in SHORT], [*SHORT], "the year that it begins in"
    ),
    "periods of five years": timed(
        [f"{y}-{y + 4}" for y in range(1970, 2000, 5)],
        range(1970, 2000, 5),
        "the year that it begins in",
    ),
    "years of four digits and of two": refuses(
        csv(rows(time=lambda y: str(y) if y < 2004 else f"{y % 100:02d}")),
        "not written like",
        time="year",
    ),
    "days as numbers that end with the year": refuses(
        csv(rows(time=lambda y: str(1020000 + y))), "cannot be put in order", time="year"
    ),
    "the first of January in every year": timed(
        [f"01/01/{y}" for y in YEARS], pd.DatetimeIndex([f"{y}-01-01" for y in YEARS])
    ),
    "days of the year": timed([d.strftime("%Y-%j") for d in DAYS], DAYS),
    "Windows-1250 with one letter": named("cp1250", "Győr", "Pécs", "Eger", "Baja"),
    "DOS, Central European": named("cp852", "Łódź", "Kraków", "Gdańsk", "Opole"),
    "DOS, Cyrillic": named("cp866", "Москва", "Пермь", "Казань", "Омск"),
    "DOS, one word": named("cp850", "Köln", "Bonn", "Mainz", "Trier"),
    "Stata before 14, in Polish": asks(LETTERS, "reading.encoding", "cp1250", LODZ),
    "flags of Eurostat": said(
        csv(rows(value=lambda v: f"{v} p" if v > 30 else f"{v} b" if v < 8 else f"{v}")),
        "Flags such as 'p' were left out behind 7 numbers",
    ),
    "keys of Eurostat": said(
        wide(key="freq,geo\\TIME").replace("\n", "\nA,").removesuffix("A,").encode(),
        "parted at its commas",
        UNTREATED,
    ),
    "a star behind numbers": marked("*", "Marks of footnotes were left out behind"),
    "a raised number behind numbers": marked("²", "Marks of footnotes were left out behind"),
    "minus behind": said(
        csv(rows(value=lambda v: f"{v}-")), "The minus sign stood behind 24 numbers", truth(-Y)
    ),
    "lakh": said(
        csv(rows(value=lambda v: f"{int(v)},00,000"), ";"),
        "commas between thousands",
        truth(np.floor(Y) * 1e5),
    ),
    "text for Excel": said(
        csv(rows(value=lambda v: f'="{v}"')), r'marks ="\.\.\." for Excel were taken off 24 cells'
    ),
    "no names, but a year": asks(
        "\n".join(LINES[1:]).encode(), "reading.header", 0, truth(outcome="column 3")
    ),
    "names again in the middle": said(
        "\n".join([*LINES[:9], LINES[0], *LINES[9:]]).encode(), "repeats the names of the columns"
    ),
    "numbers of rows, as R writes them": said(
        "\n".join([LINES[0], *(f"{k},{x}" for k, x in enumerate(LINES[1:], 1))]).encode(),
        "the number of the row, as R writes it",
    ),
    "two files, one below the other": said(
        PLAIN.replace("\n", "\n\ufeff", 1).encode(), "1 byte order mark within the file"
    ),
    "headings of groups": said(
        wide(["CONIFERS", *[""] * 6]).encode(), "such as 'CONIFERS'", UNTREATED
    ),
    "part of another unit": said(
        csv([*rows(), *(["of which: young", str(y), "1.5", "0"] for y in YEARS)]),
        "named like a total or a part of other units",
        truth(
            np.vstack([Y, np.full(6, 1.5)]),
            np.vstack([W, W[:1] & False]),
            (*UNITS, "of which: young"),
        ),
    ),
    "names in single quotation marks": said(
        csv(rows(unit=lambda u: f"'{u}'")), "Quotation marks around the names"
    ),
    "flag of the untreated": exact(
        csv(rows(flag=lambda w: str(int(not w)), head=(*HEAD[:3], "not_treated"))),
        truth(w=np.zeros_like(W)),
    ),
    "zip of two tables": asks(
        zipped(**{"a.csv": csv(), "b.csv": csv(rows(value=lambda v: repr(-v)))}),
        "reading.sheet",
        "b.csv",
        truth(-Y),
    ),
    "nested column in Parquet": said(nested(), "1 column left out .* 'tags'"),
    "midnight among hours in Excel": said(
        xlsx(
            data=[
                list(HEAD),
                *(
                    [u, pd.Timestamp("2001-01-01 20:00") + pd.Timedelta(hours=j), y, int(W[i, j])]
                    for i, u in enumerate(UNITS)
                    for j, y in enumerate(Y[i].tolist())
                ),
            ]
        ),
        "read as midnight",
        truth(periods=pd.date_range("2001-01-01 20:00", periods=6, freq="h")),
    ),
    "SQL": refuses(b"INSERT INTO t VALUES ('a', 1, 2);\n", "an SQL script"),
}
