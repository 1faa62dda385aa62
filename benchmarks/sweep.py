"""What a fused sweep costs beside the other ways of training the same students, as ratios inside one run.

    python benchmarks/sweep.py [--quick] [--only steps,sweep,scaling] [--json FILE]

steps    a step of 75 students (5 T x 5 alpha x 3 seeds) in units of E1 = one student in a plain eager loop with
         cached logits, on one or two threads, whichever is faster; and its share of the machine's matrix product rate
sweep    the whole sweep of 20 epochs: stacks against a fresh process per trial (two at a time) and two warm workers
scaling  seconds of an epoch against the number of variants, rows and width

Goals: 64-64-64-10 at most 7 E1 at batch 64 and 18 E1 at batch 256; 16-32-32-10 at most 7; 64-256-256-10 at most 45 E1
in float32 and 21 in bfloat16; at least 35 % of the product rate from 64 wide; 4 times faster than fresh processes,
2 times faster than warm workers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import sweep_parts as parts
from kd_core.distill.stack import fused
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.machine import device
from kd_core.specs import TrainingSpec
from kd_core.training.lanes import lanes_of

PEERS = Path(__file__).with_name("sweep_peers.py")
STEPS = [  # features, width, classes, batch, precision, goal in E1
    (64, 64, 10, 64, "float32", 7.0),
    (64, 64, 10, 256, "float32", 18.0),
    (16, 32, 10, 128, "float32", 7.0),
    (64, 256, 10, 256, "float32", 45.0),
    (64, 256, 10, 256, "bfloat16", 21.0),
]


def steps(quick: bool) -> list[dict]:
    """Compare a step of the sweep with a step of one student, in interleaved rounds."""
    found = []
    for features, width, classes, batch, precision, goal in STEPS:
        dataset, z = parts.make_dataset(10_000, features, classes)
        variants = parts.grid(parts.student(width))
        rounds = []
        for _ in range(2 if quick else 7):
            one = min(parts.plain_step(dataset, z, width, batch, 80, threads) for threads in (1, 2))
            many = parts.fused_step(dataset, z, variants, batch, 10 if width > 200 else 40, precision)
            rate = parts.gemm_rate()
            share = parts.step_flops(features, width, classes, batch, len(variants)) / many / rate
            rounds.append(
                {
                    "e1_us": one * 1e6,
                    "step_ms": many * 1e3,
                    "ratio": many / one,
                    "share": share,
                    "gemm_gflops": rate / 1e9,
                }
            )
        row = {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
        row |= {
            "shape": f"{features}-{width}-{width}-{classes}",
            "batch": batch,
            "precision": precision,
            "goal": goal,
            "rounds": len(rounds),
            "ratio_range": [min(r["ratio"] for r in rounds), max(r["ratio"] for r in rounds)],
        }
        found.append(row)
        low, high = row["ratio_range"]
        print(
            f"{row['shape']} batch {batch} {precision}: 75 students = {row['ratio']:.2f} E1 ({low:.2f}-{high:.2f}; goal {goal:g}), "
            f"E1 {row['e1_us']:.0f} us, step {row['step_ms']:.2f} ms, {row['share']:.0%} of {row['gemm_gflops']:.0f} GFLOP/s",
            flush=True,
        )
    return found


def run(kind: str, file: Path, shape: tuple[int, int, int], positions: list[int]) -> subprocess.Popen:
    command = [sys.executable, str(PEERS), kind, str(file), *map(str, shape), *map(str, positions)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def fresh(file: Path, shape: tuple[int, int, int], count: int) -> float:
    """Train each variant in a process of its own, two at a time."""
    start = time.perf_counter()
    waiting, running = list(range(count)), []
    while waiting or running:
        while waiting and len(running) < 2:
            running.append(run("trial", file, shape, [waiting.pop(0)]))
        done = [p for p in running if p.poll() is not None]
        running = [p for p in running if p not in done]
        if any(p.returncode for p in done):
            raise SystemExit("a trial failed")
        time.sleep(0.005)
    return time.perf_counter() - start


def warm(file: Path, shape: tuple[int, int, int], count: int) -> float:
    """Train the variants in two processes that have everything imported; the start is not counted."""
    workers = [run("warm", file, shape, list(range(k, count, 2))) for k in (0, 1)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        if worker.wait():
            raise SystemExit("a worker failed")
    return time.perf_counter() - start


def sweep(quick: bool) -> list[dict]:
    """Time the whole sweep three ways."""
    found = []
    count, epochs = (8, 3) if quick else (75, 20)
    for batch in (256, 64):
        data = parts.make_data(10_000, 64, 10)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "data.npz"
            np.savez(file, **data)
            shape = (64, batch, epochs)
            start = time.perf_counter()
            if run("fused", file, shape, [count]).wait():
                raise SystemExit("the sweep failed")
            with_start = time.perf_counter() - start
            dataset = parts.dataset_of(data)
            training = TrainingSpec(batch_size=batch, epochs=epochs, patience=epochs)
            variants = parts.grid(parts.student(64), count)
            start = time.perf_counter()
            fused.train(SweepWork.of(dataset, variants, data["z"], training), Hooks())
            alone = time.perf_counter() - start
            apart, workers = fresh(file, shape, count), warm(file, shape, count)
        row = {
            "batch": batch,
            "epochs": epochs,
            "trainings": count,
            "fused_s": alone,
            "fused_fresh_process_s": with_start,
            "fresh_processes_s": apart,
            "warm_workers_s": workers,
            "against_fresh": apart / with_start,
            "against_warm": workers / alone,
        }
        found.append(row)
        print(
            f"batch {batch}: {count} trainings of {epochs} epochs: fused {alone:.1f} s ({with_start:.1f} s from a cold start), "
            f"a fresh process each {apart:.1f} s ({row['against_fresh']:.1f} x), two warm workers {workers:.1f} s ({row['against_warm']:.1f} x)",
            flush=True,
        )
    return found


def scaling(quick: bool) -> list[dict]:
    """Time an epoch against variants, rows and width; long ones are foreseen from their steps and marked."""
    found = []
    counts = (1, 16) if quick else (1, 4, 16, 64, 256)
    cases = [(10_000, 64, c) for c in counts] + [(10_000, w, c) for w in (20, 256) for c in counts]
    cases += [(r, 64, c) for r in ((100_000,) if quick else (100_000, 1_000_000)) for c in counts]
    training = TrainingSpec(batch_size=256, epochs=1)
    made: tuple[int, object, np.ndarray] | None = None
    for rows, width, count in cases:
        if made is None or made[0] != rows:
            made = (rows, *parts.make_dataset(rows, 28, 2))
        _, dataset, z = made
        variants = parts.grid(parts.student(width), count)
        foreseen = parts.fused_step(dataset, z, variants, 256, 12) * rows / 256
        seconds, measured = foreseen, False
        if foreseen < (2 if quick else 90):
            start = time.perf_counter()
            fused.train(SweepWork.of(dataset, variants, z, training), Hooks())
            seconds, measured = time.perf_counter() - start, True
        row = {
            "rows": rows,
            "width": width,
            "variants": count,
            "seconds": seconds,
            "measured": measured,
            "us_per_variant_step": seconds / count / (rows / 256) * 1e6,
        }
        found.append(row)
        print(
            f"{rows:>9,} rows, width {width:>3}, {count:>3} variants: {'' if measured else '~'}{seconds:.2f} s an epoch, "
            f"{row['us_per_variant_step']:.1f} us per variant and step",
            flush=True,
        )
    return found


def main() -> None:
    """Measure and print; write the numbers where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke size")
    parser.add_argument("--only", default="steps,sweep,scaling")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    print(f"{device.cpu_name()}, {lanes_of(torch.device('cpu'))} cores used, torch {torch.__version__}")
    known = {"steps": steps, "sweep": sweep, "scaling": scaling}
    numbers = {name: known[name](args.quick) for name in args.only.split(",")}
    if args.json:
        args.json.write_text(json.dumps({"environment": device.environment(), **numbers}, indent=1))


if __name__ == "__main__":
    main()
