"""What making a student smaller costs: half of its units out, learned again, whole numbers, stage by stage, and int8 alone in two scopes.

    python benchmarks/compress.py --data ../shared/data --out runs-compress [--cases orders,questions,questions_lstm,pictures] [--json FILE]

Each case is an ordinary run (its teacher, its student with and without it, several seeds) and a run that makes its student smaller by
three chains. Both are run folders below `--out`: what is finished is not done again, and what was cut off goes on. Points lost are
against the student as it was, on test rows, with the interval over seeds and rows; times are from interleaved rounds of one
session, of the network alone on encoded rows. A stage passes where its interval lies within the goal of one point and, for a rounding,
99 % of the answers are those of the stage before. Needs: the real sets; `minilm` for the questions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.method_cases import CASES, Case
from kd_core.runs.compressing.asked import spec_of
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec

HALF, AGAIN, INT8 = "prune_structured", "distill", "int8"
CHAINS = (
    (Choice(name=HALF, settings={"share": 0.5}), Choice(name=AGAIN), Choice(name=INT8, settings={"scope": "global"})),
    (Choice(name=INT8, settings={"scope": "global"}),),
    (Choice(name=INT8, settings={"scope": "local"}),),
)
STUDENTS = {  # larger than those of the methods benchmark: there must be something to take away
    "orders": Choice(name="mlp", settings={"size": "base"}),
    "questions": Choice(name="bag", settings={"size": "base"}),
    "questions_lstm": Choice(name="recurrent", settings={"size": "small", "cell": "lstm"}),
    "pictures": Choice(name="cnn", settings={"size": "small"}),
}
MOST_LOST = 1.0


def _recipe(name: str, case: Case, data: Path, place: Path, seeds: int, epochs: int | None) -> RunSpec:
    return RunSpec(
        name=name,
        dataset=case.write(data, place),
        teacher=case.teacher,
        students=(StudentSpec(name="student", arch=STUDENTS[name]),),
        objective=Choice(name="hinton", settings={"alpha": 0.7, "temperature": 2.0}),
        training=TrainingSpec(epochs=epochs or case.epochs, seeds=seeds),
        evaluation=EvaluationSpec(folds=case.folds, placebo=False, references=False),
    )


def _carried_out(spec: RunSpec, path: Path) -> dict[str, Any]:
    found = RunFolder(path).result() if (path / "manifest.json").is_file() else None
    return found if found is not None else run_here(spec, path, lambda event: None, StopSignal())[0]


def measure(name: str, data: Path, place: Path, seeds: int, epochs: int | None) -> dict[str, Any]:
    """Carry out both runs of a case, and return what they say."""
    before = _carried_out(_recipe(name, CASES[name], data, place, seeds, epochs), place / name)
    asked = spec_of(str(place / name), chains=CHAINS, most_lost=MOST_LOST)
    after = _carried_out(asked, place / f"{name}-smaller")
    metric = before["metric"]["name"]
    (student,) = before["students"]
    return {
        "case": name,
        "metric": metric,
        "rows": before["dataset"]["rows"],
        "teacher": before["teacher"]["metrics"][metric],
        "alone": student["baseline"]["metrics"][metric]["mean"],
        "load": os.getloadavg()[0],
        "stages": [_line(stage, metric) for stage in after["compressed"]["stages"]],
    }


def _line(stage: Mapping[str, Any], metric: str) -> dict[str, Any]:
    alone = (stage.get("latency") or {}).get("onnxruntime") or {}
    keys = (
        "name",
        "reason",
        "bytes",
        "parameters",
        "nonzero",
        "flops",
        "lost",
        "agreement",
        "passes",
        "flags",
        "again",
    )
    told = {key: stage.get(key) for key in keys}
    return {
        **told,
        "score": (stage.get("metrics") or {}).get(metric),
        "p50": {batch: alone[batch]["p50"] for batch in ("1", "256") if batch in alone},
    }


def show(found: Mapping[str, Any]) -> None:
    """Print a case as a table."""
    print(
        f"\n{found['case']} ({found['metric']}; teacher {found['teacher']:.4f}, alone {found['alone']:.4f}; load {found['load']:.1f})"
    )
    for stage in found["stages"]:
        if stage["bytes"] is None:
            print(f"  {stage['name']:<22} not made: {stage['reason']}")
            continue
        lost = stage["lost"]
        points = "" if lost is None else f"lost {lost['mean']:+.2f} [{lost['ci95'][0]:+.2f}, {lost['ci95'][1]:+.2f}]"
        times = " ".join(f"{batch}: {ms:.3f} ms" for batch, ms in stage["p50"].items())
        said = ", ".join(flag["code"] for flag in stage["flags"] or ())
        word = "" if lost is None else "passes" if stage["passes"] else "fails"
        print(
            f"  {stage['name']:<22} {stage['score']:.4f} {points:<30} {stage['bytes']:>9,} B {stage['parameters'] or 0:>9,} parameters "
            f"{stage['flops'] or 0:>11,} FLOPs {times} {word} {said}",
            flush=True,
        )


def main() -> None:
    """Measure the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", default=",".join(STUDENTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of the student; those of the case when left out")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    found = []
    for name in asked.cases.split(","):
        found.append(measure(name, asked.data, asked.out, asked.seeds, asked.epochs))
        show(found[-1])
        if asked.json:
            asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
