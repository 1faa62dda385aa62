"""Which item comes next, end to end: teachers by validation, then whole runs with plain references, on real films and a made-up shop.

    python benchmarks/next_item.py ../shared/data/movielens_small/ml-latest-small.zip --json FILE [--quick]

Each part is written to FILE as it ends, so that a second call goes on after it:
1. `teachers`: HIT@10 and NDCG@10 of candidates on the validation rows; no test row is read.
2. `films`: a run of the best of them with its student, on the test rows; intervals are over users.
3. `shop`: the same of a made-up file (20,000 users, 10,000 items, 9 events a user), with the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.made_histories import purchases
from kd_core.data.dataset import Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.evaluate.intervals.row_spread import row_spread
from kd_core.runs import assessment
from kd_core.runs.direct import run_here
from kd_core.runs.plain.items import ItemReferences
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, ReadSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.teachers.answers import teacher_answers

METRICS = ("next_ndcg_10", "next_hit_10")
CANDIDATES: tuple[dict[str, Any], ...] = (
    {"name": "item_to_item"},
    {"name": "item_to_item", "settings": {"neighbours": 1000}},
    {"name": "gru", "settings": {"size": "base", "epochs": 6, "dropout": 0.3}},
    {"name": "sasrec", "settings": {"size": "base", "epochs": 6, "dropout": 0.3}},
)


def films(path: Path) -> DatasetSpec:
    """Say how the zip of ratings is read."""
    read = ReadSpec(member="ml-latest-small/ratings.csv")
    return DatasetSpec(
        source=str(path), read=read, target="movieId", group="userId", time="timestamp", task="next_item"
    )


def shop(path: Path) -> DatasetSpec:
    """Say how the made-up purchases are read."""
    return DatasetSpec(source=str(path), target="item", group="user", time="time", task="next_item")


def answered(dataset: Dataset, teacher: Choice) -> dict[str, Array]:
    """Fit a teacher once, without folds: only what it says to validation and test rows is looked at."""
    found = teacher_answers(
        dataset, teacher, folds=1, seed=0, cache=None, notify=lambda event: None, should_stop=lambda: False
    )
    return dict(found.logits)


def teachers(data: DatasetSpec, candidates: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Score candidates on the validation rows, beside popularity and tables of what follows what."""
    dataset = prepare(data)
    rows = []
    for one in candidates:
        start = time.monotonic()
        z = answered(dataset, Choice(**one))["validation"]
        rows.append({**one, **scores(dataset, "validation", z), "seconds": time.monotonic() - start})
        print(json.dumps(rows[-1]), flush=True)
    plain = plain_models(dataset)
    beside = [{"name": r.name, METRICS[0]: r.selected, "bytes": r.bytes} for r in plain.known]
    best = max(rows, key=lambda row: row[METRICS[0]])
    chosen = {"name": best["name"], "settings": best.get("settings", {})}
    return {
        "rows": {k: len(p) for k, p in dataset.parts.items()},
        "candidates": rows,
        "plain": beside,
        "chosen": chosen,
    }


def scores(dataset: Dataset, split: Any, z: Array) -> dict[str, float | None]:
    """Score answers by both metrics."""
    return {metric: assessment.score(dataset, split, z, metric) for metric in METRICS}


def plain_models(dataset: Dataset) -> ItemReferences:
    """Learn popularity and the tables."""
    found = ItemReferences(dataset, METRICS[0], "higher")
    found.learn([])
    return found


def beside(dataset: Dataset, teacher: Choice) -> dict[str, Any]:
    """Set a teacher against plain models on the test rows: the difference and its 95 % interval over users."""
    asked = assessment.answers(dataset, "test", answered(dataset, teacher)["test"])
    told = {}
    for one in plain_models(dataset).known:
        other = assessment.answers(dataset, "test", one_of(dataset, one))
        told[one.name] = {"bytes": one.bytes}
        for metric in METRICS:
            spread = row_spread(metric, [asked, other])
            assert spread is not None
            apart, error = float(spread.values_M[0] - spread.values_M[1]), spread.standard_error([1, -1])
            told[one.name][metric] = {
                "teacher": float(spread.values_M[0]),
                "standard_error": spread.standard_error([1, 0]),
                "plain": float(spread.values_M[1]),
                "ahead": apart,
                "interval": [apart - 1.96 * error, apart + 1.96 * error],
            }
    return told


def one_of(dataset: Dataset, reference: Any) -> Array:
    """Answer the test rows by a plain model."""
    return ItemReferences(dataset, METRICS[0], "higher").test_logits(reference, [0])[0]


def distilled(data: DatasetSpec, teacher: Choice, arch: str, size: str, seeds: int, epochs: int) -> dict[str, Any]:
    """Run one whole experiment with its plain references and keep what it says."""
    student = StudentSpec(name=f"{arch}:{size}", arch=Choice(name=arch, settings={"size": size}))
    spec = RunSpec(
        dataset=data,
        teacher=teacher,
        students=(student,),
        objective=Choice(name="hinton"),
        training=TrainingSpec(seeds=seeds, epochs=epochs),
        evaluation=EvaluationSpec(latency=False, placebo=False, references=True),
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        result, _ = run_here(spec, Path(out) / "run", lambda event: None, StopSignal())
    one = result["students"][0]
    return {
        "teacher": result["teacher"]["metrics"],
        "means": {
            m: {arm: b["metrics"][m]["mean"] for arm, b in (("student", one), ("baseline", one["baseline"]))}
            for m in one["metrics"]
        },
        "gain": {m: one["gain"].get(m) for m in METRICS},
        "verdict": one["verdict"],
        "reference": one["reference"],
        "bytes": one["size_bytes"],
        "seconds": time.monotonic() - start,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "load": os.getloadavg(),
    }


def main() -> None:
    """Carry out the parts that are not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument(
        "--quick", action="store_true", help="two tables as candidates, two seeds of one epoch, a shop of 500 users"
    )
    args = parser.parse_args()
    candidates, items = CANDIDATES, 10_000
    if args.quick:
        candidates, args.seeds, args.epochs, args.users, items = CANDIDATES[:2], 2, 1, 500, 400
    done = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}

    def part(name: str, make: Callable[[], Any]) -> Any:
        if name not in done:
            done[name] = make()
            print(name, json.dumps(done[name]), flush=True)
            if args.json:
                args.json.write_text(json.dumps(done, indent=1) + "\n")
        return done[name]

    ratings = films(args.ratings)
    chosen = Choice(**part("teachers", lambda: teachers(ratings, candidates))["chosen"])
    part("films: the teacher", lambda: beside(prepare(ratings), chosen))
    part("films", lambda: distilled(ratings, chosen, "gru", "tiny", args.seeds, args.epochs))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "purchases.csv"
        purchases(args.users, items, 9.0).to_csv(path, index=False)
        part("shop: the teacher", lambda: beside(prepare(shop(path)), chosen))
        part("shop", lambda: distilled(shop(path), chosen, "gru", "tiny", args.seeds, args.epochs))


if __name__ == "__main__":
    main()
