"""What the row part of all intervals of a result costs: a teacher and three arms of five seeds on one test part.

For every metric the influences of all 16 models are computed once, and with them the standard errors of student
against baseline, against teacher and against placebo.

    python benchmarks/row_interval.py [--rows 100000] [--quick] [--json FILE]

Goal: at most 1 s for 100,000 rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import Answers
from kd_core.evaluate.intervals.row_spread import row_spread

MODELS, SEEDS = 16, 5
CASES: list[tuple[str, str, int]] = [
    ("regression", "regression", 1),
    ("two classes", "binary", 2),
    ("four classes", "multiclass", 4),
    ("ten classes", "multiclass", 10),
]


def models(task: str, classes: int, rows: int) -> list[Answers]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(rows, classes)).astype(np.float32)
    y = shared[:, 0] * 10.0 if task == "regression" else (2 * shared + rng.normal(size=shared.shape)).argmax(axis=1)
    logits = [shared + 0.3 * rng.normal(size=shared.shape).astype(np.float32) for _ in range(MODELS)]
    return [from_logits(task, y, z) for z in logits]


def weights() -> list[np.ndarray]:
    """Student less baseline, placebo and teacher; models: teacher, then five of each arm."""
    arm = np.zeros((4, MODELS))
    arm[0, 0] = 1
    for i in range(3):
        arm[i + 1, 1 + i * SEEDS : 1 + (i + 1) * SEEDS] = 1 / SEEDS
    return [arm[1] - arm[2], arm[1] - arm[3], arm[1] - arm[0]]


def measure(task: str, classes: int, rows: int, units: np.ndarray | None) -> dict[str, float]:
    answers, took = models(task, classes, rows), {}
    for entry in METRICS.entries():
        if task in entry.tasks:
            start = time.process_time()
            spread = row_spread(entry.name, answers, units, values=[0.5] * MODELS)  # a result has the values already
            assert spread is not None
            for w in weights():
                spread.standard_error(w)
            took[entry.name] = time.process_time() - start
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="2,000 rows, one round: shows that it runs, proves nothing"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rows, chosen.rounds = 2_000, 1
    found: list[dict[str, Any]] = []
    for name, task, classes in CASES:
        for grouped in (False, True):
            units = np.random.default_rng(1).integers(0, chosen.rows // 3, chosen.rows) if grouped else None
            rounds = [measure(task, classes, chosen.rows, units) for _ in range(chosen.rounds)]
            total = sorted(sum(r.values()) for r in rounds)
            each = {m: median(r[m] for r in rounds) for m in rounds[0]}
            found.append({"case": name, "grouped": grouped, "rows": chosen.rows, "seconds": total, "metrics": each})
            print(
                f"{name}{', grouped' if grouped else ''}, {chosen.rows:,} rows, {MODELS} models: {median(total):.2f} s of processor time "
                f"({total[0]:.2f}-{total[-1]:.2f}, {chosen.rounds} rounds); "
                + ", ".join(f"{m} {s * 1000:.0f} ms" for m, s in sorted(each.items(), key=lambda i: -i[1])[:4])
            )
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
