"""When a page has been drawn, as a person sees it, and where the time went: in the server, on the way, in the browser.

A page counts as drawn with the frame after its last change: Streamlit's script has ended, nothing on the page is stale
or a placeholder, every chart has its picture, and nothing has changed for `QUIET_MS`. The clock starts with the
browser's own input event.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from playwright.sync_api import Page
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.page_times import counting, main_thread, processor_seconds

QUIET_MS = 400
LONGEST_S = 90  # on a busy machine
# Changes of the running mark in the corner are no drawing, nor is what a table keeps inside its canvas for screen readers (never
# painted, written by a timer 300 ms after the cells); all others are, inside of components (shadow roots) too.
WATCH = """(() => {
  const felt = window.felt = { begin: 0, first: 0, changed: 0, painted: 0, waits: [] };
  const state = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
  const aside = "[data-testid=stStatusWidget], [data-testid=stToolbar], #kd-announcer, .modebar";
  const unseen = (c, at) => at?.closest("canvas") && !(c.type === "attributes" && at.tagName === "CANVAS");
  const seen = changes => {
    const drawn = changes.some(c => {
      const at = c.target.nodeType === 1 ? c.target : c.target.parentElement;
      return !(c.type === "attributes" && at?.dataset?.testid === "stApp") && !at?.closest(aside) && !unseen(c, at);
    });
    if (!drawn) return;
    felt.changed = performance.now();
    felt.first ||= felt.changed;
    requestAnimationFrame(() => setTimeout(() => { felt.painted = performance.now(); }));
  };
  const observer = new MutationObserver(seen);
  const what = { childList: true, subtree: true, attributes: true, characterData: true };
  observer.observe(document, what);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, what);
    return root;
  };
  for (const kind of ["pointerup", "click", "keydown"])
    window.addEventListener(kind, event => {
      if (event.isTrusted) Object.assign(felt, { begin: performance.now(), changed: 0, painted: 0 });
    }, true);
  felt.done = quiet => {
    const now = performance.now(), all = s => [...document.querySelectorAll(s)];
    felt.waits = Object.entries({
      script: state() !== "running",
      picture: felt.changed && felt.painted >= felt.changed,
      quiet: now - felt.changed > quiet && now - felt.begin > quiet,
      placeholder: !all("[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]").length,
      chart: all("[data-testid=stPlotlyChart]").every(c => c.querySelector(".main-svg")),
    }).filter(([, met]) => !met).map(([name]) => name);
    return !felt.waits.length;
  };
})()"""


@dataclass(frozen=True)
class Felt:
    """One action, in milliseconds of a clock on the wall, and processor time of both sides.

    `total` from the input event to the frame of the last change, made of `asked` (the browser sends), `script` (until the
    server says that its script has ended, its way included) and `drawn` (what the browser still did then).
    """

    total: float
    asked: float
    script: float
    drawn: float
    server_cpu: float
    browser_cpu: float
    kilobytes: float
    messages: int


class Stopwatch:
    """Times actions of one browser page on a server whose process is known."""

    def __init__(self, page: Page, server: int) -> None:
        self.page, self.server = page, server
        self._sent: list[float] = []
        self._got: list[tuple[float, int, str]] = []
        page.add_init_script(WATCH)
        self.session = counting(page)
        self.session.send("Network.enable")
        self.session.on("Network.webSocketFrameSent", lambda e: self._sent.append(e["timestamp"]))
        self.session.on("Network.webSocketFrameReceived", self._take)

    def _take(self, event: dict[str, Any]) -> None:
        data = base64.b64decode(event["response"]["payloadData"])
        self._got.append((event["timestamp"], len(data), str(ForwardMsg.FromString(data).WhichOneof("type"))))

    def settle(self) -> None:
        """Wait until nothing moves."""
        self.page.wait_for_function(
            "q => window.felt && performance.now() - felt.changed > q && document.querySelector('[data-testid=stApp]')"
            "?.dataset.testScriptState !== 'running'",
            arg=QUIET_MS,
            polling=100,
        )

    def _wait(self) -> None:
        """Wait until the server has answered and its answer is drawn."""
        end = time.monotonic() + LONGEST_S
        while not (self._answered() and self.page.evaluate(f"() => felt.done({QUIET_MS})")):
            if time.monotonic() > end:
                waits = self.page.evaluate("() => felt.waits") if self._answered() else "the server"
                raise RuntimeError(f"not drawn after {LONGEST_S} s at {self.page.url}, waiting for {waits}")
            self.page.wait_for_timeout(40)

    def _answered(self) -> bool:
        ended = [at for at, _, kind in self._got if kind == "script_finished"]
        return bool(ended and self._sent and ended[-1] > self._sent[0])

    def time(self, act: Callable[[], None]) -> Felt:
        """Do something that makes the script run, and wait until its last change is drawn."""
        self._sent.clear()
        self._got.clear()
        cpu, browser = processor_seconds(self.server), main_thread(self.session)["TaskDuration"]
        act()
        self._wait()
        found = self.page.evaluate("() => ({ total: felt.painted - felt.begin, ago: performance.now() - felt.begin })")
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        begun = now - found["ago"] / 1000  # the browser's stamps of frames are on the machine's monotonic clock
        after = [at for at in self._sent if at >= begun - 0.005]
        asked = 1000 * (after[0] - begun) if after else 0.0
        ended = [at for at, _, kind in self._got if kind == "script_finished"]
        finished = 1000 * (ended[-1] - begun) if ended else asked
        return Felt(
            total=found["total"],
            asked=max(0.0, asked),
            script=max(0.0, finished - asked),
            drawn=max(0.0, found["total"] - finished),
            server_cpu=1000 * (processor_seconds(self.server) - cpu),
            browser_cpu=main_thread(self.session)["TaskDuration"] - browser,
            kilobytes=sum(size for _, size, _ in self._got) / 1024,
            messages=len(self._got),
        )


def summary(found: list[Felt]) -> dict[str, Any]:
    """Median and 95th percentile of the total, medians of its parts."""
    import numpy as np

    table = {name: [asdict(f)[name] for f in found] for name in asdict(found[0])}
    told = {name: round(float(np.median(values)), 1) for name, values in table.items()}
    return {"n": len(found), "p95": round(float(np.percentile(table["total"], 95)), 1), **told}
