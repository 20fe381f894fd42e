"""Lines above and below the table, comments, totals, several lines of names, ragged rows."""

from __future__ import annotations

from .cases import HEAD, Case, asks, csv, exact, refuses, rows, said, text, truth

BODY = rows()[1:]


def with_lines(*, above=(), within=(), below=(), table=None, mark=","):
    table = rows() if table is None else table
    lines = [mark.join(row) for row in table]
    return "\n".join([*above, *lines[:9], *within, *lines[9:], *below, ""]).encode()


TRIMMINGS: dict[str, Case] = {
    "a title": said(with_lines(above=["Heights of trees"]), r"left out \(line 1\): 'Heights of"),
    "a title with a comma": said(with_lines(above=["Heights, of trees"]), r"\(line 1\)"),
    "a title and a blank line": said(with_lines(above=["Heights", ""]), r"\(line 1\)"),
    "a title filled up with commas": said(with_lines(above=["Heights,,,", ",,,"]), "lines 1 to 2"),
    "five lines above": said(
        with_lines(above=["Heights", "Made in 2007", "By hand", "In metres", "Draft"]),
        "lines 1 to 5",
    ),
    "a title above semicolons": said(
        with_lines(above=["Heights"], table=rows(), mark=";"), "'Heights'"
    ),
    "a blank line first": exact(with_lines(above=[""])),
    "comments above": said(with_lines(above=["# Heights", "# 2007"]), "lines 1 to 2"),
    "a comment with commas above": said(with_lines(above=["# Heights, of, trees"]), "line 1"),
    "a comment within": said(
        with_lines(within=["# measured again from here"]), "1 line of comment"
    ),
    "comments with slashes": said(with_lines(within=["// again"]), "1 line of comment"),
    "blank lines within": exact(with_lines(within=["", ""])),
    "rows of commas within": said(with_lines(within=[",,,"]), "1 row without any value left out"),
    "a source below": said(with_lines(below=["Source: own survey"]), "below the table left out"),
    "a source with commas below": said(
        with_lines(below=["", "Source: survey, 2007"]), "below the table left out"
    ),
    "a source filled up with commas": said(
        with_lines(below=["Source: own survey,,,"]), "below the table left out: 'Source"
    ),
    "three notes below": said(
        with_lines(below=["", "Notes", "* estimated", "Last updated 2007"]), "3 lines below"
    ),
    "a long note below": said(with_lines(below=["x" * 80 + ",,,"]), "below the table left out"),
    "a total below": said(with_lines(below=["Total,,493.0,"]), "1 row of totals left out: 'Total'"),
    "a grand total below": said(with_lines(below=["Grand total,,493.0,0"]), "row of totals"),
    "totals of units": said(
        with_lines(below=[f"{u},Total,90,0" for u in ("Ash", "Birch")]), "2 rows of totals"
    ),
    "title and source": said(
        with_lines(above=["Heights"], below=["Source: survey"]), "below the table left out"
    ),
    "units of measure under the names": said(
        with_lines(table=[HEAD, ["name", "yyyy", "metres", "flag"], *BODY]),
        "2 lines hold the names",
        truth(outcome="height metres"),
    ),
    "no names": asks(
        text(BODY).encode(),
        "reading.header",
        0,
        truth(outcome="column 3"),
        unit="column 1",
        time="column 2",
        outcome="column 3",
        treatment="column 4",
    ),
    "an unnamed first column": said(
        csv([["", *HEAD], *[[str(i), *row] for i, row in enumerate(BODY)]]), "has no name"
    ),
    "blank cells beyond the last column": said(
        csv([HEAD, *[[*row, ""] for row in BODY]]), "Blank cells beyond the last column"
    ),
    "a blank last column": said(csv([[*row, ""] for row in rows()]), "neither a name nor a value"),
    "a column without anything": said(
        csv([[*row[:2], "", *row[2:]] for row in rows()]), "neither a name nor a value"
    ),
    "some rows end in blanks": said(
        csv([HEAD, *[[*row, "", ""] if i % 3 else row for i, row in enumerate(BODY)]]),
        "Blank cells beyond",
    ),
    "a short row": refuses(with_lines(within=["Elm,2001"]), "Line 10 holds 2 cells"),
    "a long row": refuses(with_lines(within=["Elm,2001,1,0,9"]), "Line 10 holds 5 cells"),
    "row numbers without a name": refuses(
        csv([HEAD, *[[str(i), *row] for i, row in enumerate(BODY)]]), "Line 2 holds 5 cells"
    ),
    "a note in the middle": refuses(with_lines(within=["see below"]), "Line 10 holds 1 cell"),
    "a name twice": refuses(csv([["tree", "year", "year", "treated"], *BODY]), "same name"),
    "names alone": refuses(csv([HEAD]), "no rows"),
    "other columns of text": exact(
        csv([[*rows()[0], "remark"], *[[*row, f"seen {i}"] for i, row in enumerate(BODY)]])
    ),
    "columns in another order": exact(csv([row[::-1] for row in rows()])),
    "rows in another order": exact(csv([HEAD, *BODY[::-1]])),
}
