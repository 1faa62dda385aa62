"""The page of soft labels of one run, beside what the run kept, and numbers of it made with numpy alone."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import expect

from tests.e2e.screen import Screen
from tests.e2e.soft import small_runs

ARMS = {"teacher": "teacher", "student": "student_0", "baseline": "baseline_0"}


class Page:
    """The page of soft labels of one run, with what the run kept."""

    def __init__(self, browser: Any, kinds: Any, kind: str, **more: Any) -> None:
        server, runs = kinds
        self.folder = server.workspace / "runs" / runs[kind]
        self.kept = small_runs.kept(server.workspace, runs[kind])
        self.rows = pd.read_parquet(self.folder / "artifacts" / "rows.parquet")
        self.result = json.loads((self.folder / "result.json").read_text("utf-8"))
        self.ids = self.kept["row_ids"] + 1
        self.z = {arm: self.kept[key].astype(np.float64) for arm, key in ARMS.items()}
        self.screen = Screen(browser, server.url)
        self.page = self.screen.page
        self.sent: list[Any] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        self.screen.open(f"/soft-labels?run={runs[kind]}" + "".join(f"&{k}={v}" for k, v in more.items()))
        expect(self.page.locator(".soft .bar")).to_be_visible(timeout=120_000)

    def move(self, wanted: float) -> None:
        """Drag the slider to the step that says this."""
        slider = self.page.locator(".soft input[type=range]")
        steps = int(slider.get_attribute("max") or 0)
        low, high = 0, steps
        while low <= high:  # steps rise
            at = (low + high) // 2
            slider.evaluate("(e, at) => { e.value = at; e.dispatchEvent(new Event('input')); }", at)
            here = float((slider.get_attribute("aria-valuetext") or "").split("= ")[1])
            if here == wanted:
                return
            low, high = (at + 1, high) if here < wanted else (low, at - 1)
        raise AssertionError(f"no step {wanted}")

    def saved(self) -> dict[str, Any]:
        """Read the numbers that are drawn."""
        self.page.wait_for_timeout(100)
        with self.page.expect_download() as found:
            self.page.get_by_role("button", name="Save these numbers").click()
        read: dict[str, Any] = json.loads(found.value.path().read_text("utf-8"))
        return read

    def listed(self) -> list[int]:
        """Read the rows of the list, by number."""
        said = self.page.locator(".rows li .what span:first-child").all_inner_texts()
        return [int(re.sub(r"\D", "", words)) for words in said]

    def brief(self) -> Any:
        """Return the row that is shown."""
        return self.page.locator(".row .content")

    def close(self) -> None:
        self.screen.close()


def soften(z: Any, t: float) -> Any:
    e = np.exp((z - z.max(axis=1, keepdims=True)) / t)
    return e / e.sum(axis=1, keepdims=True)


def lifts(p: Any, y: Any) -> Any:
    """How much more rows of a class look like another than rows of all other classes do; NaN on the diagonal."""
    num = p.shape[1]
    found = np.full((num, num), np.nan)
    for a in range(num):
        for b in range(num):
            if a != b and (y == a).any():
                found[a, b] = max(p[y == a, b].mean(), 0.1 / num) / max(p[y != b, b].mean(), 0.1 / num)
    return found


def spared(p: Any, y: Any) -> Any:
    """The same, for each pair without the row that counts most in it."""
    num = p.shape[1]
    found = np.full((num, num), np.nan)
    for a in range(num):
        for b in range(num):
            if a != b and (y == a).sum() > 1:
                keep = np.arange(len(y)) != np.argmax(np.where(y == a, p[:, b], -1))
                found[a, b] = lifts(p[keep], y[keep])[a, b]
    return found


def ordered(values: Any, ids: Any) -> list[int]:
    """Rows by falling value, equal ones as in the file."""
    return [int(ids[i]) for i in np.argsort(-values, kind="stable")]


def times(value: float) -> str:
    """Write how many times the base rate a share is, as the page does."""
    return f"{value:.{2 if value < 9.995 else 0}f}×"
