"""The whole way by keyboard alone, in a real browser: from the first page to a file taken home, the mouse never touched."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e import walk
from tests.e2e.furnished import RUN
from tests.e2e.screen import LONG, Screen
from tests.runs.tables import write_table

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
WATCH = "addEventListener('pointerdown', () => sessionStorage.setItem('mouse', 'used'), true)"
VERDICT = re.compile("DISTILLING HELPED|MADE NO DIFFERENCE|DISTILLING HURT|NOT CLEAR YET", re.IGNORECASE)
HEARD = "[role=status][aria-live=polite]"


class Keys(Screen):
    """A tab in which only keys are pressed; the place of the keyboard is seen wherever it comes."""

    def __init__(self, browser, url):
        super().__init__(browser, url)
        self.context.add_init_script(WATCH)

    def press_key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def skip(self) -> None:
        """Jump over the sidebar."""
        self.page.evaluate("() => document.activeElement?.blur()")
        self.press_key("Tab")
        now = walk.here(self.page)
        assert now and now["skip"], now
        self.press_key("Enter")

    def reach(self, aim: Locator, most: int = 150) -> None:
        """Press Tab until the control has the focus."""
        expect(aim).to_be_visible(timeout=60_000)
        passed = []
        for _ in range(most):
            if aim.evaluate("e => e.getRootNode().activeElement === e"):
                assert walk.here(self.page)["on"], "out of sight"
                return
            self.press_key("Tab")
            now = walk.here(self.page)
            assert now is None or now["ring"], f"not seen: {now['place']}"
            passed.append(now and now["place"])
        raise AssertionError(f"not reached by {most} presses of Tab: {passed}")

    def key_of(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key} button:visible").first

    def do(self, key: str) -> None:
        """Reach the button with this key and press it."""
        expect(self.key_of(key)).to_be_enabled(timeout=60_000)
        self.reach(self.key_of(key))
        self.press_key("Enter")

    def close(self) -> None:
        assert self.page.evaluate("() => sessionStorage.getItem('mouse')") is None
        super().close()


@pytest.fixture
def keys(browser, house):
    tab = Keys(browser, house.server.url)
    yield tab
    tab.close()


def held(keys: Keys) -> None:
    """The focus is in the page, not lost to its root."""
    keys.page.wait_for_function("() => document.activeElement && document.activeElement !== document.body")


def test_from_the_first_page_to_a_verdict(keys, tmp_path):
    page = keys.page
    keys.open("/")
    keys.skip()
    keys.do("start-own")
    keys.title("What is in the file")
    held(keys)
    keys.settled()
    drop = page.get_by_test_id("stFileUploaderDropzone").get_by_test_id("stBaseButton-secondary")
    keys.reach(drop)
    page.on(
        "filechooser", lambda _: None
    )  # asked for by then: else the first key may come before the browser hands choosers over
    keys.settled()
    with page.expect_file_chooser() as chooser:
        keys.press_key("Enter")
    chooser.value.set_files(str(write_table(tmp_path / "by key.csv", rows=1200)))
    keys.sees("1,200 rows")
    keys.do("data-use")
    keys.title("Who teaches whom")
    held(keys)
    ways = page.locator(".st-key-distill-choose-way")  # trying candidates would take longer
    keys.reach(ways.get_by_role("radio", checked=True))
    keys.press_key("ArrowDown")
    expect(ways.get_by_role("radio", name="These students")).to_be_checked()
    expect(page.get_by_role("checkbox", name="small", exact=True)).to_be_visible(timeout=60_000)
    keys.do("distill-start")
    keys.title("How is it going?")
    held(keys)
    expect(page.locator(HEARD).first).to_contain_text("trainings done", timeout=LONG)  # progress is spoken
    expect(page.locator(".st-key-verdict")).to_contain_text(VERDICT, timeout=LONG)
    expect(page.locator(HEARD).first).to_have_text(VERDICT, timeout=60_000)  # and so is the verdict
    tabs = page.locator(".st-key-tab [role=tab]")
    keys.reach(tabs.first)
    for at in range(1, tabs.count()):
        keys.settled()  # a tab that is still drawn is passed over by the arrows
        keys.press_key("ArrowRight")
        expect(tabs.nth(at)).to_be_focused()
        if tabs.nth(at).get_attribute("aria-selected") != "true":
            keys.press_key("Enter")
        expect(tabs.nth(at)).to_have_attribute("aria-selected", "true")
        expect(tabs.nth(at)).to_be_focused()  # also after the page was drawn anew


def test_a_cell_of_the_map_is_chosen_and_the_focus_stays(keys, house):
    page = keys.page
    keys.open(f"/runs?run={house.sweep}")
    keys.skip()
    cell = page.locator("[role=gridcell][tabindex='0']").first
    keys.reach(cell)
    before = cell.get_attribute("aria-label")
    keys.press_key("ArrowRight")
    expect(cell).not_to_have_attribute("aria-label", before or "")
    expect(cell).to_be_focused()
    keys.press_key("Enter")
    expect(cell).to_have_attribute("aria-selected", "true")
    page.wait_for_url(re.compile(r"[?&]cell=\d+"))
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible(timeout=60_000)
    expect(cell).to_be_focused()  # also after the page was drawn anew
    tabs = page.locator(".st-key-whatif-tab [role=tab]")
    keys.reach(tabs.first)
    keys.press_key("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()


def test_the_class_map_is_read_chosen_and_left(keys, house):
    page = keys.page
    keys.open(f"/soft-labels?run={house.soft}")
    expect(page.locator(".soft .bar")).to_be_visible(timeout=60_000)
    keys.skip()
    keys.reach(page.get_by_role("slider", name="Temperature T"))
    before = page.locator(".lead").inner_text()
    keys.press_key("ArrowRight")
    expect(page.locator(".lead")).not_to_have_text(before)
    area = page.get_by_role("application", name=re.compile("Classes that look alike"))
    keys.reach(area)
    keys.press_key("ArrowDown", "ArrowRight", "Enter")
    expect(page.locator(".list .finding")).to_contain_text("rows labelled")
    first = page.locator(".rows li button").first
    expect(first).to_be_focused()
    expect(first).to_be_in_viewport(ratio=1)
    assert walk.here(page)["ring"]
    keys.press_key("Escape")
    expect(area).to_be_focused()
    keys.press_key("Tab")
    expect(area).not_to_be_focused()


def test_a_student_is_taken_home(keys):
    page = keys.page
    keys.open(f"/export?run={RUN}")
    keys.skip()
    keys.do("export-make-bundle")
    expect(page.locator(".st-key-export-bundle")).to_contain_text("checked just now", timeout=LONG)
    held(keys)
    keys.reach(page.locator(".st-key-export-download-bundle button:visible").first)
    with page.expect_download() as saved:
        keys.press_key("Enter")
    assert saved.value.path().stat().st_size > 1_000


@pytest.mark.parametrize("by", ["mouse", "key"])
def test_the_title_of_a_new_page_shows_its_frame_to_who_uses_keys_only(browser, house, by):
    tab = Screen(browser, house.server.url).open("/")
    if by == "mouse":
        tab.press("start-own")
    else:
        tab.page.locator(".st-key-start-own button:visible").first.focus()
        tab.page.keyboard.press("Enter")
    tab.title("What is in the file")
    title = tab.page.get_by_role("heading", level=1)
    expect(title).to_be_focused(timeout=60_000)  # so that a screen reader goes on from there
    expect(title).to_have_css("outline-style", "none" if by == "mouse" else "solid")
    tab.page.keyboard.press("Shift")  # alone, it moves nothing
    expect(title).to_have_css("outline-style", "none" if by == "mouse" else "solid")
    tab.page.keyboard.press("ArrowDown")
    expect(title).to_have_css("outline-style", "solid")
    tab.close()
