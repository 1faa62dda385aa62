"""Every page and every tab of a result in a real browser: axe-core in light, dark and on a phone, and what axe can't see.

`walk.py` holds what is looked at beyond axe. A finding inside of Streamlit's own markup that can't be mended from outside
stands in `THEIRS` with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from pages.ui.shared.text import t
from tests.e2e import walk
from tests.e2e.furnished import RUN
from tests.e2e.screen import Screen

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
ALL = {"resultTypes": ["violations"]}
WAYS = {
    "light": (1440, "light", ALL),
    "dark": (1440, "dark", {**ALL, "runOnly": ["color-contrast"]}),  # the same page in other colours
    "phone": (420, "light", ALL),
}
WHILE = 120_000  # milliseconds on a busy machine
GRAVE = ("serious", "critical")
THEIRS: dict[tuple[str, str], str] = {}  # (rule, part of the element's markup): why it is left
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"}
WEARS = "paper => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === paper"
KNOWN = "() => matchMedia('(max-width: 640px)').matches === Boolean(window.kdAids?.narrow)"  # by the server, too
TABS = {"map": "whatif-tab", "result": "tab"}  # pages with tabs, and the key of those


def look(
    screen: Screen,
    name: str,
    within: str | None = None,
    ways: tuple[str, ...] = tuple(WAYS),
    unfold: Callable[[], None] = lambda: None,
) -> list[str]:
    """Everything wrong with what is shown now; `within` limits axe to a part that is new, which a phone may have to `unfold`."""
    found, page = [], screen.page
    for way in ways:
        width, scheme, rules = WAYS[way]
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce" if way == "phone" else "no-preference")
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(WEARS, arg=PAPER[scheme], timeout=WHILE)  # the theme follows a moment later
        page.wait_for_function(KNOWN, timeout=WHILE)
        screen.settled()
        if way == "phone":
            unfold()
        page.wait_for_timeout(300)  # aids follow a drawing
        for v in Axe().run(page, context=within, options=rules).response["violations"]:
            if v["impact"] in GRAVE:
                nodes = [n for n in v["nodes"] if not any(v["id"] == r and m in n["html"] for r, m in THEIRS)]
                found += [f"{name}, {way}: {v['id']}: {n['html'][:160]} {n['failureSummary']}" for n in nodes]
        if way == "light":
            found += [f"{name}: {line}" for line in page.evaluate(walk.STRUCTURE)]
        if way == "phone":
            found += [f"{name}, {way}: {line}" for line in page.evaluate(walk.PHONE)]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.wait_for_function(KNOWN, timeout=WHILE)
    screen.settled()
    return found


def unfolded(screen: Screen, tab: Locator) -> None:
    """Open the fold that the tabs of a map stand in on a phone, and the tab that was open on the wide screen."""
    if not tab.is_visible():
        screen.page.locator(".st-key-whatif-more summary").click()
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    screen.settled()


PAGES = ("start", "data", "distill", "what-if", "map", "runs", "result", "compare", "soft labels", "compress", "export", "status")  # fmt: skip


def test_all_pages_are_looked_at(house):
    assert tuple(house.addresses()) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_finding_in_light_dark_or_on_a_phone(browser, house, name):
    screen = Screen(browser, house.server.url).open(house.addresses()[name])
    screen.settled()
    found = look(screen, name)
    found += [f"{name}: {line}" for line in walk.round_by_key(screen.page)]
    if name in TABS:
        tabs = screen.page.locator(f".st-key-{TABS[name]} [role=tab]")
        for at in range(1, tabs.count()):
            tabs.nth(at).click()
            expect(tabs.nth(at)).to_have_attribute("aria-selected", "true")
            screen.page.wait_for_timeout(300)
            screen.settled()
            found += look(
                screen,
                f"{name}, {tabs.nth(at).inner_text()}",
                f".st-key-{TABS[name]}",
                unfold=partial(unfolded, screen, tabs.nth(at)),
            )
    screen.close()
    assert not found, "\n".join(found)


CUT = """() => [...document.querySelectorAll(".st-key-result-table :is(td, tbody th)")].filter(
  cell => cell.textContent.trim() && (cell.offsetWidth === 0 || cell.scrollWidth > cell.clientWidth + 1)).map(cell => cell.innerText)"""


def test_on_a_phone_every_cell_of_the_result_can_be_read(browser, house):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": 420, "height": 1000})
    screen.open(f"/runs?run={RUN}")
    cells = screen.page.locator(".st-key-result-table td")
    expect(cells.first).to_be_visible(timeout=60_000)
    screen.settled()  # drawn again once the page knows that it is narrow: what was open before is shut
    screen.page.locator(".st-key-result-table summary").click()
    expect(screen.page.locator(".st-key-result-table table").nth(1)).to_be_visible()
    screen.settled()
    assert cells.count() > 100 and screen.page.evaluate(CUT) == []
    expect(cells.first).to_have_attribute("data-title", "Teacher")
    told = cells.evaluate_all(
        "all => all.filter(e => e.textContent.trim()).map(e => getComputedStyle(e, '::before').content)"
    )
    assert not [one for one in told if one in ("none", '""', "normal")] and '"Gap closed"' in told
    screen.page.set_viewport_size({"width": 1440, "height": 1000})
    assert screen.page.evaluate(CUT) == []
    screen.close()


def test_a_phones_second_drawing_keeps_what_widgets_were_told(browser, house):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": 420, "height": 1000})
    screen.open(f"/compare?runs={RUN}")
    screen.page.wait_for_function(KNOWN, timeout=WHILE)
    screen.settled()
    screen.page.locator(".st-key-compare-runs-place summary").click()
    expect(screen.page.locator(".st-key-compare-runs [data-tag]").first).to_be_visible(timeout=60_000)
    screen.close()


def test_the_map_and_a_chart_are_saved_by_their_own_buttons(browser, house):
    screen = Screen(browser, house.server.url).open(f"/runs?run={house.sweep}")
    page = screen.page
    expect(page.get_by_role("gridcell").first).to_be_visible(timeout=60_000)
    screen.settled()
    assert page.locator(".modebar-btn").count() == 0
    places = {
        "map": page.locator("[class*='st-key-whatif-map']"),
        "chart": page.locator("[class*='st-key-whatif-each-'][class*='-picture']"),
    }
    for what, place in places.items():
        for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
            with page.expect_download() as saved:
                place.get_by_role("button", name=f"as {kind}").first.click()
            assert saved.value.suggested_filename.endswith(f".{kind.lower()}")
            content = saved.value.path().read_bytes()
            assert content.startswith(start) and len(content) > 3_000
            if kind == "SVG":
                assert (b"temperature T" if what == "map" else b"scatterlayer") in content
    screen.close()


ABOVE = "([x, y]) => { let e = document.elementFromPoint(x, y), said = ''; for (; e; e = e.parentElement) said += ' ' + e.className; return said; }"


@pytest.mark.parametrize(("name", "key"), [("distill", "distill"), ("what-if", "whatif")])
def test_on_a_phone_start_stays_in_reach_and_ends_in_its_own_place(browser, house, name, key):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": 420, "height": 860})
    screen.open(house.addresses()[name])
    screen.page.wait_for_function(KNOWN, timeout=WHILE)
    screen.settled()
    start = screen.page.locator(f".st-key-{key}-start button:visible").first
    box = start.bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= 860, box
    above = screen.page.evaluate(ABOVE, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    assert f"st-key-{key}-start" in above, above
    band = screen.page.locator(f".st-key-{key}-finish").bounding_box()
    assert band["height"] <= 860 / 8, "what stays in sight leaves room for the form"
    screen.page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTo(0, 1e6)")
    screen.settled()
    assert start.bounding_box()["y"] < box["y"] - 50
    screen.close()


def test_a_run_that_is_opened_from_a_scrolled_list_begins_at_its_top(browser, house):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": 420, "height": 300})
    screen.open("/runs")
    screen.page.wait_for_function(KNOWN, timeout=WHILE)
    screen.settled()
    main = screen.page.get_by_test_id("stMain")
    link = main.locator(f"a[href*='run={RUN}']").first
    link.scroll_into_view_if_needed()
    main.evaluate("e => { e.scrollTop += 80; }")
    assert main.evaluate("e => e.scrollTop") > 200
    link.click()
    screen.page.wait_for_url(re.compile(rf"/runs\?.*run={RUN}"))
    screen.settled()
    assert main.evaluate("e => e.scrollTop") == 0
    main.evaluate("e => { e.scrollTop = 400; }")
    screen.settled()
    assert main.evaluate("e => e.scrollTop") == 400  # who scrolls stays there
    screen.close()


@pytest.mark.parametrize("width", [420, 1440])
def test_boxes_show_all_they_say_and_nothing_empty(browser, house, width):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": width, "height": 1000})
    screen.open("/data")
    screen.page.wait_for_function(KNOWN, timeout=WHILE)
    screen.settled()
    told = screen.page.get_by_test_id("stFileUploaderDropzoneInstructions").locator("span").last
    assert told.evaluate("e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display === 'inline'")
    expect(told).to_have_css("white-space", "normal")
    box = screen.page.get_by_test_id("stFileUploader").bounding_box()
    after = screen.page.get_by_text(t("data.samples"), exact=True).bounding_box()
    assert width > 640 or after["y"] - box["y"] - box["height"] < 40  # no hole below it
    if width > 640:
        screen.open(house.addresses()["what-if"])
        screen.settled()
        chips = screen.page.get_by_test_id("stMultiSelect").filter(has_text="Soft share")
        drawn = chips.locator("[data-tag]").evaluate_all("all => all.map((e) => e.getBoundingClientRect())")
        inner = chips.locator("input").first.bounding_box()
        assert inner["y"] < max(one["bottom"] for one in drawn)  # no empty line below the last of them
    screen.close()


def test_on_a_phone_the_menu_closes_behind_whoever_chose_a_page(browser, house):
    screen = Screen(browser, house.server.url)
    screen.page.set_viewport_size({"width": 420, "height": 900})
    screen.open("/status")
    screen.settled()
    menu = screen.page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True)
    for _ in range(2):
        screen.page.get_by_test_id("stExpandSidebarButton").click()
        expect(menu).to_be_in_viewport()
        menu.click()
        screen.page.wait_for_url(re.compile("/runs"))
        screen.settled()
        expect(menu).not_to_be_in_viewport()
    screen.page.get_by_test_id("stExpandSidebarButton").click()
    expect(menu).to_be_in_viewport()  # open, it is remembered; the next visit begins with the page all the same
    screen.page.reload()
    screen.title()
    screen.settled()
    expect(menu).not_to_be_in_viewport()
    screen.close()
