"""Every scenario with one click in a real browser, to a result: small samples and hasty runs, all else as it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios import SCENARIOS
from kd_core.scenarios.ready import small_rows
from kd_core.scenarios.samples import write_sample
from kd_core.task import task_of
from tests.e2e.screen import LONG, Screen
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server on small samples of every scenario, whose one-click runs are hasty."""
    samples = tmp_path_factory.mktemp("samples")
    for name in SCENARIOS.names():
        write_sample(name, samples, small_rows(name))
    app = Server(tmp_path_factory.mktemp("app") / "workspace", {"KD_SMOKE": "1", "KD_SAMPLES": str(samples)})
    app.start()
    yield app
    app.stop()


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_a_scenario_runs_to_a_result_with_one_click(name, browser, hasty):
    screen = Screen(browser, hasty.url).open("/")
    screen.press(f"start-{name}")
    run_id = screen.run_id()
    verdict = screen.page.locator(".st-key-verdict")
    expect(verdict).to_be_visible(timeout=LONG)
    result = RunFolder(hasty.workspace / "runs" / run_id).result()
    assert result is not None
    by_history = task_of(result["task"]).by_history  # each purchase but the first is a row, and rows of events are more
    rows = sum(result["dataset"]["rows"].values())
    assert 0 < rows < small_rows(name) if by_history else rows == small_rows(name)
    (student,) = result["students"]
    assert student["deployed"]["bytes"] and len(student["seeds"]) == 2
    screen.page.get_by_role("tab", name="Try it").click()
    screen.sees("Ask")
    assert not screen.page.get_by_test_id("stException").count()
    screen.close()
