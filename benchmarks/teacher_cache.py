"""What keeping a teacher's answers saves, costs, and rounds away.

Four parts, each measured in one run:
- asked: the same teacher asked for with an empty cache and with a filled one (the sample `visits`), seconds and ratio;
- read: an entry of many rows opened for the first time in a process (checksums) and again (mapped), milliseconds;
- find: answers found by spec and teacher among 50 entries, milliseconds (median and 95th percentile);
- coding: for logits of many classes from a trained forest, a trained network and random ones, bytes a row and what the
  coding moved: the largest logit difference, and the largest total variation of the softened probabilities (0 to 1),
  beside what only the 32 largest of each row would have moved.

    python benchmarks/teacher_cache.py [--quick] [--json FILE]

Goals: find below 20 ms; a filled cache at least 10 times faster than training.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.input_spec import table_inputs
from kd_core.data.preparation import prepare
from kd_core.machine import device
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from kd_core.teachers.answer_cache import entry, kept
from kd_core.teachers.answer_cache.cache import TeacherCache, code_version
from kd_core.teachers.answer_cache.coding import decode, encode, largest
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import SOURCES, FitData

TEMPERATURES = (0.5, 1.0, 4.0, 20.0)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "median": round(statistics.median(ranked), 4),
        "min": round(ranked[0], 4),
        "p95": round(ranked[math.ceil(0.95 * (len(ranked) - 1))], 4),
        "n": len(ranked),
    }


def asked(root: Path, repeat: int) -> dict[str, Any]:
    """Ask for one teacher, not kept and kept."""
    spec = default_spec("purchase")
    dataset = prepare(spec.dataset)

    def ask(seed: int) -> None:
        teacher_answers(
            dataset,
            spec.teacher,
            folds=5,
            seed=seed,
            cache=TeacherCache(root),
            notify=lambda event: None,
            should_stop=lambda: False,
        )

    made = [seconds(lambda seed=seed: ask(seed)) for seed in range(repeat)]
    found = [seconds(lambda seed=seed: ask(seed)) for seed in range(repeat)]
    return {
        "rows": len(dataset.rows),
        "made_s": spread(made),
        "kept_s": spread(found),
        "ratio": round(statistics.median(made) / statistics.median(found), 1),
        "counted": vars(TeacherCache(root).ledger.read()),
    }


def read(root: Path, rows: int, repeat: int) -> dict[str, Any]:
    """Open a large entry for the first time and again."""
    z = np.random.default_rng(0).standard_normal((rows, 10), dtype=np.float32)
    entry.write_entry(root / "large", {"train.logits": z}, {})
    first, again = [], []
    for _ in range(repeat):
        entry._CHECKED.clear()
        first.append(1000 * seconds(lambda: entry.read_entry(root / "large")))
        again.append(1000 * seconds(lambda: entry.read_entry(root / "large")))
    return {
        "rows": rows,
        "outputs": 10,
        "mb": round(z.nbytes / 2**20, 1),
        "first_ms": spread(first),
        "again_ms": spread(again),
    }


def find(root: Path, entries: int, repeat: int) -> dict[str, Any]:
    """Find one teacher's answers among many."""
    spec = default_spec("purchase")
    cache, dataset = TeacherCache(root), prepare(spec.dataset)
    first = next(root.glob("*/meta.json")).parent.name
    arrays, meta = cache.load(first, print) or ({}, {})
    for number in range(entries - len(list(root.glob("*/meta.json")))):
        other = Choice(name="random_forest", settings={"trees": 10 + number})
        recipe = kept.recipe(dataset, other, 5, 0, code_version())
        cache.save(f"{number:064x}", arrays, {**meta, "recipe": recipe})
    times = [1000 * seconds(lambda: cache.find(spec.dataset, spec.teacher)) for _ in range(repeat)]
    assert cache.find(spec.dataset, spec.teacher) is not None
    return {"entries": cache.usage().entries, "ms": spread(times)}


def many_classes(classes: int, rows: int) -> FitData:
    """Rows around centres, one for each class, close enough to be confused."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, 16))
    y = np.arange(2 * rows) % classes
    x = (centres[y] + 0.9 * rng.standard_normal((2 * rows, 16))).astype(np.float32)
    return FitData("multiclass", classes, table_inputs(x.shape[1]), x[:rows], y[:rows], x[rows:], y[rows:])


def softened(z: np.ndarray, temperature: float) -> np.ndarray:
    e = np.exp((z.astype(np.float64) - z.max(1, keepdims=True)) / temperature)
    return e / e.sum(1, keepdims=True)


def moved(z: np.ndarray) -> dict[str, Any]:
    """What coding does to some logits."""
    coded, forced = encode(z), largest(z, 32, tolerance=np.inf)
    assert forced is not None
    back, few = decode(coded, z.shape[1]), decode(forced, z.shape[1])
    return {
        "coding": "+".join(f"{name} {array.dtype}" for name, array in coded.items()),
        "bytes_a_row": round(sum(a.nbytes for a in coded.values()) / len(z), 1),
        "float32_bytes": 4 * z.shape[1],
        "largest_logit_move": float(np.abs(back - z).max()),
        "total_variation": {
            str(t): float(0.5 * np.abs(softened(back, t) - softened(z, t)).sum(1).max()) for t in TEMPERATURES
        },
        "of_32_largest_alone": {
            str(t): float(0.5 * np.abs(softened(few, t) - softened(z, t)).sum(1).max()) for t in TEMPERATURES
        },
    }


def coding(rows: int, classes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Code the answers of trained teachers and of random logits."""
    found = []
    teachers = {
        "random_forest": Choice(name="random_forest", settings={"trees": 20}),
        "mlp": Choice(name="mlp", settings={"epochs": 8}),
    }
    for count in classes:
        data = many_classes(count, rows)
        for name, choice in teachers.items():
            source = SOURCES.get(name)
            fitted = source.make.fit(source.spec.parse(choice.settings), data, 0, lambda event: None, lambda: False)
            z = fitted.logits(data.x_validation)
            right = float((z.argmax(1) == data.y_validation).mean())
            found.append({"logits": name, "classes": count, "accuracy": round(right, 3), **moved(z)})
        z = (4 * np.random.default_rng(1).standard_normal((rows, count))).astype(np.float32)
        found.append({"logits": "random, sd 4", "classes": count, **moved(z)})
    return found


def measure(quick: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        os.environ["KD_WORKSPACE"] = place
        root = Path(place) / "teachers"
        return {
            "asked": asked(root, 2 if quick else 5),
            "read": read(Path(place), 20_000 if quick else 1_000_000, 3 if quick else 10),
            "find": find(root, 50, 20 if quick else 200),
            "coding": coding(1_000 if quick else 10_000, (120,) if quick else (120, 1_000)),
            "environment": {**device.environment(device.pick("cpu")), "python": platform.python_version()},
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measure(given.quick)
    for name in ("asked", "read", "find"):
        print(name, found[name])
    for row in found["coding"]:
        print(row)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
