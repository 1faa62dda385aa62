"""From one run to another by the list, as a person goes: the list in the sidebar, then a row."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def test_from_a_runs_page_the_list_opens_another_run(browser, house):
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{house.server.url}/runs?run={house.second}")
    expect(page.get_by_role("button", name="All runs")).to_be_visible(timeout=60_000)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True).click()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible(timeout=30_000)
    expect(page).not_to_have_url(re.compile("run="))  # else a reload, or a click, would open the run that was left
    page.wait_for_timeout(1500)  # the table takes clicks once it is painted
    place = table.locator("canvas").first.bounding_box()
    for row in range(8):  # the first that is another run than the one left
        page.mouse.click(place["x"] + 250, place["y"] + 36 + 20 + 40 * row)
        expect(page).to_have_url(re.compile("run="), timeout=30_000)
        expect(page.get_by_role("button", name="All runs")).to_be_visible(timeout=30_000)
        if house.second not in page.url:
            break
        page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True).click()
        expect(table).to_be_visible(timeout=30_000)
        page.wait_for_timeout(1500)
    assert house.second not in page.url
    page.close()
