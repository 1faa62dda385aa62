"""Every scenario as one click starts it, one after another, with what came out and how long it took.

    python benchmarks/scenarios.py --folder .scenarios        # `make scenarios`
    python benchmarks/scenarios.py --folder /tmp/s --only service product_pictures --json FILE

A finished run in the folder is shown again and not repeated, an interrupted one goes on (its time is that of all attempts); a run
of an earlier version of a scenario stands in the way and is named. Exit code 1 where a scenario fails. A time over two minutes is
marked: it is a goal for 2 idle cores, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.errors import KDError
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios import SCENARIOS, default_spec

GOAL = 120.0  # seconds
WIDTHS = (18, 7, 10, 10, 10, 10, 13, 8)
HEAD = ("scenario", "rows", "teacher", "baseline", "student", "plain", "verdict", "seconds")


def main() -> int:
    """Run, show, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the runs are kept")
    parser.add_argument("--only", nargs="*", default=SCENARIOS.names(), help="scenarios by name")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}. Test rows; accuracy, or what the verdict is about.")
    _line(HEAD)
    found, failed = [], 0
    for name in asked.only:
        try:
            one = _told(name, *_carried_out(name, asked.folder / name))
        except KDError as error:
            failed += 1
            print(f"{name}: failed. {error}", flush=True)
            continue
        found.append(one)
        _line([one[key] for key in HEAD])
    slow = [one["scenario"] for one in found if one["took"] > GOAL]
    print(f"{len(found)} of {len(asked.only)} done, {failed} failed; over {GOAL:.0f} s: {', '.join(slow) or 'none'}.")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    return 1 if failed else 0


def _carried_out(name: str, path: Path) -> tuple[dict[str, Any], RunFolder]:
    """Return the result of a run that was finished before, or carry it out. Errors: KDError."""
    folder, spec = RunFolder(path), default_spec(name)
    if folder.complete and folder.spec().work_hash() == spec.work_hash() and (result := folder.result()):
        return result, folder
    return run_here(spec, path, lambda event: None, StopSignal())[0], folder


def _told(name: str, result: dict[str, Any], folder: RunFolder) -> dict[str, Any]:
    student = result["students"][0]
    metric = result["metric"]["name"]
    plain = (student.get("reference") or {}).get("best") or {}
    took = max((event["t"] for event in folder.events()), default=0.0)

    def mean(metrics: dict[str, Any]) -> str:
        value = metrics.get(metric)
        value = value["mean"] if isinstance(value, dict) else value
        return "-" if value is None else f"{value:.4g}"

    return {
        "scenario": name,
        "rows": f"{sum(result['dataset']['rows'].values()):,}",
        "metric": metric,
        "teacher": mean(result["teacher"]["metrics"]),
        "baseline": mean(student["baseline"]["metrics"]),
        "student": mean(student["metrics"]),
        "plain": mean(plain.get("metrics", {})),
        "verdict": student["verdict"],
        "took": round(took, 1),
        "seconds": f"{took:.0f}{' !' if took > GOAL else ''}",
    }


def _line(cells: Any) -> None:
    print("  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
