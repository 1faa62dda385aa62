"""What rows made of training rows and labelled by the teacher give a student, and what they cost.

    python benchmarks/made_rows.py --keep FOLDER [--data FOLDER] [--sets visits,bike_sharing] [--seeds 3] [--times 0,1,4] [--epochs N]

One ordinary run for each set and number of made rows (times the training rows), without placebo and references, one after the other.
Told: the metric of the test part, mean over seeds, of each student and of its baseline, the difference to the student without made
rows, paired over seeds with its 95 % interval, and the seconds of the teacher (made rows are labelled there) and of the students.
Every arm takes the same number of steps. FOLDER (--keep) holds the finished runs; the same command goes on where it ended.
Real sets need --data or KD_DATA: online_shoppers, delivery_time, bike_sharing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.peers import sets
from kd_core.data.preparation import prepare
from kd_core.evaluate.intervals import compare
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.safe_io import read_json
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of

STUDENTS = {
    "mlp_small": Choice(name="mlp", settings={"size": "small"}),
    "piecewise_small": Choice(name="piecewise", settings={"size": "small"}),
    "trees_30x15": Choice(name="trees", settings={"trees": 30, "leaves": 15}),
}
SETS = ("visits", "delivery", "bike_sharing", "online_shoppers")


def result(dataset: DatasetSpec, task: str, times: int, chosen: argparse.Namespace, place: Path) -> dict[str, Any]:
    """Return the result of one run, carried out where it is not kept."""
    if not (place / "result.json").exists():
        spec = RunSpec(
            name=f"made rows {times}",
            dataset=dataset,
            teacher=Choice(name=chosen.teacher),
            students=tuple(StudentSpec(name=name, arch=arch) for name, arch in STUDENTS.items()),
            objective=Choice(name=task_of(task).objective),
            training=TrainingSpec(seeds=chosen.seeds, epochs=chosen.epochs, made_rows=times),
            evaluation=EvaluationSpec(placebo=False, references=False, latency=False),
        )
        run_here(spec, place, lambda event: None, StopSignal())
    found: dict[str, Any] = read_json(place / "result.json")
    return found


def tell(name: str, found: dict[int, dict[str, Any]]) -> None:
    """Print one set."""
    first = next(iter(found.values()))
    metric, better = first["metric"]["name"], first["metric"]["better"]
    print(f"{name}: {metric}, {first['dataset']['rows']} rows", flush=True)
    for times, one in found.items():
        seconds = one["seconds"]
        print(f"  {times} times: teacher {seconds['teacher']:.1f} s, students {seconds['students']:.1f} s")
        for at, student in enumerate(one["students"]):
            own = student["metrics"][metric]["values"]
            alone = student["baseline"]["metrics"][metric]["mean"]
            line = f"    {student['name']}: {sum(own) / len(own):.5g} (baseline {alone:.5g})"
            if times and 0 in found:
                gap = compare.paired(own, found[0]["students"][at]["metrics"][metric]["values"], better)
                line += f", made rows {gap.mean:+.4g}"
                line += "" if gap.low is None else f" [{gap.low:+.4g}, {gap.high:+.4g}]"
            print(line, flush=True)


def main() -> None:
    """Carry out what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("KD_DATA"))
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--times", default="0,1,4")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--teacher", default="gradient_boosting")
    chosen = parser.parse_args()
    os.environ.setdefault("KD_WORKSPACE", str(chosen.keep / "workspace"))
    with tempfile.TemporaryDirectory() as scratch:
        known = sets(Path(chosen.data) if chosen.data else None, Path(scratch))
        for name in chosen.sets.split(","):
            dataset = known[name]()
            task = prepare(dataset).task
            every = [int(times) for times in chosen.times.split(",")]
            found = {times: result(dataset, task, times, chosen, chosen.keep / f"{name}-{times}") for times in every}
            tell(name, found)


if __name__ == "__main__":
    main()
