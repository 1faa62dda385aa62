"""Class names, column names and texts of rows are data: in the browser, too, they are never read as markup, script or address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import browser  # noqa: F401
from tests.e2e.furnished import filling
from tests.e2e.screen import Screen
from tests.e2e.server import Server
from tests.pages.soft_runs import soft_run

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
HOSTILE = (
    "<img src=x onerror=window.harmed=1>",
    "<script>window.harmed=1</script>",
    "![x](http://evil.example/x.png)",
    '"><svg onload=window.harmed=1>',
    "');window.harmed=1;('",
    "url(http://evil.example/y.png)",
    "{t} {share} ${window.harmed=1}",
    "__proto__",
)
MARKUP = "script, img, svg[onload], [onerror], [onload], a:not([download])"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile") / "workspace"
    with filling(root):
        run_id, _ = soft_run(
            8, 80, "english", classes=HOSTILE, texts=[HOSTILE[i % 8] + "\n" + HOSTILE[3] for i in range(80)]
        )
    server = Server(root)
    server.start()
    yield server, run_id
    server.stop()


def test_hostile_names_and_texts_stay_text(browser, running):  # noqa: F811
    server, run_id = running
    screen = Screen(browser, server.url)
    page = screen.page
    refused = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    screen.open(f"/soft-labels?run={run_id}&t=%3Cimg+src%3Dx+onerror%3Dwindow.harmed%3D1%3E&row=%22%3E%3Csvg%3E")
    expect(page.locator(".soft .bar")).to_be_visible(timeout=60_000)
    for at in range(0, 110, 10):
        page.get_by_role("slider").evaluate("(e, at) => { e.value = at; e.dispatchEvent(new Event('input')); }", at)
    for place in (".pairs .pair:not(.titles)", ".classes .scroll button", ".rows li button", ".bars .class"):
        for k in range(4):
            page.locator(place).nth(k).click()
    for name in HOSTILE:
        page.get_by_placeholder("Find a class").fill(name)
        expect(page.locator(".classmap .pointer")).to_contain_text(name)
    page.get_by_text("What the student inherited").click()
    for button in ("Next row of the list", "Zoom in", "All classes"):
        page.get_by_role("button", name=button).click()
    inside = page.locator(".soft")
    assert inside.evaluate("(e, found) => e.querySelectorAll(found).length", MARKUP) == 0
    shown = page.locator(".soft blockquote").inner_text()
    assert shown.split("\n")[0] in HOSTILE and shown.split("\n")[1] == HOSTILE[3]
    names = inside.locator(".classes .scroll .name").all_inner_texts()
    assert sum(name in HOSTILE for name in names) >= 4  # the longer ones are shortened in the middle
    assert page.evaluate("() => window.harmed") is None
    assert page.evaluate("() => ({}).harmed") is None and refused == []
    assert not [u for u in screen.requests if not u.startswith((server.url, "data:", "blob:", "ws:"))]
    assert not [u for u in screen.requests if re.search("evil|onerror", u.partition("?")[0])]
    screen.close()
