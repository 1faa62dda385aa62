"""Make a trained student smaller in a real browser: from its run to chains, boxes that fill, a verdict, and a stage taken home."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from pages.ui.compress import naming
from pages.ui.shared.text import t
from tests.e2e.screen import LONG, Screen
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_student_is_made_smaller_and_a_stage_is_taken_home(browser, server, tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv", rows=800), epochs=4, seeds=2)
    first = RunStore(server.workspace).create(spec)
    screen = Screen(browser, server.url).open(f"/runs?run={first}")
    expect(screen.page.locator(".st-key-verdict")).to_be_visible(timeout=LONG)
    screen.page.get_by_role("link", name=re.compile("^Make .+ smaller")).click()
    screen.title("How much smaller")
    screen.sees("Chain 2")
    screen.page.set_viewport_size({"width": 420, "height": 860})
    screen.settled()
    within = screen.page.locator(".st-key-compress-start button:visible").first.bounding_box()
    assert within["y"] > 0 and within["y"] + within["height"] <= 860, "on a phone Start stays in reach"
    screen.page.set_viewport_size({"width": 1400, "height": 1000})
    screen.settled()
    screen.press("compress-start")
    screen.title("How is it going?")
    second = screen.run_id()
    expect(screen.page.locator(".st-key-compressed")).to_be_visible(timeout=LONG)
    found = RunFolder(server.workspace / "runs" / second).result()
    assert found is not None
    named = [naming.said(one["name"]) for one in found["compressed"]["stages"]]
    for name in named:
        expect(screen.page.get_by_text(name, exact=True).first).to_be_visible()
    grave = [v["id"] for v in Axe().run(screen.page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert grave == []
    box = screen.page.get_by_role("combobox", name=t("compress.take"))  # another stage than the preselected one, by key
    box.focus()
    screen.settled()  # the focus scrolls to the box, and a list closes when its page scrolls
    screen.page.keyboard.press("ArrowDown")
    expect(screen.page.get_by_role("option").first).to_be_visible()
    for key in ("ArrowDown", "Enter"):
        screen.page.keyboard.press(key)
    expect(screen.page.get_by_role("option")).to_have_count(0)
    screen.settled()
    stage = str(box.input_value())
    assert stage in named
    screen.page.get_by_role("link", name="Use it outside").click()
    screen.title("How do I use it outside?")
    expect(screen.page.get_by_role("combobox", name="Model")).to_have_value(stage)
    screen.press("export-make-bundle")
    expect(screen.page.locator(".st-key-export-bundle")).to_contain_text("checked just now", timeout=LONG)
    screen.close()
