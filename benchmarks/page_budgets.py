"""What a page's own work costs at a click: the list of 2,000 runs, what the soft labels send to the browser, and lessons.

    python benchmarks/page_budgets.py [--quick] [--json FILE]

Prints the median and the largest of the repetitions in milliseconds beside the budget: 300 ms for a list, 150 ms for
what a lesson would do, before anything is trained, and 1,000 ms for the soft labels, which are sent once: their slider is timed
by soft_labels_drag.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from streamlit.dataframe_util import convert_anything_to_arrow_bytes

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.page_times import repeated
from benchmarks.store_speed import row
from kd_core.runs.store.runs import RunStore
from kd_core.specs import SEVERAL, Choice
from pages.ui.charts import lesson as charts_of_lesson
from pages.ui.result.kept_rows import Kept
from pages.ui.runs import run_list, softening
from pages.ui.soft import live

ARMS = ("teacher", "baseline", "student")


def draw_list(store: RunStore) -> None:
    """Do what the Runs page does on a click: two counts, one page of rows, one table."""
    store.count()
    store.count(text="visits 19")
    run_list.frame(store.list(limit=50))


def send_soft_labels(kept: Kept, stamp: str) -> None:
    """Do what the Soft labels page does once for a run: words of the rows, an order of the classes, logits as Arrow."""
    data, _ = live.payload(kept, stamp, [str(i) for i in range(kept.logits["teacher"].shape[1])], 2.0)
    for value in data.values():
        if isinstance(value, np.ndarray | pd.DataFrame):
            convert_anything_to_arrow_bytes(value)


def draw_lesson(answers: softening.Answers, lesson: Choice, temperature: float) -> None:
    """Do what the Distill page does when a lesson changes: one row softened, means over rows, shares of labels and terms."""
    plain, soft = answers.at(1.0)[0], answers.at(temperature)[0]
    charts_of_lesson.softened(answers.classes, plain, soft, "plain", "soft").to_json()
    answers.over_rows(temperature)
    answers.shares(lesson)


def main() -> None:
    """Measure both and print them beside their budgets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5 repetitions instead of 50")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    repeat = 5 if args.quick else 50
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        store = RunStore(Path(place))
        store.index.replace_all([row(i) for i in range(2000)])
        found = {"list of 2,000 runs": (300, repeated(lambda: draw_list(store), repeat))}
    said = pd.DataFrame({"said": [f"row {i} says this" for i in range(2000)]})
    for num in (10, 77, 150):
        z = {arm: rng.normal(size=(2000, num)).astype(np.float32) for arm in ARMS}
        whole = Kept(np.arange(2000), rng.integers(0, num, 2000), z, said)
        turns = iter(range(10**6))  # nothing is remembered
        took = repeated(lambda one=whole, turn=turns: send_soft_labels(one, str(next(turn))), repeat)
        found[f"soft labels of {num} classes, sent once"] = (1000, took)
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
        took = repeated(lambda one=lesson: draw_lesson(answers, one, 4.0), repeat)
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
