"""Curves of a run that goes on: each drawing says what the run wrote down, and none of them leaves a gap."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from tests.e2e.screen import Screen
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
CHART = "[class*='st-key-curves-live'] svg"
STUDENTS = f"{CHART} [data-curve='Student'] path[fill=none]"
READ = """svg => {
  const ticks = side => [...svg.querySelectorAll(`text.${side}`)].map(e => [Number(e.dataset.value), Number(e.getAttribute(side)) - (side === 'y' ? 4 : 0)]);
  const lines = [...svg.querySelectorAll("[data-curve='Student'] path[fill=none]")].map(e => e.getAttribute('d'));
  return { x: ticks('x'), y: ticks('y'), lines };
}"""


@pytest.fixture
def going(browser, server, tmp_path):
    """The page of a run that trains three seeds for minutes, and the run's folder."""
    spec = small_spec(write_table(tmp_path / "t.csv", rows=12_000), epochs=2000, seeds=3)
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"patience": 2000})})
    run_id = RunStore(server.workspace).create(spec)
    screen = Screen(browser, server.url).open(f"/runs?run={run_id}")
    expect(screen.page.locator(STUDENTS).first).to_be_attached(timeout=120_000)
    yield screen, RunFolder(server.workspace / "runs" / run_id)
    screen.close()


def points_of(line):
    return [tuple(map(float, p.split(","))) for p in re.findall(r"[-\d.]+,[-\d.]+", line)]


def value_of(ticks, pixel):
    """Turn a place into a value by the first and the last tick."""
    (a, at_a), (b, at_b) = ticks[0], ticks[-1]
    return a + (pixel - at_a) * (b - a) / (at_b - at_a)


def written(folder):
    """Scores of the student by seed and epoch, as the run wrote them down."""
    found: dict[int, dict[int, float]] = {}
    for event in folder.events():
        if event["kind"] == "epoch" and event["arm"] == "student":
            found.setdefault(event["seed"], {})[event["epoch"]] = event["score"]
    return found


def test_what_is_drawn_and_told_is_what_the_run_wrote_down(going):
    screen, folder = going
    assert screen.page.locator(".js-plotly-plot").count() == 0
    told = screen.page.locator(CHART).first.evaluate(READ)
    known = written(folder)
    assert len(told["lines"]) == len(known) == 3
    pixel = abs(value_of(told["y"], 1) - value_of(told["y"], 0))
    for line, (_, scores) in zip(told["lines"], sorted(known.items()), strict=True):
        points = points_of(line)
        assert len(points) > 1
        for x, y in points:
            epoch = value_of(told["x"], x)
            near = [scores.get(n, 9) for n in (int(epoch), int(epoch) + 1)]  # many epochs share a pixel
            assert min(abs(value_of(told["y"], y) - score) for score in near) <= 0.2 * pixel
    tip, box = screen.page.locator(".tip").first, screen.page.locator(CHART).first.bounding_box()
    assert box
    screen.page.mouse.move(box["x"] + points[-1][0], box["y"] + points[-1][1])
    expect(tip).to_contain_text("seed", timeout=30_000)
    said = re.search(r"epoch (\d+): ([\d.]+)", tip.inner_text())
    assert said and any(f"{of.get(int(said[1]), 9):.4f}" == said[2] for of in written(folder).values())


def test_it_grows_and_is_never_gone_and_a_double_click_shows_all(going):
    screen, _ = going
    seen, end = [], time.monotonic() + 12
    while time.monotonic() < end:
        seen.append(screen.page.locator(STUDENTS).evaluate_all("all => all.map(e => e.getAttribute('d')).join()"))
        time.sleep(0.05)
    assert all(seen) and len(set(seen)) > 2
    chart = screen.page.locator(CHART).first
    low = chart.evaluate(READ)["y"][0][0]
    chart.dblclick(position={"x": 100, "y": 100})
    told = chart.evaluate(READ)
    assert told["y"][0][0] < low
    assert all(y <= told["y"][0][1] + 60 for line in told["lines"] for _, y in points_of(line))
