"""A ranking end to end: LibSVM files with their queries, settings of the teacher chosen on validation queries, and the verdict.

    python benchmarks/ranking.py ../shared/data/lambdarank --json FILE

Packs the files of a folder (`rank.train`, `rank.test` and their `.query` files) into a zip, as the reader takes them. Then three parts, each
written to FILE as it ends, so that a second call goes on after it:
1. `settings`: candidates for the teacher, by NDCG@5 on the validation queries of several splits of the training queries; no test query is read.
2. `teacher`: the best candidate with 5 seeds on the test queries, with the interval over seeds and queries.
3. `students`: whole experiments with that teacher, one for each student.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.dataset import Dataset
from kd_core.data.preparation import prepare
from kd_core.evaluate.intervals.compare import certified
from kd_core.evaluate.intervals.row_spread import row_spread
from kd_core.runs import assessment
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import TeacherAnswers

METRIC = "ndcg_5"
CANDIDATES: tuple[dict[str, Any], ...] = (
    {"name": "gradient_boosting"},
    {"name": "gradient_boosting", "settings": {"leaf_rows": 50, "l2": 10.0}},
    {"name": "lightgbm"},
    {"name": "lightgbm", "settings": {"leaf_rows": 5, "feature_share": 0.2}},
    {"name": "random_forest"},
    {"name": "mlp", "settings": {"size": "small", "epochs": 30}},
)
STUDENTS = (("mlp", "tiny"), ("mlp", "small"), ("trees", "tiny"), ("linear", None))


def packed(source: Path, target: Path) -> Path:
    """Put the files of a published set into one zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.glob("rank.*")):
            archive.write(path, path.name)
    return target


def described(path: Path, split_seed: int = 0) -> DatasetSpec:
    """Say how the zip is read."""
    return DatasetSpec(
        source=str(path), target="label", task="ranking", group="query", part="split_part", split_seed=split_seed
    )


def answered(dataset: Dataset, teacher: Choice, seed: int) -> TeacherAnswers:
    """Fit a teacher once, without folds: only what it says to validation and test rows is looked at."""
    return teacher_answers(
        dataset, teacher, folds=1, seed=seed, cache=None, notify=lambda event: None, should_stop=lambda: False
    )


def settings(path: Path, splits: int, candidates: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Score each candidate on the validation queries of each split."""
    rows = []
    for one in candidates:
        start, scores = time.monotonic(), []
        for seed in range(splits):
            dataset = prepare(described(path, seed))
            z = answered(dataset, Choice(**one), seed).logits["validation"]
            scores.append(assessment.score(dataset, "validation", z, METRIC))
        rows.append({**one, "validation": scores, "mean": float(np.mean(scores)), "seconds": time.monotonic() - start})
        print(json.dumps(rows[-1]), flush=True)
    best = max(rows, key=lambda row: row["mean"])
    return {"candidates": rows, "chosen": {"name": best["name"], "settings": best.get("settings", {})}}


def taught(path: Path, teacher: Choice, seeds: int) -> dict[str, Any]:
    """Measure a teacher's seeds on the test queries. The interval is over seeds and queries."""
    dataset = prepare(described(path))
    found = [assessment.answers(dataset, "test", answered(dataset, teacher, s).logits["test"]) for s in range(seeds)]
    spread = row_spread(METRIC, found)
    assert spread is not None
    of_seeds = [1 / seeds] * seeds
    gain = certified(spread.values_M.tolist(), spread.standard_error(of_seeds))
    queries = dataset.dealt_by("test")
    assert queries is not None
    return {
        "test_queries": len(np.unique(queries)),
        "values": spread.values_M.tolist(),
        "mean": gain.mean,
        "interval": [gain.low, gain.high],
        "standard_error_of_queries": spread.standard_error(of_seeds),
    }


def distilled(path: Path, teacher: Choice, arch: str, size: str | None, seeds: int, epochs: int) -> dict[str, Any]:
    """Run one whole experiment and keep what it says."""
    student = StudentSpec(name=size or arch, arch=Choice(name=arch, settings={} if size is None else {"size": size}))
    spec = RunSpec(
        dataset=described(path),
        teacher=teacher,
        students=(student,),
        objective=Choice(name="listwise_kd"),
        training=TrainingSpec(seeds=seeds, epochs=epochs),
        evaluation=EvaluationSpec(latency=False),
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        result, _ = run_here(spec, Path(out) / "run", lambda event: None, StopSignal())
    one = result["students"][0]
    return {
        "student": f"{arch} {size or ''}".strip(),
        "teacher": result["teacher"]["metrics"],
        "means": {
            m: {arm: b["metrics"][m]["mean"] for arm, b in (("student", one), ("baseline", one["baseline"]))}
            for m in one["metrics"]
        },
        "gain": one["gain"][METRIC],
        "versus_teacher": (one["versus_teacher"] or {}).get(METRIC),
        "verdict": one["verdict"],
        "references": result.get("references"),
        "bytes": one["size_bytes"],
        "seconds": time.monotonic() - start,
    }


def main() -> None:
    """Carry out the parts that are not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument(
        "--quick", action="store_true", help="two candidates, two splits, two seeds, one student of 3 epochs"
    )
    args = parser.parse_args()
    candidates, students = CANDIDATES, STUDENTS
    if args.quick:
        candidates, students, args.splits, args.seeds, args.epochs = CANDIDATES[:3:2], STUDENTS[:1], 2, 2, 3
    done = json.loads(args.json.read_text()) if args.json and args.json.exists() else {"load": os.getloadavg()}

    def part(name: str, make: Callable[[], Any]) -> Any:
        if name not in done:
            done[name] = make()
            print(name, json.dumps(done[name]), flush=True)
            if args.json:
                args.json.write_text(json.dumps(done, indent=1) + "\n")
        return done[name]

    with tempfile.TemporaryDirectory() as scratch:
        path = packed(args.folder, Path(scratch) / "lambdarank.zip")
        chosen = Choice(**part("settings", lambda: settings(path, args.splits, candidates))["chosen"])
        part("teacher", lambda: taught(path, chosen, args.seeds))
        for arch, size in students:
            part(f"{arch} {size}", lambda a=arch, s=size: distilled(path, chosen, a, s, args.seeds, args.epochs))  # type: ignore[misc]


if __name__ == "__main__":
    main()
