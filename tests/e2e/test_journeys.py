"""The whole way of a person through the app, in a real browser with a real server and real training."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from pages.ui.shared.text import t
from tests.e2e.furnished import RUN
from tests.e2e.screen import LONG, Screen
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
LISTEN = """() => {
  window.heard = [];
  const listen = () => {
    const said = document.querySelector("[role=status][aria-live=polite]")?.textContent;
    if (said && said !== window.heard.at(-1)) window.heard.push(said);
  };
  new MutationObserver(listen).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
# Takes the first chart away as Streamlit does before it draws a new one, and puts it back; tells what lies over its place in each moment.
REPLACE = """async () => {
  const chart = document.querySelector(".js-plotly-plot"), home = chart.parentElement, rect = chart.getBoundingClientRect();
  const block = chart.closest("[data-testid=stVerticalBlock]");
  const cover = () => {
    for (const element of block.querySelectorAll("*")) {
      const held = element.shadowRoot?.querySelector(".held");
      if (held) return held.getBoundingClientRect();
    }
    return null;
  };
  const before = cover();
  home.style.minHeight = `${rect.height}px`;
  chart.remove();
  await Promise.resolve();
  const gone = cover();
  home.append(chart);
  for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
  return { before, gone: gone && [gone.left - rect.left, gone.top - rect.top, gone.width - rect.width, gone.height - rect.height], after: cover() };
}"""
VERDICT = re.compile("DISTILLING HELPED|MADE NO DIFFERENCE|DISTILLING HURT|NOT CLEAR YET")


@pytest.fixture
def screen(browser, server):
    tab = Screen(browser, server.url)
    yield tab
    tab.close()


def state(server, run_id: str) -> str:
    return str(RunFolder(server.workspace / "runs" / run_id).status().get("state"))


def wait_for(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.1)


def long_run(screen: Screen, server, tmp_path: Path, seeds: int = 30) -> str:
    """Start a run that is long enough to be disturbed: many epochs, many seeds."""
    spec = small_spec(write_table(tmp_path / "t.csv", rows=3000), epochs=600, seeds=seeds)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"patience": 600})})
    run_id = RunStore(server.workspace).create(spec)
    folder = RunFolder(server.workspace / "runs" / run_id)
    screen.open(f"/runs?run={run_id}")
    wait_for(lambda: any(e["kind"] == "epoch" and e["arm"] == "student" for e in folder.events()))
    return run_id


def test_upload_to_verdict_with_a_refresh_in_the_middle_and_a_second_tab(screen, server, browser, tmp_path):
    table = write_table(tmp_path / "shop visits.csv", rows=3000)
    screen.open("/data")
    screen.upload(table)
    screen.sees("3,000 rows")
    screen.press("data-use")
    screen.title("Who teaches whom")
    screen.page.get_by_text("These students", exact=True).click()  # trying candidates would take longer
    expect(screen.page.get_by_role("checkbox", name="small", exact=True)).to_be_visible(timeout=60_000)
    screen.press("distill-start")
    run_id = screen.run_id()
    screen.title("How is it going?")
    screen.page.reload()
    assert screen.run_id() == run_id
    other = Screen(browser, server.url).open(f"/runs?run={run_id}")
    expect(screen.page.locator(".st-key-verdict")).to_be_visible(timeout=LONG)
    expect(other.page.locator(".st-key-verdict")).to_be_visible(timeout=60_000)
    other.close()
    expect(screen.page.locator(".st-key-verdict")).to_contain_text(VERDICT)
    assert state(server, run_id) == "done"
    result = json.loads((server.workspace / "runs" / run_id / "result.json").read_text())
    screen.page.get_by_text(str(t("runs.verdict.evidence"))).click()  # folded until it is asked for
    screen.sees("AGAINST THE TEACHER")
    screen.page.goto(f"{server.url}/soft-labels?run={run_id}&t=4")
    screen.title()
    expect(screen.page.locator(".soft .lead")).to_contain_text("At T = 4 ", timeout=60_000)
    screen.page.goto(f"{server.url}/compare?runs={run_id}")
    screen.title("Which one would I ship?")
    expect(screen.page.locator(".st-key-pareto .scatterlayer .point").first).to_be_visible(timeout=60_000)
    assert len(result["students"]) == 2
    outside = [u for u in screen.requests if not u.startswith((server.url, "data:", "blob:", "ws:"))]
    assert outside == []


def test_a_sample_from_start_to_verdict_without_a_keyboard(screen, server):
    screen.open("/")
    screen.page.evaluate(LISTEN)
    screen.press("start-purchase")
    run_id = screen.run_id()
    expect(screen.page.locator(".st-key-verdict")).to_be_visible(timeout=LONG)
    expect(screen.page.locator(".st-key-verdict")).to_contain_text(VERDICT)
    result = json.loads((server.workspace / "runs" / run_id / "result.json").read_text())
    screen.page.wait_for_function("() => window.heard.at(-1).startsWith('done')")
    heard = screen.page.evaluate("() => window.heard")  # what a screen reader speaks
    assert len(heard) > 3 and sum("trainings done" in words for words in heard) > 2, heard
    seeds = result["students"][0]["seeds"]  # as many as the test rows deserve
    assert seeds == list(range(len(seeds))) and len(seeds) in range(3, 16, 2)


def test_stop_keeps_the_best_so_far(screen, server, tmp_path):
    run_id = long_run(screen, server, tmp_path)
    folder = RunFolder(server.workspace / "runs" / run_id)
    screen.press("run-stop")
    expect(screen.page.locator(".st-key-verdict")).to_be_visible(timeout=LONG)
    assert state(server, run_id) == "cancelled"
    assert folder.result()["students"]


def test_a_chart_stays_in_sight_until_the_next_one_is_drawn(browser, house):
    tab = Screen(browser, house.server.url)
    tab.open(f"/runs?run={RUN}")
    expect(tab.page.locator(".js-plotly-plot .trace").first).to_be_visible(timeout=60_000)
    tab.settled()
    found = tab.page.evaluate(REPLACE)
    assert found["before"] is None and found["after"] is None
    assert found["gone"] == pytest.approx([0, 0, 0, 0], abs=0.5)
    tab.close()


def test_a_star_is_seen_on_compare_though_only_its_own_part_is_drawn_again(browser, house):
    tab = Screen(browser, house.server.url).open(f"/compare?runs={RUN},{house.second}")
    tab.settled()
    table = tab.page.locator("[class*='st-key-compare-table']")
    table.locator("canvas").first.scroll_into_view_if_needed()
    place = table.locator("canvas").first.bounding_box()
    assert place
    cell = table.locator("[role=gridcell]").first
    for seen in ("★", "☆"):
        tab.page.mouse.click(place["x"] + 60, place["y"] + 52)  # the second column of the first line
        expect(cell).to_have_text(seen, timeout=30_000)
    tab.close()


def test_a_killed_server_leaves_a_run_that_resumes(screen, server, tmp_path):
    run_id = long_run(screen, server, tmp_path, seeds=6)  # all end together, so a few of them
    folder = RunFolder(server.workspace / "runs" / run_id)
    before = {(e["arm"], e["seed"]) for e in folder.events() if e["kind"] == "trained" and e["arm"] != "teacher"}
    server.kill()
    server.start()
    screen.open(f"/runs?run={run_id}")
    screen.sees("This run was interrupted")
    mark = folder.events()[-1]["n"]
    screen.press("run-resume")
    wait_for(lambda: state(server, run_id) == "running")
    wait_for(lambda: any(e["kind"] == "trained" and e["arm"] != "teacher" for e in folder.events()[mark:]), 300)
    trained = [e for e in folder.events() if e["n"] > mark and e["kind"] == "epoch" and e["arm"] != "teacher"]
    assert not {(e["arm"], e["seed"]) for e in trained} & before, "a finished training was done again"


def test_a_run_is_found_again_after_a_regular_restart(screen, server, tmp_path):
    run_id = long_run(screen, server, tmp_path)
    server.stop()
    server.start()
    screen.open("/runs")
    expect(screen.page.locator("[data-testid=stDataFrame]").first).to_be_visible(timeout=60_000)
    screen.open(f"/runs?run={run_id}")
    screen.sees("This run was interrupted")


def test_from_a_runs_page_the_list_opens_another_run(browser, house):
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{house.server.url}/runs?run={house.second}")
    expect(page.get_by_role("button", name="All runs")).to_be_visible(timeout=60_000)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True).click()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible(timeout=30_000)
    expect(page).not_to_have_url(re.compile("run="))  # else a reload, or a click, would open the run that was left
    page.wait_for_timeout(1500)  # the table takes clicks once it is painted
    place = table.locator("canvas").first.bounding_box()
    for row in range(8):  # the first that is another run than the one left
        page.mouse.click(place["x"] + 250, place["y"] + 36 + 20 + 40 * row)
        expect(page).to_have_url(re.compile("run="), timeout=30_000)
        expect(page.get_by_role("button", name="All runs")).to_be_visible(timeout=30_000)
        if house.second not in page.url:
            break
        page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True).click()
        expect(table).to_be_visible(timeout=30_000)
        page.wait_for_timeout(1500)
    assert house.second not in page.url
    page.close()
