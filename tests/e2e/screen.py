"""Doing what a person does in the browser: press, choose, wait for what appears."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

LONG = 240_000  # milliseconds: a whole run on a loaded machine
STILL = """() => { const main = document.querySelector('[data-testid=stMain]'), now = [main.scrollHeight, main.scrollTop].map(Math.round) + ' ' + document.querySelectorAll('*').length;
  if (document.querySelector('[data-testid=stSkeleton]')) return false;
  const same = window.stood?.what === now; if (!same) window.stood = { what: now, since: performance.now() };
  return same && performance.now() - window.stood.since > 600; }"""


class Screen:
    """One browser tab on the app."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = browser.new_context(viewport={"width": 1400, "height": 1000})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.url = url
        self.requests: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str = "/") -> Screen:
        self.page.goto(self.url + path)
        self.title()
        return self

    def title(self, text: str | None = None) -> None:
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_be_visible(timeout=60_000)
        if text:
            expect(heading).to_contain_text(text, timeout=60_000)

    def settled(self) -> None:
        """Wait until the page is drawn to its end and stands still: what is pressed before is pressed in vain, what is measured before moves."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
        self.page.wait_for_function(STILL, timeout=60_000)

    def press(self, key: str) -> None:
        """Press the button with this key."""
        button = self.page.locator(f".st-key-{key} button:visible").first  # a tooltip doubles its button
        expect(button).to_be_enabled(timeout=60_000)
        button.click()

    def go(self, name: str) -> None:
        """Choose a page in the sidebar."""
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()

    def upload(self, path: Path) -> None:
        self.page.locator("input[type=file]").first.set_input_files(str(path))

    def sees(self, text: str | re.Pattern[str], timeout: int = 60_000) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout)

    def run_id(self) -> str:
        """Read the run's id from the address."""
        self.page.wait_for_url(re.compile(r"[?&]run="))
        found = re.search(r"[?&]run=([^&]+)", self.page.url)
        assert found
        return found.group(1)

    def close(self) -> None:
        self.context.close()
