"""What benchmarks of pages in a real browser share: an app with a browser beside it, the page's own clock, and percentiles."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.e2e.conftest import FLAGS
from tests.e2e.server import Server

# JavaScript: the first element of a selector, inside of components (shadow roots), too.
FIND = """const find = (wanted, root = document) => {
  for (const e of root.querySelectorAll("*")) {
    if (e.matches(wanted)) return e;
    const inside = e.shadowRoot && find(wanted, e.shadowRoot);
    if (inside) return inside;
  }
};"""


@contextmanager
def opened(workspace: Path) -> Iterator[tuple[Server, int, Browser]]:
    """Start the app on a workspace, and a browser; both end with the block. The number is the server's process."""
    server = Server(workspace)
    server.start()
    assert server.process is not None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            yield server, server.process.pid, browser
            browser.close()
    finally:
        server.stop()


def wide_page(browser: Browser) -> Page:
    """Open a page as wide as a usual screen."""
    return browser.new_page(viewport={"width": 1440, "height": 1000})


def counting(page: Page) -> CDPSession:
    """Let the browser count what a page costs its main thread."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return session


def main_thread(session: CDPSession) -> dict[str, float]:
    """Processor time of the page's main thread so far: `TaskDuration` all of it, `ScriptDuration` its script. Units: ms."""
    found = {m["name"]: float(m["value"]) for m in session.send("Performance.getMetrics")["metrics"]}
    return {name: 1000 * found[name] for name in ("TaskDuration", "ScriptDuration")}


def processor_seconds(pid: int) -> float:
    """Processor time of a process, all its threads, those that ended too."""
    return time.clock_gettime((~pid << 3) | 2)


def repeated(work: Callable[[], Any], repeat: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Time a piece of work several times. Units: ms."""
    found = []
    for _ in range(repeat):
        began = clock()
        work()
        found.append(1000 * (clock() - began))
    return found


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile, mean and number."""
    p50, p95 = np.percentile(values, [50, 95])
    mean = float(np.mean(values))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1), "mean": round(mean, 1), "n": len(values)}
