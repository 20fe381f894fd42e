import base64
import datetime as dt
import gzip
import hashlib
import io
import pickle
import re
import zipfile
import zlib

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import read_table
from components.data import table as limits
from components.errors import DataError

GOOD = b"unit,year,y\nTexas,1990,1.5\nTexas,1991,2\nOhio,1990,3\nOhio,1991,4\n"
# A BIFF8 workbook of 5 rows: text "001" and "NA", dates, fractions and whole numbers.
XLS = (
    "c-rk)O=uHA6#iy+^GlN^F;!ckgo0ITi!ENfv}>i>Q$qFPFVxiRp|qqW#6!JUtvL#UC&f#l9t5d+@dp+3=0T|FK@g"
    "Or9z6*P3T@UmZ+B}_BQ#(OmHooLnRzqcdoMflW@q=!LbN#hprwRW=!1%~8GyG!C+G?|jR>gUG-cH({dAcwHWdPXn"
    "n<q)PeZSLat`Hum!ROj_L3y9NY@!mA~lgU5*vs^979^j7<x$x+#*dF%^X#X<vEsHSl;82&sZL0%~h7YG`1*CVL?x"
    "I9I#jM38jtu!jN_!G3NtodeDSdaur{^Cakd@^yfy?<D0CbRcpW;XhH{#tdW!LM%+daI7#SACc6d(iip!>&*8h70K"
    "Pd{{UYJ&H&!n|`XAML-(U28n#9%m>xu?U!#vALQa}jXG}+_9WIAh%FJT|=%QCM?e?B{!ry`Ti8?<7kXoci+1~oD&"
    "(B0ibIgsiP%59#vg-F%55aM)cAeliU*Q1;?5pu9}=j+?#$dEqFnrU`vJur64_+a9aWDq$FD>_&Kp@SKFSzczVJGk"
    "D$GEO6@Y#(Z}D@SH{%oXl!CqMfc@AO?2_1#o2d^!5KweVTrL-qN=(uMf^dwmvd^Z?5cU;bv$DLTc?8xl`+rxf<)@"
    "{wip9~+HdiP*85_EWJD%QCeHQI=Lq-W{>hQtW$WwNz@Uwk=V^mS9`*?mWkKjx~l)ccqQf3T#U%vy~cbrHZXEdy&~"
    "e?(wd$)f#M-$9QbETH!m4YTsH7wpPW~Dtr(BG);%yr^N73R%xsLjUZgOaN)v*3l}b2tUClBPGKJft%JEdAo}d@I?"
    "HsG-OnWdEskM=etCMSJd7-rIZV~Hezw9R99v?I9OrwX#BuVT!x%<5j<LGeFTJdZ%Kx)wV&vbYP`&=k^~AZ({(k{v"
    "SLPZ"
)


OLD = zlib.decompress(base64.b85decode(XLS))


def csv(*lines, end="\n", encoding="utf-8"):
    return (end.join(lines) + end).encode(encoding)


def xlsx(*rows, sheets=("panel",), hidden=(), at=(1, 1)):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, title in enumerate(sheets):
        sheet = book.create_sheet(title)
        if title in hidden:
            sheet.sheet_state = "hidden"
        if number == len(hidden):
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    sheet.cell(at[0] + i, at[1] + j, value)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def edited_sheet(workbook, edit, member="xl/worksheets/sheet1.xml"):
    """Rewrite one part of a workbook."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.infolist():
            content = old.read(item)
            new.writestr(item.filename, edit(content) if item.filename == member else content)
    return stream.getvalue()


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def parquet(table, **options):
    stream = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), stream, **options)
    return stream.getvalue()


def rows_of(table):
    return [[None if pd.isna(v) else v for v in row] for row in table.text.to_numpy().tolist()]


PANEL_ROWS = [["Texas", "1990", "1.5"], ["Texas", "1991", "2"], ["Ohio", "1990", "3"]]
BODY = ["Texas{0}1990{0}1.5", "Texas{0}1991{0}2", "Ohio{0}1990{0}3"]


def delimited(mark):
    return [mark.join(("unit", "year", "y")), *(line.format(mark) for line in BODY)]


READS = {
    "comma": csv(*delimited(",")),
    "semicolon": csv(*delimited(";")),
    "tab": csv(*delimited("\t")),
    "bar": csv(*delimited("|")),
    "utf-8 mark": csv(*delimited(","), encoding="utf-8-sig"),
    "utf-16": csv(*delimited(","), encoding="utf-16"),
    "utf-16 big": b"\xfe\xff" + csv(*delimited(","), encoding="utf-16-be"),
    "utf-32": csv(*delimited(";"), encoding="utf-32"),
    "windows lines": csv(*delimited(","), end="\r\n"),
    "old mac lines": csv(*delimited(","), end="\r"),
    "no last newline": csv(*delimited(","))[:-1],
    "all quoted": csv(*(",".join(f'"{c}"' for c in line.split(",")) for line in delimited(","))),
    "sep line": csv("sep=;", *delimited(";")),
    "space after comma": csv(*(line.replace(",", ", ") for line in delimited(","))),
    "blank lines": csv(
        "", "unit,year,y", BODY[0].format(","), "", *(b.format(",") for b in BODY[1:])
    ),
    "trailing blanks": csv(*delimited(","), "", "", ""),
    "trailing delimiters": csv(*(line + "," for line in delimited(","))),
    "rows of commas": csv(*delimited(","), ",,", ",,"),
    "spaces in header": csv(" unit ,year , y", *(line.format(",") for line in BODY)),
    "xlsx": xlsx(
        ["unit", "year", "y"], ["Texas", 1990, 1.5], ["Texas", 1991, 2], ["Ohio", 1990, 3]
    ),
    "xlsx far from the corner": xlsx(
        ["unit", "year", "y"],
        ["Texas", 1990, 1.5],
        ["Texas", 1991, 2.0],
        ["Ohio", 1990, 3],
        at=(4, 3),
    ),
    "xlsx second sheet": xlsx(
        ["unit", "year", "y"],
        ["Texas", 1990, 1.5],
        ["Texas", 1991, 2],
        ["Ohio", 1990, 3],
        sheets=("notes", "panel"),
        hidden=("notes",),
    ),
    "parquet": parquet(
        {"unit": ["Texas", "Texas", "Ohio"], "year": [1990, 1991, 1990], "y": ["1.5", "2", "3"]}
    ),
    "parquet words": parquet(
        {
            "unit": pa.array(["Texas", "Texas", "Ohio"]).dictionary_encode(),
            "year": pa.array([1990.0, 1991.0, 1990.0]),
            "y": pa.array(["1.5", "2", "3"], pa.large_string()),
        }
    ),
}


@pytest.mark.parametrize("data", READS.values(), ids=READS.keys())
def test_the_same_table_comes_out_of_every_form(data):
    table = read_table(data, "a.csv")
    assert table.columns == ("unit", "year", "y")
    assert rows_of(table) == PANEL_ROWS
    assert table.digest == hashlib.sha256(data).hexdigest()
    assert list(table.text.dtypes) == ["str"] * 3


REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b" \r\n\n ", "empty"),
    "only a mark": (b"\xef\xbb\xbf", "empty"),
    "header only": (b"unit,year,y\n", "no rows"),
    "header and commas": (b"unit,year,y\n,,\n,,\n", "no rows"),
    "one column": (b"unit\nTexas\nOhio\n", "single column"),
    "short row": (csv("unit,year,y", "a,1,2", "b,1"), "Line 3 holds 2 cells"),
    "long row": (csv("unit,year,y", "a,1,2", "b,1,2,3"), "Line 3 holds 4 cells"),
    "short row after a long cell": (csv("unit,year,y", '"a\nb\nc",1,2', "b,1"), "Line 5 holds 2"),
    "short row after blanks": (csv("unit,year,y", "", "a,1,2", "", "b,1"), "Line 5 holds 2"),
    "decimal comma with comma": (csv("u,t,y", "a,1,1,5", "b,1,2,5"), "Line 2 holds 4 cells"),
    "row names that do not count up": (csv("u,t,y", "1,a,1,5", "3,b,1,5"), "Line 2 holds 4 cells"),
    "open quote": (csv("unit,year,y", "a,1,2", '"b,1,2', "c,1,2"), "quotation mark on line 3"),
    "text after quote": (csv("unit,year,y", '"a"b,1,2', "c,1,2"), "quotation mark on line 2"),
    "backslash quote": (csv("unit,year,y", '"a \\"b\\" c",1,2'), "quotation mark on line 2"),
    "same name twice": (csv("y,year,y", "1,2,3"), "Columns 1 and 3 .* 'y'"),
    "same name but for spaces": (csv("y,year, y ", "1,2,3"), "Columns 1 and 3 .* 'y'"),
    "nul": (csv("unit,year,y", "a\x00,1,2"), "Line 2 holds a control"),
    "vertical tab": (csv("unit,year,y", "a,1,2", "a\x0b,1,2"), "Line 3 holds a control"),
    "surrogate": (b"unit,year,y\na,1,2\n\xed\xa0\x80,1,2\n", "Line 3 .* surrogate"),
    "surrogate in utf-16": (
        b"\xff\xfe" + "u,t\na,".encode("utf-16-le") + b"\x00\xd8\x0a\x00",
        "16",
    ),
    "cut utf-8": (csv("unit,year,y", "Zürich,1,2", "Genève,1,2") + b"\xc3\x28,1,2\n", "not UTF-8"),
    "undefined in 1252": (b"unit,year,y\n\x81\x8d,1,2\n", "can be read in several ways"),
    "noise": (np.random.default_rng(0).bytes(5000), "binary|neither|UTF-8"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF document, not a table"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(40), "a JPEG picture"),
    "damaged gzip": (b"\x1f\x8b\x08" + bytes(20), "gzip file is damaged"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), "holds another archive"),
    "zip of two": (zipped(**{"a.csv": GOOD, "b.csv": GOOD}), "holds 2 files: 'a.csv', 'b.csv'"),
    "zip of none": (zipped(), "binary"),
    "docx": (zipped(word__document="<w/>"), "a Word document"),
    "xlsb": (zipped(**{"xl__workbook.bin": b"1"}), "binary Excel workbook"),
    "ods": (zipped(**{"content.xml": b"1", "mimetype": b"1"}), "an OpenDocument file"),
    "damaged zip": (b"PK\x03\x04" + bytes(50), "damaged"),
    "damaged xlsx": (zipped(**{"xl__workbook.xml": b"<x"}), "damaged|no workbook"),
    "html": (b"<!DOCTYPE html>\n<html><table><tr><td>1", "a web page"),
    "html table": (b"\n <table border=1><tr><td>unit</td></tr>", "a web page"),
    "xml": (b"<?xml version='1.0'?><rows/>", "an XML document"),
    "json": (b'[{"unit": "a", "year": 1}]', "a JSON document"),
    "json object": (b'{\n "unit": ["a"]}', "a JSON document"),
    "sqlite": (b"SQLite format 3\x00" + bytes(90), "an SQLite database"),
    "pickle": (pickle.dumps({"unit": [1, 2]}), "a file of Python objects"),
    "feather": (b"ARROW1\x00\x00" + bytes(20), "an Arrow or Feather file"),
    "r data": (b"RDX3\nX\n" + bytes(9), "an R data file"),
    "damaged stata": (b"<stata_dta><header>", "Stata file is damaged"),
    "ole without a workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "no workbook"),
    "damaged parquet": (b"PAR1" + bytes(30) + b"PAR1", "damaged"),
    "nested parquet": (parquet({"a": [[1], [2]], "b": ["x", "y"]}), "Column 'a' .* 'list"),
    "binary parquet": (parquet({"a": [b"1", b"2"], "b": ["x", "y"]}), "Column 'a' .* 'binary'"),
    "control in parquet": (parquet({"a": ["x\x00", "y"], "b": [1, 2]}), "column 'a', row 1,"),
    "bad text in parquet": (
        parquet({"a": pa.array([b"\xff", b"\xed\xa0\x80"]).view(pa.string()), "b": [1, 2]}),
        "'a' is damaged, or holds text that is not UTF-8",
    ),
    "empty parquet": (parquet({"a": pa.array([], pa.string())}), "no rows"),
    "empty xlsx": (xlsx(), "No visible sheet"),
    "header-only xlsx": (xlsx(["unit", "year", "y"]), "no rows below"),
    "same name twice in xlsx": (xlsx(["y", "t", "y"], ["1", 2, 3]), "Columns 1 and 3"),
    "many columns": (csv(",".join(map(str, range(2001))), ",".join(["1"] * 2001)), "2,001 columns"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_table_is_refused_with_the_place_and_a_cure(data, message):
    with pytest.raises(DataError, match=message) as caught:
        read_table(data, "panel.csv")
    assert caught.value.hint


def test_there_are_at_least_forty_awkward_files():
    assert len(READS) + len(REFUSED) >= 40


def test_names_survive_as_they_are_written():
    words = ["NA", "null", "None", "001", "1", "1e5", "100000", "TRUE", "true", "-", " x", "x", "𝒳"]
    table = read_table(csv("unit,y", *(f"{word},1" for word in words)), "a.csv")
    assert list(table.text["unit"]) == words


def test_empty_and_blank_cells_are_missing_and_nothing_else_is():
    table = read_table(csv("a,b,c", "1,,x", "2,  ,NA", '"",3,nan'), "a.csv")
    assert table.text.isna().to_numpy().tolist() == [
        [False, True, False],
        [False, True, False],
        [True, False, False],
    ]


def test_lines_are_counted_as_an_editor_counts_them():
    table = read_table(csv("a,b", '"x\ny",1', "", "z,2", ",", "w,3"), "a.csv")
    assert [table.place(row) for row in range(3)] == ["line 2", "line 5", "line 7"]
    assert "1 row without any value" in table.notes[0]
    assert table.entries[0].places == ("line 6",)
    plain = read_table(GOOD, "a.csv")
    assert (plain.first_row, plain.lines, plain.place(3)) == (2, None, "line 5")


def test_a_unit_that_spans_lines_in_quotes_is_kept():
    table = read_table(csv("a,b", '"New\nYork, ""NY""",1', "c,2"), "a.csv")
    assert table.text["a"].iloc[0] == 'New\nYork, "NY"'


def test_windows_1252_is_read_and_said():
    table = read_table("unit,y\nCôte d’Ivoire,1\nCuraçao,2\n".encode("cp1252"), "a.csv")
    assert list(table.text["unit"]) == ["Côte d’Ivoire", "Curaçao"]
    assert "Windows-1252" in table.notes[0]
    assert read_table("unit,y\nCuraçao,2\n".encode(), "a.csv").notes == ()


def test_a_decimal_comma_does_not_pass_for_a_delimiter():
    rows = [f"{unit};{year};{year % 7},5" for unit in "abc" for year in range(1990, 2010)]
    table = read_table(csv("unit;year;y", *rows), "a.csv")
    assert table.columns == ("unit", "year", "y")
    with pytest.raises(DataError, match="Line 30 holds 2 cells"):
        read_table(csv("unit;year;y", *rows[:28], "a;3", *rows[28:]), "a.csv")


def test_a_column_without_a_name_gets_one_and_an_empty_one_goes():
    table = read_table(csv(",unit,y,", "1,a,2,", "2,b,3,"), "a.csv")
    assert table.columns == ("column 1", "unit", "y")
    assert any("'column 1'" in note for note in table.notes)
    assert [entry.kind for entry in table.entries] == ["dropped", "read"]


def test_long_files_are_read_in_pieces(monkeypatch):
    monkeypatch.setattr("components.data.delimited.CHUNK", 7)
    rows = [f"u{i},{i},{i / 8}" for i in range(50)]
    table = read_table(csv("unit,t,y", *rows), "a.csv")
    assert rows_of(table) == [row.split(",") for row in rows]
    with pytest.raises(DataError, match="Line 42 holds 1 cell,"):
        read_table(csv("unit,t,y", *rows[:40], "u", *rows[40:]), "a.csv")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\a.csv", "a.csv"),
        ("\u202egnp.csv", "gnp.csv"),
        ("", "table"),
        ("x" * 500, "x" * 120),
    ],
)
def test_the_name_is_for_display_only(name, shown):
    assert read_table(GOOD, name).name == shown


def test_the_name_does_not_decide():
    assert read_table(READS["xlsx"], "a.csv").kind == "xlsx"
    assert read_table(READS["parquet"], "a.xlsx").kind == "parquet"
    assert read_table(GOOD, "a.parquet").kind == "csv"


def test_a_table_travels_to_another_process():
    table = pickle.loads(pickle.dumps(read_table(GOOD, "a.csv")))
    assert table.text.equals(read_table(GOOD, "a.csv").text)


def test_an_old_workbook():
    table = read_table(OLD, "a.xls")
    assert (table.kind, table.place(0)) == ("xls", "row 2")
    assert rows_of(table) == [
        ["001", "2020-01-01", "1.5", "0"],
        ["001", "2020-01-02", "2", "1"],
        ["NA", "2020-01-01", "3", "0"],
        ["NA", "2020-01-02", "-4.25", "0"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fd000a0000000000", "fd000a00ffffff00", "row 65,536 and column 256"),
        ("00020e0000000000", "00020e00000000ff", "damaged"),
        ("010000000200000003000000", "000000000200000003000000", "damaged"),
        ("00000000010000000900000000000000", "00000000ffff00000900000000000000", "damaged"),
    ],
    ids=["far cell", "wrong size", "circle", "more tables than bytes"],
)
def test_an_old_workbook_that_would_fill_the_memory_is_refused_before_it_is_opened(
    old, new, message, monkeypatch
):
    monkeypatch.setattr("components.data.workbook.calamine", None)
    assert bytes.fromhex(old) in OLD
    with pytest.raises(DataError, match=message):
        read_table(OLD.replace(bytes.fromhex(old), bytes.fromhex(new), 1), "a.xls")


def test_cells_of_a_workbook_are_written_as_excel_shows_them():
    stamp = dt.datetime(2020, 1, 1, 6, 30)
    table = read_table(
        xlsx(["a", "b"], [True, dt.date(2020, 1, 2)], [0.1, stamp], [-3.0, None], [1e300, None]),
        "a.xlsx",
    )
    assert list(table.text["a"]) == ["TRUE", "0.1", "-3", "1e+300"]
    assert list(table.text["b"])[:2] == ["2020-01-02", "2020-01-01 06:30:00"]


def test_errors_of_a_workbook_are_said():
    table = read_table(
        xlsx(["unit", "y", "z"], ["a", 1, "#N/A"], ["b", 2, 3], ["c", 3, "#DIV/0!"]), "a.xlsx"
    )
    assert list(table.text["z"].isna()) == [True, False, True]
    assert "2 cells with an Excel error" in table.notes[0]


FORMULAS = xlsx(["unit", "y", "z"], ["a", 1, "=B2*2"], ["b", 2, 3])


@pytest.mark.parametrize(
    "form",
    [
        b"<f>B2*2</f><v/>",
        b"<f>B2*2</f>",
        b'<f t="shared" si="0"/>',
        b'<f t="array" ref="C2">B2*2</f><v></v>',
    ],
)
def test_a_formula_without_a_stored_result_is_refused_with_its_cell(form):
    def edit(xml):
        assert b"<f>B2*2</f>" in xml
        return re.sub(rb"<f>B2\*2</f>\s*<v ?/?>(</v>)?", form, xml)

    with pytest.raises(DataError, match=r"^C2 of the sheet 'panel' holds a formula without"):
        read_table(edited_sheet(FORMULAS, edit), "a.xlsx")


def test_a_formula_is_read_as_its_stored_result():
    def solved(xml):
        return re.sub(rb"(<f>B2\*2</f>)\s*<v ?/?>(</v>)?", rb"\1<v>2.5</v>", xml)

    assert list(read_table(edited_sheet(FORMULAS, solved), "a.xlsx").text["z"]) == ["2.5", "3"]

    def empty(xml):
        return re.sub(rb'r="C2"[^>]*>', b'r="C2" t="str">', xml)

    table = read_table(edited_sheet(FORMULAS, empty), "a.xlsx")
    assert list(table.text["z"].isna()) == [True, False]


def test_a_formula_in_another_sheet_does_not_matter():
    book = xlsx(["unit", "y"], ["a", 1], ["b", "=1+1"], sheets=("panel", "more"))
    with pytest.raises(DataError, match="B3 of the sheet 'panel'"):
        read_table(book, "a.xlsx")
    good = edited_sheet(book, lambda xml: re.sub(rb"<f>.*?</f>\s*<v ?/?>(</v>)?", b"<v>5</v>", xml))
    assert list(read_table(good, "a.xlsx").text["y"]) == ["1", "5"]


def test_rows_that_excel_hides_are_read_and_said():
    book = xlsx(["unit", "y"], ["a", 1], ["b", 2])
    hidden = edited_sheet(book, lambda xml: xml.replace(b'<row r="3"', b'<row r="3" hidden="1"'))
    table = read_table(hidden, "a.xlsx")
    assert list(table.text["unit"]) == ["a", "b"]
    assert table.notes == ("1 row that Excel hides or filters out read as well.",)
    assert table.entries[0].doubtful


@pytest.mark.parametrize(
    ("place", "key"), [("workbook._choose", "xlsx"), ("columnar.pq.ParquetFile", "parquet")]
)
def test_a_file_that_needs_too_much_memory_is_not_called_damaged(monkeypatch, place, key):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(f"components.data.{place}", full)
    with pytest.raises(MemoryError):
        read_table(READS[key], "a")


def test_the_sheet_that_was_read_is_said():
    table = read_table(xlsx(["u", "t"], ["a", 1], sheets=("panel", "more")), "a.xlsx")
    assert "Of 2 sheets, 'panel' was read" in table.notes[0]
    assert table.entries[0].places == ("panel", "more")


def test_one_stray_cell_at_the_far_corner_is_refused_before_the_workbook_is_opened(monkeypatch):
    monkeypatch.setattr("components.data.workbook.calamine", None)
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    far = edited_sheet(READS["xlsx"], lambda xml: xml.replace(b"</sheetData>", cell))
    assert len(far) < 6000
    with pytest.raises(DataError, match="row 1,048,576 and column 16,384"):
        read_table(far, "a.xlsx")
    row = b"<x:row x:foo='' r = '1048576'><x:c s='1' r='XFD1048576'/></x:row></sheetData>"
    with pytest.raises(DataError, match="row 1,048,576"):
        read_table(edited_sheet(far, lambda xml: xml.replace(cell, row)), "a.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr("components.data.workbook.calamine", None)
    bomb = edited_sheet(READS["xlsx"], lambda xml: xml + b" " * (300 * 2**20))
    assert len(bomb) < 2**20
    with pytest.raises(DataError, match="unpacks to 300 MB"):
        read_table(bomb, "a.xlsx")


def test_one_long_text_in_many_cells_is_refused_before_the_workbook_is_opened(monkeypatch):
    monkeypatch.setattr("components.data.workbook.calamine", None)
    cells = b"<row>" + b'<c t="s"><v>0</v></c>' * 30_000 + b"</row></sheetData>"
    bomb = edited_sheet(READS["xlsx"], lambda xml: xml.replace(b"</sheetData>", cells))
    stream = io.BytesIO(bomb)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<sst><si><t>" + "x" * 30_000 + "</t></si></sst>")
    assert len(stream.getvalue()) < 10_000
    with pytest.raises(DataError, match="too long"):
        read_table(stream.getvalue(), "a.xlsx")


def test_typed_columns_of_parquet_are_written_exactly():
    stamps = [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]
    table = read_table(
        parquet(
            {
                "f": [0.1 + 0.2, float("nan")],
                "single": pa.array([89.8, 1.5], pa.float32()),
                "whole": [1990.0, None],
                "big": [2**62, -1],
                "flag": [True, None],
                "day": pa.array([d.date() for d in stamps]),
                "midnight": pa.array(stamps, pa.timestamp("ns")),
                "time": pa.array([stamps[0], stamps[1].replace(hour=6)], pa.timestamp("ms")),
                "zone": pa.array([stamps[0], stamps[1].replace(hour=6)], pa.timestamp("us", "UTC")),
                "empty": pa.array([None, None], pa.null()),
            }
        ),
        "a.parquet",
    )
    first = dict(zip(table.columns, rows_of(table)[0], strict=True))
    assert first == {
        "f": "0.30000000000000004",
        "single": repr(float(np.float32(89.8))),
        "whole": "1990",
        "big": str(2**62),
        "flag": "true",
        "day": "2020-01-01",
        "midnight": "2020-01-01",
        "time": "2020-01-01 00:00:00.000",
        "zone": "2020-01-01 00:00:00.000000Z",
        "empty": None,
    }
    assert rows_of(table)[1][0] is None
    assert table.place(0) == "row 1"


def test_a_parquet_file_of_a_billion_rows_is_refused_by_its_own_account():
    chunk = pa.chunked_array([pa.array(np.zeros(100_000, np.int8))] * 200)
    data = parquet({"a": chunk})
    assert len(data) < 2**20
    with pytest.raises(DataError, match="more than 10,000,000 cells"):
        read_table(data, "a.parquet")


def test_one_long_word_in_a_million_rows_of_parquet_is_refused_before_it_is_written_out():
    words = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(600_000, np.int32)), pa.array(["x" * 10_000, "y"])
    )
    data = parquet({"unit": words, "y": np.zeros(600_000, np.int8)})
    assert len(data) < 2**20
    with pytest.raises(DataError, match="unpacks to"):
        read_table(data, "a.parquet")


def test_limits_hold_while_a_csv_is_read(monkeypatch):
    monkeypatch.setattr(limits, "MAX_CELLS", 11)
    with pytest.raises(DataError, match="more than 11 cells"):
        read_table(GOOD, "a.csv")
    monkeypatch.setattr(limits, "MAX_CELLS", 12)
    assert len(read_table(GOOD, "a.csv").text) == 4


def test_a_file_that_is_too_large_is_refused_unread():
    with pytest.raises(DataError, match="51 MB; at most 50"):
        read_table(bytes(51 * 2**20), "a.csv")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='ab1,;"\t\n\r |.', max_size=80).map(str.encode),
        st.binary(max_size=60).map(lambda tail: READS["parquet"][:-60] + tail),
        st.binary(max_size=60).map(lambda head: head + READS["xlsx"][len(head) :]),
    )
)
def test_any_bytes_are_a_table_or_refused_in_words(data):
    try:
        table = read_table(data, "a.csv")
    except DataError as caught:
        said = caught
        assert said.message.endswith(".")
        assert said.hint.endswith(".")
    else:
        assert len(table.text) > 0
        assert table.columns == tuple(table.text.columns)


@given(
    cells=st.lists(
        st.lists(
            st.text(
                st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"),
                min_size=1,
                max_size=6,
            ).filter(lambda cell: bool(cell.strip())),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=8,
    ),
    mark=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_cell_of_a_quoted_file_comes_back_unchanged(cells, mark, end, encoding):
    lines = [["unit", "year", "y"], *cells]
    quoted = [mark.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    table = read_table(csv(*quoted, end=end, encoding=encoding), "a.csv")
    assert rows_of(table) == cells
