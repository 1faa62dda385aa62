"""How long a click on a cell of a what-if takes: until its panel is drawn, until the server has answered, and what either costs.

    python benchmarks/what_if_click.py [--quick] [--json FILE]

A real server shows made-up what-ifs to a real browser; the mouse presses cells all over the map. By click: time from the press to the
frame after the panel holds the cell's numbers (goal: p95 <= 300 ms), time until the server's part below names the cell too, processor time
of the page's main thread for all of it, and of the server's process. Every click must leave the page where it was scrolled to. A loaded
machine stretches the times, not the processor time: the load is printed beside.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page

from benchmarks.page_times import (
    FIND,
    counting,
    main_thread,
    opened,
    percentiles,
    processor_seconds,
    repeated,
    wide_page,
)

GOAL_MS = 300
GRIDS: dict[str, dict[str, Any]] = {
    "25 cells x 3 students": {"students": ("tiny", "small", "large"), "temperature": (1, 2, 4, 8, 16)},
    "75 cells in one map": {"temperature": tuple(range(1, 16))},
}
# From the press of the mouse to the frame after the next in which the panel names another cell, and until the server's part does.
WATCH = (
    f"() => {{ {FIND}"
    + """
  const panel = () => window.panelRoot?.querySelector(".panel h2")?.textContent ?? "";
  window.panelRoot = find(".panel h2").getRootNode();
  const server = () => document.querySelector(".st-key-whatif-cell strong")?.textContent ?? "";
  window.drawn = []; window.answered = [];
  window.addEventListener("mousedown", () => {
    const [began, before, told] = [performance.now(), panel(), server()];
    const look = () => {
      if (panel() !== before && !look.drawn) { look.drawn = true; requestAnimationFrame(() => window.drawn.push(performance.now() - began)); }
      if (server() !== told && look.drawn) { window.answered.push(performance.now() - began); return; }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
}"""
)
SCROLL = "() => document.querySelector('[data-testid=stMain]').scrollTop + window.scrollY"


def click(page: Page, pid: int, repeat: int) -> dict[str, Any]:
    """Press cells all over the map, one after the other, and wait for each answer."""
    session = counting(page)
    cells = page.locator("[data-cell]")
    count = cells.count()
    page.evaluate(WATCH)
    found: dict[str, Any] = {"page": [], "server": [], "moved": 0}
    for turn in range(1, repeat + 1):
        at = (7 * turn + 3) % count
        at += (
            cells.nth(at).get_attribute("aria-selected") == "true"
        )  # a cell that is chosen already has nothing to answer
        cells.nth(at).scroll_into_view_if_needed()
        place = cells.nth(at).bounding_box()
        assert place
        scrolled, own, its = page.evaluate(SCROLL), main_thread(session), processor_seconds(pid)
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_function(f"window.answered.length >= {turn}", timeout=20_000)
        page.wait_for_timeout(400)  # what follows the answer is the click's cost, too
        found["page"].append(main_thread(session)["TaskDuration"] - own["TaskDuration"])
        found["server"].append(1000 * (processor_seconds(pid) - its))
        found["moved"] += page.evaluate(SCROLL) != scrolled
    return {**found, "drawn": page.evaluate("window.drawn"), "answered": page.evaluate("window.answered")}


def payload_ms(run_id: str, repeat: int) -> list[float]:
    """Processor time of what the server makes for the map, in this process. Units: ms."""
    from pages.ui.evidence import cell_map
    from pages.ui.what_if import whatif_reader
    from tests.pages.fixtures import store

    grid = whatif_reader.read(store().folder(run_id))
    assert grid is not None
    cells = grid.cells[grid.cells["student"] == grid.students[0]]
    made = functools.partial(cell_map.payload, grid, cells, panel=True, choose=True, name="map")
    return repeated(made, repeat, time.process_time)


def tell(name: str, found: dict[str, Any], payload: list[float]) -> dict[str, Any]:
    """Print what was measured on one map beside the goal."""
    load = os.getloadavg()[0]
    one = {key: percentiles(found[key]) for key in ("drawn", "answered", "page", "server")}
    one["payload"] = percentiles(payload)
    met = "met" if one["drawn"]["p95"] <= GOAL_MS else "missed"
    print(
        f"{name}, n = {one['drawn']['n']}, load {load:.1f}: panel drawn p50 {one['drawn']['p50']}, p95 {one['drawn']['p95']} ms "
        f"(goal {GOAL_MS}: {met}); server's part named p50 {one['answered']['p50']}, p95 {one['answered']['p95']} ms; "
        f"processor a click: page p50 {one['page']['p50']}, server mean {one['server']['mean']}, of that the map's content {one['payload']['p50']} ms; "
        f"page scrolled {found['moved']} times",
        flush=True,
    )
    return {**one, "moved": found["moved"], "load": load}


def main() -> None:
    """Measure each map and print it beside the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 clicks instead of 40")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    repeat = 5 if args.quick else 40
    result: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "workspace"
        os.environ["KD_WORKSPACE"] = str(root)
        from tests.pages.sweeps import make_sweep  # reads the workspace when it is imported

        runs = {name: make_sweep(seeds=5, alpha=(0, 0.25, 0.5, 0.75, 1), **axes) for name, axes in GRIDS.items()}
        with opened(root) as (server, pid, browser):
            for name, run_id in runs.items():
                page = wide_page(browser)
                page.goto(f"{server.url}/runs?run={run_id}")
                page.locator("[data-cell]").first.wait_for(timeout=60_000)
                page.locator(".st-key-whatif-cell").wait_for(timeout=60_000)
                page.wait_for_timeout(2500)
                found = click(page, pid, repeat)
                page.close()
                result[name] = tell(name, found, payload_ms(run_id, repeat))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
