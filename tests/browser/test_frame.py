"""What surrounds every page: the steps can be clicked, and a page begins at its top."""

from __future__ import annotations

import pytest

from .conftest import settle

pytestmark = pytest.mark.browser

SCROLLER = "document.querySelector('[data-testid=stMain]')"


def test_a_page_begins_at_its_top(open_page):
    page = open_page("design?v=1&data=prop99", height=700)
    button = page.get_by_role("button", name="How to build the counterfactual")
    button.scroll_into_view_if_needed()
    assert page.evaluate(f"{SCROLLER}.scrollTop") > 0
    button.click()
    page.get_by_text("How should the counterfactual be built?").wait_for()
    settle(page)
    assert page.evaluate(f"{SCROLLER}.scrollTop") == 0
    page.evaluate(f"{SCROLLER}.scrollTo(0, 400)")
    page.get_by_text("Conformal", exact=True).click()
    settle(page)
    assert page.evaluate(f"{SCROLLER}.scrollTop") > 0


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_step_and_the_menu_can_be_reached(open_page, width):
    page = open_page("counterfactual?v=1&data=prop99", width=width, height=900)
    covered = page.evaluate(
        """() => [...document.querySelectorAll('.st-key-steps a')].filter(link => {
            const box = link.getBoundingClientRect();
            return [0.1, 0.5, 0.9].some(share => !link.contains(
                document.elementFromPoint(box.x + share * box.width, box.y + box.height / 2)));
        }).map(link => link.innerText)"""
    )
    assert covered == []
    menu = page.get_by_test_id("stMainMenu").get_by_role("button")
    menu.click()
    assert page.get_by_test_id("stMainMenuPopover").is_visible()


def test_the_chart_is_in_the_first_screenful(open_page):
    page = open_page("counterfactual?v=1&data=prop99", height=900)
    page.wait_for_selector(".js-plotly-plot .cartesianlayer")
    top = page.locator(".js-plotly-plot .cartesianlayer").first.bounding_box()["y"]
    assert top < 550
