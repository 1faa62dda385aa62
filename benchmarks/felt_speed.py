"""How long a page change and a widget take in a real browser, with thousands of runs in the store.

    python benchmarks/felt_speed.py [--quick] [--runs N] [--workspace FOLDER] [--json FILE]

A real server, one real browser, nothing else: each page is opened by a click in the list of pages, each widget is moved,
until the last element is drawn (`felt.py` says when that is). Start is opened as by someone who asked for less motion:
its curve is drawn at once instead of over seven seconds. The first round, in which programs are loaded, is told apart.
Goals at the 95th percentile on two idle cores: 500 ms for a page, 300 ms for a widget. About 5 minutes, the first time
one more for the workspace; `--quick` has a tenth of the runs and two rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Error, Page

from benchmarks.felt import LONGEST_S, Felt, Stopwatch, summary
from benchmarks.many_runs import Place, make
from benchmarks.page_times import opened, wide_page

PAGE_MS, WIDGET_MS = 500, 300
PAGES = ("Start", "Data", "Distill", "What-if", "Runs", "Compare", "Soft labels", "Compress", "Export", "Status")
Act = Callable[[], None]


def open_page(page: Page, name: str) -> Act:
    """Return the click that opens a page of the list."""
    links = page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True)
    return lambda: links.first.click()


def open_run(page: Page) -> Act:
    """Return the click on the current run's card."""
    return lambda: page.locator(".st-key-card-run a").first.click()


def page_changes(page: Page, watch: Stopwatch, place: Place, url: str, rounds: int) -> Iterator[tuple[str, Felt]]:
    """Open every page from the one before it, and a result and a map from their card."""
    for name, run in (("result", place.ordinary), ("map", place.sweep)):
        page.goto(f"{url}/runs?run={run}&data={place.data}")
        page.locator(".st-key-card-run a").wait_for(timeout=60_000)
        watch.settle()
        for _ in range(rounds + 1):
            open_page(page, "Status")()
            page.wait_for_timeout(1500)
            watch.settle()
            yield f"page {name}", watch.time(open_run(page))
    page.goto(f"{url}/?data={place.data}")
    page.locator(".st-key-card-run a").wait_for(timeout=60_000)
    watch.settle()
    for _ in range(rounds + 1):
        for name in (*PAGES[1:], PAGES[0]):
            page.emulate_media(reduced_motion="reduce" if name == "Start" else "no-preference")
            try:
                felt = watch.time(open_page(page, name))
                page.wait_for_timeout(300)
                watch.settle()
            except (Error, RuntimeError) as error:
                print(f"page {name}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                continue
            yield f"page {name}", felt


def pick(page: Page, key: str, nth: int) -> Act:
    """Open a list of choices and return the press that takes one of them."""
    page.locator(f".st-key-{key} [data-baseweb=select], .st-key-{key} [role=combobox]").first.click()
    page.get_by_role("option").first.wait_for()
    options = page.get_by_role("option").all()
    option = options[nth]
    if (
        option.get_attribute("aria-selected") == "true"
    ):  # left by an earlier measurement: taking it again asks for nothing
        option = options[(nth + 1) % len(options)]
    return lambda: option.click()


def step(page: Page, turn: int) -> Act:
    """Focus the page's first slider and return the key that moves it by one step."""
    page.get_by_test_id("stMain").get_by_role("slider").first.focus()
    return lambda: page.keyboard.press("ArrowRight" if turn % 2 else "ArrowLeft")


def press(page: Page, place: str, nth: int = 0) -> Act:
    """Return a click."""
    return lambda: page.locator(place).nth(nth).click()


def widgets(place: Place) -> dict[str, tuple[str, Callable[[Page, int], Act]]]:
    """By name: the address, and what is done there in each turn."""
    result, sweep = f"runs?run={place.ordinary}", f"runs?run={place.sweep}"
    return {
        "tab of a result": (result, lambda p, i: lambda: p.get_by_role("tab").nth((1, 2, 3, 0)[i % 4]).click()),
        "filter of the run list": ("runs", lambda p, i: press(p, ".st-key-state button", 1)),
        "select of Compare": ("compare", lambda p, i: pick(p, "compare-metric", 1 - i % 2)),
        "slider of Distill": ("distill", lambda p, i: step(p, i)),
        "select of Distill": ("distill", lambda p, i: pick(p, "distill-teacher", (i + 1) % 4)),
        "cell of a map": (sweep, lambda p, i: lambda: p.locator("[data-cell]").nth(3 + i).click()),
    }


def widget_turns(page: Page, watch: Stopwatch, place: Place, url: str, rounds: int) -> Iterator[tuple[str, Felt]]:
    """Move every widget once more than it is counted."""
    for name, (address, act) in widgets(place).items():
        page.goto(f"{url}/{address}{'&' if '?' in address else '?'}data={place.data}")
        page.locator(".st-key-card-run a").wait_for(timeout=60_000)
        page.wait_for_timeout(2500)
        watch.settle()
        for turn in range(rounds + 1):
            try:
                felt = watch.time(act(page, turn))
                watch.settle()
            except (Error, RuntimeError) as error:  # the others are measured all the same
                print(f"widget {name}, turn {turn}: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                break
            yield f"widget {name}", felt


def measure(args: argparse.Namespace, root: Path) -> dict[str, list[Felt]]:
    """Start a server on the workspace and go through everything."""
    place = make(root, args.runs)
    shutil.rmtree(
        root / "drafts", ignore_errors=True
    )  # a form that was left at the end of a slider could not be moved further
    found: dict[str, list[Felt]] = {}
    with opened(root) as (server, pid, browser):
        page = wide_page(browser)
        page.set_default_timeout(1000 * LONGEST_S)
        watch = Stopwatch(page, pid)
        for kind, turns, rounds in (("page", page_changes, args.rounds), ("widget", widget_turns, 2 * args.rounds)):
            if args.only and kind != args.only:
                continue
            for name, felt in turns(page, watch, place, server.url, rounds):
                found.setdefault(name, []).append(felt)
    return found


def tell(found: dict[str, list[Felt]]) -> dict[str, Any]:
    """Print a table beside the goals; the first turn of each is told apart."""
    told: dict[str, Any] = {}
    print(f"{'':34}{'n':>3}{'p50':>7}{'p95':>7}{'first':>7} | asked script drawn | cpu server browser |   kB messages")
    for name, all_turns in found.items():
        turns = all_turns[1:] or all_turns
        one = told[name] = {**summary(turns), "first": round(all_turns[0].total, 1)}
        print(
            f"{name:34}{one['n']:>3}{one['total']:>7.0f}{one['p95']:>7.0f}{one['first']:>7.0f} |{one['asked']:>6.0f}{one['script']:>7.0f}"
            f"{one['drawn']:>6.0f} |{one['server_cpu']:>11.0f}{one['browser_cpu']:>8.0f} |{one['kilobytes']:>5.0f}{one['messages']:>9.0f}"
        )
    for kind, goal in (("page", PAGE_MS), ("widget", WIDGET_MS)):
        totals = [f.total for name, turns in found.items() if name.startswith(kind) for f in turns[1:]]
        if totals:
            p95 = float(np.percentile(totals, 95))
            told[f"all of {kind}"] = {"n": len(totals), "p50": float(np.median(totals)), "p95": p95, "goal": goal}
            print(
                f"{kind}: p50 {np.median(totals):.0f} ms, p95 {p95:.0f} ms of {len(totals)}, goal {goal} ms: {'met' if p95 <= goal else 'missed'}"
            )
    return told


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 runs, two rounds")
    parser.add_argument("--runs", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--only", choices=("page", "widget"))
    parser.add_argument("--workspace", type=Path, help="where the runs are made, or lie from before")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    args.runs = args.runs or (200 if args.quick else 2000)
    args.rounds = args.rounds or (2 if args.quick else 6)
    with tempfile.TemporaryDirectory() as scratch:
        load = os.getloadavg()[0]
        found = measure(args, args.workspace or Path(scratch) / "workspace")
    told = tell(found)
    about = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": [load, os.getloadavg()[0]],
        "runs": args.runs,
    }
    print(about)
    if args.json:
        args.json.write_text(json.dumps({**about, "found": told}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
