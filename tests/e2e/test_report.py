"""A person takes a run's report home: pressed in the app, opened by another process, read without a network and printed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from kd_core.runs import experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import new_id
from tests.e2e.server import Server
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.e2e
READ = """
import sys
from html.parser import HTMLParser
from pathlib import Path
words = []
reader = HTMLParser()
reader.handle_data = words.append
reader.feed(Path(sys.argv[1]).read_text("utf-8"))
print(" ".join(" ".join(words).split()))
"""


@pytest.fixture
def shown(tmp_path):
    """An app whose workspace holds a finished run, and the run's result."""
    app, run_id = Server(tmp_path / "workspace"), new_id()
    spec = small_spec(write_table(tmp_path / "table.csv"))
    folder = RunFolder.create(app.workspace / "runs" / run_id, spec, created_utc="2026-01-02T03:04:05+00:00")
    result = experiment.run(spec, folder, lambda event: None, lambda: False)
    folder.finish("done", result)
    folder.write_status(state="done")
    app.start()
    yield app, run_id, result
    app.stop()


def test_the_report_is_pressed_opened_elsewhere_and_printed(browser, shown, tmp_path):
    app, run_id, result = shown
    page = browser.new_page(accept_downloads=True)
    page.goto(f"{app.url}/runs?run={run_id}")
    button = page.get_by_role("button", name="Report")
    expect(button).to_be_visible(timeout=60_000)
    with page.expect_download() as got:
        button.click()
    assert got.value.suggested_filename == f"{run_id}.report.html"
    path = tmp_path / "report.html"
    got.value.save_as(path)
    page.close()

    read = subprocess.run(
        [sys.executable, "-I", "-c", READ, str(path)], capture_output=True, text=True, check=True
    ).stdout
    words = {"beats": "HELPED", "hurts": "HURT", "ties": "NO DIFFERENCE", "inconclusive": "NOT CLEAR"}
    assert (
        words[result["students"][0]["verdict"]] in read and result["dataset"]["hash"] in read and "RECIPE = {" in read
    )

    alone = browser.new_context(offline=True, java_script_enabled=False)
    sheet, asked = alone.new_page(), []
    sheet.on("request", lambda request: asked.append(request.url))
    sheet.goto(path.as_uri())
    assert sheet.locator("svg").count() == 4 + 1 and asked == [path.as_uri()]
    printed = sheet.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF") and 3 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 12
    alone.close()
