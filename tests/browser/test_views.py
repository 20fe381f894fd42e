"""What a page shows beside the analysis goes along in the link, and long work can be stopped."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from .conftest import settle

pytestmark = pytest.mark.browser

OWN = "simulate?v=1&data=prop99&simulate=power(kind='unit',units=6,periods=7,draws=500,seed=4)"


def numbers(page):
    page.get_by_test_id("stMetric").first.wait_for(timeout=60_000)
    settle(page)
    return page.get_by_test_id("stMetric").all_inner_texts()


def test_a_copied_link_gives_the_same_settings_and_numbers(open_page):
    page = open_page(OWN)
    numbers(page)
    page.get_by_role("slider").press("ArrowRight")
    settle(page)
    before = numbers(page)
    page.get_by_role("button", name="Link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    assert "effect" in link
    other = open_page(link.split("/")[-1])
    assert numbers(other) == before
    assert other.get_by_role("radio", name="Units", exact=True).is_checked()


def test_the_file_holds_what_the_figure_shows(open_page):
    page = open_page(OWN)
    shown = numbers(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Power curves (CSV)").click()
    text = Path(caught.value.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    at = {row["given"]: float(row["power"]) for row in rows if float(row["effect"]) == 1.5}
    assert len(at) == len(shown) == 4
    for given, card in zip(("marginal", "time", "unit", "both"), shown, strict=True):
        assert f"{at[given]:.1%}" in card


def test_a_world_shows_the_case_without_an_effect_while_the_other_is_worked_on(open_page):
    page = open_page("simulate?v=1&data=prop99&world=study(draws=400,seed=5)")
    page.get_by_test_id("stProgress").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("The simulation was cancelled").wait_for(timeout=5000)
    page = open_page("simulate?v=1&data=prop99&world=study(draws=20,seed=6)")
    page.get_by_text("Without an effect, all").wait_for(timeout=60_000)
    page.get_by_text("With an effect of 2").wait_for(timeout=60_000)
