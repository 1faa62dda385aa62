"""What the planner's choice, made by rule, costs beside the best way of training a sweep.

Every way trains the same variants: one by one and as stacks, each in one lane and in one per core. Rounds are interleaved; a way that took more than
twice the best in the first round is not repeated. The ratio is `auto` over the best other way, each the median of its
rounds. Arithmetic is float32 in all.

    python benchmarks/planner.py [--quick] [--rounds N] [--json FILE]

Goal: a ratio of at most 1.05 in every case.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.dataset import Dataset, Part
from kd_core.data.view import Views
from kd_core.distill.stack import fused
from kd_core.distill.sweep import planner, sequential
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.machine import device
from kd_core.runs.service.worker import environment as warm_up
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.training.lanes import lanes_of

GOAL = 1.05
SHAPES = [(28, 20, 2), (64, 64, 10), (64, 256, 10)]  # inputs, width of two hidden layers, outputs
COUNTS = (1, 4, 16, 75)
ROWS, VALIDATION_ROWS, BATCH = 8192, 1500, 128
TEMPERATURES, ALPHAS = (1.0, 2.0, 4.0, 8.0, 16.0), (0.1, 0.3, 0.5, 0.7, 0.9)


def make_data(inputs: int, outputs: int) -> tuple[Dataset, np.ndarray]:
    """Draw rows whose classes follow from the first columns, and a teacher that knows them up to noise."""
    rng = np.random.default_rng(0)

    def part(rows: int) -> tuple[np.ndarray, Part, np.ndarray]:
        x = rng.normal(size=(rows, inputs)).astype(np.float32)
        z = 2 * x[:, :outputs] + np.sin(3 * x[:, outputs : 2 * outputs])
        y = (z + rng.normal(size=z.shape)).argmax(1).astype(np.int64)
        return x, Part(y, np.arange(rows)), z.astype(np.float32)

    made = {"train": part(ROWS), "validation": part(VALIDATION_ROWS), "test": part(100)}
    parts = {split: labels for split, (_, labels, _) in made.items()}
    views, z = Views.of_table({split: x for split, (x, *_) in made.items()}), made["train"][2]
    task = "binary" if outputs == 2 else "multiclass"
    names = tuple(str(i) for i in range(inputs))
    spec = DatasetSpec(source="memory", target="y")
    return Dataset(spec, "drawn", "0", task, tuple(map(str, range(outputs))), names, parts, views, pd.DataFrame()), z


def make_variants(width: int, count: int) -> list[Variant]:
    """List the first `count` of a grid of 5 temperatures, 5 alphas and 3 seeds."""
    student = StudentSpec(name="student", arch=Choice(name="mlp", settings={"width": width, "depth": 2}))
    grid = [(t, a, s) for s in range(3) for a in ALPHAS for t in TEMPERATURES]
    return [
        Variant(student, Choice(name="hinton", settings={"temperature": t, "alpha": a}), s) for t, a, s in grid[:count]
    ]


def measure(shape: tuple[int, int, int], count: int, epochs: int, rounds: int) -> dict:
    inputs, width, outputs = shape
    data, z = make_data(inputs, outputs)
    variants = make_variants(width, count)
    training = TrainingSpec(epochs=epochs, batch_size=BATCH, patience=epochs, precision="float32")
    told: list[dict] = []
    lanes = lanes_of(torch.device("cpu"))
    work = SweepWork.of(data, variants, z, training)
    ways: dict[str, Callable[[], object]] = {
        "auto": lambda: planner.train(work, Hooks(told.append)),
        "one by one": lambda: sequential.train(work, Hooks()),
        "stacks, 1 lane": lambda: fused.train(work, Hooks(), 1),
    }
    if lanes > 1 and count > 1:
        ways[f"one by one, {lanes} lanes"] = lambda: sequential.train(work, Hooks(), lanes)
        ways[f"stacks, {lanes} lanes"] = lambda: fused.train(work, Hooks(), lanes)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        best = min((t[0] for t in times.values() if t), default=float("inf"))
        names = [n for n in ways if not turn or n == "auto" or times[n][0] <= 2 * best]
        for name in names if turn % 2 == 0 else names[::-1]:
            gc.collect()
            start = time.perf_counter()
            ways[name]()
            times[name].append(time.perf_counter() - start)
    seconds = {name: statistics.median(t) for name, t in times.items()}
    best = min((n for n in seconds if n != "auto"), key=lambda n: seconds[n])
    sweeps = [e for e in told if e["kind"] == "sweep"]
    return {
        "shape": f"{inputs}-{width}-{width}-{outputs}",
        "variants": count,
        "seconds": seconds,
        "all": times,
        "best": best,
        "ratio": seconds["auto"] / seconds[best],
        "chosen": [e["mode"] for e in sweeps],
        "why": sweeps[-1]["why"],
        "rounds": rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="two small cases, under a minute instead of about half an hour"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds per case")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    warm_up()  # what a worker process has done before its first run
    cases = [(shape, count) for shape in SHAPES for count in COUNTS]
    epochs, rounds = 30, chosen.rounds
    if chosen.quick:
        cases, epochs, rounds = [(SHAPES[0], 4), (SHAPES[1], 16)], 10, 1
    rows = []
    for shape, count in cases:
        row = measure(shape, count, epochs, rounds)
        rows.append(row)
        listed = ", ".join(f"{name} {s:.2f} s" for name, s in row["seconds"].items())
        print(
            f"{row['shape']} x {count}: {listed}; auto took {row['chosen'][-1]}, ratio to {row['best']} {row['ratio']:.3f}",
            flush=True,
        )
    worst = max(rows, key=lambda row: row["ratio"])
    print(
        f"worst ratio {worst['ratio']:.3f} ({worst['shape']} x {worst['variants']}, {worst['rounds']} rounds, "
        f"{os.cpu_count()} cores), goal {GOAL}: {'met' if worst['ratio'] <= GOAL else 'MISSED'}"
    )
    if chosen.json:
        environment = device.environment(torch.device("cpu"))
        chosen.json.write_text(json.dumps({"goal": GOAL, "cases": rows, "environment": environment}, indent=1) + "\n")


if __name__ == "__main__":
    main()
