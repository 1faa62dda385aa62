"""What a page's own work costs at a click: the list of 2,000 runs, and the soft labels of 2,000 rows at four temperatures.

    python benchmarks/page_budgets.py [--quick] [--json FILE]

Prints the median and the largest of the repetitions in milliseconds beside the budget: 300 ms for a list, 150 ms for
a step of the slider and for what a lesson would do, before anything is trained.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.store_speed import row
from kd_core.evaluate import soft_labels
from kd_core.runs.store.runs import RunStore
from kd_core.specs import SEVERAL, Choice
from pages.ui.charts import distill as charts_of_distill
from pages.ui.charts import soft_labels as charts
from pages.ui.runs import run_list, softening

ARMS = ("teacher", "baseline", "student")


def draw_list(store: RunStore) -> None:
    """Do what the Runs page does on a click: two counts, one page of rows, one table."""
    store.count()
    store.count(text="visits 19")
    run_list.frame(store.list(limit=50))


def draw_soft_labels(z: dict[str, np.ndarray], temperature: float) -> None:
    """Do what the Soft labels page does when T moves: shares, two histograms, the class matrix, the disagreements."""
    p = {arm: soft_labels.soften(v, temperature) for arm, v in z.items()}
    names = {arm: arm for arm in z}
    top, spread = {a: v.max(axis=1) for a, v in p.items()}, {a: soft_labels.entropy(v) for a, v in p.items()}
    charts.distribution(top, names=names, x_title="", y_title="", low=0.1, high=1.0).to_json()
    charts.distribution(spread, names=names, x_title="", y_title="", low=0, high=4).to_json()
    mean = soft_labels.class_similarity(p["teacher"], np.arange(2000) % 10, 10)
    charts.similarity(mean, [str(i) for i in range(10)], x_title="", y_title="").to_json()
    soft_labels.disagreements(z["teacher"], z["student"], temperature)


def draw_lesson(answers: softening.Answers, lesson: Choice, temperature: float) -> None:
    """Do what the Distill page does when a lesson changes: one row softened, means over rows, shares of labels and terms."""
    plain, soft = answers.at(1.0)[0], answers.at(temperature)[0]
    charts_of_distill.softened(answers.classes, plain, soft, "plain", "soft").to_json()
    answers.over_rows(temperature)
    answers.shares(lesson)


def milliseconds(work: Callable[[], None], repeat: int) -> list[float]:
    """Time a piece of work several times."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - start))
    return found


def main() -> None:
    """Measure both and print them beside their budgets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 repetitions instead of 50")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    repeat = 5 if args.quick else 50
    rng = np.random.default_rng(0)
    z = {arm: rng.normal(size=(2000, 10)) for arm in ARMS}
    with tempfile.TemporaryDirectory() as place:
        store = RunStore(Path(place))
        store.index.replace_all([row(i) for i in range(2000)])
        found = {"list of 2,000 runs": (300, milliseconds(lambda: draw_list(store), repeat))}
    for temperature in (1.0, 2.0, 4.0, 8.0):
        took = milliseconds(lambda t=temperature: draw_soft_labels(z, t), repeat)
        found[f"soft labels at T = {temperature:g}"] = (150, took)
    kept = SimpleNamespace(
        logits=rng.normal(size=(2000, 77)),
        labels=rng.integers(0, 77, 2000),
        classes=[str(i) for i in range(77)],
        task="multiclass",
    )
    answers = softening.of(kept)
    assert answers is not None
    terms = [{"name": name, "weight": 1.0} for name in ("hinton", "dkd", "nkd", "dist", "ls_kd", "mlkd")]
    lessons = {"hinton": Choice(name="hinton"), "six terms": Choice(name=SEVERAL, settings={"terms": terms})}
    for name, lesson in lessons.items():
        took = milliseconds(lambda one=lesson: draw_lesson(answers, one, 4.0), repeat)
        found[f"lesson of {name}, 77 classes"] = (150, took)
    result = {
        name: {"p50_ms": round(statistics.median(took), 1), "worst_ms": round(max(took), 1), "budget_ms": budget}
        for name, (budget, took) in found.items()
    }
    for name, one in result.items():
        print(f"{name}: {one['p50_ms']} ms (worst {one['worst_ms']}, budget {one['budget_ms']}), n = {repeat}")
    if args.json:
        args.json.write_text(json.dumps({"machine": platform.processor(), "repeat": repeat, "found": result}, indent=1))


if __name__ == "__main__":
    main()
