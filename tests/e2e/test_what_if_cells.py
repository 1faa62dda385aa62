"""The map of a what-if in a real browser: every cell with its bar, a click that never scrolls, the keys, narrow and dark."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from kd_core.runs.settings import reading
from kd_core.runs.store.runs import RunStore
from tests.e2e.screen import LONG, Screen
from tests.pages.sweeps import make_sweep

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
SCROLLED = "() => document.querySelector('[data-testid=stMain]').scrollTop + window.scrollY"


@pytest.fixture
def made(server, monkeypatch):
    """Makes what-ifs in the workspace of the server."""

    def make(*args, **more):
        store = RunStore(server.workspace)
        monkeypatch.setattr("tests.pages.sweeps.store", lambda: store)
        run_id = make_sweep(*args, **more)
        found = json.loads((server.workspace / "runs" / run_id / "result.json").read_text())
        return run_id, found

    return make


def opened(browser, server, run_id, width=1440, scheme="light", height=1000):
    screen = Screen(browser, server.url)
    screen.context.close()
    screen.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    screen.page = screen.context.new_page()
    screen.page.set_default_timeout(LONG)
    screen.page.goto(f"{server.url}/runs?run={run_id}")
    expect(screen.page.locator("[data-cell]").first).to_be_visible(timeout=LONG)
    expect(screen.page.locator(".st-key-whatif-cell")).to_be_visible(timeout=LONG)
    screen.settled()
    return screen, screen.page


def test_bars_are_the_runs_intervals_on_one_scale_and_the_frame_is_the_engines(browser, server, made):
    run_id, found = made(temperature=(1, 2, 4, 8, 16), alpha=(0, 0.25, 0.5, 0.75, 1), seeds=5)
    screen, page = opened(browser, server, run_id)
    drawn = page.evaluate(
        """() => { const find = root => { for (const e of root.querySelectorAll("*")) { if (e.matches("[data-cell]")) return e.getRootNode();
             if (e.shadowRoot) { const inside = find(e.shadowRoot); if (inside) return inside; } } };
           return [...find(document).querySelectorAll("[data-cell]")].map(g => { const n = (e, k) => Number(e.getAttribute(k)); const bar = g.querySelector(".interval");
             return { id: Number(g.dataset.cell), fill: g.querySelector(".ground").getAttribute("fill"), left: n(g.querySelector(".ground"), "x"), zero: n(g.querySelector(".zero"), "x1"),
                      gain: n(g.querySelector("circle"), "cx"), low: bar && n(bar, "x1"), high: bar && n(bar, "x2") }; }); }"""
    )
    assert len(drawn) == 25
    cells = {c["cell"]: c for c in found["cells"]}
    best = max((c for c in drawn if c["low"] is not None), key=lambda c: cells[c["id"]]["gain"]["mean"])
    per_unit = (best["gain"] - best["zero"]) / cells[best["id"]]["gain"]["mean"]
    zeros = {round(c["zero"] - c["left"], 3) for c in drawn}
    assert len(zeros) == 1  # 0 stands at one place in every cell
    for c in drawn:
        gain = cells[c["id"]]["gain"]
        assert c["gain"] - c["zero"] == pytest.approx(per_unit * gain["mean"], abs=0.05)
        if c["low"] is not None:
            for end, value in zip((c["low"], c["high"]), gain["ci95"], strict=True):
                assert end - c["zero"] == pytest.approx(per_unit * value, abs=0.05)
    gains = sorted((cells[c["id"]]["gain"]["mean"], *map(int, re.findall(r"\d+", c["fill"]))) for c in drawn)
    blue = [b for gain, _, _, b in gains if gain > 0]  # the more orange, the less blue
    assert blue == sorted(blue, reverse=True) and len(set(blue)) > 5  # no smaller gain is darker, whatever its interval
    like = set(reading.of_result(found, RunStore(server.workspace).folder(run_id).spec()).alike)
    told = {
        int(g.get_attribute("data-cell"))
        for g in page.locator("[data-cell]").all()
        if re.search("best", g.get_attribute("aria-label"))
    }
    assert told == like
    screen.close()


def test_a_click_answers_in_the_browser_and_leaves_the_page_where_it_is(browser, server, made):
    run_id, found = made(
        students=("tiny", "small"), temperature=(1, 2, 4, 8, 16), alpha=(0, 0.25, 0.5, 0.75, 1), seeds=3
    )
    screen, page = opened(browser, server, run_id, height=700)
    cells = page.locator("[data-cell]")
    panel, below = page.locator(".panel h2"), page.locator(".st-key-whatif-cell strong")
    for at in (3, 17, 21, 9):
        cell = cells.nth(at)
        cell.scroll_into_view_if_needed()
        own = int(cell.get_attribute("data-cell"))
        setting = next(c for c in found["cells"] if c["cell"] == own)
        title = f"{setting['student']}, T = {setting['temperature']:g}, α = {setting['alpha']:g}"
        scrolled = page.evaluate(SCROLLED)
        assert scrolled > 0
        cell.click()
        assert (
            page.evaluate(SCROLLED) == scrolled and panel.inner_text() == title
        )  # no word of the server was waited for
        expect(below).to_have_text(title, timeout=LONG)
        page.wait_for_timeout(500)
        assert page.evaluate(SCROLLED) == scrolled and f"cell={own}" in page.url
        expect(cell).to_have_attribute("aria-selected", "true")
    page.reload()  # the address keeps the choice
    expect(panel).to_have_text(title, timeout=LONG)
    screen.close()


def test_cells_are_walked_by_keys_and_say_themselves(browser, server, made):
    run_id, _ = made(students=("tiny", "small"), temperature=(1, 4, 16), alpha=(0, 0.5, 1), seeds=3)
    screen, page = opened(browser, server, run_id)
    grid = page.get_by_role("grid", name=re.compile("Gain"))
    expect(grid.get_by_role("gridcell")).to_have_count(9)
    expect(page.locator("[data-cell][tabindex='0']")).to_have_count(1)  # one stop of the Tab key for the whole map
    page.locator("[data-cell][tabindex='0']").focus()
    page.keyboard.press("Home")
    focused = page.locator("[data-cell]:focus")
    expect(focused).to_have_attribute(
        "aria-label",
        re.compile(r"^T 1, alpha 0\.5, student small: \+\S+ points \[\+\S+, \+\S+\], 3 seeds, best on validation$"),
    )
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(focused).to_have_attribute("aria-label", re.compile(r"^T 4, alpha 1, student small: "))
    page.keyboard.press("ArrowUp")  # the edge
    expect(focused).to_have_attribute("aria-label", re.compile(r"^T 4, alpha 1, "))
    page.keyboard.press("Enter")
    expect(page.locator(".panel h2")).to_have_text("small, T = 4, α = 1", timeout=LONG)
    expect(page.locator(".st-key-whatif-cell strong")).to_have_text("small, T = 4, α = 1", timeout=LONG)
    expect(focused).to_have_attribute("aria-selected", "true")  # the server's answer takes no focus away
    page.keyboard.press("End")
    page.keyboard.press("Space")
    expect(page.locator(".panel h2")).to_have_text("small, T = 16, α = 1", timeout=LONG)
    assert "T 16, alpha 1" in page.locator(".map [role=status]").inner_text()
    page.locator(".st-key-whatif-cell").get_by_text("Recipe", exact=True).click()
    expect(page.locator(".st-key-whatif-cell [data-testid=stDataFrame]")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Open in Distill").click()
    screen.title("Who teaches whom")
    screen.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_75_cells_are_read_on_a_phone(browser, server, made, scheme):
    run_id, _ = made(temperature=tuple(range(1, 16)), alpha=(0, 0.25, 0.5, 0.75, 1), seeds=3)
    screen, page = opened(browser, server, run_id, width=420, scheme=scheme)
    expect(page.locator("[data-cell]")).to_have_count(75)
    sizes = page.evaluate(
        """() => { const find = root => { for (const e of root.querySelectorAll("*")) { if (e.matches("svg [data-cell]")) return e.getRootNode();
             if (e.shadowRoot) { const inside = find(e.shadowRoot); if (inside) return inside; } } };
           const root = find(document); const rgb = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
           const light = c => { const [r, g, b] = rgb(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
           return [...root.querySelectorAll("[data-cell]")].map(g => { const box = g.getBoundingClientRect(); const text = g.querySelector("text:not(.star)");
             const [a, b] = [light(getComputedStyle(text).fill), light(getComputedStyle(g.querySelector(".ground")).fill)];
             return { width: box.width, right: box.right, font: parseFloat(text.getAttribute("font-size")), room: text.getBoundingClientRect().width, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }; }); }"""
    )
    assert all(
        s["right"] <= 420 and s["font"] >= 10 and s["room"] <= s["width"] and s["contrast"] >= 4.5 for s in sizes
    )
    screen.close()


def test_a_cell_that_was_chosen_does_not_hold_back_the_choice_of_a_student(browser, server, made):
    run_id, _ = made(students=("tiny", "small"), temperature=(1, 4, 16), alpha=(0, 0.5, 1), seeds=3)
    screen, page = opened(browser, server, run_id)
    page.get_by_role("gridcell", name=re.compile("^T 4, alpha 1, student small")).click()
    expect(page.locator(".panel h2")).to_have_text("small, T = 4, α = 1", timeout=LONG)
    page.get_by_role("radio", name=re.compile("^tiny · ")).click()
    expect(page.locator(".panel h2")).to_have_text("tiny, T = 1, α = 0.5", timeout=LONG)
    page.locator(f".st-key-whatif-student-{run_id}-done").get_by_role("radio", name="small").click()
    expect(page.get_by_role("radio", name=re.compile("^small · "))).to_be_checked(timeout=LONG)
    expect(page.locator(".panel h2")).to_have_text("small, T = 1, α = 0.5", timeout=LONG)
    screen.close()
