"""A phone on a slow line: the code of a field comes after the page was drawn twice, and the field still shows its value."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.furnished import RUN

pytestmark = pytest.mark.e2e


def test_fields_whose_code_comes_late_show_what_the_results_beside_them_know(browser, house):
    page = browser.new_context(viewport={"width": 420, "height": 900}).new_page()

    def late(route):
        time.sleep(2.5)
        route.continue_()

    page.route(re.compile(r"(multiselect|numberinput).*\.js", re.I), late)
    page.goto(f"{house.server.url}/compare?runs={RUN}")
    expect(page.get_by_test_id("stMultiSelect").first).to_contain_text(" · ", timeout=60_000)
    expect(page.locator("[data-testid=stNumberInput] input").first).to_have_value("1.00", timeout=30_000)  # points lost
    page.context.close()
