"""The whole journey, as a first-time visitor makes it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

from .conftest import settle

pytestmark = pytest.mark.browser

PROP99 = ROOT / "sample_data" / "prop99.csv"


def metric(page, label):
    """Read the number on a card."""
    card = page.get_by_test_id("stMetric").filter(has_text=label)
    return card.get_by_test_id("stMetricValue").inner_text()


def download(page, label):
    with page.expect_download() as caught:
        page.get_by_role("button", name=label).click()
    return Path(caught.value.path()).read_text(encoding="utf-8")


def rows(page):
    return list(csv.DictReader(io.StringIO(download(page, "Numbers (CSV)"))))


def att_of(table):
    effects = [float(row["att_t"]) for row in table if row["att_t"]]
    return sum(effects) / len(effects)


def run_script(page, tmp_path, *arguments):
    path = tmp_path / "downloaded.py"
    path.write_text(download(page, "Python script"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.JSONDecoder().raw_decode(done.stdout)[0]


def visible_numbers(page):
    """Give all that a visitor reads: heading, cards, and the table behind the figure."""
    page.get_by_test_id("stMetric").first.wait_for()
    cards = page.get_by_test_id("stMetric").all_inner_texts()
    return page.get_by_role("heading", level=1).inner_text(), cards, rows(page)


def step(page, name):
    page.get_by_test_id("stPageLink").filter(has_text=name).first.click()
    settle(page)


def test_a_sample_from_start_to_script(open_page, tmp_path):
    page = open_page()
    assert "19.5 packs lower than synthetic California" in page.inner_text("h1")
    page.wait_for_selector(".js-plotly-plot")
    page.get_by_role("button", name="Open this analysis").click()
    settle(page)
    assert metric(page, "Average effect") == "−19.5 packs"
    step(page, "Weights")
    assert "6 of 38 donors carry weight" in page.inner_text("section.main, main")
    step(page, "Counterfactual")

    step(page, "Method")
    page.get_by_text("Synthetic DID", exact=True).first.click()
    settle(page)
    step(page, "Counterfactual")
    assert metric(page, "Average effect") == "−15.6 packs"
    heading, cards, table = visible_numbers(page)
    assert att_of(table) == pytest.approx(-15.6054, abs=1e-4)

    other = open_page(page.url.split("/", 3)[3])
    assert visible_numbers(other) == (heading, cards, table)

    numbers = run_script(page, tmp_path)
    assert numbers["att"] == pytest.approx(att_of(table), abs=1e-6)

    page.get_by_role("combobox", name="Estimator").click()
    page.get_by_role("option", name="Difference in differences").click()
    settle(page)
    assert metric(page, "Average effect") == "−27.3 packs"
    page.go_back()
    settle(page)
    assert metric(page, "Average effect") == "−15.6 packs"
    page.go_forward()
    settle(page)
    assert metric(page, "Average effect") == "−27.3 packs"


def upload(page, name, data):
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": data}
    )
    settle(page)


def test_an_uploaded_table_from_columns_to_script(open_page, tmp_path):
    data = PROP99.read_bytes().replace(b"state,year,packs_per_capita,treated", b"land,jahr,packs,d")
    page = open_page()
    page.get_by_role("button", name="Use my own table").click()
    settle(page)
    upload(page, "smoking.csv", data)
    page.get_by_role("button", name="Use this table").click()
    settle(page)
    assert "last untreated 1988, first treated 1989" in page.inner_text("main")
    page.get_by_role("button", name="How to build the counterfactual").click()
    settle(page)
    page.get_by_role("button", name="What carries the counterfactual").click()
    settle(page)
    page.get_by_role("button", name="What would have happened").click()
    settle(page)
    heading, cards, table = visible_numbers(page)
    assert "19.5 lower than synthetic California" in heading
    assert att_of(table) == pytest.approx(-19.5136, abs=1e-4)

    file = tmp_path / "smoking.csv"
    file.write_bytes(data)
    numbers = run_script(page, tmp_path, str(file))
    assert numbers["att"] == pytest.approx(att_of(table), abs=1e-6)

    other = open_page(page.url.split("/", 3)[3])
    assert "This link needs its table" in other.inner_text("main")
    upload(other, "another.csv", data.replace(b"89.8", b"89.9"))
    assert "is another file" in other.inner_text("main")
    upload(other, "renamed.csv", data)
    assert visible_numbers(other)[1:] == (cards, table)


def test_treatment_by_hand_by_click_and_a_dropped_donor(open_page):
    page = open_page("design?v=1&data=prop99")
    page.get_by_role("radio", name="By hand").or_(
        page.get_by_role("button", name="By hand")
    ).first.click()
    settle(page)
    assert "from=1989" in page.url
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    points = page.locator(".js-plotly-plot").first.locator(".scatterlayer .point")
    points.nth(10).click(force=True)
    settle(page)
    assert "from=1980" in page.url
    assert "last untreated 1979, first treated 1980" in page.inner_text("main")

    again = open_page("counterfactual?v=1&data=prop99&drop=Utah")
    assert "37 donors" in again.inner_text("main")
    assert metric(again, "Average effect") != "−19.5 packs"


BAD = {
    "empty": ("empty.csv", b"", "empty"),
    "pdf": ("table.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "duplicate": (
        "dup.csv",
        b"state,year,y,treated\na,1,1,0\na,2,2,1\na,2,3,1\nb,1,1,0\nb,2,2,0\n",
        "line 4",
    ),
    "text": (
        "text.csv",
        b"state,year,y,treated\na,1,1,0\na,2,many,1\nb,1,1,0\nb,2,2,0\nc,1,3,0\nc,2,4,0\n",
        "many",
    ),
    "one period": ("one.csv", b"state,year,y,treated\na,1,1,0\nb,1,2,1\n", "period"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_table_is_refused_and_nothing_is_lost(open_page, kind):
    name, data, words = BAD[kind]
    page = open_page("data?v=1&data=prop99&estimator=sdid")
    upload(page, name, data)
    if kind == "text":
        box = page.get_by_role("combobox", name="Outcome")
        box.click()
        page.get_by_role("option", name="y", exact=True).click()
        settle(page)
    alert = page.get_by_test_id("stAlert").filter(has_text="What to do")
    assert words in alert.first.inner_text()
    step(page, "Counterfactual")
    assert metric(page, "Average effect") == "−15.6 packs"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"state,year,y,treated\na,1,1,0\na,2,2,0\nb,1,1,0\nb,2,2,0\nc,1,1,0\nc,2,5,0\n",
            "No cell is treated",
        ),
        (
            b"state,year,y,treated\na,1,1,1\na,2,2,1\nb,1,1,0\nb,2,2,0\nc,1,1,0\nc,2,5,0\n",
            "starts in the first period",
        ),
    ],
)
def test_a_design_without_an_effect_says_so_on_every_page(open_page, data, words):
    page = open_page("data?v=1&data=prop99")
    upload(page, "odd.csv", data)
    page.get_by_role("button", name="Use this table").click()
    settle(page)
    assert words in page.inner_text("main")
    for name in ("Weights", "Counterfactual"):
        step(page, name)
        assert words in page.inner_text("main")
        assert "What to do" in page.inner_text("main")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("data=prop99&colour=red", "colour"),
        ("data=atlantis", "atlantis"),
        ("data=prop99&estimator=ols", "ols"),
        ("data=prop99&treated=Atlantis&from=1989", "Atlantis"),
    ],
)
def test_an_unknown_word_in_a_link_is_named(open_page, query, words):
    page = open_page(f"counterfactual?v=1&{query}")
    alert = page.get_by_test_id("stAlert").filter(has_text="What to do")
    assert words in alert.first.inner_text()


@pytest.mark.parametrize("name", ["", "data", "design", "weights", "counterfactual"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_fits_its_screen(open_page, name, width, scheme):
    page = open_page(name, width=width, scheme=scheme)
    if name != "data":
        page.wait_for_selector(".js-plotly-plot")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inner = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert inner <= width


MARKUP = "![x](http://evil.invalid/x.png) <b>bold</b> $a$ :red[r]"


def test_names_from_data_are_text(open_page):
    column = "![y](http://evil.invalid/y.png)"
    lines = [f'state,year,y,"{column}"']
    for unit, shift in ((f'"{MARKUP}"', 0), ("b", 1), ("c", 3), ("d", 7)):
        for year in range(2000, 2008):
            treated = int(shift == 0 and year >= 2005)
            lines.append(f"{unit},{year},{shift + (year % 3) * (1 + shift / 9)},{treated}")
    page = open_page("data?v=1&data=prop99")
    upload(page, "![z](http://evil.invalid/z.png).csv", "\n".join(lines).encode())
    box = page.get_by_role("combobox", name="Treatment")
    if column not in box.input_value():
        box.click()
        page.get_by_role("option", name=column, exact=True).click()
        settle(page)
    page.get_by_role("button", name="Use this table").click()
    settle(page)
    for name in ("Design", "Weights", "Counterfactual"):
        step(page, name)
        assert MARKUP in page.inner_text("main")
        assert page.locator("main img[src*='evil']").count() == 0
