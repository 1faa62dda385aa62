"""The Data page in a real browser: what a row is, stepped through by key, for a table, English and Chinese text, pictures and queries."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.scenarios.samples import write_sample
from pages.ui.shared import engine
from tests.e2e.screen import Screen
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
NAMES = ("purchase", "service", "service_chinese", "product_pictures", "search")
ROWS = 300
WAIT = 120_000  # milliseconds: on a loaded machine


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server with small samples, each a dataset of its workspace."""
    samples, root = tmp_path_factory.mktemp("samples"), tmp_path_factory.mktemp("data") / "workspace"
    for name in NAMES:
        write_sample(name, samples, ROWS)
    shutil.copytree(Path("sample_data") / "example", samples / "example")  # its sample is the one that is offered
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root))
        ids = {name: engine.library().save_spec(default_spec(name).dataset) for name in NAMES}
    app = Server(root, {"KD_SAMPLES": str(samples)})
    app.start()
    yield app, ids
    app.stop()


def opened(browser, furnished, name, width=1400):
    server, ids = furnished
    screen = Screen(browser, server.url)
    screen.page.set_viewport_size({"width": width, "height": 1000})
    screen.open(f"/data?data={ids[name]}")
    expect(screen.page.locator(".kd-row")).to_be_visible(timeout=WAIT)
    screen.settled()
    return screen


def press(screen, key):
    """Press a key until a button takes it: the first moments after it is drawn it doesn't listen yet."""
    screen.page.evaluate("() => window.addEventListener('keydown', e => { window.taken = e.defaultPrevented; })")
    for _ in range(200):
        screen.page.keyboard.press(key)
        if screen.page.evaluate("() => window.taken"):
            return
        screen.page.wait_for_timeout(100)
    raise AssertionError(f"no button takes {key}")


def number(screen):
    return screen.page.get_by_role("spinbutton", name=re.compile("^(Row|Group) of"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_stepped_through_by_key(name, browser, furnished):
    screen = opened(browser, furnished, name)
    row = screen.page.locator(".kd-row")
    first = row.inner_html()
    press(screen, "n")
    expect(number(screen)).to_have_value("2", timeout=WAIT)
    screen.page.wait_for_function(
        "before => document.querySelector('.kd-row').innerHTML !== before", arg=first, timeout=WAIT
    )
    press(screen, "p")
    expect(number(screen)).to_have_value("1", timeout=WAIT)
    screen.page.wait_for_function(
        "before => document.querySelector('.kd-row').innerHTML === before", arg=first, timeout=WAIT
    )
    if name in ("service", "service_chinese"):
        assert row.locator(".pieces span").count() > 5
    if name == "product_pictures":
        assert row.locator("img").evaluate("image => image.naturalWidth") == 32
    if name == "search":
        assert row.locator("li").count() == 10
    assert not screen.page.get_by_test_id("stException").count()
    screen.close()


def test_a_row_fits_a_phone(browser, furnished):
    screen = opened(browser, furnished, "service", width=420)
    box = screen.page.locator(".kd-row").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 420
    assert screen.page.locator(".kd-row").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    screen.close()


def test_an_empty_page_is_filled_with_one_press(browser, furnished):
    server, _ = furnished
    screen = Screen(browser, server.url).open("/data")
    screen.press("data-fill")
    expect(screen.page.locator(".kd-row")).to_be_visible(timeout=WAIT)
    screen.sees(SCENARIOS.get("purchase").title)
    screen.close()


def test_the_list_of_samples_closes_once_one_was_taken(browser, furnished):
    screen = opened(browser, furnished, "purchase")
    button = screen.page.get_by_role("button", name="Take a sample")
    button.click()
    sample = screen.page.locator(".st-key-data-sample-searches button:visible").first
    expect(sample).to_be_visible()
    sample.click()
    expect(screen.page.get_by_text("queries").first).to_be_visible(timeout=WAIT)
    screen.settled()
    expect(screen.page.locator(".st-key-data-sample-list")).to_have_count(0)
    expect(button).to_be_visible()
    screen.close()
