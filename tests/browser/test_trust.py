"""The pages that argue with the result, clicked through as a visitor does."""

from __future__ import annotations

import pytest

from .conftest import settle

pytestmark = pytest.mark.browser

PROP99 = "?v=1&data=prop99"


def text_of(page):
    return page.inner_text("section.main, main")


def button(page, name):
    page.get_by_role("button", name=name).first.click()
    settle(page)


def step(page, name):
    page.get_by_test_id("stPageLink").filter(has_text=name).first.click()
    settle(page)


def test_from_the_effect_to_its_failures_and_their_pictures(open_page):
    page = open_page(f"counterfactual{PROP99}")
    page.get_by_test_id("stPageLink").filter(has_text="Can I trust it?").click()
    settle(page)
    assert "rank 3 of 39 (p = 0.077)" in text_of(page)
    page.get_by_text("Figure and numbers").first.click()
    settle(page)
    assert page.locator(".js-plotly-plot").count() == 1
    page.get_by_role("radio", name="2×").click()
    settle(page)
    assert "rank 3 of 39" not in text_of(page)


def test_a_cell_is_replaced_and_put_back(open_page):
    page = open_page(f"influence{PROP99}")
    assert "Minnesota, 1971" in text_of(page)
    button(page, "Replace this cell")
    assert "smooth=" in page.url
    assert "Minnesota, 1971 is" not in text_of(page)
    button(page, "Undo")
    assert "smooth=" not in page.url
    assert "Minnesota, 1971 is" in text_of(page)


def test_two_runs_side_by_side(open_page):
    page = open_page(f"changes{PROP99}")
    assert "Nothing is kept yet" in text_of(page)
    button(page, "Keep this run")
    page.get_by_role("combobox", name="Estimator").click()
    page.get_by_role("option", name="Difference in differences").click()
    settle(page)
    assert "The average effect went from −19.51 to −27.35 packs" in text_of(page)
    assert "both times “cannot tell”" in text_of(page)


def test_the_first_ranking_comes_while_the_contest_goes_on(open_page):
    page = open_page(f"compare{PROP99}")
    page.get_by_text("Typical error", exact=False).first.wait_for(timeout=60_000)
    assert "placebo assignments" in text_of(page)
    step(page, "Counterfactual")
    assert "19.5 packs lower than synthetic California" in page.inner_text("h1")
