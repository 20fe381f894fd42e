"""Encodings, delimiters, quotes and ends of lines."""

from __future__ import annotations

from .cases import HEAD, Case, asks, csv, exact, refuses, rows, said, text, truth

ACCENTS = {"Ash": "Érable", "Birch": "Bouleau", "Cedar": "Cèdre", "Dogwood": "Frêne à fleurs"}
ORDER = (1, 2, 3, 0)


def named(names: dict[str, str], encoding: str) -> bytes:
    return text(rows(unit=names.__getitem__)).encode(encoding)


def panel_of(names: dict[str, str]):
    order = sorted(range(4), key=lambda i: list(names.values())[i])
    base = truth()
    return truth(base.Y[order], base.W[order], [list(names.values())[i] for i in order])


ALPHABETS = {
    "cp932": {"Ash": "東京", "Birch": "大阪府", "Cedar": "さいたま", "Dogwood": "ナゴヤ"},
    "euc-jp": {"Ash": "東京都", "Birch": "大阪府", "Cedar": "さいたま", "Dogwood": "なごや"},
    "cp1251": {"Ash": "Москва", "Birch": "Казань", "Cedar": "Томск", "Dogwood": "Уфа"},
    "koi8-r": {"Ash": "Москва", "Birch": "Казань", "Cedar": "Томск", "Dogwood": "Уфа"},
    "cp1253": {"Ash": "Αθήνα", "Birch": "Πάτρα", "Cedar": "Βόλος", "Dogwood": "Χανιά"},
    "gb18030": {"Ash": "北京市", "Birch": "上海市", "Cedar": "广州市", "Dogwood": "深圳市"},
    "euc-kr": {"Ash": "서울", "Birch": "부산", "Cedar": "대구", "Dogwood": "인천"},
    "mac-roman": ACCENTS,
    "cp850": ACCENTS,
    "cp1250": {"Ash": "Łódź", "Birch": "Gdańsk", "Cedar": "Kraków", "Dogwood": "Świdnica"},
}
EVERYWHERE = {"Ash": "Łódź", "Birch": "東京", "Cedar": "Zürich", "Dogwood": "Ålesund"}
quoted = [[f'"{cell}"' for cell in row] for row in rows()]
LETTERS: dict[str, Case] = {
    **{
        f"{encoding} with a mark": exact(named(EVERYWHERE, encoding), panel_of(EVERYWHERE))
        for encoding in ("utf-8-sig", "utf-16", "utf-32")
    },
    "utf-16 big end first with a mark": exact(
        b"\xfe\xff" + named(EVERYWHERE, "utf-16-be"), panel_of(EVERYWHERE)
    ),
    "utf-8": exact(named(EVERYWHERE, "utf-8"), panel_of(EVERYWHERE)),
    **{
        f"{encoding} without a mark": said(
            named(EVERYWHERE, encoding), f"read as UTF-{encoding[4:6]}", panel_of(EVERYWHERE)
        )
        for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    },
    "windows-1252": said(named(ACCENTS, "cp1252"), "Windows-1252", panel_of(ACCENTS)),
    "latin-1": said(named(ACCENTS, "latin-1"), "Windows-1252", panel_of(ACCENTS)),
    "windows-1252 with signs": said(
        named({**ACCENTS, "Ash": "L’Érable", "Cedar": "Cœur"}, "cp1252"),
        "Windows-1252",
        panel_of({**ACCENTS, "Ash": "L’Érable", "Cedar": "Cœur"}),
    ),
    **{
        f"{encoding}": asks(named(names, encoding), "reading.encoding", encoding, panel_of(names))
        for encoding, names in ALPHABETS.items()
    },
    "utf-8 cut in the middle": refuses(
        named(EVERYWHERE, "utf-8") + b"\xc5,2001,1,0\n", "Line 26 holds bytes that are not UTF-8"
    ),
    "a lone surrogate": refuses(
        csv() + b"\xed\xa0\x80,2001,1,0\n", "Line 26 holds half a character"
    ),
    "a control character": refuses(csv() + b"A\x07sh,2001,1,0\n", "Line 26 holds a control"),
    "commas": exact(csv()),
    "semicolons": said(csv(mark=";"), "Semicolons part"),
    "tabs": said(csv(mark="\t"), "Tabs part"),
    "bars": said(csv(mark="|"), "Vertical bars part"),
    "carets": said(csv(mark="^"), "Carets part"),
    "tildes": said(csv(mark="~"), "Tildes part"),
    "colons": said(csv(mark=":"), "Colons part"),
    "spaces": said(csv(mark=" "), "Spaces part"),
    "runs of spaces": said(csv(mark="     "), "Spaces part"),
    "a space after each comma": said(csv(mark=", "), "space after each delimiter"),
    "the delimiter declared": said(b"sep=;\n" + csv(mark=";"), "The file says so: semicolons"),
    "carriage returns": exact(text(rows(), end="\r\n").encode()),
    "old Macintosh lines": exact(text(rows(), end="\r").encode()),
    "no end of the last line": exact(csv().rstrip()),
    "all quoted": exact(csv(quoted)),
    "quoted names with commas": exact(
        csv(rows(unit=lambda u: f'"{u}, tall"')),
        truth(units=[f"{u}, tall" for u in ("Ash", "Birch", "Cedar", "Dogwood")]),
    ),
    "quotes in quotes": exact(
        csv(rows(unit=lambda u: f'"the ""{u}"""')),
        truth(units=[f'the "{u}"' for u in ("Ash", "Birch", "Cedar", "Dogwood")]),
    ),
    "a name over two lines": exact(
        csv(rows(unit=lambda u: f'"{u}\ntree"')),
        truth(units=[f"{u}\ntree" for u in ("Ash", "Birch", "Cedar", "Dogwood")]),
    ),
    "units with hashes": exact(
        csv(rows(unit=lambda u: f"#{u}")),
        truth(units=[f"#{u}" for u in ("Ash", "Birch", "Cedar", "Dogwood")]),
    ),
    "a hash before the first name": exact(
        csv([["#tree", *HEAD[1:]], *rows()[1:]]), truth(), unit="#tree"
    ),
    "an open quote": refuses(csv() + b'"Elm,2001,1,0\n', "quotation mark on line 26"),
    "text behind a quote": refuses(csv() + b'"Elm"s,2001,1,0\n', "quotation mark on line 26"),
    "spaces around names of columns": said(
        csv([[f" {name} " for name in HEAD], *rows()[1:]]), "Spaces around the names"
    ),
}
