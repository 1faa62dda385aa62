"""How fast the list of runs, a live page's poll and the first reading of a long run are.

Prints milliseconds (median and 95th percentile of the repetitions) for a store of 2,000 runs, and the
seconds to parse 50,000 events. `--quick` takes a tenth; `--json FILE` keeps the numbers.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import Headline, RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.runs.view.snapshot import RunView
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec

SPEC = RunSpec(
    dataset=DatasetSpec(source="sample:visits", target="purchased"),
    teacher=Choice(name="gradient_boosting"),
    students=(StudentSpec(name="tiny", arch=Choice(name="mlp")),),
    objective=Choice(name="hinton"),
)


def row(number: int) -> RunRow:
    when = f"2026-{number // 250 + 1:02d}-{number % 28 + 1:02d}T12:00:{number % 60:02d}.000Z"
    best = Headline("roc_auc", "higher", 0.93, "tiny", 0.92, 0.91, 0.01, 0.005, 0.015, "beats")
    return RunRow(
        f"run-{number:05d}",
        f"visits {number}",
        "done",
        when,
        when,
        when,
        "visits",
        "purchased",
        "binary",
        "boosting",
        ("tiny", "small"),
        best,
        42.0,
        number % 10 == 0,
        "a note of some length " * 3,
        f"{number:064d}",
        None,
    )


def event(number: int) -> dict[str, object]:
    return {
        "kind": "epoch",
        "arm": "student",
        "student": "tiny",
        "seed": number // 2500,
        "fold": None,
        "epoch": number % 2500 + 1,
        "epochs": 2500,
        "loss": 0.5,
        "hard": 0.25,
        "soft": 0.25,
        "score": 0.9,
        "metrics": {"roc_auc": 0.9, "log_loss": 0.3},
        "learning_rate": 1e-3,
        "rows_per_s": 1e5,
        "best": number % 7 == 0,
    }


def milliseconds(work, repeat: int) -> dict[str, float]:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    times.sort()
    return {"p50": round(statistics.median(times), 3), "p95": round(times[int(0.95 * (len(times) - 1))], 3)}


def measure(runs: int, events: int, repeat: int) -> dict[str, object]:
    found: dict[str, object] = {"runs": runs, "events": events, "repeat": repeat}
    with tempfile.TemporaryDirectory() as place:
        store = RunStore(Path(place))
        store.index.replace_all([row(i) for i in range(runs)])
        found["list_page_ms"] = milliseconds(store.list, repeat)
        found["list_text_ms"] = milliseconds(lambda: store.list(text=f"visits {runs - 1}"), repeat)
        found["list_last_page_ms"] = milliseconds(lambda: store.list(offset=runs - 50), repeat)
        found["count_ms"] = milliseconds(store.count, repeat)
        found["open_store_ms"] = milliseconds(lambda: RunStore(Path(place)), max(3, repeat // 20))

        folder = RunFolder.create(Path(place) / "long", SPEC)
        folder.write_status(state="running")
        for start in range(0, events, 10_000):
            folder.append_events([event(i) for i in range(start, min(events, start + 10_000))])
        parse = milliseconds(lambda: RunView(folder).snapshot(1000), 5)
        found["first_snapshot_ms"] = parse
        start = time.process_time()
        view = RunView(folder)
        view.snapshot(1000)
        found["first_snapshot_cpu_ms"] = round(1000 * (time.process_time() - start), 1)
        found["poll_without_news_ms"] = milliseconds(lambda: view.snapshot(1000), repeat)
        polls = []
        for i in range(min(20, repeat)):
            folder.append_events([event(events + i)])
            polls.append(milliseconds(lambda: view.snapshot(1000), 1)["p50"])
        found["poll_with_news_ms"] = {"p50": statistics.median(polls), "max": max(polls)}
        folder.write_status(state="done", seconds=1.0)
        view.snapshot(1000)
        found["poll_ended_ms"] = milliseconds(lambda: view.snapshot(1000), repeat)
    return {**found, "machine": platform.processor() or platform.machine(), "python": platform.python_version()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(*((200, 5_000, 20) if given.quick else (2_000, 50_000, 200)))
    for name, value in found.items():
        print(f"{name:24} {value}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
