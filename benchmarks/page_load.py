"""What an open live page costs the training: speed with the page open against closed, switched in turn within one run.

    python benchmarks/page_load.py [--quick] [--json FILE]

A real server trains one small student after another; a real browser opens the run's live page, which redraws every
2 s, and leaves it again. The speed is the rows per second that the training itself reports for each epoch;
the first seconds after each switch are left out. Goal: open / closed >= 0.95.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import sync_playwright

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.scenarios import default_spec
from tests.e2e.conftest import FLAGS
from tests.e2e.server import Server

SETTLE_SECONDS = 6.0


def speeds(folder: RunFolder, since: int) -> tuple[list[float], int]:
    """Rows per second of the epochs reported after event `since`, baselines and students only."""
    fresh = folder.events(since)
    found = [e["rows_per_s"] for e in fresh if e["kind"] == "epoch" and e["arm"] != "teacher"]
    return found, fresh[-1]["n"] if fresh else since


def main() -> None:
    """Start, switch, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two windows of 8 s")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rounds, window = (1, 8.0) if args.quick else (6, 14.0)
    spec = default_spec("purchase")
    training = spec.training.model_copy(update={"seeds": 50, "epochs": 2000, "patience": 2000})
    spec = spec.model_copy(update={"training": training, "students": spec.students[1:]})
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        server = Server(Path(scratch) / "workspace")
        server.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        run_id = RunStore(server.workspace).create(spec)
        folder = RunFolder(server.workspace / "runs" / run_id)
        while not any(e["kind"] == "epoch" and e["arm"] == "baseline" for e in folder.events()):
            time.sleep(0.5)
        medians: dict[str, list[float]] = {"open": [], "closed": []}
        for number in range(2 * rounds):
            state = "closed" if number % 2 == 0 else "open"
            page.goto(f"{server.url}/runs?run={run_id}" if state == "open" else "about:blank")
            time.sleep(SETTLE_SECONDS)
            _, mark = speeds(folder, 0)
            time.sleep(window)
            found, _ = speeds(folder, mark)
            medians[state].append(statistics.median(found))
            print(f"{state:<6} {medians[state][-1]:>10,.0f} rows/s, {len(found)} epochs", flush=True)
        browser.close()
        server.stop()
    ratios = [o / c for o, c in zip(medians["open"], medians["closed"], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"open / closed: {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} pairs), goal 0.95: {'met' if ratio >= 0.95 else 'missed'}"
    )
    if args.json:
        args.json.write_text(json.dumps({"ratio": ratio, "pairs": ratios, "rows_per_s": medians}, indent=1))


if __name__ == "__main__":
    main()
