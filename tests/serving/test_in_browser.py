"""The service's page in a real browser: a row is filled in, sent and answered; nothing else is loaded or run."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

import kd_core
from tests.e2e.conftest import browser as browser
from tests.serving.service import Service

pytestmark = pytest.mark.e2e


def test_a_row_that_is_filled_in_is_answered_as_the_run_answers(browser, run_of):
    folder, _ = run_of("binary")
    with Service(folder) as service:
        address = f"http://127.0.0.1:{service.port}/"
        page, called, complaints = browser.new_page(), [], []
        page.on("request", lambda request: called.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address)
        for name, value in {"a": "0.25", "b": "1.5", "kind": "green"}.items():
            page.locator(f'[data-column="{name}"]').fill(value)
        page.get_by_role("button", name="Ask").click()
        expect(page.locator("#out")).to_contain_text("probabilities")
        shown = page.locator("#out").inner_text()
        told = json.JSONDecoder().raw_decode(shown)[0]
        wanted = kd_core.load(folder).answer({"a": 0.25, "b": 1.5, "kind": "green"})
        assert told["answer"] == wanted["target"]
        assert told["probabilities"]["yes"] == pytest.approx(wanted["p_yes"], abs=1e-6)
        page.locator('[data-column="a"]').fill("much")
        page.get_by_role("button", name="Ask").click()
        expect(page.locator("#out")).to_contain_text("'much'")
        assert {url.split("/")[3] for url in called} <= {"", "predict", "favicon.ico"}
        assert not [text for text in complaints if "favicon" not in text and "404" not in text], complaints
        page.close()
