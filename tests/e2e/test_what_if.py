"""A what-if in a real browser: from the form over a filling map to one cell, its soft labels and a zoom."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.screen import LONG, Screen
from tests.runs.tables import write_table

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def test_from_an_upload_to_a_chosen_cell_and_a_finer_grid(browser, server, tmp_path):
    screen = Screen(browser, server.url)
    page = screen.page
    screen.open("/data")
    screen.upload(write_table(tmp_path / "shop.csv", rows=2500))
    screen.sees("2,500 rows")
    screen.press("data-use")
    screen.title("Who teaches whom")
    screen.go("What-if")
    screen.title("What if I changed one thing?")
    screen.sees("This teacher has not answered for this data yet")
    screen.sees("75 variants, 63 trainings")
    screen.press("whatif-start")
    run_id = screen.run_id()
    page.reload()
    assert screen.run_id() == run_id
    expect(page.locator(".st-key-verdict")).to_be_visible(timeout=LONG)
    area = page.locator(f".st-key-whatif-map-{run_id}")
    cells = area.get_by_role("gridcell")
    expect(cells.first).to_be_visible(timeout=60_000)
    assert cells.count() == 25
    found = json.loads((server.workspace / "runs" / run_id / "result.json").read_text())
    assert len(found["cells"]) == 25

    cells.nth(7).click()
    expect(cells.nth(7)).to_have_attribute("aria-selected", "true")
    chosen = re.search(r"[?&]cell=(\d+)", page.url)
    assert chosen
    page.reload()  # the address keeps the choice
    expect(page.locator(".st-key-whatif-cell")).to_be_visible(timeout=60_000)
    page.locator(".st-key-whatif-part").get_by_text("Soft labels", exact=True).click()
    expect(page.locator(".st-key-whatif-bars .js-plotly-plot")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("tab", name="All settings")).to_have_count(0)  # two settings: the map says all
    expect(page.locator(".st-key-whatif-each-alpha .js-plotly-plot")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Table").click()
    with page.expect_download() as download:
        screen.press("download-cells")
    assert len(download.value.path().read_text("utf-8").splitlines()) == 1 + 75

    screen.press("whatif-zoom")
    screen.sees(re.compile("variants, .* trainings"))
    expect(page.locator(".st-key-whatif-instant-chart .js-plotly-plot")).to_be_visible(timeout=60_000)
    assert not [u for u in screen.requests if not u.startswith((server.url, "data:", "blob:", "ws:"))]
    screen.close()
