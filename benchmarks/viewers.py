"""Twenty people watch one run: how long an update takes them, and what that costs the training.

    python benchmarks/viewers.py [--quick] [--viewers N] [--json FILE]

A real server trains one small student after another. In turn, within one run: nobody watches; then `N` viewers have its live
page open without a browser (`protocol_viewer.py` speaks the browser's protocol); then a real browser takes the place of one.
Told: milliseconds from a viewer's question to the end of its answer (p50, p95), the same in the real browser from the first
change on the page to the last frame of an update, the training's speed as its own events report it, and processor time of the
server, of the worker that trains, of the browser and of the viewers without one. Viewers sit at other machines, but here they
take their time from the same cores: so the training's speed is told without a browser and with one, and beside each the share
of the cores that the viewers themselves took. Goals: p95 <= 300 ms, training >= 90 % of its speed alone. About 5 minutes; at
most 20 viewers' memory (some MB each) and one browser.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.felt import WATCH
from benchmarks.page_times import processor_seconds
from benchmarks.protocol_viewer import Update, Viewer
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.scenarios import default_spec
from tests.e2e.conftest import FLAGS
from tests.e2e.server import Server

GOAL_MS, GOAL_SHARE = 300, 0.9
SETTLE_SECONDS = 6.0
FIRST_SECONDS = 120  # until the first student trains
# An update in the browser: from its first change after a pause to the frame of its last one.
UPDATES = """(() => {
  window.updates = [];
  let begun = 0;
  setInterval(() => {
    begun = felt.first;
    if (begun && performance.now() - felt.changed > 400 && felt.painted >= felt.changed) {
      updates.push(felt.painted - begun);
      begun = felt.changed = felt.first = 0;
    }
  }, 50);
})()"""


@dataclass
class Window:
    """What was seen in one stretch of time. Seconds of processor time, by who used it. `watched`: alone, viewers, browser."""

    watched: str
    seconds: float = 0.0
    epochs: int = 0  # of all students together
    cpu: dict[str, float] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    browser_ms: list[float] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Epochs a second."""
        return self.epochs / self.seconds


def processor(server: int) -> dict[str, float]:
    """Processor seconds so far of the server, of the workers it started, and of this process with its browser."""
    found = {"server": processor_seconds(server), "viewers": time.process_time(), "training": 0.0, "browser": 0.0}
    for child in psutil.Process(server).children(recursive=True):
        found["training"] += _seconds(child)
    for child in psutil.Process().children(recursive=True):
        if child.pid != server and "chrom" in _name(child):
            found["browser"] += _seconds(child)
    return found


def _seconds(process: psutil.Process) -> float:
    try:
        return processor_seconds(process.pid)
    except OSError:  # it has ended meanwhile
        return 0.0


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


class Training:
    """The run that is watched: seeds of one student, far more of them than are needed."""

    def __init__(self, workspace: Path) -> None:
        spec = default_spec("purchase")
        training = spec.training.model_copy(update={"seeds": 50, "epochs": 2000, "patience": 2000})
        spec = spec.model_copy(update={"training": training, "students": spec.students[1:], "choose": None})
        self.run_id = RunStore(workspace).create(spec)
        self.folder = RunFolder(workspace / "runs" / self.run_id)
        self._seen = 0

    def fresh(self) -> int:
        """Count the epochs reported since the last look, of baselines and students: all are as much work."""
        events = self.folder.events(self._seen)
        self._seen = events[-1]["n"] if events else self._seen
        return sum(e["kind"] == "epoch" and e["arm"] != "teacher" for e in events)

    async def begun(self) -> None:
        """Wait until a student trains. Errors: RuntimeError after `FIRST_SECONDS`."""
        end = time.monotonic() + FIRST_SECONDS
        while not self.fresh():
            if time.monotonic() > end:
                raise RuntimeError(f"no student trained within {FIRST_SECONDS} s")
            await asyncio.sleep(0.5)


async def _window(training: Training, server: int, seconds: float, viewers: list[Viewer], page: Page | None) -> Window:
    """Look at one stretch of time after everything has settled."""
    await asyncio.sleep(SETTLE_SECONDS)
    for viewer in viewers:
        viewer.updates.clear()
    if page:
        await page.evaluate("() => { updates.length = 0; }")
    training.fresh()
    before, began = processor(server), time.monotonic()
    await asyncio.sleep(seconds)
    found = Window("browser" if page else "viewers" if viewers else "alone", time.monotonic() - began)
    after, found.epochs = processor(server), training.fresh()
    found.cpu = {name: after[name] - before[name] for name in after}
    found.updates = [u for v in viewers for u in v.updates if u.fragment]
    if page:
        found.browser_ms = await page.evaluate("() => updates")
    return found


async def measure(workspace: Path, watchers: int, rounds: int, seconds: float) -> tuple[list[Window], list[str]]:
    """Switch between nobody, viewers alone, and viewers with a browser among them."""
    server = Server(workspace)
    server.start()
    assert server.process is not None
    windows: list[Window] = []
    errors: list[str] = []
    try:
        async with async_playwright() as playwright:
            browser: Browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            training = Training(workspace)
            query = f"run={training.run_id}"
            await training.begun()
            for _ in range(rounds):
                windows.append(await _window(training, server.process.pid, seconds, [], None))
                viewers = [Viewer(server.port, "runs", query) for _ in range(watchers)]
                page = None
                try:
                    for viewer in viewers:
                        await viewer.open()
                        await viewer.show()
                        await asyncio.sleep(0.1)  # people do not come at once
                    windows.append(await _window(training, server.process.pid, seconds, viewers, None))
                    errors += viewers[-1].errors
                    await viewers.pop().close()
                    page = await browser.new_page(viewport={"width": 1440, "height": 1000})
                    await page.add_init_script(WATCH + ";" + UPDATES)
                    await page.goto(f"{server.url}/runs?{query}")
                    windows.append(await _window(training, server.process.pid, seconds, viewers, page))
                finally:
                    errors += [e for v in viewers for e in v.errors]
                    await asyncio.gather(*(v.close() for v in viewers))
                    if page:
                        await page.close()
            await browser.close()
    finally:
        server.stop()
    return windows, errors


def tell(windows: list[Window], watchers: int) -> dict[str, Any]:
    """Put what was seen beside the goals."""
    kinds = {kind: [w for w in windows if w.watched == kind] for kind in ("alone", "viewers", "browser")}
    watched = kinds["viewers"] + kinds["browser"]
    took = [u.ms for w in watched for u in w.updates]
    seen = [ms for w in watched for ms in w.browser_ms]
    if not took:
        raise SystemExit("no viewer got an update")
    told: dict[str, Any] = {
        "viewers": watchers,
        "update_ms": {"n": len(took), "p50": float(np.median(took)), "p95": float(np.percentile(took, 95))},
        "browser_ms": {"n": len(seen), "p50": float(np.median(seen)), "p95": float(np.percentile(seen, 95))}
        if seen
        else {},
        "updates_per_s": len(took) / sum(w.seconds for w in watched),
        "kilobytes": float(np.median([u.size for w in watched for u in w.updates])) / 1024,
        "epochs_per_s": [round(w.speed, 1) for w in windows],
        "cores": {
            name: {kind: _share(kinds[kind], name) for kind in kinds}
            for name in ("server", "training", "browser", "viewers")
        },
    }
    told["speed"] = {}
    for kind in ("viewers", "browser"):
        ratios = [b.speed / a.speed for a, b in zip(kinds["alone"], kinds[kind], strict=True)]
        of_viewers = sum(told["cores"][name][kind] for name in ("browser", "viewers")) / (os.cpu_count() or 1)
        told["speed"][kind] = {"ratio": statistics.median(ratios), "pairs": ratios, "viewers_share": of_viewers}
    told["server_ms_per_update"] = 1000 * sum(w.cpu["server"] for w in watched) / (len(took) + len(seen))
    return told


def _share(windows: list[Window], name: str) -> float:
    """Cores that somebody kept busy."""
    return sum(w.cpu[name] for w in windows) / sum(w.seconds for w in windows)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of 10 s with 5 viewers")
    parser.add_argument("--viewers", type=int, default=None)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    watchers = args.viewers or (5 if args.quick else 20)
    rounds, seconds = (1, 10.0) if args.quick else (4, 20.0)
    with tempfile.TemporaryDirectory() as scratch:
        load = os.getloadavg()[0]
        windows, errors = asyncio.run(measure(Path(scratch) / "workspace", watchers, rounds, seconds))
    told = tell(windows, watchers)
    about = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": [load, os.getloadavg()[0]],
    }
    update = told["update_ms"]
    print(
        f"{watchers} viewers, {told['updates_per_s']:.1f} updates a second of {told['kilobytes']:.0f} kB, errors: {errors[:3] or 'none'}"
    )
    print(
        f"update: p50 {update['p50']:.0f} ms, p95 {update['p95']:.0f} ms of {update['n']}, goal {GOAL_MS}: {'met' if update['p95'] <= GOAL_MS else 'missed'}"
    )
    if seen := told["browser_ms"]:
        print(
            f"in the browser, first to last change: p50 {seen['p50']:.0f} ms, p95 {seen['p95']:.0f} ms of {seen['n']}"
        )
    for kind, speed in told["speed"].items():
        print(
            f"training with {kind} / alone: {speed['ratio']:.3f} of {len(speed['pairs'])} pairs, goal {GOAL_SHARE}: "
            f"{'met' if speed['ratio'] >= GOAL_SHARE else 'missed'}; they took {speed['viewers_share']:.1%} of the cores"
        )
    print(f"  epochs a second, in order: {told['epochs_per_s']}")
    print(f"server: {told['server_ms_per_update']:.0f} ms of processor time an update")
    for name, one in told["cores"].items():
        print(f"  {name:9} cores: " + ", ".join(f"{kind} {cores:.2f}" for kind, cores in one.items()))
    print(about)
    if args.json:
        args.json.write_text(json.dumps({**about, "errors": errors, "found": told}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
