"""Take a student home in a real browser: a bundle that another process checks, and a page that answers without a network."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.screen import LONG, Screen

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def taken(screen, target, place):
    screen.press(f"export-make-{target}")
    button = screen.page.locator(f".st-key-export-download-{target} button").first
    expect(button).to_be_visible(timeout=LONG)
    expect(screen.page.locator(f".st-key-export-{target}")).to_contain_text("checked just now")
    with screen.page.expect_download() as download:
        button.click()
    path = place / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_bundle_and_a_page_are_made_and_used_elsewhere(browser, server, tmp_path):
    screen = Screen(browser, server.url)
    screen.open("/export")
    screen.title("How do I use it outside?")
    bundle, page = taken(screen, "bundle", tmp_path), taken(screen, "browser", tmp_path)
    assert not [u for u in screen.requests if not u.startswith((server.url, "data:", "blob:", "ws:"))]
    screen.close()

    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "student")
    command = [sys.executable, "-I", "predict.py", "--check"]
    checked = subprocess.run(
        command, cwd=tmp_path / "student", capture_output=True, text=True, timeout=200, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr

    context = browser.new_context()
    context.set_offline(True)
    tab, asked = context.new_page(), []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    expect(tab.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    expect(tab.locator("#time")).to_contain_text("ms a row on this device", timeout=60_000)
    assert tab.locator("#sample button").count() == 20
    for number in (3, 19):
        tab.locator("#sample button").nth(number).click()
        expect(tab.locator("#beside")).to_contain_text("The workbench gave the same answer", timeout=60_000)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        grave = [v for v in Axe().run(tab).response["violations"] if v["impact"] in ("serious", "critical")]
        assert grave == []
    wanted = tab.evaluate("kd.student.then(s => s.plan.answers)")
    found = tab.evaluate("kd.student.then(s => s.answer(s.plan.sample))")
    apart = [abs(a - b) for one, other in zip(wanted, found, strict=True) for a, b in zip(one, other, strict=True)]
    assert len(wanted) == 20 and max(apart) <= 1e-4
    expected = json.loads((tmp_path / "student" / "expected.json").read_text("utf-8"))
    assert wanted == expected["answers"]
    field = tab.locator("#form input").first
    field.fill("no number at all")
    expect(tab.locator("#answer")).to_have_text("The row has changed: press Answer.")
    expect(tab.locator("#beside")).to_be_empty()
    tab.get_by_role("button", name="Answer", exact=True).click()
    expect(tab.locator("#beside")).to_contain_text("counts as missing")
    assert all(url.startswith(("file:", "blob:", "data:")) for url in asked)
    context.close()
