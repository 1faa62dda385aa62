"""What a step of the temperature costs the page: processor time of the browser's main thread, and how long until it is seen.

    python benchmarks/soft_labels_drag.py [--quick] [--json FILE]

A real server shows made-up runs of 10, 77 and 150 classes to a real browser; the slider goes over all its steps, one
event a frame as a hand drags it. By step: processor time between event and drawn frame (the browser's own TaskDuration:
script, style, layout and paint of the main thread), the script's part of it, and the time to the frame after the next.
Goal: p95 of the processor time <= 50 ms. Also the time from a choice (cell, class, bin) to its rows in the list: goal 300 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.e2e.conftest import FLAGS
from tests.e2e.server import Server

CLASSES = {10: 2000, 77: 2000, 150: 2000}  # rows by number of classes: as many as a run keeps
GOAL_MS, CHOICE_MS = 50, 300
# The event, then the frame in which it is drawn, then the one that follows: by then the first is on the screen.
STEP = """at => new Promise(done => {
  const find = root => { for (const e of root.querySelectorAll("*")) { if (e.matches("input[type=range]")) return e;
    if (e.shadowRoot) { const inside = find(e.shadowRoot); if (inside) return inside; } } };
  window.slider ??= find(document);
  const began = performance.now();
  window.slider.value = at;
  window.slider.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""
CHOICES = {
    "cell": ".pairs .pair:not(.titles)",
    "class": ".classes .scroll button",
    "disagreements": ".list .tools button:nth-child(2)",
}


def cpu_ms(session: CDPSession) -> dict[str, float]:
    """Processor time of the page's main thread so far, all of it and script alone."""
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return {name: 1000 * found[name] for name in ("TaskDuration", "ScriptDuration")}


def drag(page: Page, session: CDPSession, rounds: int) -> dict[str, list[float]]:
    """Move the slider over all its steps, forth and back."""
    steps = int(page.get_by_role("slider").get_attribute("max") or 0)
    places = [*range(0, steps + 1, 3), *range(steps, -1, -3)] * rounds
    page.evaluate(STEP, 5)
    found: dict[str, list[float]] = {"processor": [], "script": [], "frame": []}
    for at in places:
        before = cpu_ms(session)
        frame = page.evaluate(STEP, at)
        after = cpu_ms(session)
        found["processor"].append(after["TaskDuration"] - before["TaskDuration"])
        found["script"].append(after["ScriptDuration"] - before["ScriptDuration"])
        found["frame"].append(frame)
    return found


def choose(page: Page, repeat: int) -> dict[str, list[float]]:
    """Time from a press to the rows of the choice, by kind of choice."""
    found: dict[str, list[float]] = {}
    for name, place in CHOICES.items():
        for turn in range(repeat):
            target = page.locator(place).nth(turn % 3 if name != "disagreements" else 0)
            found.setdefault(name, []).append(
                target.evaluate(
                    """e => new Promise(done => { const began = performance.now(); e.click();
                    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began))); })"""
                )
            )
    return found


def percentiles(values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and number of steps."""
    return {
        "p50": round(float(np.median(values)), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "n": len(values),
    }


def main() -> None:
    """Measure each number of classes and print it beside the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round instead of three")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    told: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "found": {}}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        root = Path(scratch) / "workspace"
        os.environ["KD_WORKSPACE"] = str(root)
        from tests.pages.soft_runs import soft_run  # reads the workspace when it is imported

        runs = {num: soft_run(num, rows, "english")[0] for num, rows in CLASSES.items()}
        server = Server(root)
        server.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for num, run_id in runs.items():
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(f"{server.url}/soft-labels?run={run_id}&t=2")
            page.locator(".soft .bar").wait_for(timeout=60_000)
            page.wait_for_timeout(1500)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            took = drag(page, session, 1 if args.quick else 3)
            chosen = choose(page, 5 if args.quick else 30)
            load = os.getloadavg()[0]
            one = {name: percentiles(values) for name, values in took.items()}
            told["found"][num] = {
                "rows": CLASSES[num],
                **one,
                "choice": {name: percentiles(v) for name, v in chosen.items()},
                "load": load,
            }
            met = "met" if one["processor"]["p95"] <= GOAL_MS else "missed"
            print(
                f"{num} classes x {CLASSES[num]} rows x 3 models, n = {one['processor']['n']}, load {load:.1f}: processor p50 {one['processor']['p50']} ms, "
                f"p95 {one['processor']['p95']} ms (goal {GOAL_MS}: {met}); script p95 {one['script']['p95']}; frame p50 {one['frame']['p50']}, p95 {one['frame']['p95']} ms",
                flush=True,
            )
            for name, values in chosen.items():
                print(
                    f"  a {name} to its rows: p50 {percentiles(values)['p50']}, p95 {percentiles(values)['p95']} ms (goal {CHOICE_MS}), n = {len(values)}"
                )
            page.close()
        browser.close()
        server.stop()
    if args.json:
        args.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
