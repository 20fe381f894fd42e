"""Long work: progress, cancel, going elsewhere meanwhile, and finding it again."""

from __future__ import annotations

import pytest

from .conftest import settle

pytestmark = pytest.mark.browser

LONG = "counterfactual?v=1&data=staggered&inference=bootstrap(n_draws%3D{})"


def test_progress_cancel_and_again(open_page):
    page = open_page(LONG.format(9000))
    assert "This takes more than a moment" in page.inner_text("main")
    page.get_by_test_id("stProgress").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("You cancelled this analysis").wait_for(timeout=5000)
    page.get_by_role("button", name="Run it again").click()
    page.get_by_test_id("stProgress").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("You cancelled this analysis").wait_for(timeout=5000)


def test_the_work_goes_on_while_the_visitor_is_elsewhere_and_ends_by_itself(open_page):
    page = open_page(LONG.format(1500))
    page.get_by_test_id("stProgress").wait_for()
    other = open_page("counterfactual?v=1&data=prop99")
    assert "19.5 packs lower" in other.inner_text("h1")
    page.get_by_test_id("stPageLink").filter(has_text="Design").click()
    settle(page)
    assert "Who was treated" in page.inner_text("main")
    page.get_by_test_id("stPageLink").filter(has_text="Counterfactual").click()
    page.get_by_test_id("stMetric").first.wait_for(timeout=60_000)
    assert "Bootstrap over units" in page.inner_text("main")
