"""Every page by axe-core in a real browser: light, dark and on a phone; and what axe can't see of names and keys."""

from __future__ import annotations

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from kd_core.scenarios import default_spec
from pages.ui.shared import engine, example
from tests.e2e.screen import Screen
from tests.e2e.server import Server
from tests.pages.sweeps import make_sweep

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
ALL = {"resultTypes": ["violations"]}
WAYS = {
    "light": (1440, "light", ALL),
    "dark": (1440, "dark", {**ALL, "runOnly": ["color-contrast"]}),  # the same page in other colours
    "phone": (420, "light", ALL),
}
GRAVE = ("serious", "critical")
MARKUP = re.compile(r"\*\*|:material/|:gray\[|:small\[|&nbsp;|&#\d+;")
RUN = "example-run"
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"}
WEARS = "paper => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === paper"


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A server whose workspace holds the example, a what-if and a dataset."""
    root = tmp_path_factory.mktemp("axe") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root))
        shutil.copytree(example.FOLDER, root / "runs" / RUN)
        engine._store.cache_clear()
        engine.store().refresh(RUN)
        sweep = make_sweep()
        data = engine.library().save_spec(default_spec("purchase").dataset)
    app = Server(root)
    app.start()
    yield app, sweep, data
    app.stop()


def addresses(sweep: str, data: str) -> dict[str, str]:
    return {
        "start": "/",
        "data": f"/data?data={data}",
        "distill": "/distill",
        "what-if": f"/what-if?data={data}",
        "map": f"/runs?run={sweep}&cell=4",
        "runs": "/runs",
        "result": f"/runs?run={RUN}",
        "compare": f"/compare?runs={RUN}",
        "soft labels": f"/soft-labels?run={RUN}",
        "export": f"/export?run={RUN}",
        "status": "/status",
    }


def settled(screen: Screen) -> None:
    screen.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    screen.page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")


def test_no_page_has_a_serious_finding_in_light_dark_or_on_a_phone(browser, furnished):
    server, sweep, data = furnished
    screen = Screen(browser, server.url)
    found = []
    for name, path in addresses(sweep, data).items():
        screen.open(path)
        settled(screen)
        names = screen.page.eval_on_selector_all("[aria-label]", "all => all.map(e => e.getAttribute('aria-label'))")
        found += [f"{name}: the name {n!r} holds markup" for n in names if MARKUP.search(n)]
        for way, (width, scheme, rules) in WAYS.items():
            screen.page.emulate_media(color_scheme=scheme)
            screen.page.set_viewport_size({"width": width, "height": 1000})
            settled(screen)
            screen.page.wait_for_function(WEARS, arg=PAPER[scheme])  # the theme follows a moment later
            for v in Axe().run(screen.page, options=rules).response["violations"]:
                if v["impact"] in GRAVE:
                    found += [f"{name}, {way}: {v['id']}: {n['html'][:160]} {n['failureSummary']}" for n in v["nodes"]]
    screen.close()
    assert found == []


CUT = """() => [...document.querySelectorAll(".st-key-result-table :is(td, tbody th)")].filter(
  cell => cell.offsetWidth === 0 || cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.innerText)"""


def test_on_a_phone_every_cell_of_the_result_can_be_read(browser, furnished):
    server, *_ = furnished
    screen = Screen(browser, server.url)
    screen.page.set_viewport_size({"width": 420, "height": 1000})
    screen.open(f"/runs?run={RUN}")
    cells = screen.page.locator(".st-key-result-table td")
    expect(cells.first).to_be_visible(timeout=60_000)
    settled(screen)
    assert cells.count() > 100 and screen.page.evaluate(CUT) == []
    expect(screen.page.get_by_role("columnheader", name="Gap closed")).to_be_visible()
    screen.page.set_viewport_size({"width": 1440, "height": 1000})
    assert screen.page.evaluate(CUT) == []
    screen.close()


def test_a_cell_is_chosen_by_keyboard_and_a_chart_is_saved_by_its_own_button(browser, furnished):
    server, sweep, _ = furnished
    screen = Screen(browser, server.url).open(f"/runs?run={sweep}")
    page = screen.page
    area = page.locator(f".st-key-whatif-map-{sweep}")
    expect(area.locator(".scatterlayer .point").first).to_be_visible(timeout=60_000)
    assert page.locator(".modebar-btn").count() == 0
    page.get_by_label("Cell", exact=True).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-whatif-cell")).to_be_visible(timeout=60_000)
    assert "cell=" in page.url
    saver = page.locator(f".st-key-whatif-map-{sweep}-picture")  # other charts may have theirs sooner
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            saver.get_by_role("button", name=f"Save this chart as {kind}").click()
        assert saved.value.suggested_filename == f"whatif-map-{sweep}.{kind.lower()}"
        content = saved.value.path().read_bytes()
        assert content.startswith(start) and len(content) > 3_000
        if kind == "SVG":
            assert content.count(b"heatmaplayer") >= 1 and b"temperature T" in content
    screen.close()
