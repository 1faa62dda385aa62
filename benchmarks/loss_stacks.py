"""What a loss costs in a stack: a step of many students taught by it, over the same step taught by the plain divergence.

All arms are the engine's own stacks on one thread, alike but for the loss; each student has a temperature and an alpha of its own.
Rounds are interleaved, each arm in each round in turn; a ratio is the median over the rounds' ratios, in processor time of the one
thread that works. Losses with a written gradient have a goal; the others are differentiated by torch, student by student, and
told for comparison.

    python benchmarks/loss_stacks.py [--quick] [--json FILE]

Goal: a loss with a written gradient <= 1.3 x hinton.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.sweep_parts import ALPHAS, TEMPERATURES, make_dataset, student
from kd_core.distill import LOSSES
from kd_core.distill.stack.stack_training import StackTraining
from kd_core.distill.stack.stackable import why_apart
from kd_core.distill.stack.stacking import Stacking
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import SweepWork
from kd_core.machine import device
from kd_core.registry import Entry, Situation
from kd_core.specs import Choice, TrainingSpec

USUAL, GOAL = "hinton", 1.3
CASES = [
    {"students": 25, "features": 30, "width": 32, "classes": 10, "batch": 128},
    {"students": 25, "features": 64, "width": 64, "classes": 10, "batch": 256},
    {"students": 10, "features": 64, "width": 64, "classes": 77, "batch": 128},
]


def stacked(entry: Entry) -> bool:
    """Say whether students of many classes who learn by a loss can share a stack."""
    fits = entry.why_not(Situation("multiclass", 10)) is None
    return fits and why_apart("mlp", entry.name, "multiclass") is None


def opened(name: str, case: dict, dataset: object, z: object) -> StackTraining:
    fields = LOSSES.get(name).spec.model_fields
    warm = [{"temperature": t} if "temperature" in fields else {} for t in TEMPERATURES]
    chosen = [Choice(name=name, settings={**w, "alpha": min(a, 0.9)}) for w in warm for a in ALPHAS]
    variants = [Variant(student(case["width"]), choice, 0) for choice in chosen[: case["students"]]]
    work = Stacking(SweepWork.of(dataset, variants, z, TrainingSpec(batch_size=case["batch"], epochs=1)))
    (task,) = work.tasks(None, print, 1)
    return work.open(task)


def measure(case: dict, names: list[str], rounds: int, steps: int) -> dict:
    dataset, z = make_dataset(20 * case["batch"], case["features"], case["classes"])
    arms = {name: opened(name, case, dataset, z) for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        gc.collect()
        for k in range(len(names)):
            name = names[(k + turn) % len(names)]
            used = time.thread_time()
            taken = len(arms[name].time_steps(steps))
            used = time.thread_time() - used
            if turn:  # one round warms up
                found[name].append(used / taken * 1e6)
    told = {}
    for name in names:
        ratios = [mine / usual for mine, usual in zip(found[name], found[USUAL], strict=True)]
        told[name] = {
            "us": statistics.median(found[name]),
            "over_hinton": statistics.median(ratios),
            "written": "gradient" in LOSSES.get(name).facts,
        }
    return {"case": case, "rounds": rounds, "steps": steps, "losses": told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds instead of some minutes")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    names = sorted((e.name for e in LOSSES.entries() if stacked(e)), key=lambda name: name != USUAL)
    if chosen.quick:
        names = [name for name in names if "gradient" in LOSSES.get(name).facts]
    with device.threads(1):
        cases = [
            measure(c, names, *((5, 20) if chosen.quick else (25, 40))) for c in CASES[: 1 if chosen.quick else None]
        ]
        environment = device.environment(torch.device("cpu"))
    for found in cases:
        case = found["case"]
        print(
            f"{case['students']} students {case['features']}-{case['width']}-{case['width']}-{case['classes']}, batch {case['batch']} "
            f"({found['rounds']} rounds of {found['steps']} steps):"
        )
        for name, told in found["losses"].items():
            met = ("met" if told["over_hinton"] <= GOAL else "MISSED") if told["written"] else "by torch, no goal"
            print(f"  {name:12} {told['us']:8.0f} us a step, {told['over_hinton']:5.2f} x hinton  {met}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"cases": cases, "goal": GOAL, "environment": environment}, indent=1) + "\n")


if __name__ == "__main__":
    main()
