"""What a step of the temperature costs the page: processor time of the browser's main thread, and how long until it is seen.

    python benchmarks/soft_labels_drag.py [--quick] [--json FILE]

A real server shows made-up runs of 10, 77 and 150 classes to a real browser; the slider goes over all its steps, one
event a frame as a hand drags it. By step: processor time between event and drawn frame (the browser's own TaskDuration:
script, style, layout and paint of the main thread), the script's part of it, and the time to the frame after the next.
A step draws what is in sight, so it is measured at the top of the page and with the map in sight. Goal: p95 of the
processor time <= 50 ms. Also the time from a choice (cell, class, bin) to its rows in the list: goal 300 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import CDPSession, Page

from benchmarks.page_times import FIND, counting, main_thread, opened, percentiles, wide_page

CLASSES = {10: 2000, 77: 2000, 150: 2000}  # rows by number of classes: as many as a run keeps
GOAL_MS, CHOICE_MS = 50, 300
PLACES = {"top": ".soft .bar", "map": ".soft .classmap"}
PARTS = {"processor": "TaskDuration", "script": "ScriptDuration"}
# The event, then the frame in which it is drawn, then the one that follows: by then the first is on the screen.
SEEN = """const seen = (began, done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));"""
STEP = f"""at => new Promise(done => {{
  {FIND}
  {SEEN}
  window.slider ??= find("input[type=range]");
  const began = performance.now();
  window.slider.value = at;
  window.slider.dispatchEvent(new Event("input"));
  seen(began, done);
}})"""
PRESS = f"e => new Promise(done => {{ {SEEN} const began = performance.now(); e.click(); seen(began, done); }})"
CHOICES = {
    "cell": ".pairs .pair:not(.titles)",
    "class": ".classes .scroll button",
    "disagreements": ".list .tools button:nth-child(2)",
}


def drag(page: Page, session: CDPSession, rounds: int) -> dict[str, list[float]]:
    """Move the slider over all its steps, forth and back."""
    steps = int(page.get_by_role("slider").get_attribute("max") or 0)
    places = [*range(0, steps + 1, 3), *range(steps, -1, -3)] * rounds
    page.evaluate(STEP, 5)
    found: dict[str, list[float]] = {**{what: [] for what in PARTS}, "frame": []}
    for at in places:
        before = main_thread(session)
        frame = page.evaluate(STEP, at)
        after = main_thread(session)
        for what, part in PARTS.items():
            found[what].append(after[part] - before[part])
        found["frame"].append(frame)
    return found


def choose(page: Page, repeat: int) -> dict[str, list[float]]:
    """Time from a press to the rows of the choice, by kind of choice."""
    found: dict[str, list[float]] = {}
    for name, place in CHOICES.items():
        for turn in range(repeat):
            target = page.locator(place).nth(turn % 3 if name != "disagreements" else 0)
            found.setdefault(name, []).append(target.evaluate(PRESS))
    return found


def tell(num: int, took: dict[str, dict[str, list[float]]], chosen: dict[str, list[float]]) -> dict[str, Any]:
    """Print what was measured at a number of classes beside the goals."""
    load = os.getloadavg()[0]
    steps = {place: {name: percentiles(values) for name, values in one.items()} for place, one in took.items()}
    choice = {name: percentiles(values) for name, values in chosen.items()}
    for place, one in steps.items():
        met = "met" if one["processor"]["p95"] <= GOAL_MS else "missed"
        print(
            f"{num} classes x {CLASSES[num]} rows x 3 models, {place}, n = {one['processor']['n']}, load {load:.1f}: processor p50 {one['processor']['p50']} ms, "
            f"p95 {one['processor']['p95']} ms (goal {GOAL_MS}: {met}); script p95 {one['script']['p95']}; frame p50 {one['frame']['p50']}, p95 {one['frame']['p95']} ms",
            flush=True,
        )
    for name, told in choice.items():
        print(f"  a {name} to its rows: p50 {told['p50']}, p95 {told['p95']} ms (goal {CHOICE_MS}), n = {told['n']}")
    return {"rows": CLASSES[num], "steps": steps, "choice": choice, "load": load}


def main() -> None:
    """Measure each number of classes and print it beside the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    told: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "found": {}}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "workspace"
        os.environ["KD_WORKSPACE"] = str(root)
        from tests.pages.soft_runs import soft_run  # reads the workspace when it is imported

        runs = {num: soft_run(num, rows, "english")[0] for num, rows in CLASSES.items()}
        with opened(root) as (server, _, browser):
            for num, run_id in runs.items():
                page = wide_page(browser)
                page.goto(f"{server.url}/soft-labels?run={run_id}&t=2")
                page.locator(".soft .bar").wait_for(timeout=60_000)
                page.wait_for_timeout(1500)
                took = {}
                for place, card in PLACES.items():
                    page.locator(card).evaluate("e => e.scrollIntoView({ block: 'center' })")
                    page.wait_for_timeout(500)
                    took[place] = drag(page, counting(page), 1 if args.quick else 3)
                chosen = choose(page, 5 if args.quick else 30)
                told["found"][num] = tell(num, took, chosen)
                page.close()
    if args.json:
        args.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
